"""What the files of a package must hold, whatever their names say."""

from __future__ import annotations

import datetime
import math
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from accretor.aij import plotcfg, radec
from accretor.aij import table as aij_table
from accretor.core.errors import Unusable
from accretor.exofop import summary
from accretor.exofop.naming import FileName

REQUIRED_COLUMNS = (
    "JD_UTC",
    "BJD_TDB",
    "EXPTIME",
    "AIRMASS",
    "Source_Radius",
    "rel_flux_T1",
    "rel_flux_err_T1",
    "rel_flux_T1_n",
    "rel_flux_err_T1_n",
    "tot_C_cnts",
)
"""Columns without which some reader of the package stops."""

_PNG = b"\x89PNG\r\n\x1a\n"
_LIGHT_TIME = 0.008
"""Day by which BJD_TDB and JD_UTC may differ: 8.4 min of light time and 1.2 min of clock, and some more."""
_POSITION = 2.0
"""Arcsec by which the table and the .radec file may differ."""


def problems(folder: Path, names: Mapping[str, FileName]) -> list[str]:
    """Return one sentence for each file of *folder* that does not hold what its name says."""
    found = []
    tables: dict[str, dict[str, Any]] = {}
    apertures: dict[str, list[radec.Aperture]] = {}
    for name, parts in names.items():
        path = folder / name
        if path.stat().st_size == 0:
            found.append(f"{name}: is empty")
            continue
        try:
            if parts.tail == "measurements.tbl":
                tables[name] = aij_table.read(path)
                found += [f"{name}: {problem}" for problem in _table(path, tables[name], parts.date)]
            elif parts.tail == "measurements.radec":
                apertures[name] = radec.read(path)
            else:
                _check(path, parts.tail)
        except Unusable as error:
            found.append(f"{name}: {error.reason}")
    return found + [
        f"{name}: {problem}" for name in apertures for problem in _radec(name, names, tables, apertures[name])
    ]


def _check(path: Path, tail: str) -> None:
    """Raise Unusable if *path* does not hold what *tail* says."""
    if tail.endswith(".png"):
        _check_png(path.read_bytes())
    elif tail.endswith(".fits"):
        summary.pixel_scale(path)
    elif tail.endswith(".zip"):
        _check_zip(path)
    elif tail.endswith(".csv"):
        if not summary.n_observation(aij_table.read(path)):
            raise Unusable("has no rows")
    elif tail.endswith(".plotcfg"):
        if "title" not in plotcfg.parse(path.read_bytes()):
            raise Unusable("is no plot configuration: it has no .plot.title")
    else:
        _check_text(path.read_bytes())


def _check_png(content: bytes) -> None:
    if not content.startswith(_PNG):
        raise Unusable("is no PNG image")
    at, kinds = len(_PNG), []
    while at + 12 <= len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        chunk, crc = content[at + 4 : at + 8 + length], content[at + 8 + length : at + 12 + length]
        if len(crc) < 4 or zlib.crc32(chunk) != struct.unpack(">I", crc)[0]:
            break
        kinds.append(chunk[:4])
        at += 12 + length
    if kinds[:1] != [b"IHDR"] or b"IDAT" not in kinds or kinds[-1] != b"IEND":
        raise Unusable("is a damaged PNG image")


def _check_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
            if damaged is not None:
                raise Unusable(f"{damaged} in it is damaged")
            if not archive.namelist():
                raise Unusable("holds no file")
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise Unusable(f"is no zip archive: {error}") from error


def _check_text(content: bytes) -> None:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise Unusable("is not a text in UTF-8") from None
    if not text.strip():
        raise Unusable("has no text")


