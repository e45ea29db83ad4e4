"""Whether the files of a package belong together: stars, positions, times, radii, columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from accretor.aij import radec
from accretor.aij.table import sky_position
from accretor.core.errors import Unusable
from accretor.exofop import summary, tablecheck
from accretor.exofop.content import Held
from accretor.exofop.findings import Finding
from accretor.exofop.naming import FileName

_POSITION = 2.0
"""Arcsec by which the table and the .radec file may differ."""
_RADIUS = 0.51
"""Pixel by which the radius in a name may differ from the median of its table: names have whole pixels."""
_OFF = 3.0
"""Pixel, at least, by which the plate-solved image may have the target elsewhere than all frames."""
_TIME = 2e-5
"""Day; subsets are written with six decimals."""


def findings(names: Mapping[str, FileName], held: Held) -> Iterator[Finding]:
    """Yield where files of a package contradict one another."""
    for name, apertures in held.apertures.items():
        for text in _apertures(name, apertures, names, held.tables):
            yield Finding("stars", text, name)
    for name, table in held.tables.items():
        yield from _radius(name, table, names)
    yield from _same_frames(names, held.tables)
    for name, keys in held.plots.items():
        yield from _columns(name, keys, names, held.tables)
    for name in held.plates:
        yield from _plate(name, names, held)
    for name, text in held.texts.items():
        if names[name].tail == "notes.txt" and not re.search(rf"(?<!\d){names[name].tic}(?!\d)", text):
            yield Finding("text", f"does not name TIC {names[name].tic}", name)
    for name, subset in held.subsets.items():
        yield from _subset(name, subset, names, held.tables)


def _companions(name: str, names: Mapping[str, FileName], tables: Mapping[str, Any]) -> Iterator[str]:
    """Yield the tables of the filter of *name* and, where it names one, of its aperture."""
    own = names[name]
    for other in tables:
        if names[other].filter == own.filter and own.n_pixel in (None, names[other].n_pixel):
            yield other


def _apertures(
    name: str,
    apertures: list[radec.Aperture],
    names: Mapping[str, FileName],
    tables: Mapping[str, Mapping[str, Any]],
) -> Iterator[str]:
    """Compare the apertures of a .radec file with the stars of its filter's tables."""
    if not apertures:
        yield "has no aperture"
        return
    here = radec.names(apertures)
    for other in _companions(name, names, tables):
        there = tablecheck.stars(tables[other])
        if there and here != there:
            yield f"has apertures {_listed(here)}, {other} has {_listed(there)}"
            continue
        far = [
            star
            for star, aperture in zip(here, apertures, strict=True)
            if there
            and (place := sky_position(tables[other], star))
            and tablecheck.separation(place, (aperture.ra, aperture.dec)) > _POSITION
        ]
        if far:
            yield f"{_listed(tuple(far))} lie more than {_POSITION:.0f} arcsec from where {other} has them"


def _listed(stars: tuple[str, ...]) -> str:
    return ", ".join(stars) if len(stars) <= 6 else f"{', '.join(stars[:5])} ... {stars[-1]} ({len(stars)})"


def _radius(name: str, table: Mapping[str, Any], names: Mapping[str, FileName]) -> Iterator[Finding]:
    n_pixel, median = names[name].n_pixel, summary.median_radius(table)
    if n_pixel is not None and median is not None and abs(median - n_pixel) > _RADIUS:
        yield Finding("radius", f"its median Source_Radius is {median:g}, the name says {n_pixel}px", name)


def _same_frames(names: Mapping[str, FileName], tables: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """Compare the times of the tables of one filter, which are of the same frames."""
    first: dict[str, str] = {}
    for name, table in tables.items():
        time = table.get("JD_UTC")
        if not isinstance(time, np.ndarray):
            continue
        before = first.setdefault(names[name].filter, name)
        other = tables[before]["JD_UTC"]
        if len(time) != len(other):
            yield Finding("counts", f"has {len(time)} rows, {before} has {len(other)}", name)
        elif np.any(np.abs(time - other) > _TIME):
            yield Finding("times", f"its frames are not those of {before}", name)


def _columns(
    name: str,
    keys: Mapping[str, str],
    names: Mapping[str, FileName],
    tables: Mapping[str, Mapping[str, Any]],
) -> Iterator[Finding]:
    """Say which columns a plot configuration shows, or detrends with, that its table does not have."""
    shown = [
        key.removeprefix("plotY") for key, on in keys.items() if key.startswith("plotY") and on == "true"
    ]
    wanted = {keys.get(f"ylabel{row}", "") for row in shown} | {keys.get("xlabeldefault", "")}
    wanted |= {
        column
        for row in shown
        for key, column in keys.items()
        if re.fullmatch(rf"detrendlabel\[{re.escape(row)}\]\[\d+\]", key)
    }
    for other in _companions(name, names, tables):
        missing = sorted(
            column for column in wanted - {"", "default", "Meridian_Flip"} if column not in tables[other]
        )
        if missing:
            yield Finding("plot", f"shows {', '.join(missing)}, which {other} does not have", name)


def _plate(name: str, names: Mapping[str, FileName], held: Held) -> Iterator[Finding]:
    """Compare where the plate-solved image has the target with where the frames of its filter have it."""
    for other in _companions(name, names, held.tables):
        table = held.tables[other]
        where = sky_position(table, "T1") or _first_aperture(other, names, held)
        if where is None:
            continue
        try:
            x, y, width, height = summary.pixel_of(held.folder / name, where)
        except Unusable as error:
            yield Finding("plate", f"does not have the target of {other}: {error.reason}", name)
            continue
        if not (0 <= x < width and 0 <= y < height):
            yield Finding(
                "plate",
                f"has the target of {other} at ({x:.0f}, {y:.0f}), outside its {width} x {height}",
                name,
            )
            continue
        columns, rows = table.get("X(FITS)_T1"), table.get("Y(FITS)_T1")
        if not (isinstance(columns, np.ndarray) and isinstance(rows, np.ndarray)):
            continue
        off = np.hypot(columns - 1 - x, rows - 1 - y)
        if np.isfinite(off).any() and float(np.nanmin(off)) > max(_OFF, summary.median_radius(table) or 0):
            text = (
                f"has the target {float(np.nanmin(off)):.1f} pixel from where every frame of {other} has it"
            )
            yield Finding("position", text, name)


def _first_aperture(table: str, names: Mapping[str, FileName], held: Held) -> tuple[float, float] | None:
    for name, apertures in held.apertures.items():
        if apertures and table in _companions(name, names, held.tables):
            return apertures[0].ra, apertures[0].dec
    return None


def _subset(
    name: str,
    subset: Mapping[str, Any],
    names: Mapping[str, FileName],
    tables: Mapping[str, Mapping[str, Any]],
) -> Iterator[Finding]:
    """Say how many rows of a subset are of frames that no table of its filter has."""
    time = subset.get("BJD_TDB")
    known = [
        tables[other]["BJD_TDB"]
        for other in _companions(name, names, tables)
        if isinstance(tables[other].get("BJD_TDB"), np.ndarray)
    ]
    if not isinstance(time, np.ndarray) or not known:
        return
    whole = np.sort(np.concatenate(known))
    place = np.clip(np.searchsorted(whole, time), 1, max(len(whole) - 1, 1))
    nearest = np.minimum(
        np.abs(whole[place - 1] - time), np.abs(whole[np.minimum(place, len(whole) - 1)] - time)
    )
    if n_strange := int((~(nearest <= _TIME)).sum()):
        yield Finding(
            "times", f"{n_strange} of its {len(time)} rows are of no frame of the measurement table", name
        )
