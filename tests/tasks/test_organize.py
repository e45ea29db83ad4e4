"""`doit organize`: links by what the frames are, and nothing of the user's is touched."""

from __future__ import annotations

import shutil

import pytest

from accretor.core.dumps import IMAGE_COUNTS
from accretor.io import dump
from tests.harness import make, run, tree

FOLDER = "organized/TOI-9999.01/20250304/Demo-0m4/ip"


@pytest.fixture
def workspace(tmp_path):
    return make(tmp_path / "space", lights=range(5))


def links(workspace):
    return sorted(path.name for path in (workspace / FOLDER).iterdir())


def test_each_frame_is_found_by_what_it_is(workspace):
    done = run(workspace, "organize")

    counts = {
        row["folder"]: row["n_frame"]
        for row in dump.read(workspace / "organized/images.ecsv", IMAGE_COUNTS).rows
    }
    assert done.status == 0, done.out
    assert links(workspace) == [f"TOI-9999.01-{i:04d}.fits" for i in range(1, 6)]
    assert counts[FOLDER.removeprefix("organized/")] == 5
    assert counts["calibration/Demo-0m4/bias"] == len(list((workspace / "raw").rglob("*bias*.fits")))
    for path in (workspace / "organized").rglob("*.fits"):
        assert path.is_symlink()
        assert (workspace / "raw").resolve() in path.resolve().parents


def test_the_tree_can_be_moved_with_the_workspace(workspace, tmp_path):
    run(workspace, "organize")

    moved = shutil.move(workspace, tmp_path / "moved")

    assert (moved / FOLDER / "TOI-9999.01-0001.fits").read_bytes()


def test_links_follow_the_frames_and_the_raw_frames_stay(workspace):
    run(workspace, "organize")
    before = tree(workspace / "raw")
    gone = next((workspace / "raw").rglob("TOI-9999.01-0002.fits"))
    gone.rename(workspace / "kept.fits")

    later = run(workspace, "organize")
    again = run(workspace, "organize")

    assert "0 new links" in later.out
    assert "1 removed" in later.out
    assert ("0 new links" in again.out, "0 removed" in again.out) == (True, True)
    assert "TOI-9999.01-0002.fits" not in links(workspace)
    (workspace / "kept.fits").rename(gone)
    assert tree(workspace / "raw") == before


def test_a_file_of_the_user_in_the_tree_is_left_alone(workspace):
    run(workspace, "organize")
    note = workspace / FOLDER / "my notes.txt"
    note.write_text("mine", encoding="utf-8")
    blocked = workspace / FOLDER / "TOI-9999.01-0003.fits"
    blocked.unlink()
    blocked.write_text("mine too", encoding="utf-8")

    done = run(workspace, "organize")

    assert done.status != 0
    assert "is a file and no link of ours" in done.out
    assert (note.read_text(encoding="utf-8"), blocked.read_text(encoding="utf-8")) == ("mine", "mine too")


def test_where_there_are_no_symbolic_links_hard_ones_serve(workspace, monkeypatch):
    def refuse(self, target, target_is_directory=False):
        raise OSError(1314, "a required privilege is not held by the client")

    monkeypatch.setattr("pathlib.Path.symlink_to", refuse)

    done = run(workspace, "organize")
    again = run(workspace, "organize")

    path = workspace / FOLDER / "TOI-9999.01-0001.fits"
    assert done.status == 0, done.out
    assert not path.is_symlink()
    assert path.samefile(next((workspace / "raw").rglob(path.name)))
    assert "0 new links" in again.out
    assert path.stat().st_nlink == 2
