from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from accretor.io import atomic

OLD, NEW = b"what was there\n", b"what shall be there\n" * 4000


class FullDisk:
    """Lets the *n*-th step that needs the disk fail, counting every kind of step."""

    def __init__(self, monkeypatch, n):
        self.left = n
        for owner, name in ((os, "fsync"), (Path, "replace"), (Path, "open"), (Path, "mkdir")):
            monkeypatch.setattr(owner, name, self.counted(getattr(owner, name)))

    def counted(self, function):
        def step(*args, **kwargs):
            self.spend()
            found = function(*args, **kwargs)
            return Writer(self, found) if hasattr(found, "flush") and found.writable() else found

        return step

    def spend(self):
        self.left -= 1
        if self.left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Writer:
    """A file that asks the disk for room, and on a full one keeps half of what it was given."""

    def __init__(self, disk, file):
        self.disk, self.file = disk, file

    def write(self, data):
        try:
            self.disk.spend()
        except OSError:
            self.file.write(data[: len(data) // 2])
            raise
        return self.file.write(data)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def __getattr__(self, name):
        return getattr(self.file, name)


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def outcomes(tmp_path, monkeypatch, old):
    """Yield for each step that can fail what is then in the file, until none fails."""
    path = tmp_path / "dump.ecsv"
    for n in range(1, 30):
        path.unlink(missing_ok=True)
        if old is not None:
            path.write_bytes(old)
        with monkeypatch.context() as patch:
            disk = FullDisk(patch, n)
            failed = None
            try:
                atomic.write_bytes(path, NEW)
            except OSError as error:
                failed = error.errno
        yield failed, path.read_bytes() if path.exists() else None, files(tmp_path)
        if disk.left > 0:
            return
    pytest.fail("writing needs more steps than can be")


@pytest.mark.parametrize("old", [None, OLD], ids=["new", "there already"])
def test_whichever_step_fails_the_file_is_as_it_was_or_as_it_shall_be(tmp_path, monkeypatch, old):
    seen = list(outcomes(tmp_path, monkeypatch, old))

    assert len(seen) >= 6  # open, write, two of fsync, replace, and the one that succeeds
    assert all(content in (old, NEW) for _, content, _ in seen)
    assert [failed for failed, _, _ in seen] == [errno.ENOSPC] * (len(seen) - 1) + [None]
    assert seen[-1][1] == NEW


@pytest.mark.parametrize("old", [None, OLD], ids=["new", "there already"])
def test_whichever_step_fails_nothing_else_is_left_in_the_folder(tmp_path, monkeypatch, old):
    for _, content, names in outcomes(tmp_path, monkeypatch, old):
        assert names == (["dump.ecsv"] if content is not None else [])


def test_a_kill_while_writing_leaves_no_part_file(tmp_path, monkeypatch):
    def interrupted(handle):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        atomic.write_bytes(tmp_path / "a", NEW)

    assert files(tmp_path) == []


def test_the_same_bytes_are_not_written_again(tmp_path):
    path = tmp_path / "a"
    assert atomic.write_bytes(path, OLD)
    os.utime(path, ns=(1, 1))

    assert not atomic.write_bytes(path, OLD)
    assert path.stat().st_mtime_ns == 1


def test_other_bytes_of_the_same_length_are_written(tmp_path):
    path = tmp_path / "a"
    atomic.write_bytes(path, b"1.0")

    assert atomic.write_bytes(path, b"1.1")
    assert path.read_bytes() == b"1.1"


def test_folders_are_made_as_they_are_needed(tmp_path):
    path = tmp_path / "work" / "TOI-1" / "a"

    assert atomic.write_bytes(path, b"")
    assert path.read_bytes() == b""


def test_text_keeps_its_line_ends_and_is_utf_8(tmp_path):
    atomic.write_text(tmp_path / "a", "é\r\n±\n")

    assert (tmp_path / "a").read_bytes() == b"\xc3\xa9\r\n\xc2\xb1\n"


def test_sweeping_takes_away_part_files_and_nothing_else(tmp_path):
    kept = tmp_path / "deep" / "a.part"
    torn = tmp_path / "deep" / f".a.ecsv{atomic.PART}"
    kept.parent.mkdir()
    kept.touch()
    torn.touch()
    (tmp_path / ".hidden").touch()

    atomic.sweep(tmp_path)

    assert files(tmp_path / "deep") == ["a.part"]
    assert (tmp_path / ".hidden").exists()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="every folder can be written here")
def test_a_folder_that_cannot_be_written_is_an_error_and_no_harm(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError):
            atomic.write_bytes(tmp_path / "a", NEW)
    finally:
        tmp_path.chmod(0o700)
