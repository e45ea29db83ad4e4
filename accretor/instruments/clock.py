"""Times as headers write them; the standard library only."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta, timezone

J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
_ISO_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})|(\d{4})(\d\d)(\d\d)")
_OLD_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d\d)")
_TIME = re.compile(r"(\d{1,2})[:\s](\d{1,2})(?:[:\s](\d{1,2})(?:[.,](\d+))?)?")
_ZONE = re.compile(r"(?:Z|UTC?|([+-])(\d\d):?(\d\d)?)", re.IGNORECASE)
_STAMP = re.compile(
    r"(?P<date>\d[\d/.-]{5,9})(?:[T_\s]\s*(?P<time>\d{1,2}[:\s][\d:.,\s]*\d))?\s*(?P<zone>[zZ]|[uU][tT][cC]?|[+-]\d\d:?\d\d|[+-]\d\d)?",
    re.IGNORECASE,
)
_FIRST_OLD_YEAR = 70
_YEARS = (1900, 2200)
_MJD = (15020, 88070)  # 1900 to 2100
_JD = (2415020, 2488070)

LEAP_SECONDS = (
    (date(1999, 1, 1), 32),
    (date(2006, 1, 1), 33),
    (date(2009, 1, 1), 34),
    (date(2012, 7, 1), 35),
    (date(2015, 7, 1), 36),
    (date(2017, 1, 1), 37),
)
"""First day and TAI - UTC in seconds (IERS Bulletin C); there has been no other since 2017."""


def parse_date(text: str) -> date:
    """Return the date of ``yyyy-mm-dd``, ``yyyymmdd``, or of the old FITS form ``dd/mm/yy``.

    Two digits from 70 are of the twentieth century, below that of this one.

    Raises
    ------
    ValueError
        If it is not a date in one of these forms; a day and a month are never exchanged to make it one.
    """
    text = text.strip()
    if found := _ISO_DATE.fullmatch(text):
        year, month, day = (int(part) for part in found.groups() if part is not None)
    elif found := _OLD_DATE.fullmatch(text):
        day, month, year = (int(part) for part in found.groups())
        if len(found[3]) == 2:
            year += 1900 if year >= _FIRST_OLD_YEAR else 2000
    else:
        raise ValueError(f"{text!r} is not a date")
    if not _YEARS[0] <= year <= _YEARS[1]:
        raise ValueError(f"{text!r} is not a date of an observation")
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueError(f"{text!r} is not a date") from None


def parse_time(text: str) -> timedelta:
    """Return the time since midnight of ``hh:mm:ss.s``; ``hh:mm`` is too coarse for a transit.

    Raises
    ------
    ValueError
        If it is not a time of day with seconds.
    """
    found = _TIME.fullmatch(text.strip())
    if found is None or found[3] is None:
        raise ValueError(f"{text!r} is not a time of day with seconds")
    hour, minute, second = int(found[1]), int(found[2]), int(found[3])
    if hour > 24 or minute > 59 or second > 60:  # a leap second is 60
        raise ValueError(f"{text!r} is not a time of day")
    micro = round(float(f"0.{found[4] or 0}") * 1e6)
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micro)


def parse(text: str) -> tuple[datetime, bool]:
    """Return the moment of an ISO 8601 date and time, and whether it named its zone.

    Understood are ``T`` or blanks between date and time, dates as in `parse_date`, and the
    zones ``Z``, ``UTC``, ``+hh``, ``+hhmm``, ``+hh:mm``; ``-0000`` is UTC. Without a zone the
    moment is said to be UTC: whether it is, another card may say.

    Raises
    ------
    ValueError
        If it is not such a text, or has a date only.
    """
    found = _STAMP.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a date and time")
    day = parse_date(found["date"])
    if found["time"] is None:
        raise ValueError(f"{text!r} has no time of day")
    moment = _on(day) + parse_time(found["time"])
    return moment - _offset(found["zone"] or "Z"), found["zone"] is not None


def join(day: str, time: str) -> datetime:
    """Return the moment, as UTC, of a date and a time of day in two cards.

    Raises
    ------
    ValueError
        If one is not what it should be.
    """
    time = re.sub(r"\s*(z|utc?|[+-]00:?00)$", "", time.strip(), flags=re.IGNORECASE)
    return _on(parse_date(day)) + parse_time(time)


def from_day_number(value: float, printed: str) -> datetime:
    """Return the moment of a Julian or modified Julian date.

    Parameters
    ----------
    value : float, day
    printed : str
        As it stands in the header; its decimals tell how exact it is.

    Raises
    ------
    ValueError
        If the number is neither, or has fewer than six decimals (0.09 s): ``58107.065`` is 86 s coarse.
    """
    if _JD[0] < value < _JD[1]:
        days = value - 2451545.0
    elif _MJD[0] < value < _MJD[1]:
        days = value - 51544.5
    else:
        raise ValueError(f"{value} is neither a Julian date nor a modified one")
    decimals = _decimals(printed)
    if decimals < 6:
        raise ValueError(f"{printed.strip()} has {decimals} decimals, 6 needed to know the second")
    return J2000 + timedelta(days=days)


def to_utc(moment: datetime, system: str) -> datetime:
    """Return the UTC of a *moment* that a clock of another time scale showed.

    Parameters
    ----------
    moment : datetime
    system : str
        Value of TIMESYS. UT1 is taken as UTC, from which it is never further than 0.9 s, and
        TDB as TT, from which it is never further than 2 ms.

    Raises
    ------
    ValueError
        If the scale is local or unknown, or needs leap seconds of before 1999.
    """
    system = system.strip().upper()
    if system in {"", "UTC", "UT", "UT1", "GMT", "Z"}:
        return moment
    ahead = {"TAI": 0.0, "IAT": 0.0, "GPS": -19.0, "TT": 32.184, "TDT": 32.184, "ET": 32.184, "TDB": 32.184}
    if system not in ahead:
        raise ValueError(f"the time scale {system!r} is not one that leads to UTC")
    if moment.date() < LEAP_SECONDS[0][0]:
        raise ValueError(f"the leap seconds before {LEAP_SECONDS[0][0]} are not known here")
    utc = moment
    for first, leap in LEAP_SECONDS:
        candidate = moment - timedelta(seconds=leap + ahead[system])
        if candidate.date() >= first:
            utc = candidate
    return utc


def sidereal(moment: datetime) -> float:
    """Return the mean sidereal time of Greenwich, hour (Meeus 1998, Astronomical Algorithms, eq. 12.4)."""
    days = (moment - J2000) / timedelta(days=1)
    return (280.46061837 + 360.98564736629 * days) % 360 / 15


def is_whole_second(moment: datetime) -> bool:
    """Tell whether a clock without fractions of a second would show this."""
    return moment.microsecond == 0


def year(moment: datetime) -> float:
    """Return the Julian epoch."""
    return 2000 + (moment - J2000) / timedelta(days=365.25)


def iso(moment: datetime) -> str:
    """Return ISO 8601 to the microsecond, without zone."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def _on(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _offset(zone: str) -> timedelta:
    found = _ZONE.fullmatch(zone)
    if found is None or found[1] is None:
        return timedelta(0)
    size = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return timezone(-size if found[1] == "-" else size).utcoffset(None)


def _decimals(printed: str) -> int:
    found = re.match(r"\s*[+-]?\d*\.?(\d*)(?:[eEdD]([+-]?\d+))?", printed)
    if found is None:
        return 0
    return max(0, len(found[1] or "") - int(found[2] or 0)) if math.isfinite(len(printed)) else 0
