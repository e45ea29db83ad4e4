"""What the pages of a report have in common: tables, numbers, links, pictures that fit."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from accretor.plots.registry import FigureEntry

if TYPE_CHECKING:
    from accretor.plots.picture import Picture

Content = dict[str, Any]


_PICTURES: Final = 4_300_000
"""Byte that the pictures of a page may take in it; the words need the rest of its five million."""


def reduced(path: Path) -> Picture:
    """Return the figure in the file *path* as it is on a page."""
    from accretor.plots import picture

    return picture.reduced(path.read_bytes())


class Album:
    """The pictures of a page, *reduced*, as long as there is room for them."""

    def __init__(self, folder: Path, reduced: Mapping[Path, Picture]) -> None:
        self._folder = folder
        self._reduced = reduced
        self._room = _PICTURES

    def picture(self, entry: FigureEntry, path: Path, told: str) -> Content:
        """Return a picture for the page, or only its name where the page has no room left."""
        small = self._reduced[path]
        data = link(small.data, "image/png")
        found: Content = {
            "link": "",
            "file": relative(path, self._folder),
            "name": entry.tail,
            "width": small.width // 2,
            "height": small.height // 2,
            "caption": f"{entry.description[0].upper()}{entry.description[1:]}",
            "alt": f"Figure: {entry.description}" + (f". {told}" if told else ""),
        }
        if len(data) <= self._room:
            self._room -= len(data)
            found["link"] = data
        return found


def columns(*names: str) -> list[Content]:
    """Return columns of a table: ``*`` after a name is a number, ``+`` long text."""
    return [
        {"name": name.rstrip("*+"), "is_number": name.endswith("*"), "is_long": name.endswith("+")}
        for name in names
    ]


def number(value: Any, digits: int) -> str:
    """Return a number with *digits* decimals; a dash for none."""
    found = float(value) if value is not None and value != "" else math.nan
    return f"{found:.{digits}f}".replace("-", "−") if math.isfinite(found) else "–"


def link(data: bytes, kind: str) -> str:
    """Return a link that holds the *data* itself."""
    from accretor.report import page

    return page.data_link(data, kind)


def relative(path: Path, folder: Path) -> str:
    """Return *path* as a link from a page in *folder*."""
    up = 0
    while not path.is_relative_to(folder):
        folder, up = folder.parent, up + 1
    return quote("/".join([*([".."] * up), *path.relative_to(folder).parts]))


def digest(path: Path) -> str:
    """Return the SHA-256 of a file; what stands for none where there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return ""
