"""What is wrong with a measurement table, seen alone: its cells, times, exposures, radii and sums."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from accretor.aij.table import sky_position
from accretor.core.arrays import Floats
from accretor.exofop import summary
from accretor.exofop.findings import Rule

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

_LIGHT_TIME = 0.008
"""Day by which BJD_TDB and JD_UTC may differ: 8.4 min of light time and 1.2 min of clock, and some more."""
_CLOCK = 1.0
"""Second by which BJD_TDB may be off that of the star's place: 0.35 are AstroImageJ's, 0.04 the site's."""
_ROUNDING = 1e-4
"""Relative; old tables have six decimals."""
_FEWEST_MEASURED = 0.5
"""Part of the rows in which the target must have a flux."""

Found = tuple[Rule, str]


def findings(path: Path, table: Mapping[str, Any], date: str) -> Iterator[Found]:
    """Yield what is wrong with the table in *path*, whose name has this *date* (YYYYMMDD)."""
    if number := _odd_line(path):
        text = f"line {number} has an empty cell or a blank in a cell; some readers shift its columns"
        yield "content", text
    if summary.n_observation(table) == 0:
        yield "counts", "has no rows"
        return
    missing = [column for column in REQUIRED_COLUMNS if column not in table]
    if missing:
        yield "content", f"has no column {', '.join(missing)}"
    numbers = {name: cells for name, cells in table.items() if isinstance(cells, np.ndarray)}
    for column in REQUIRED_COLUMNS:
        if column in table and column not in numbers:
            yield "content", f"{column} holds texts"
    columns: tuple[tuple[str, Rule], ...] = (
        ("JD_UTC", "times"),
        ("BJD_TDB", "times"),
        ("EXPTIME", "exposure"),
        ("Source_Radius", "radius"),
    )
    for column, rule in columns:
        n_bad = int((~np.isfinite(numbers.get(column, np.zeros(0)))).sum())
        if n_bad:
            yield rule, f"{column} is no number in {n_bad} rows"
    if "JD_UTC" in numbers:
        yield from _times(numbers, date)
    yield from _fluxes(numbers)


def _odd_line(path: Path) -> int:
    """Return the number of the first line of data that some reader would misread; 0 if there is none."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            cells = line.rstrip("\n").split("\t")
            if number > 1 and any(not cell.strip() or " " in cell.strip() for cell in cells):
                return number
    return 0


def stars(table: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the apertures of a table, T1 first, in the order of its columns."""
    return tuple(
        column.removeprefix("rel_flux_")
        for column in table
        if column.startswith("rel_flux_") and f"Source-Sky_{column.removeprefix('rel_flux_')}" in table
    )


def separation(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the arcsec between two positions (degree) that are near each other."""
    east = ((one[0] - other[0] + 180) % 360 - 180) * math.cos(math.radians(one[1]))
    return math.hypot(east, one[1] - other[1]) * 3600


def _times(numbers: Mapping[str, Floats], date: str) -> Iterator[Found]:
    time = numbers["JD_UTC"]
    if np.any(np.diff(time) < 0):
        yield "times", "the rows are not in ascending time (JD_UTC)"
    elif np.any(np.diff(time) == 0):
        yield "times", f"{int((np.diff(time) == 0).sum())} rows have the time of the row before"
    if "BJD_TDB" in numbers:
        n_off = int((np.abs(numbers["BJD_TDB"] - time) > _LIGHT_TIME).sum())
        if n_off:
            yield "times", f"BJD_TDB is no full Julian date near JD_UTC in {n_off} rows"
        else:
            yield from _barycentric(numbers)
    exposure = float(numbers["EXPTIME"][0]) if "EXPTIME" in numbers else 0.0
    began = calendar(float(time[0]) - (exposure if math.isfinite(exposure) else 0.0) / 2 / 86_400)
    if began and began != date:
        yield "date", f"the first exposure began on {began} (UT), the name says {date}"


def _barycentric(numbers: Mapping[str, Floats]) -> Iterator[Found]:
    """Compare BJD_TDB with that of the target's position in the same table."""
    where = sky_position(numbers, "T1")
    utc = numbers["JD_UTC"]
    finite = np.flatnonzero(np.isfinite(numbers["BJD_TDB"]) & (utc > 2_400_000) & (utc < 2_500_000))
    if where is None or not len(finite):
        return
    from accretor.science import times

    some = [int(finite[0]), int(finite[-1])]
    # Wherever the observatory is, light reaches it within 42 ms of the pole.
    mid = [times.iso(float(jd)) for jd in utc[some]]
    due = times.bjd_tdb(mid, times.Direction(*where), times.Site(90.0, 0.0))
    off = (numbers["BJD_TDB"][some] - due) * 86_400
    worst = float(off[np.argmax(np.abs(off))])
    if abs(worst) > _CLOCK:
        yield "times", f"BJD_TDB is {worst:+.1f} s from that of T1's position at JD_UTC"


def _fluxes(numbers: Mapping[str, Floats]) -> Iterator[Found]:
    """Say whether the fluxes are measured, and their sums are those of the table's own stars."""
    flux = numbers.get("rel_flux_T1")
    if flux is not None:
        n_known = int((np.isfinite(flux) & (flux != 0)).sum())
        if n_known < _FEWEST_MEASURED * len(flux):
            yield "counts", f"the target has a flux in {n_known} of {len(flux)} rows"
    comparison = [name for name in numbers if name.startswith("Source-Sky_C")]
    total, target = numbers.get("tot_C_cnts"), numbers.get("Source-Sky_T1")
    if not comparison or total is None:
        return
    summed = np.sum([numbers[name] for name in comparison], axis=0)
    if n_off := _n_differing(total, summed):
        yield "counts", f"tot_C_cnts is not the sum of its {len(comparison)} comparison stars in {n_off} rows"
    elif target is not None and flux is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            n_off = _n_differing(flux, target / summed)
        if n_off:
            yield "counts", f"rel_flux_T1 is not Source-Sky_T1 over tot_C_cnts in {n_off} rows"


def _n_differing(one: Floats, other: Floats) -> int:
    known = np.isfinite(one) & np.isfinite(other) & (one != 0)
    return int((np.abs(one - other)[known] > _ROUNDING * np.abs(other)[known]).sum())


def calendar(jd: float) -> str:
    """Return the UT date of a Julian date, YYYYMMDD; "" if it is none of our times."""
    if not 2_400_000 < jd < 2_500_000:  # also NaN; said elsewhere
        return ""
    days = datetime.timedelta(days=jd - 2_451_544.5)
    return (datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC) + days).strftime("%Y%m%d")
