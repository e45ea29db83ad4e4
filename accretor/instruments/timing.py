"""The middle of an exposure, from whichever cards say it best."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from accretor.instruments import clock
from accretor.instruments.dialect import Cards, Dialect

MID_TOLERANCE = 2.0
"""Second; a card with the middle that is further from start + exposure / 2 means something else."""
STAMP_TOLERANCE = 0.5
"""Second between the time stamps and the exposure, above which it is said."""
ASSUMED = "assumed"
"""Last word of a rule that nothing in the header proves."""
_NAME_IT = {
    "exposure": 'give keywords = {exposure = "CARD"} in [[instrument]]',
    "start": 'no DATE-OBS nor any other: give keywords = {start = "CARD"} in [[instrument]]',
}
"""What to do where no card tells a thing."""
_NAMED = re.compile(r"BEG|STRT|START", re.IGNORECASE)
_SAID = {
    "start": re.compile(r"\b(?:start|begin|begins|beginning|opening|open)\b", re.IGNORECASE),
    "middle": re.compile(r"\b(?:mid|middle|mid-?point|center|centre|mid-?exposure)\b", re.IGNORECASE),
    # SharpCap grabs a frame from the camera when the exposure has ended.
    "end": re.compile(r"\b(?:end|ends|finish|stop|close|grabbed)\b", re.IGNORECASE),
}
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
    rule: str = ""
    """Which card the middle is from, and what that is taken for; ends with "assumed" if nothing proves it."""


def timing(
    header: Cards, printed: Mapping[str, str], dialect: Dialect, seconds: float, stamp: str = ""
) -> Timing:
    """Return the middle of the exposure, after Rots et al. (2015, A&A 574, A36).

    Parameters
    ----------
    header, printed : mapping
        Values, and the cards of numbers as they are printed.
    dialect : Dialect
        Which cards mean the middle, the start and the end.
    seconds : float
        Exposure time; NaN if unknown, then only a card with the middle helps.
    stamp : str
        What the settings say the time stamp is: "start", "middle", "end", or "" for nothing.
    """
    refused: list[str] = []
    mid, mid_card = _first(header, printed, dialect.mid, dialect, refused)
    start, card = _first(header, printed, dialect.start, dialect, refused)
    end, end_card = _first(header, printed, dialect.end, dialect, [])
    half = timedelta(seconds=seconds / 2) if math.isfinite(seconds) else None
    meaning, why = _meaning(card, printed, dialect, stamp)
    if start is not None and half is not None and meaning != "start":
        shown = "the middle" if meaning == "middle" else "the end"
        middle = start if meaning == "middle" else start - half
        return Timing(middle, middle - half, [], f"{card} is {shown} of the exposure: {why}")
    remarks = _stamps(start, end, seconds)
    if mid is not None and (half is None or start is None or _near(mid, start + half)):
        start = mid - half if start is None and half is not None else start
        return Timing(mid, start, remarks, f"{mid_card} is the middle of the exposure")
    if mid is not None:
        remarks.append("the card with the middle of the exposure is not half an exposure after its start")
    if half is None:
        return Timing(
            None, start, [f"no exposure time, so no middle of the exposure: {_NAME_IT['exposure']}"]
        )
    if start is not None:
        if why == ASSUMED and end is not None and _is_end(end, start, seconds):
            why = f"{end_card} is its end"
        rule = f"{card} is the start of the exposure: {why}"
        return Timing(start + half, start, remarks, rule)
    if end is not None:
        rule = f"{end_card} is the end of the exposure"
        return Timing(end - half, end - 2 * half, ["time from the end of the exposure"], rule)
    return Timing(None, None, [f"no time of observation: {'; '.join(refused) or _NAME_IT['start']}"])


def julian_offset(header: Cards, printed: Mapping[str, str], dialect: Dialect, when: Timing) -> float:
    """Return by how much a Julian date of the header is ahead of its time stamps, second; NaN if unknown.

    It may be of the start, the middle or the end of the exposure: the nearest counts.
    """
    if when.mid is None or when.start is None:
        return math.nan
    moments = (when.start, when.mid, when.mid + (when.mid - when.start))
    for card in dialect.julian:
        if header.get(card, "") == "":
            continue
        try:
            other = _moment(header, printed, card, str(header.get(dialect.time_system, "")))
        except (ValueError, OverflowError):
            continue
        return min(((other - moment).total_seconds() for moment in moments), key=abs)
    return math.nan


def _meaning(card: str, printed: Mapping[str, str], dialect: Dialect, stamp: str) -> tuple[str, str]:
    """Return what a time stamp is, start, middle or end, and who says it."""
    if stamp:
        return stamp, "by the settings"
    if dialect.time_stamp:
        return dialect.time_stamp, f"by the dialect {dialect.name}"
    keyword = card.rpartition("+")[2]
    if _NAMED.search(keyword):
        return "start", "by its name"
    comment = _comment(printed.get(keyword, ""))
    said = [what for what, pattern in _SAID.items() if pattern.search(comment)]
    return (said[0], "by its comment") if len(said) == 1 else ("start", ASSUMED)


def _comment(text: str) -> str:
    found = re.match(r"\s*'(?:[^']|'')*'\s*/(.*)", text)
    return found[1] if found else text.partition("/")[2]


def _is_end(end: datetime, start: datetime, seconds: float) -> bool:
    between = (end - start).total_seconds() % 86400
    return abs(between - seconds) < MID_TOLERANCE


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
) -> tuple[datetime | None, str]:
    """Return the moment of the first of *cards* that tells one, and that card."""
    for card in cards:
        if header.get(card.rpartition("+")[2], "") == "":
            continue
        try:
            return _moment(header, printed, card, str(header.get(dialect.time_system, ""))), card
        except (ValueError, OverflowError) as error:
            refused.append(f"{card.rpartition('+')[2]}: {error}")
    return None, ""


def _moment(header: Cards, printed: Mapping[str, str], card: str, system: str) -> datetime:
    day, _, time = card.partition("+")
    value = header[time or day]
    if not isinstance(value, str) or _is_float(value):
        if time:
            raise ValueError(f"{value} is not a time of day")
        text = printed.get(card, str(value)).partition("/")[0].strip("' ")
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
    start, _ = _first(header, printed, dialect.start, dialect, [])
    end, _ = _first(header, printed, dialect.end, dialect, [])
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