def _table(path: Path, table: Mapping[str, Any], date: str) -> Iterator[str]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines[1:], start=2):
        if any(not cell.strip() or " " in cell.strip() for cell in line.split("\t")):
            yield f"line {number} has an empty cell or a blank in a cell; some readers shift its columns"
            break
    if summary.n_observation(table) == 0:
        yield "has no rows"
        return
    missing = [column for column in REQUIRED_COLUMNS if column not in table]
    if missing:
        yield f"has no column {', '.join(missing)}"
    numbers = {name: cells for name, cells in table.items() if isinstance(cells, np.ndarray)}
    yield from (
        f"{column} holds texts" for column in REQUIRED_COLUMNS if column in table and column not in numbers
    )
    for column in ("JD_UTC", "BJD_TDB", "EXPTIME", "Source_Radius"):
        n_bad = int((~np.isfinite(numbers.get(column, np.zeros(0)))).sum())
        if n_bad:
            yield f"{column} is no number in {n_bad} rows"
    if "JD_UTC" in numbers:
        yield from _times(numbers, date)


def _times(numbers: Mapping[str, Any], date: str) -> Iterator[str]:
    time = numbers["JD_UTC"]
    if np.any(np.diff(time) < 0):
        yield "the rows are not in ascending time (JD_UTC)"
    if "BJD_TDB" in numbers:
        n_off = int((np.abs(numbers["BJD_TDB"] - time) > _LIGHT_TIME).sum())
        if n_off:
            yield f"BJD_TDB is no full Julian date near JD_UTC in {n_off} rows"
    exposure = float(numbers["EXPTIME"][0]) if "EXPTIME" in numbers else 0.0
    began = _calendar(float(time[0]) - exposure / 2 / 86_400)
    if began and began != date:
        yield f"the first exposure began on {began} (UT), the name says {date}"


def _calendar(jd: float) -> str:
    if not 2_400_000 < jd < 2_500_000:  # also NaN; said elsewhere
        return ""
    days = datetime.timedelta(days=jd - 2_451_544.5)
    return (datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC) + days).strftime("%Y%m%d")


def _radec(
    name: str,
    names: Mapping[str, FileName],
    tables: Mapping[str, Mapping[str, Any]],
    apertures: list[radec.Aperture],
) -> Iterator[str]:
    """Compare the apertures of a .radec file with the stars of its filter's tables."""
    if not apertures:
        yield "has no aperture"
        return
    here = radec.names(apertures)
    for other, table in tables.items():
        if names[other].filter != names[name].filter or (
            names[name].n_pixel is not None and names[name].n_pixel != names[other].n_pixel
        ):
            continue
        there = tuple(
            column.removeprefix("rel_flux_")
            for column in table
            if column.startswith("rel_flux_") and f"Source-Sky_{column.removeprefix('rel_flux_')}" in table
        )
        if there and here != there:
            yield f"has apertures {_listed(here)}, {other} has {_listed(there)}"
            continue
        far = (
            [
                star
                for star, aperture in zip(here, apertures, strict=True)
                if _separation(aperture, star, table) > _POSITION
            ]
            if there
            else []
        )
        if far:
            yield f"{_listed(tuple(far))} lie more than {_POSITION:.0f} arcsec from where {other} has them"


def _listed(stars: tuple[str, ...]) -> str:
    return ", ".join(stars) if len(stars) <= 6 else f"{', '.join(stars[:5])} ... {stars[-1]} ({len(stars)})"


def _separation(aperture: radec.Aperture, star: str, table: Mapping[str, Any]) -> float:
    """Return the arcsec from *aperture* to the table's median position; 0 where it has none."""
    hours, degrees = table.get(f"RA_{star}"), table.get(f"DEC_{star}")
    if not (isinstance(hours, np.ndarray) and isinstance(degrees, np.ndarray)):
        return 0.0
    known = np.isfinite(hours) & np.isfinite(degrees) & ((hours != 0) | (degrees != 0))
    if not known.any():
        return 0.0
    ra, dec = float(np.median(hours[known])) * 15, float(np.median(degrees[known]))
    east = ((ra - aperture.ra + 180) % 360 - 180) * math.cos(math.radians(dec))
    return math.hypot(east, dec - aperture.dec) * 3600
