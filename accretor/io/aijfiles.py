"""Files of AstroImageJ in the workspace's folder ``aij``: which there are, and for which observation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from accretor.core.errors import Blocked
from accretor.core.observation import Observation

KINDS = {
    "radec": (".radec",),
    "apertures": (".apertures", ".aperture"),
    "table": (".tbl", ".xls", ".csv", ".txt", ".prn"),
    "image": (".fits", ".fit", ".fts"),
}
"""Endings of the names of each kind of file; in ``image`` also with .gz or .fz after them."""

_OTHER = re.compile(r"(?i)notes|readme|subset|neb[-_]?table|fitpanel")
"""In names of texts that AstroImageJ leaves, and that are no measurement tables."""


@dataclass(frozen=True)
class AijFiles:
    """The files of AstroImageJ for one observation; None where there is none."""

    radec: Path | None = None
    apertures: Path | None = None
    table: Path | None = None
    image: Path | None = None
    doubled: str = ""
    """What is wrong: two files of one kind, of which neither can be taken."""

    @property
    def choice(self) -> Path | None:
        """The file that says which stars are used, and how."""
        return self.radec or self.apertures or self.table

    @property
    def used(self) -> tuple[Path, ...]:
        """The files that anything follows from."""
        return tuple(path for path in (self.radec, self.apertures, self.table, self.image) if path)

    def check(self) -> None:
        """Raise Blocked if it is not clear which files are meant."""
        if self.doubled:
            raise Blocked(self.doubled)


def find(root: Path, observation: Observation) -> AijFiles:
    """Return the files for an observation: of each kind those of its own folder, or of the nearest above.

    Tables and images are of one observation; they are looked for in its own folder alone.
    """
    own = root / observation.slug
    folders = [own, own.parent, own.parent.parent, own.parent.parent.parent]
    found: dict[str, Path] = {}
    for kind in KINDS:
        for folder in folders[:1] if kind in ("table", "image") else folders:
            files = _of_kind(folder, kind)
            if len(files) > 1:
                names = " and ".join(path.name for path in files)
                return AijFiles(
                    doubled=f"{observation.slug}: {names} in {folder.as_posix()}: only one of them can be "
                    "followed; remove the other"
                )
            if files:
                found[kind] = files[0]
                break
    return AijFiles(found.get("radec"), found.get("apertures"), found.get("table"), found.get("image"))


def nights(root: Path) -> Iterator[Observation]:
    """Yield what is observed by the folders ``target/night/telescope/filter`` that hold a table."""
    for folder in sorted(root.glob("*/*/*/*")):
        if folder.is_dir() and _of_kind(folder, "table"):
            yield Observation(*folder.relative_to(root).parts)


def targets(root: Path) -> list[str]:
    """Return the names of the folders of targets."""
    return sorted(path.name for path in root.glob("*") if path.is_dir())


def _of_kind(folder: Path, kind: str) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and not path.name.startswith(".") and _is_of(path.name, kind)
    )


def _is_of(name: str, kind: str) -> bool:
    plain = name.lower()
    if kind == "image":
        plain = plain.removesuffix(".gz").removesuffix(".fz")
    if kind == "table" and _OTHER.search(name):
        return False
    return plain.endswith(KINDS[kind])
