"""What the files of a package must hold, whatever their names say."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accretor.aij import plotcfg, radec
from accretor.aij import table as aij_table
from accretor.core.errors import Unusable
from accretor.core.scrub import controls
from accretor.exofop import fitsverify, pngcheck, summary, tablecheck
from accretor.exofop.findings import Finding, Rule, about
from accretor.exofop.naming import FileName

NEB_HEADINGS = ("TFOP NEB Search Table for:", "NEBdepth/RMS")
"""Words by which readers of NEB tables know one."""

_RULES: dict[str, Rule] = {"WCS.fits": "plate", "notes.txt": "text", "measurements.plotcfg": "plot"}


@dataclass
class Held:
    """What the files of a package hold, as far as they could be read."""

    folder: Path
    findings: list[Finding] = field(default_factory=list)
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Measurement tables by their file names."""
    apertures: dict[str, list[radec.Aperture]] = field(default_factory=dict)
    plots: dict[str, dict[str, str]] = field(default_factory=dict)
    """Keys of the plot configurations."""
    plates: dict[str, float] = field(default_factory=dict)
    """Pixel scales of the plate-solved images, arcsec per pixel."""
    texts: dict[str, str] = field(default_factory=dict)
    subsets: dict[str, dict[str, Any]] = field(default_factory=dict)


def read(folder: Path, names: Mapping[str, FileName]) -> Held:
    """Read all files of a package, and say what is wrong with each alone."""
    held = Held(folder)
    for name, parts in names.items():
        path = folder / name
        if path.stat().st_size == 0:
            held.findings.append(Finding("content", "is empty", name))
            continue
        try:
            _read(path, parts, held)
        except Unusable as error:
            held.findings.append(Finding(_RULES.get(parts.tail, "content"), error.reason, name))
    return held


def _read(path: Path, parts: FileName, held: Held) -> None:
    """Read one file into *held*; raise Unusable if it does not hold what its name says."""
    if parts.tail.endswith(".png"):
        pngcheck.check(path.read_bytes())
    elif parts.tail.endswith(".zip"):
        _check_zip(path)
    else:
        _READERS.get(parts.tail, _read_text)(path, parts, held)


def _read_table(path: Path, parts: FileName, held: Held) -> None:
    table = aij_table.read(path)
    held.findings += about(path.name, tablecheck.findings(path, table, parts.date))
    if summary.n_observation(table):
        held.tables[path.name] = table


def _read_apertures(path: Path, parts: FileName, held: Held) -> None:
    held.apertures[path.name] = radec.read(path)


def _read_plot(path: Path, parts: FileName, held: Held) -> None:
    keys = plotcfg.parse(path.read_bytes())
    if "title" not in keys:
        raise Unusable("is no plot configuration: it has no .plot.title")
    held.plots[path.name] = keys


def _read_plate(path: Path, parts: FileName, held: Held) -> None:
    held.plates[path.name] = summary.pixel_scale(path)
    fitsverify.check(path)


def _read_subset(path: Path, parts: FileName, held: Held) -> None:
    subset = aij_table.read(path)
    if not summary.n_observation(subset):
        raise Unusable("has no rows")
    held.subsets[path.name] = subset


def _read_text(path: Path, parts: FileName, held: Held) -> None:
    text = _text(path.read_bytes())
    missing = [words for words in NEB_HEADINGS if words not in text]
    if parts.tail == "measurements_NEB-table.txt" and missing:
        raise Unusable(f"is no NEB table: it does not say {missing[0]!r}")
    held.texts[path.name] = text


_READERS: dict[str, Callable[[Path, FileName, Held], None]] = {
    "measurements.tbl": _read_table,
    "measurements.radec": _read_apertures,
    "measurements.plotcfg": _read_plot,
    "WCS.fits": _read_plate,
    "subset.csv": _read_subset,
}
"""By the last part of the name; anything else is a text."""


def _check_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
            if damaged is not None:
                raise Unusable(f"{damaged} in it is damaged")
            if not archive.namelist():
                raise Unusable("holds no file")
            for name in archive.namelist():
                if name.lower().endswith(".png"):
                    _check_plot(name, archive.read(name))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Unusable(f"is no zip archive: {error}") from error


def _check_plot(name: str, content: bytes) -> None:
    try:
        pngcheck.check(content)
    except Unusable as error:
        raise Unusable(f"{name} in it {error.reason}") from None


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unusable("is not a text in UTF-8") from None
    if not text.strip():
        raise Unusable("has no text")
    if found := controls(text.replace("\r\n", "\n")):
        raise Unusable(f"has control characters: {', '.join(f'U+{ord(one):04X}' for one in found)}")
    return text
