"""Digests of raw files, so that each is read for its digest once.

A file is known by its name, size and time of change; so a frame that is moved to
another folder is not read again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

Key = tuple[str, int, int]
"""Name without folder, size in byte, time of change in nanoseconds."""


def key(path: str, size: int, mtime_ns: int) -> Key:
    """Return that by which the digest of a raw file is found again."""
    return PurePosixPath(path).name, size, mtime_ns


def read(path: Path) -> dict[Key, str]:
    """Return the digests that are known."""
    found: dict[Key, str] = {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return found
    for line in lines:
        try:
            name, size, mtime_ns, digest = json.loads(line)
            found[name, size, mtime_ns] = digest
        except (ValueError, TypeError):
            continue  # torn by a kill
    return found


def add(path: Path, digests: Mapping[Key, str]) -> None:
    """Append *digests*; this is a cache, so a torn line costs one more look at a file."""
    if not digests:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        # A torn line of a killed run must not swallow the next one.
        file.write("\n" + "".join(json.dumps([*item, digest]) + "\n" for item, digest in digests.items()))
