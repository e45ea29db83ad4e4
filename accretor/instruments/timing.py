"""The middle of an exposure, from whichever cards say it best."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from accretor.instruments import clock
from accretor.instruments.dialect import Cards, Dialect

MID_TOLERANCE = 2.0
"""Second; a card with the middle that is further from start + exposure / 2 means something else."""
STAMP_TOLERANCE = 0.5
"""Second between the time stamps and the exposure, above which it is said."""
LONGEST = 1e8
"""No exposure, in whatever unit, is longer."""
MILLISECONDS = 2 * 3600.0
"""Second; an exposure above is believed only if its unit was not forgotten."""


@dataclass(frozen=True)
class Timing:
    """When the shutter was open."""

    mid: datetime | None
    """None if no card says it."""
    start: datetime | None
    reasons: list[str] = field(default_factory=list)
    """Why there is no middle; or, if there is one, what had to be assumed."""


def timing(header: Cards, printed: Mapping[str, str], dialect: Dialect, seconds: float) -> Timing:
    """Return the middle of the exposure, after Rots et al. (2015, A&A 574, A36).

    Parameters
    ----------
    header, printed : mapping
        Values, and the cards of numbers as they are printed.
    dialect : Dialect
        Which cards mean the middle, the start and the end.
    seconds : float
        Exposure time; NaN if unknown, then only a card with the middle helps.
    """
    refused: list[str] = []
    mid = _first(header, printed, dialect.mid, dialect, refused)
    start = _first(header, printed, dialect.start, dialect, refused)
    end = _first(header, printed, dialect.end, dialect, [])
    half = timedelta(seconds=seconds / 2) if math.isfinite(seconds) else None
    remarks = _stamps(start, end, seconds)
    if mid is not None and (half is None or start is None or _near(mid, start + half)):
        return Timing(mid, start, remarks)
    if mid is not None:
        remarks.append("the card with the middle of the exposure is not half an exposure after its start")
    if half is None:
        return Timing(None, start, ["no exposure time, so no middle of the exposure"])
    if start is not None:
        return Timing(start + half, start, remarks)
    if end is not None:
        return Timing(end - half, end - 2 * half, ["time from the end of the exposure"])
    return Timing(
        None, None, ["no time of observation: " + ("; ".join(refused) or "no DATE-OBS nor any other")]
    )


def exposure_time(header: Cards, printed: Mapping[str, str], dialect: Dialect) -> tuple[float, str]:
    """Return the exposure time in seconds, NaN if there is none, and a remark or "".

    A number is taken as milliseconds where its comment says so, or where it is above two hours
    and the time stamps of start and end agree with a thousandth of it.
    """
    for keyword, unit in dialect.exposure.items():
        value = number(header, keyword)
        if not 0 <= value <= LONGEST:
            continue
        value *= unit
        comment = printed.get(keyword, "").partition("/")[2].casefold()
        in_ms = "millisec" in comment or comment.rstrip().endswith(("in ms", "[ms]", "(ms)"))
        if in_ms or (value > MILLISECONDS and _fits_thousandth(header, printed, dialect, value)):
            return value / 1000, f"{keyword} taken as milliseconds"
        return value, f"{keyword} is {value:g} s: milliseconds?" if value > MILLISECONDS else ""
    return math.nan, ""


def number(header: Cards, keyword: str) -> float:
    """Return the value of a card as a number; NaN if it is missing or is none."""
    value = header.get(keyword, math.nan)
    if isinstance(value, bool):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def _first(
    header: Cards, printed: Mapping[str, str], cards: tuple[str, ...], dialect: Dialect, refused: list[str]
) -> datetime | None:
    for card in cards:
        if header.get(card.rpartition("+")[2], "") == "":
            continue
        try:
            return _moment(header, printed, card, str(header.get(dialect.time_system, "")))
        except (ValueError, OverflowError) as error:
            refused.append(f"{card.rpartition('+')[2]}: {error}")
    return None


def _moment(header: Cards, printed: Mapping[str, str], card: str, system: str) -> datetime:
    day, _, time = card.partition("+")
    value = header[time or day]
    if not isinstance(value, str) or _is_float(value):
        if time:
            raise ValueError(f"{value} is not a time of day")
        text = printed.get(card, str(value)).partition("/")[0]
        return clock.to_utc(clock.from_day_number(float(value), text), system)
    try:
        moment, has_zone = clock.parse(value)
    except ValueError:
        if not time:
            raise
        if day not in header:
            raise ValueError(f"{value!r} without a date") from None
        date = str(header[day]).strip().partition("T")[0].partition(" ")[0]
        moment, has_zone = clock.join(date, value), False
    return moment if has_zone else clock.to_utc(moment, system)


def _stamps(start: datetime | None, end: datetime | None, seconds: float) -> list[str]:
    if start is None:
        return []
    remarks = []
    if seconds <= MID_TOLERANCE and clock.is_whole_second(start):
        remarks.append("the clock shows whole seconds only")
    if end is None or not math.isfinite(seconds):
        return remarks
    between = (end - start).total_seconds() % 86400  # an end without date may be after midnight
    if abs(between - seconds) > STAMP_TOLERANCE:
        remarks.append(
            f"{between:.2f} s between the time stamps of an exposure of {seconds:g} s: "
            f"the middle may be off by {abs(between - seconds) / 2:.2f} s"
        )
    return remarks


def _fits_thousandth(header: Cards, printed: Mapping[str, str], dialect: Dialect, value: float) -> bool:
    start = _first(header, printed, dialect.start, dialect, [])
    end = _first(header, printed, dialect.end, dialect, [])
    if start is None or end is None:
        return False
    return abs((end - start).total_seconds() - value / 1000) < 0.1 * value / 1000 + MID_TOLERANCE


def _near(mid: datetime, expected: datetime) -> bool:
    return abs((mid - expected).total_seconds()) < MID_TOLERANCE


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "." in text
