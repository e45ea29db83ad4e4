"""What becomes of a package that someone else had a hand in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness import make, run

pytestmark = pytest.mark.usefixtures("blank_figures")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    root = make(tmp_path_factory.mktemp("packaging") / "workspace")
    assert run(root, "packaging").status == 0
    return root


def package_of(workspace: Path) -> Path:
    (found,) = (workspace / "products").rglob("package")
    return found


def test_what_was_written_into_the_package_by_hand_is_kept_aside_and_named(workspace):
    package = package_of(workspace)
    (notes,) = package.glob("*_notes.txt")
    made = notes.read_bytes()
    notes.write_bytes(made + b"Seen through thin clouds.\n")
    (package / "letter.txt").write_text("to the reviewer")

    done = run(workspace, "packaging")

    assert notes.read_bytes() == made
    changed = package.parent / "changed"
    assert (changed / notes.name).read_bytes() == made + b"Seen through thin clouds.\n"
    assert (changed / "letter.txt").read_text() == "to the reviewer"
    assert f"{notes.name}, letter.txt had been changed by hand" in "".join(done.done.values())
    assert run(workspace, "packaging").stages == []


def test_what_was_written_by_hand_a_second_time_leaves_the_first_where_it_is(workspace):
    package = package_of(workspace)
    (config,) = package.glob("*.plotcfg")
    made = config.read_bytes()
    for words in (b"first\n", b"second\n", b"second\n"):
        config.write_bytes(made + words)
        assert run(workspace, "packaging").stages == ["packaging"]

    kept = {path.read_bytes() for path in (package.parent / "changed").glob(f"{config.stem}*")}
    assert kept == {made + b"first\n", made + b"second\n"}
    assert config.read_bytes() == made


def test_files_of_a_file_manager_are_no_part_of_a_package(workspace):
    package = package_of(workspace)
    for name in (".DS_Store", "Thumbs.db"):
        (package / name).write_bytes(b"icons")

    assert run(workspace, "packaging").stages == []
    checked = run(workspace, "check")
    assert checked.status == 0
    assert ".DS_Store: is a file manager's, no part of the package, and is not sent" in checked.out
    assert (package / ".DS_Store").exists()
    assert "make it again" not in run(workspace, "upload").out
