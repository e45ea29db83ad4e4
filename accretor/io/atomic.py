"""Files that are whole or absent.

Bytes go to a part file in the same folder, are forced to the disk, and take the
final name in one step. A file whose bytes would not change is left alone, so
that what depends on it has nothing to do.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

CHUNK = 1 << 20
"""Bytes that are held of a large file."""

PART = ".part"
"""Suffix of a file that is being written; such files are swept away at the next start."""


def write_bytes(path: Path, data: bytes) -> bool:
    """Make *data* the content of *path*; return False if they were that already.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written; *path* is then as it was.
    """
    return not _holds(path, data) and write(path, lambda file: file.write(data))


def write(path: Path, fill: Callable[[BinaryIO], object]) -> bool:
    """Make what *fill* writes into an empty file the content of *path*; raises as `write_bytes` does.

    For contents that are too large to be held in memory.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}{PART}")
    part.unlink(missing_ok=True)
    try:
        with part.open("xb") as file:  # never through a link of that name
            fill(file)
            file.flush()
            is_same = _is_same(part, path)
            if not is_same:
                os.fsync(file.fileno())
        if is_same:
            part.unlink()
            return False
        part.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink()
        if isinstance(error, OSError):
            error.filename = str(path)  # a write to a full disk does not tell where
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


def _is_same(part: Path, path: Path) -> bool:
    try:
        if path.stat().st_size != part.stat().st_size:
            return False
        with part.open("rb") as one, path.open("rb") as other:
            while chunk := one.read(CHUNK):
                if chunk != other.read(CHUNK):
                    return False
    except FileNotFoundError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    """Force the new name to the disk, where the system can (Windows cannot)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
