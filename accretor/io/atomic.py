"""Files that are whole or absent.

Bytes go to a part file in the same folder, are forced to the disk, and take the
final name in one step. A file whose bytes would not change is left alone, so
that what depends on it has nothing to do.
"""

from __future__ import annotations

import os
from pathlib import Path

PART = ".part"
"""Suffix of a file that is being written; such files are swept away at the next start."""


def write_bytes(path: Path, data: bytes) -> bool:
    """Make *data* the content of *path*; return False if they were that already.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written; *path* is then as it was.
    """
    if _holds(path, data):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}{PART}")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    return True


def write_text(path: Path, text: str) -> bool:
    """Make *text*, in UTF-8 with its line ends as they are, the content of *path*."""
    return write_bytes(path, text.encode("utf-8"))


def sweep(folder: Path) -> None:
    """Remove the part files that a killed run left below *folder*."""
    for part in folder.rglob(f".*{PART}"):
        part.unlink(missing_ok=True)


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    """Force the new name to the disk, where the system can (Windows cannot)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
