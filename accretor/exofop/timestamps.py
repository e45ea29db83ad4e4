"""Times in other observers' tables: what was taken off them, and which clock they are of.

A time is moved by a number of whole days that something proves: the size of the number
itself, the name of its column, the date of the observation. Where nothing proves it, the
time is refused. It is never moved by a difference, which is how half days come in.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from accretor.core.arrays import Floats
from accretor.core.errors import Unusable

BJD_TDB = "BJD_TDB"

NAMES = (
    "BJD_TDB", "#BJD_TDB", "BJD_TDB_MOBS", "BJD(TDB)", "BJDTDB", "BJD-TDB", "BJD", "BJD_UTC", "BTJD",
    "TIME", "time", "Time", "t", "HJD", "HJD_UTC", "JD_UTC", "JD", "JD_UT", "MJD",
)  # fmt: skip
"""Names of columns of time, the best first; a name that begins with one of them comes after it."""

OFFSETS = {"BTJD": 2457000.0, "BKJD": 2454833.0, "MJD": 2400000.5}
"""Day to add to a time of this name."""

_MOST_DAYS = 1.5
"""Between the times and the date of the observation, which may be that of the evening."""


@dataclass(frozen=True)
class Times:
    """The times of a table."""

    value: Floats
    """(n_row,) full Julian date, day; NaN where the table has none."""
    system: str
    """BJD_TDB, BJD_UTC, HJD or JD_UTC; only the first compares with other observations."""
    column: str
    """Where they are from."""
    offset: float
    """Day that was added."""
    remarks: tuple[str, ...]
    """What was assumed."""


def find(table: Mapping[str, Any], date: str = "") -> Times:
    """Return the times of a table, as full Julian dates.

    Parameters
    ----------
    table : mapping of column name to (n_row,) float64 or list of str
    date : str
        Date of the observation, YYYYMMDD, where it is known.

    Returns
    -------
    Times
        From the best of its columns of time.

    Raises
    ------
    Unusable
        If it has none, or nothing tells what was taken off its numbers.
    """
    name = _best(table)
    value = np.asarray(table[name], dtype=np.float64)
    finite = value[np.isfinite(value)]
    if finite.size == 0:
        raise Unusable(f"{name} has no times")
    offset, proof = _offset(name, finite, date)
    # Full Julian dates come back as they were: nothing is added to them, not even 0.
    full = value + offset if offset else value
    system, assumed = _system(name)
    remarks = [text for text in (proof, assumed, _clash(full, date)) if text]
    if system == BJD_TDB and (against := _against_utc(table, full)):
        remarks.append(against)
    return Times(full, system, name, offset, tuple(remarks))


def julian_date(date: str) -> float:
    """Return the Julian date of 0 h of a date YYYYMMDD.

    Raises
    ------
    Unusable
        If it is not a date.
    """
    try:
        day = datetime.date(int(date[:4]), int(date[4:6]), int(date[6:]))
    except ValueError:
        raise Unusable(f"{date!r} is not a date YYYYMMDD") from None
    return day.toordinal() + 1721424.5


def _best(table: Mapping[str, Any]) -> str:
    # AstroImageJ writes 0 for a time that it cannot compute.
    usable = [name for name, cells in table.items() if isinstance(cells, np.ndarray) and np.any(cells > 0)]
    for wanted in NAMES:
        if wanted in usable:
            return wanted
    for wanted in (name for name in NAMES if name != "t"):
        pattern = re.compile(rf"(?i)#?{re.escape(wanted)}(?![a-z])")
        for name in usable:
            if pattern.match(name):
                return name
    raise Unusable(f"no column is a time; there are {', '.join(list(table)[:8])}")


def _offset(name: str, value: Floats, date: str) -> tuple[float, str]:
    """Return what to add to *value*, and how it is known where that is worth saying."""
    low, high = float(value.min()), float(value.max())
    if low > 2.4e6 and high < 2.6e6:
        return 0.0, ""
    if stated := _stated(name):
        if not 2.4e6 < low + stated < 2.6e6:
            raise Unusable(f"{name} begins at {low:g}, and {stated + low:.10g} is no date of an observation")
        return stated, f"{stated:.10g} added to {name}, as its name says"
    likely = [offset for offset in (2450000.0, 2457000.0) if _is_recent(low + offset)]
    if date:
        near = [offset for offset in (2450000.0, 2457000.0) if _days_off(low + offset, date) <= _MOST_DAYS]
        if len(near) == 1:
            return near[0], f"{near[0]:.10g} added to {name}, as the date {date} proves"
    if len(likely) == 1 and not date:
        return likely[0], f"{likely[0]:.10g} added to {name}: no other date is of the years of TESS"
    known = f" with the date {date}" if date else ""
    raise Unusable(f"{name} begins at {low:g}{known}: nothing tells which days were taken off it")


def _stated(name: str) -> float:
    """Return what the name of a column says was taken off; 0 if it says nothing."""
    if found := re.search(r"24\d{5}(\.5)?", name):
        return float(found[0])
    return next((offset for word, offset in OFFSETS.items() if word in name.upper()), 0.0)


def _is_recent(jd: float) -> bool:
    """Return whether a time is between the first light of TESS (2018 July) and 2035.

    No number is so with both 2450000 and 2457000.
    """
    return 2458300 < jd < 2464500


def _days_off(jd: float, date: str) -> float:
    """Return how many days a time is outside the UTC day *date*."""
    midnight = julian_date(date)
    return max(midnight - jd, jd - midnight - 1, 0.0)


def _clash(value: Floats, date: str) -> str:
    if not date or (days := _days_off(float(np.nanmin(value)), date)) <= _MOST_DAYS:
        return ""
    return f"the times are {days:.1f} days from the date {date}; they were not moved"


def _system(name: str) -> tuple[str, str]:
    plain = re.sub(r"[^A-Z]", "", name.upper())
    if "TDB" in plain or plain.startswith(("BTJD", "BKJD")):
        return BJD_TDB, ""
    if plain.startswith("BJD"):
        return ("BJD_UTC", "") if "UTC" in plain else (BJD_TDB, f"{name} is taken for BJD_TDB")
    if plain.startswith("HJD"):
        return "HJD", "heliocentric times: up to 4 s from barycentric ones, and TDB or UTC is not known"
    if "JD" in plain:
        return "JD_UTC", f"{name} is not barycentric: up to 8.3 minutes, and 69 s of TDB, from BJD_TDB"
    return BJD_TDB, f"{name} is taken for BJD_TDB"


def _against_utc(table: Mapping[str, Any], bjd: Floats) -> str:
    """Return what is wrong between BJD_TDB and the table's own JD_UTC; "" if they agree."""
    utc = table.get("JD_UTC")
    if not isinstance(utc, np.ndarray) or utc.shape != bjd.shape:
        return ""
    difference = float(np.nanmedian(bjd - utc)) if np.isfinite(bjd - utc).any() else math.nan
    # Light needs 8.32 minutes for 1 au at 1.017 au from the Sun; TDB is 69 s ahead of UTC (64 s in 1999).
    if math.isnan(difference) or abs(utc[np.isfinite(utc)][0]) < 2.4e6:
        return ""
    if -0.0053 < difference < 0.0069:
        return ""
    return f"BJD_TDB is {difference * 1440:+.2f} minutes from JD_UTC in the table, which cannot be"
