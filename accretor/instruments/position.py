"""Where the telescope stands and where it points, from a header."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from accretor.core.settings import InstrumentSettings
from accretor.instruments import clock
from accretor.instruments.dialect import Cards, Dialect, Site
from accretor.instruments.timing import number
from accretor.science import angles

SITE_TOLERANCE = 0.05
"""Degree, about 5 km, between the workspace's site and the header's, above which it is said."""
SIDEREAL_TOLERANCE = 0.05
"""Hour (0.75 degrees of longitude) up to which a sidereal time confirms the longitude."""
MAX_ALTITUDE = 90.0
_OF_DATE = re.compile(r"\bJNOW\b|\bof date\b|\bapparent\b", re.IGNORECASE)
"""In the comment of a coordinate: it is of the equinox of date."""


def site(
    header: Cards,
    printed: Mapping[str, str],
    instrument: InstrumentSettings,
    dialect: Dialect,
    start: datetime | None,
) -> tuple[Site, list[str]]:
    """Return the site, and remarks: settings go before the dialect, that before the header.

    The sign of the header's longitude is the one that agrees with its sidereal time, where it has one.
    """
    latitude = _coordinate(header, dialect.latitude, 90)
    longitude = _coordinate(header, dialect.longitude, 360)
    others = [_coordinate(header, (keyword,), 360) for keyword in dialect.longitude]
    if latitude == 0 and longitude == 0:
        latitude = longitude = math.nan
    if dialect.west_is_positive:
        longitude = -longitude
    longitude, remarks = _confirmed(longitude, _sidereal(header, dialect), start)
    if any(min(_apart(other, longitude), _apart(other, -longitude)) > SITE_TOLERANCE for other in others):
        different = dict.fromkeys(f"{other:.4f}" for other in others if math.isfinite(other))
        remarks.append(f"the header has several longitudes ({', '.join(different)}): {longitude:.4f} is used")
    elevation = next(
        (
            value
            for keyword in dialect.elevation
            if math.isfinite(value := _leading_number(header.get(keyword)))
            and not (keyword == "ALTITUDE" and is_pointing(value, printed.get(keyword, "")))
        ),
        math.nan,
    )
    found = Site(latitude, _east(longitude), elevation, "header")
    known = Site(
        _first_finite(instrument.latitude, dialect.site.latitude),
        _east(_first_finite(instrument.longitude, dialect.site.longitude)),
        _first_finite(instrument.height, dialect.site.elevation),
        "settings",
    )
    for what, is_set, ours, theirs in (
        ("latitude", instrument.latitude is not None, known.latitude, found.latitude),
        ("longitude", instrument.longitude is not None, known.longitude, found.longitude),
    ):
        if _apart(ours, theirs) > SITE_TOLERANCE:
            whose = "settings" if is_set else f"dialect {dialect.name}"
            remarks.append(f"{what} {ours:g} of the {whose} is used, the header has {theirs:g}")
    return (
        Site(
            _first_finite(known.latitude, found.latitude),
            _first_finite(known.longitude, found.longitude),
            _first_finite(known.elevation, found.elevation),
        ),
        remarks,
    )


def pointing(
    header: Cards, printed: Mapping[str, str], dialect: Dialect, mid: datetime | None
) -> tuple[float, float]:
    """Return right ascension and declination of the telescope, degree, J2000; NaN where not said."""
    if has_wcs(header):
        inside = all(0 <= number(header, f"CRPIX{axis}") <= number(header, f"NAXIS{axis}") for axis in (1, 2))
        ra, dec = number(header, "CRVAL1"), number(header, "CRVAL2")
        if inside and abs(dec) <= MAX_ALTITUDE:
            return ra % 360, dec
    for ra_key, dec_key in zip(dialect.ra, dialect.dec, strict=True):
        try:
            ra, dec = (
                angles.right_ascension(_text(header, ra_key)),
                angles.declination(_text(header, dec_key)),
            )
        except ValueError:
            continue
        is_of_date = dialect.equinox == "date" or _OF_DATE.search(printed.get(ra_key, "").partition("/")[2])
        if is_of_date and mid is not None:
            return angles.precess(ra, dec, clock.year(mid))
        return ra, dec
    return math.nan, math.nan


def altitude(header: Cards, printed: Mapping[str, str], dialect: Dialect) -> float:
    """Return the altitude of the telescope according to the header, degree; NaN where not said."""
    for keyword in dialect.altitude:
        value = _coordinate(header, (keyword,), MAX_ALTITUDE)
        if math.isfinite(value) and is_pointing(value, printed.get(keyword, "")):
            return value
    return math.nan


def is_pointing(value: float, printed: str) -> bool:
    """Tell whether a value of the ambiguous ALTITUDE is the telescope's: the site's is in metres."""
    return abs(value) <= MAX_ALTITUDE and "met" not in printed.partition("/")[2].casefold()


def has_wcs(header: Cards) -> bool:
    """Tell whether there is a celestial plate solution in numbers; texts and pixel axes are none."""
    axes = str(header.get("CTYPE1", ""))[:4] + str(header.get("CTYPE2", ""))[:4]
    needed = ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2")
    scale = ("CD1_1", "CD1_2", "CDELT1", "PC1_1")
    return (
        axes in {"RA--DEC-", "DEC-RA--"}
        and all(_is_real(header.get(keyword)) for keyword in needed)
        and any(_is_real(header.get(keyword)) for keyword in scale)
    )


def pixel_scale(header: Cards, dialect: Dialect) -> float:
    """Return arcsec per pixel: of the plate solution, else of a card, else of the focal length."""
    if has_wcs(header):
        matrix = [number(header, f"CD{i}_{j}") for i, j in ((1, 1), (1, 2), (2, 1), (2, 2))]
        if all(math.isnan(value) for value in matrix):
            pc = [_or(number(header, f"PC{i}_{j}"), i == j) for i, j in ((1, 1), (1, 2), (2, 1), (2, 2))]
            step = [_or(number(header, f"CDELT{i}"), True) for i in (1, 1, 2, 2)]  # noqa: FBT003
            matrix = [a * b for a, b in zip(pc, step, strict=True)]
        a, b, c, d = (_or(value, False) for value in matrix)  # noqa: FBT003
        if 0 < (area := abs(a * d - b * c)) < 1:
            return math.sqrt(area) * 3600
    for keyword in dialect.pixel_scale:
        if 0 < (value := number(header, keyword)) < 1000:
            return value
    size, focal = number(header, "XPIXSZ"), number(header, "FOCALLEN")
    if size > 0 and focal > 0:
        return math.degrees(size * 1e-3 / focal) * 3600
    return math.nan


def _confirmed(longitude: float, sidereal: float, start: datetime | None) -> tuple[float, list[str]]:
    if start is None or not (math.isfinite(longitude) and math.isfinite(sidereal)):
        return longitude, []

    def error(east: float) -> float:
        return (sidereal - clock.sidereal(start) - east / 15 + 12) % 24 - 12

    if abs(error(longitude)) < SIDEREAL_TOLERANCE:
        return longitude, []
    if abs(error(-longitude)) < SIDEREAL_TOLERANCE:
        return -longitude, ["sign of the longitude taken from the sidereal time"]
    return longitude, [
        f"the sidereal time of the header is {error(longitude):+.2f} h off: wrong clock or wrong longitude"
    ]


def sidereal_offset(
    header: Cards, dialect: Dialect, longitude: float, start: datetime, seconds: float
) -> float:
    """Return by how much the header's sidereal time is ahead of its time stamps, second; NaN if unknown.

    It may be of any moment of the exposure: 0 where it is of one.
    """
    sidereal = _sidereal(header, dialect)
    if not (math.isfinite(sidereal) and math.isfinite(longitude)):
        return math.nan
    ahead = ((sidereal - clock.sidereal(start) - longitude / 15 + 12) % 24 - 12) * 3600
    during = seconds if math.isfinite(seconds) else 0.0
    return ahead - min(max(ahead, 0.0), during)


def _sidereal(header: Cards, dialect: Dialect) -> float:
    for keyword in dialect.sidereal:
        value = header.get(keyword)
        if isinstance(value, str):
            try:
                return angles.sexagesimal(value)
            except ValueError:
                continue
    return math.nan


def _coordinate(header: Cards, keywords: tuple[str, ...], limit: float) -> float:
    for keyword in keywords:
        try:
            value = angles.angle(_text(header, keyword))
        except ValueError:
            continue
        if abs(value) <= limit:
            return value
    return math.nan


def _text(header: Cards, keyword: str) -> str | float:
    value = header.get(keyword, "")
    return "" if isinstance(value, bool) else value


def _leading_number(value: object) -> float:
    found = re.match(r"\s*[+-]?\d+(?:\.\d*)?", str(value))
    return float(found[0]) if found and not isinstance(value, bool) else math.nan


def _apart(one: float, other: float) -> float:
    return abs((one - other + 180) % 360 - 180)


def _east(longitude: float) -> float:
    return longitude - 360 if longitude > 180 else longitude + 360 if longitude <= -180 else longitude


def _first_finite(*values: float | None) -> float:
    return next(_finite(values), math.nan)


def _finite(values: tuple[float | None, ...]) -> Iterator[float]:
    return (float(value) for value in values if value is not None and math.isfinite(value))


def _is_real(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _or(value: float, one: bool) -> float:
    return float(one) if math.isnan(value) else value
