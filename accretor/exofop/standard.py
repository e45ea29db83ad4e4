"""All observations of a target, whoever made them, in tables of one kind."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accretor.core.arrays import Floats
from accretor.core.dumps import ARCHIVE_CURVE, ARCHIVE_OBSERVATIONS
from accretor.core.errors import Unusable
from accretor.core.slug import slug
from accretor.exofop import measurements
from accretor.exofop.measurements import Measurements, Named
from accretor.exofop.timestamps import BJD_TDB
from accretor.io import dump
from accretor.io.dump import Row
from accretor.io.layout import ArchivePaths
from accretor.science import times
from accretor.science.times import Direction, Site

EARTH_CENTRE = Site(0.0, 0.0, -6378137.0)
"""Where nobody knows the telescope, its place is taken to be here: 21 ms at most."""


@dataclass(frozen=True)
class Standard:
    """One table in our columns."""

    row: Row
    """Of `ARCHIVE_OBSERVATIONS`."""
    curve: list[Row]
    """Rows of `ARCHIVE_CURVE`; none if the table cannot be read."""


def build(
    paths: ArchivePaths, table: Sequence[Mapping[str, str]], direction: Direction | None
) -> list[Standard]:
    """Read every measurement table that is here, and write all of them anew in our columns.

    A table that cannot be read is a row with the reason, and stops no other.

    Parameters
    ----------
    table : rows of ExoFOP's table of time series
        It tells date, telescope and filter where file names do not.
    direction : Direction, optional
        Of the target; with it, JD_UTC becomes BJD_TDB (as from the centre of the Earth: 21 ms).

    Returns
    -------
    list of Standard
        In the order of their tags and file names.
    """
    of_tag: dict[str, list[Mapping[str, str]]] = {}
    for entry in table:
        of_tag.setdefault(slug(entry.get("Tag", "")), []).append(entry)
    taken: set[str] = set()
    found = []
    for folder in _folders(paths.time_series):
        for path in measurements.candidates(folder):
            relative = path.relative_to(paths.time_series).as_posix()
            item = _read(path, relative, folder.name, of_tag.get(folder.name, []), direction)
            if item.curve:
                item.row["standard"] = _free(f"{folder.name}_{slug(path.stem)}", taken)
            found.append(item)
    _write(paths, found)
    return found


def _folders(root: Path) -> list[Path]:
    if not root.is_dir():
        return []
    folders = [
        path
        for path in root.iterdir()
        if path.is_dir() and not path.name.startswith(".") and not re.search(r"\.bad\d*$", path.name)
    ]
    return sorted(folders, key=lambda path: (not path.name.isdigit(), path.name.zfill(20)))


def _free(name: str, taken: set[str]) -> str:
    """Return *name*, or with a number if another table has it: none is lost to a namesake."""
    number, free = 1, name
    while free.casefold() in taken:
        number += 1
        free = f"{name}-{number}"
    taken.add(free.casefold())
    return f"{free}.ecsv"


def _read(
    path: Path, relative: str, tag: str, entries: list[Mapping[str, str]], direction: Direction | None
) -> Standard:
    named = _named(path.name, entries)
    row: Row = {
        "path": relative, "tag": tag, "standard": "", "reason": "",
        "date": named.date, "telescope": named.observatory, "filter": named.filter,
        "n_point": 0, "n_dropped": 0, "start": math.nan, "end": math.nan, "cadence": math.nan,
        "efficiency": math.nan, "system": "", "offset": 0.0, "flux_column": "", "missing": "", "remarks": "",
    }  # fmt: skip
    try:
        found = measurements.read(path, named.date)
    except Unusable as error:
        return Standard(row | {"reason": error.reason}, [])
    except OSError as error:
        return Standard(row | {"reason": f"cannot be opened: {error.strerror}"}, [])
    time, remarks = found.times.value, list(found.remarks)
    bjd, said = _bjd(found, direction)
    cadence = measurements.cadence(time)
    row |= {
        "n_point": time.size,
        "n_dropped": found.n_dropped,
        "start": time[0],
        "end": time[-1],
        "cadence": round(cadence, 3),
        "efficiency": round(float(np.nanmedian(found.columns["exptime"])) / cadence, 4)
        if "exptime" in found.sources and cadence > 0
        else math.nan,
        "system": found.times.system,
        "offset": found.times.offset,
        "flux_column": found.sources["relative_flux"],
        "missing": ", ".join(found.missing),
        "remarks": "; ".join([*remarks, *([said] if said else [])]),
    }
    columns = {"jd": time, "bjd_tdb": bjd, **found.columns}
    names = [column.name for column in ARCHIVE_CURVE.columns]
    return Standard(row, [{name: columns[name][i] for name in names} for i in range(time.size)])


def _bjd(found: Measurements, direction: Direction | None) -> tuple[Floats, str]:
    """Return the times as BJD_TDB, NaN where that cannot be, and what was done."""
    time = found.times.value
    if found.times.system == BJD_TDB:
        return time, ""
    if direction is not None and found.times.column.upper().startswith("JD_UTC"):
        stamps = [_iso(day) for day in time]
        return times.bjd_tdb(stamps, direction, EARTH_CENTRE), "BJD_TDB computed from JD_UTC"
    return np.full(time.size, math.nan), f"not on the picture: {found.times.system} is not BJD_TDB"


def _iso(jd: float) -> str:
    moment = datetime.datetime(1858, 11, 17) + datetime.timedelta(days=float(jd) - 2400000.5)  # noqa: DTZ001
    return moment.isoformat()


def _named(name: str, entries: list[Mapping[str, str]]) -> Named:
    """Return date, telescope and filter by the file name, or else by what ExoFOP says of the tag."""
    named = measurements.named(name)
    if named.date:
        return named
    dates, telescopes, filters = (
        {entry.get(column, "").strip() for entry in entries} - {""}
        for column in ("Obs Date", "Telescope", "Filter")
    )
    date = re.match(r"(\d{4})-?(\d{2})-?(\d{2})", min(dates)) if len(dates) == 1 else None
    return Named(
        "".join(date.groups()) if date else "",
        telescopes.pop() if len(telescopes) == 1 else "",
        filters.pop() if len(filters) == 1 else "",
    )


def _write(paths: ArchivePaths, found: Sequence[Standard]) -> None:
    for item in found:
        if item.curve:
            about = (
                "path",
                "tag",
                "date",
                "telescope",
                "filter",
                "system",
                "offset",
                "flux_column",
                "missing",
            )
            dump.write(
                paths.standard / item.row["standard"],
                ARCHIVE_CURVE,
                item.curve,
                {**{name: item.row[name] for name in about}, "remarks": item.row["remarks"]},
            )
    names = {item.row["standard"] for item in found}
    if paths.standard.is_dir():
        for stray in sorted(paths.standard.glob("*.ecsv")):
            if stray.name not in names:
                stray.unlink()
    dump.write(paths.observations, ARCHIVE_OBSERVATIONS, [item.row for item in found], {})
