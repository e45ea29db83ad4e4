from __future__ import annotations

import json

import numpy as np
import pytest

from accretor.core.errors import ServiceError, Unusable
from accretor.io import fits, skynet
from accretor.io.http import Client, NotSent, Secret
from tests.exofop.archive_server import PAGE, Archive, serve

TOKEN = "canary-token"
DOWNLOAD = "download/fits/"


def image(number):
    cards = {"EXPTIME": 30.0, "DATE-OBS": f"2025-03-04T00:{number:02d}:00"}
    return fits.image_bytes(np.full((90, 80), number, dtype=np.float32), cards)


@pytest.fixture
def archive():
    held = Archive(pages={"obs/12": json.dumps({"id": 12, "exps": [{"id": n} for n in (3, 1, 2)]}).encode()})
    for number in (1, 2, 3):
        held.pages[f"{DOWNLOAD}?image=r{number}"] = image(number)
    with serve(held):
        yield held


def fetch(archive, tmp_path, *, attempts=1, **limits):
    with Client("Skynet", {archive.place}, backoff=0, attempts=attempts, timeout=(2, 5)) as client:
        return skynet.fetch(
            client,
            12,
            tmp_path / "raw",
            tmp_path / "12.json",
            Secret(TOKEN),
            address=archive.address,
            **limits,
        )


def test_all_frames_come_once(archive, tmp_path):
    first = fetch(archive, tmp_path)
    assert (first.new, first.failures) == (("r1.fits", "r2.fits", "r3.fits"), ())
    for number in (1, 2, 3):
        assert (tmp_path / "raw" / f"r{number}.fits").read_bytes() == image(number)
    assert fetch(archive, tmp_path).kept == first.new
    assert archive.counted(DOWNLOAD) == 3
    assert set(json.loads((tmp_path / "12.json").read_text())) == set(first.new)
    assert all(headers["Authentication-Token"] == TOKEN for _, _, headers in archive.asked)
    assert [path.name for path in sorted((tmp_path / "raw").iterdir())] == list(first.new)


@pytest.mark.parametrize("fault", ["html", "short", "cut", "500"])
def test_a_frame_that_does_not_come_whole_is_absent_and_comes_the_next_time(archive, tmp_path, fault):
    archive.faults[f"{DOWNLOAD}?image=r2"] = [fault]
    found = fetch(archive, tmp_path)
    assert found.new == ("r1.fits", "r3.fits")
    assert found.failures[0].startswith("r2.fits: ")
    assert not (tmp_path / "raw" / "r2.fits").exists()
    again = fetch(archive, tmp_path)
    assert (again.new, again.kept) == (("r2.fits",), ("r1.fits", "r3.fits"))
    assert (tmp_path / "raw" / "r2.fits").read_bytes() == image(2)


def test_a_file_that_is_there_is_never_changed(archive, tmp_path):
    (tmp_path / "raw").mkdir()
    mine, cut = image(9), image(1)[:5000]
    (tmp_path / "raw" / "r2.fits").write_bytes(mine)
    (tmp_path / "raw" / "r1.fits").write_bytes(cut)
    found = fetch(archive, tmp_path)
    assert (found.new, found.kept) == (("r3.fits",), ("r2.fits",))
    assert "not a whole FITS image" in found.failures[0]
    assert (tmp_path / "raw" / "r2.fits").read_bytes() == mine
    assert (tmp_path / "raw" / "r1.fits").read_bytes() == cut


def test_a_size_that_is_not_that_of_the_manifest_is_said(archive, tmp_path):
    fetch(archive, tmp_path)
    with (tmp_path / "raw" / "r1.fits").open("ab") as file:
        file.write(b"\0" * 2880)
    found = fetch(archive, tmp_path)
    assert "were fetched; move it away" in found.failures[0]


@pytest.mark.parametrize(
    ("after", "before", "numbers"),
    [
        ("", "", "1234"),
        ("2025-03-04", "", "234"),
        ("2025-03-04", "2025-03-05", "24"),
        ("", "2025-03-04T01:00:00+01:00", "14"),
        ("2025-03-04T00:00:00Z", "2025-03-05T00:00:00+00:00", "24"),
    ],
)
def test_only_exposures_between_two_times_come_whatever_form_the_times_have(
    archive, tmp_path, after, before, numbers
):
    times = {1: "2025-03-03T23:59:59", 2: "2025-03-04T00:00:00.5Z", 3: "2025-03-05T00:00:00", 4: None}
    exposures = [{"id": number, "centerTime": when} for number, when in times.items()]
    archive.pages["obs/12"] = json.dumps({"exps": exposures}).encode()
    archive.pages[f"{DOWNLOAD}?image=r4"] = image(4)
    found = fetch(archive, tmp_path, after=after, before=before)
    assert found.new == tuple(f"r{number}.fits" for number in numbers)


def test_a_limit_that_is_no_time_is_refused_before_anything_is_asked(archive, tmp_path):
    with pytest.raises(Unusable, match="'yesterday' is not a date"):
        fetch(archive, tmp_path, after="yesterday")
    assert archive.asked == []


@pytest.mark.parametrize("answer", [PAGE, b"{}", b"[]", b'{"exps": [{"x": 1}]}', b'{"exps": ["../../x"]}'])
def test_an_answer_that_lists_no_exposures_is_an_error(archive, tmp_path, answer):
    archive.pages["obs/12"] = answer
    with pytest.raises(ServiceError, match="not the list"):
        fetch(archive, tmp_path)
    assert not (tmp_path / "raw").exists()


def test_the_token_is_in_no_file_and_no_message(archive, tmp_path):
    archive.faults[f"{DOWNLOAD}?image=r2"] = ["html"]
    found = fetch(archive, tmp_path)
    del archive.pages["obs/12"]
    with pytest.raises(ServiceError) as trouble:
        fetch(archive, tmp_path)
    assert TOKEN not in repr(found) + str(trouble.value) + repr(trouble.value.__dict__)
    assert not any(TOKEN.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_without_a_network_that_is_said(tmp_path):
    with pytest.raises(NotSent):
        fetch(Archive(address="http://127.0.0.1:9/2.0", place="127.0.0.1:9"), tmp_path)
