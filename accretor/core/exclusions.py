"""Frames that a user leaves out of a light curve, by their names or their times."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Sequence
from datetime import UTC, datetime

Moment = float | str
"""BJD_TDB day, or UTC as ISO 8601 writes it."""

Times = Sequence[tuple[Moment, Moment]]

REASON = "excluded by the configuration"

_UNIX_EPOCH = 2440587.5
"""JD of 1970-01-01T00:00 UTC."""


def check(times: Times) -> None:
    """Refuse what is no interval of time.

    Raises
    ------
    ValueError
        With the interval.
    """
    for first, last in times:
        is_text = isinstance(first, str), isinstance(last, str)
        if is_text[0] != is_text[1]:
            raise ValueError(
                f"{first!r} to {last!r}: both times as numbers (BJD_TDB), or both as texts (UTC)"
            )
        start, end = _day(first), _day(last)
        if not (math.isfinite(start) and math.isfinite(end) and start < end):
            raise ValueError(f"{first!r} to {last!r} is no interval: two times, the earlier first")


def reason(name: str, bjd_tdb: float, jd_utc: float, names: Sequence[str], times: Times) -> str:
    """Return why a frame is left out, "" if it is not.

    Parameters
    ----------
    name : str
        Of the raw frame, without its folder.
    bjd_tdb, jd_utc : float
        Of its mid-exposure, day.
    names : sequence of str
        Names, in which ``*`` and ``?`` stand for anything.
    times : sequence of pairs
        Ends included.
    """
    for pattern in names:
        if _is_named(name, pattern):
            return f"{REASON}: {pattern}"
    for first, last in times:
        if _day(first) <= (jd_utc if isinstance(first, str) else bjd_tdb) <= _day(last):
            return f"{REASON}: {first} to {last}"
    return ""


def idle(frames: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return those of *names* that are of none of the *frames*: a slip of the pen, or another night."""
    return [pattern for pattern in names if not any(_is_named(frame, pattern) for frame in frames)]


def _is_named(frame: str, pattern: str) -> bool:
    # Brackets are part of names more often than sets of characters.
    return frame == pattern or fnmatch.fnmatchcase(frame, pattern.replace("[", "[[]"))


def _day(moment: Moment) -> float:
    """Return BJD_TDB as it is, and UTC as JD."""
    if not isinstance(moment, str):
        return float(moment)
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        raise ValueError(f"{moment!r} is no time; UTC is written 2025-03-04T21:30:00") from None
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found
    return _UNIX_EPOCH + found.timestamp() / 86400
