from __future__ import annotations

import json
import shutil
import socket

import pytest

from tests.harness import run

pytestmark = pytest.mark.usefixtures("blank_figures")

VISIT = "TOI-9999.01/20250304/Demo-0m4"


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    from accretor.synthetic import demo
    from tests.harness import make

    workspace = make(tmp_path_factory.mktemp("check"), demo.DEMO)
    assert run(workspace).status == 0
    return workspace


def test_a_sound_package_ends_with_status_0_and_says_so_to_people_and_programs(packed, monkeypatch):
    monkeypatch.setattr(socket.socket, "connect", lambda *given: pytest.fail("the network was used"))
    found = run(packed, "check:TOI-9999.01")
    known = json.loads((packed / "products" / VISIT / "check.json").read_text(encoding="utf-8"))

    assert found.status == 0
    assert "sound" in found.out
    assert known["is_sound"]
    assert known["filters"][0]["n_observation"] == 55


def test_the_package_of_somebody_is_checked_where_it_is_and_left_as_it_is(packed, tmp_path):
    folder = tmp_path / "theirs"
    shutil.copytree(packed / "products" / VISIT / "package", folder)
    names = sorted(path.name for path in folder.iterdir())
    assert run(packed, "check", f"folder={folder}").status == 0
    next(folder.glob("*_field.png")).unlink()
    next(folder.glob("*_WCS.fits")).unlink()

    found = run(packed, "check", f"folder={folder}")
    known = json.loads((packed / "work" / "checks" / "theirs.json").read_text(encoding="utf-8"))

    assert found.status == 1
    assert "Traceback" not in found.out + found.err
    assert [problem["text"] for problem in known["problems"]] == [
        "filter ip: field.png is missing",
        "filter ip: WCS.fits is missing",
    ]
    assert sorted(path.name for path in folder.iterdir()) == [
        name for name in names if "_field.png" not in name and "WCS" not in name
    ]


def test_a_folder_that_is_not_there_is_one_problem(packed, tmp_path):
    found = run(packed, "check", f"folder={tmp_path / 'nowhere'}")

    assert found.status == 1
    assert "is not a folder" in found.out
