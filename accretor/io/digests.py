"""Digests of raw files, so that each is read for its digest once.

A file is known by its path, size and time of change. One that is moved to another
folder is known by its name, as long as no other file can be meant.

The digest tells whether a file is the one that a row was made from, to nobody but this
workspace: so it is the 128 bits of XXH3, which takes a tenth of the time of SHA-256, and says
so (``xxh3:...``). What is proven to others - packages, uploads - has SHA-256. Digests without a
name are SHA-256 of an earlier version; files known by these keep them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

NAME = "xxh3:"
"""What a digest begins with."""
_PIECE = 1 << 20
Key = tuple[str, int, int]
"""Path below raw/, size in byte, time of change in nanoseconds."""


class Running:
    """The digest of bytes that come one after the other."""

    def __init__(self) -> None:
        import xxhash

        self._state = xxhash.xxh3_128()
        self.update: Callable[[bytes | memoryview], None] = self._state.update
        """Take some more bytes."""

    @property
    def value(self) -> str:
        """Digest of what came so far, with its name."""
        return NAME + self._state.hexdigest()


def of(content: bytes) -> str:
    """Return the digest of a raw file with this *content*."""
    digest = Running()
    digest.update(content)
    return digest.value


def of_file(path: Path) -> str:
    """Return the digest of a raw file."""
    digest = Running()
    with path.open("rb") as file:
        while part := file.read(_PIECE):
            digest.update(part)
    return digest.value


def key(path: str, size: int, mtime_ns: int) -> Key:
    """Return that by which the digest of a raw file is found again."""
    return path, size, mtime_ns


def finder(path: Path, raw: Path) -> Callable[[Key], str | None]:
    """Return a function that tells the digest of a file below *raw*; None if it is not known.

    A file of the same name, size and time whose own path is there no more was moved;
    if two such are gone, it cannot be told which of them this one was.
    """
    known = read(path)
    namesakes: dict[Key, dict[str, str]] = {}
    for (old, size, mtime_ns), digest in known.items():
        namesakes.setdefault((PurePosixPath(old).name, size, mtime_ns), {})[old] = digest

    def find(item: Key) -> str | None:
        if item in known:
            return known[item]
        same = namesakes.get((PurePosixPath(item[0]).name, *item[1:]), {})
        gone = {digest for old, digest in same.items() if not (raw / old).exists()}
        return gone.pop() if len(gone) == 1 else None

    return find


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
