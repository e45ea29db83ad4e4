"""Angles as people write them, and as numbers; the standard library only."""

from __future__ import annotations

import math
import re

_SEXAGESIMAL = re.compile(
    r"""\s*([+-]?)\s*(\d{1,3})
        \s*[:\s hd°]\s*(\d{1,2})
        (?:\s*[:\s m'′]\s*(\d{1,2}(?:[.,:]\d*)?)\s*[s"″]?)?\s*""",
    re.VERBOSE | re.IGNORECASE,
)
_SIXTY = 60


def right_ascension(value: str | float) -> float:
    """Return a right ascension in degree, 0 <= ra < 360.

    Parameters
    ----------
    value : str or float
        ``"hh:mm:ss.s"`` (or with blanks, or h m s) is in hours; a number, or a text
        that is one number, is in degrees.

    Raises
    ------
    ValueError
        If it is not an angle, or a text is outside 0 to 24 h, a number outside -360 to 360 degrees.
    """
    if isinstance(value, str) and not _is_number(value):
        hours = sexagesimal(value)
        if not 0 <= hours <= 24:
            raise ValueError(f"{value!r} is not a right ascension: 0 to 24 hours needed")
        return hours * 15 % 360
    degree = float(value)
    if not abs(degree) <= 360:
        raise ValueError(f"{value!r} is not a right ascension: -360 to 360 degrees needed")
    return degree % 360 % 360


def declination(value: str | float) -> float:
    """Return a declination in degree, of ``"dd:mm:ss.s"`` (or with blanks, or d m s) or of a number.

    Raises
    ------
    ValueError
        If it is not an angle of -90 to 90 degrees.
    """
    degree = angle(value)
    if not abs(degree) <= 90:
        raise ValueError(f"{value!r} is not a declination: -90 to 90 degrees needed")
    return degree


def angle(value: str | float) -> float:
    """Return the number of a number, or of a sexagesimal text; its unit is that of the first part."""
    if isinstance(value, str) and not _is_number(value):
        return sexagesimal(value)
    return float(value)


def sexagesimal(text: str) -> float:
    """Return ``±a:b:c`` as a + b/60 + c/3600 with its sign, also that of ``-00:30:00``.

    Blanks, ``h m s``, ``d m s`` and ``° ' "`` separate as well as colons, seconds may be
    missing, and a colon or comma may stand for their decimal point (PRISM writes ``12:34:56:78``).

    Raises
    ------
    ValueError
        If it is not of this form, or minutes or seconds reach 60.
    """
    found = _SEXAGESIMAL.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not an angle like dd:mm:ss.s")
    minute = int(found[3])
    second = float((found[4] or "0").replace(":", ".").replace(",", "."))
    if minute >= _SIXTY or second >= _SIXTY:
        raise ValueError(f"{text!r} is not an angle: minutes and seconds end at 59")
    size = int(found[2]) + (minute + second / 60) / 60
    return -size if found[1] == "-" else size


def format_right_ascension(degree: float, digits: int = 2) -> str:
    """Return *degree* as ``hh:mm:ss.ss`` with *digits* decimals, below 24 h also after rounding."""
    unit = 10**digits
    ticks = round(degree % 360 / 15 * 3600 * unit) % (24 * 3600 * unit)
    return _clock(ticks, digits)


def format_declination(degree: float, digits: int = 1) -> str:
    """Return *degree* as ``±dd:mm:ss.s`` with *digits* decimals; the sign is always written."""
    ticks = round(abs(degree) * 3600 * 10**digits)
    sign = "-" if degree < 0 and ticks else "+"
    return sign + _clock(ticks, digits)


def separation(ra: float, dec: float, other_ra: float, other_dec: float) -> float:
    """Return the angle between two directions, degree (haversine: exact for small angles)."""
    a, d, b, e = (math.radians(value) for value in (ra, dec, other_ra, other_dec))
    half = math.sin((e - d) / 2) ** 2 + math.cos(d) * math.cos(e) * math.sin((b - a) / 2) ** 2
    return math.degrees(2 * math.asin(min(1.0, math.sqrt(half))))


def precess(ra: float, dec: float, year: float) -> tuple[float, float]:
    """Return J2000 coordinates of the mean coordinates *ra*, *dec* of *year*, degree.

    Precession angles of Lieske et al. (1977, A&A 58, 1); good to 0.25 arcsec within half a century.
    Nutation and aberration, up to half an arcminute, are left in: this is for the coordinates of a mount.
    """
    t = (year - 2000) / 100
    zeta = math.radians((2306.2181 * t + 0.30188 * t**2 + 0.017998 * t**3) / 3600)
    z = math.radians((2306.2181 * t + 1.09468 * t**2 + 0.018203 * t**3) / 3600)
    theta = math.radians((2004.3109 * t - 0.42665 * t**2 - 0.041833 * t**3) / 3600)
    a, d = math.radians(ra) - z, math.radians(dec)
    x = math.cos(theta) * math.cos(d) * math.cos(a) + math.sin(theta) * math.sin(d)
    y = math.cos(d) * math.sin(a)
    height = -math.sin(theta) * math.cos(d) * math.cos(a) + math.cos(theta) * math.sin(d)
    return (
        math.degrees(math.atan2(y, x) - zeta) % 360,
        math.degrees(math.asin(max(-1.0, min(1.0, height)))),
    )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _clock(ticks: int, digits: int) -> str:
    unit = 10**digits
    second, fraction = divmod(ticks, unit)
    text = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    return f"{text}.{fraction:0{digits}d}" if digits else text
