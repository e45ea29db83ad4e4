"""When the photons of a frame would have reached the barycentre, and how high the target stood.

Each frame is calculated on its own with ERFA (the routines of the IAU, which astropy uses too) and with
the C library: the last bit of a frame's value does not depend on the other frames of the call. No table
of the Earth's rotation is needed: UT1 is taken as UTC, which moves the altitude by less than 0.004 degrees
and BJD_TDB by less than 2 microseconds.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from accretor.core.arrays import Floats

ALTITUDE_TOLERANCE = 0.5
"""Degree between the header's altitude and the computed one; the difference of mount and target is within."""
CLOCK_TOLERANCE = 2.0
"""Degree by which one frame alone may be off; an altitude taken at the start of ten minutes is 1.3 off."""
MIN_FRAMES = 3
"""Altitudes needed before they are believed to contradict the clock or the site."""

_LIGHT_DAYS_PER_AU = 499.004783836156412 / 86400
_J2000 = 2451545.0
_MAS = math.radians(1 / 3.6e6)
_CORRECTION = (0.0, -0.002879465, -0.003033104, -0.001351167, 0.00004716679)


@dataclass(frozen=True)
class Site:
    """Where the telescope stands (WGS84)."""

    latitude: float
    """Degree, north positive."""
    longitude: float
    """Degree, east positive."""
    elevation: float = 0.0
    """Metre above the sea; NaN counts as 0 (3 km are 10 microseconds)."""


@dataclass(frozen=True)
class Direction:
    """Where a star is: ICRS at epoch J2000.0."""

    ra: float
    """Degree."""
    dec: float
    """Degree."""
    pm_ra: float = 0.0
    """Proper motion times cos(dec), milliarcsec per year."""
    pm_dec: float = 0.0
    """Proper motion, milliarcsec per year."""


@dataclass(frozen=True)
class FrameTimes:
    """Times and heights at mid-exposure; each array has one value per frame."""

    jd_utc: Floats
    """Julian date, UTC."""
    hjd_utc: Floats
    """Heliocentric Julian date, UTC: what AstroImageJ's tables hold besides BJD_TDB."""
    bjd_tdb: Floats
    """Barycentric Julian date, TDB."""
    altitude: Floats
    """Of the target above the horizon, without refraction, degree."""
    airmass: Floats
    sun_altitude: Floats
    """Of the Sun above the horizon, without refraction, degree."""


def frame_times(mid: Sequence[str], direction: Direction, site: Site) -> FrameTimes:
    """Return times, altitudes and airmass of a target at mid-exposure.

    BJD_TDB after Eastman, Siverd & Gaudi (2010, PASP 122, 935), with the Earth of Moisson &
    Bretagnon (ERFA ``epv00``; 0.03 ms from DE421), from the observatory, not from the Earth's centre.

    Parameters
    ----------
    mid : sequence of str
        UTC of mid-exposure, ISO 8601.
    direction : Direction
        The target; its proper motion is applied to each frame.
    site : Site

    Returns
    -------
    FrameTimes
        Arrays of the length of *mid*.

    Raises
    ------
    ValueError
        If a time is not ISO 8601, or position or site are not numbers.
    """
    _check(direction, site)
    rows = [_frame(days, direction, site) for days in map(julian_date, mid)]
    columns = np.array(rows, dtype=np.float64).reshape(-1, 5).T
    jd, hjd, bjd, altitude, sun = columns
    return FrameTimes(
        jd_utc=jd, hjd_utc=hjd, bjd_tdb=bjd, altitude=altitude, airmass=airmass(altitude), sun_altitude=sun
    )


def altitudes(mid: Sequence[str], direction: Direction, site: Site) -> Floats:
    """Return the altitudes of `frame_times` for the frames of one night, all at once.

    Precession, nutation and aberration are those of the middle of the night.

    Returns
    -------
    (n_frame,) float64, degree
        To 0.001 degree.
    """
    return horizontal(mid, direction, site)[0]


def horizontal(mid: Sequence[str], direction: Direction, site: Site) -> tuple[Floats, Floats]:
    """Return altitude and azimuth (from north through east) of a target in the frames of one night.

    Without refraction; see `altitudes`.

    Returns
    -------
    (n_frame,) float64, (n_frame,) float64, degree
        To 0.001 degree.
    """
    import erfa

    _check(direction, site)
    days = np.array([julian_date(text) for text in mid], dtype=np.float64).reshape(-1, 2)
    if not len(days):
        return np.empty(0), np.empty(0)
    middle = days[len(days) // 2]
    ra, dec = (math.radians(value) for value in at_epoch(direction, float(middle.sum())))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", erfa.ErfaWarning)
        context = _context(float(middle[0]), float(middle[1]), site)
    turned = erfa.aper13(days[:, 0], days[:, 1], context)
    azimuth, zenith_distance, *_ = erfa.atioq(*erfa.atciqz(ra, dec, context), turned)
    return np.asarray(90 - np.degrees(zenith_distance)), np.asarray(np.degrees(azimuth) % 360)


def julian_date(mid: str) -> tuple[float, float]:
    """Return the Julian date of a UTC in ISO 8601: the preceding midnight, and the fraction of the day.

    Raises
    ------
    ValueError
        If it is not ISO 8601 without a zone.
    """
    moment = datetime.fromisoformat(mid)
    if moment.tzinfo is not None:
        raise ValueError(f"{mid!r} has a zone; UTC without one is needed")
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
    return moment.toordinal() + 1721424.5, (seconds * 1_000_000 + moment.microsecond) / 86_400_000_000


def iso(jd: float) -> str:
    """Return a Julian date, UTC, as ISO 8601 to the microsecond; a float of a day knows 40 of them."""
    midnight = math.floor(jd - 0.5) + 0.5
    moment = datetime.fromordinal(round(midnight - 1721424.5)) + timedelta(days=jd - midnight)
    return moment.isoformat(timespec="microseconds")


def julian_year(jd: float) -> float:
    """Return the Julian year, e.g. 2016.0, of a Julian date."""
    return 2000.0 + (jd - _J2000) / 365.25


def at_epoch(direction: Direction, jd: float) -> tuple[float, float]:
    """Return right ascension and declination of *direction* at Julian date *jd*, degree.

    The star moves on a great circle at constant rate; its distance and radial velocity are left out.
    """
    ra, dec = (math.radians(value) for value in (direction.ra, direction.dec))
    years = (jd - _J2000) / 365.25
    east, north = (rate * _MAS * years for rate in (direction.pm_ra, direction.pm_dec))
    x = math.cos(dec) - north * math.sin(dec)
    z = math.sin(dec) + north * math.cos(dec)
    return (
        math.degrees(ra + math.atan2(east, x)) % 360,
        math.degrees(math.atan2(z, math.hypot(x, east))),
    )


def bjd_tdb(mid: Sequence[str], direction: Direction, site: Site) -> Floats:
    """Return the barycentric Julian date, TDB, of each UTC; see `frame_times`."""
    return frame_times(mid, direction, site).bjd_tdb


def hjd_utc(mid: Sequence[str], direction: Direction, site: Site) -> Floats:
    """Return the heliocentric Julian date, UTC, of each UTC; see `frame_times`."""
    return frame_times(mid, direction, site).hjd_utc


def airmass(altitude: Floats) -> Floats:
    """Return the airmass at *altitude*, the formula of AstroImageJ.

    X = s + 1 - 0.002879465 s - 0.003033104 s^2 - 0.001351167 s^3 + 0.00004716679 s^4 with
    s = sec z - 1, and sec z - 1.5 where sec z is above 12. The same one everywhere, so that our tables
    agree with those of AstroImageJ to the last digit.

    Parameters
    ----------
    altitude : array, degree
        Without refraction.

    Returns
    -------
    array
        -1 at and below the horizon, as AstroImageJ has it; NaN where the altitude is NaN.
    """
    flat = np.asarray(altitude, dtype=np.float64)
    return np.array([_airmass(value) for value in flat.ravel().tolist()]).reshape(flat.shape)


def cross_check(altitude_header: Floats, altitude_computed: Floats) -> str:
    """Compare the telescope's altitude in the headers with the target's computed one.

    A wrong sign of the longitude, a local time taken for UTC, or a wrong site show as degrees.

    Parameters
    ----------
    altitude_header, altitude_computed : (n_frame,) array, degree
        NaN where a header has none.

    Returns
    -------
    str
        "" if they agree, or if fewer than three headers have an altitude; else a sentence with numbers.
    """
    difference = np.asarray(altitude_header, dtype=np.float64) - np.asarray(
        altitude_computed, dtype=np.float64
    )
    known = difference[np.isfinite(difference)]
    n_wrong = int(np.count_nonzero(np.abs(known) > ALTITUDE_TOLERANCE))
    if known.size < MIN_FRAMES or 2 * n_wrong <= known.size:
        return ""
    return (
        f"the altitude in the headers is {np.median(known):+.2f} degrees from the computed one "
        f"({n_wrong} of {known.size} frames by more than {ALTITUDE_TOLERANCE}): check the clock, "
        "the sign of the longitude (east positive) and the coordinates of the target"
    )


def clock_jumps(altitude_header: Floats, altitude_computed: Floats) -> Floats:
    """Return by how much single frames contradict the computed altitude while the others agree with it.

    A clock that was set wrongly for some frames puts the target elsewhere in the sky at
    the time that they claim; the telescope's own altitude, in the header, does not follow.

    Parameters
    ----------
    altitude_header, altitude_computed : (n_frame,) array, degree
        NaN where a header has none.

    Returns
    -------
    (n_frame,) float64, degree
        Header minus computed, less the median of all; 0 where that is within `CLOCK_TOLERANCE`
        or not known, and for all frames unless nine in ten agree.
    """
    difference = np.asarray(altitude_header, dtype=np.float64) - altitude_computed
    known = np.isfinite(difference)
    if known.sum() < MIN_FRAMES:
        return np.zeros(len(difference))
    excess = np.where(known, difference - np.median(difference[known]), 0.0)
    is_off = np.abs(excess) > CLOCK_TOLERANCE
    return np.where(is_off & (10 * is_off.sum() <= known.sum()), excess, 0.0)


def _frame(days: tuple[float, float], direction: Direction, site: Site) -> tuple[float, ...]:
    """Return JD_UTC, HJD_UTC, BJD_TDB, altitude and the Sun's altitude of one frame."""
    import erfa

    midnight, fraction = days
    ra, dec = (math.radians(value) for value in at_epoch(direction, midnight + fraction))
    with warnings.catch_warnings():
        # Leap seconds of the far future are not known; nor would a few seconds matter there.
        warnings.simplefilter("ignore", erfa.ErfaWarning)
        tt = erfa.taitt(*erfa.utctai(midnight, fraction))
        tdb = erfa.tttdb(*tt, erfa.dtdb(*tt, 0.0, 0.0, 0.0, 0.0))
        context = _context(midnight, fraction, site)
    star = _unit(ra, dec)
    from_barycentre = [float(value) for value in context["eb"]]
    from_sun = [float(value) * float(context["em"]) for value in context["eh"]]
    bjd = tdb[0] + (tdb[1] + _dot(from_barycentre, star) * _LIGHT_DAYS_PER_AU)
    hjd = midnight + (fraction + _dot(from_sun, star) * _LIGHT_DAYS_PER_AU)
    # The Sun without aberration and light deflection: 20 arcsec.
    sun = erfa.c2s(erfa.rxp(context["bpn"], [-value for value in from_sun]))
    altitude, sun_altitude = (
        90.0 - math.degrees(float(erfa.atioq(*place, context)[1]))
        for place in (erfa.atciqz(ra, dec, context), sun)
    )
    return midnight + fraction, float(hjd), float(bjd), altitude, sun_altitude


def _context(midnight: float, fraction: float, site: Site) -> Any:
    """Return what ERFA must know of the Earth, its place and its rotation at a UTC."""
    import erfa

    elevation = 0.0 if math.isnan(site.elevation) else site.elevation
    longitude, latitude = math.radians(site.longitude), math.radians(site.latitude)
    # UT1 - UTC, polar motion, pressure and all else that refracts are 0.
    context, _ = erfa.apco13(
        midnight, fraction, 0.0, longitude, latitude, elevation, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5
    )
    return context


def _airmass(altitude: float) -> float:
    if math.isnan(altitude):
        return math.nan
    if altitude <= 0:
        return -1.0
    secant = 1 / math.sin(math.radians(altitude))
    if secant > 12:  # the polynomial is not made for the last five degrees
        return secant - 1.5
    excess = secant - 1
    return secant + sum(coefficient * excess**power for power, coefficient in enumerate(_CORRECTION))


def _unit(ra: float, dec: float) -> list[float]:
    return [math.cos(dec) * math.cos(ra), math.cos(dec) * math.sin(ra), math.sin(dec)]


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _check(direction: Direction, site: Site) -> None:
    values = (direction.ra, direction.dec, direction.pm_ra, direction.pm_dec, site.latitude, site.longitude)
    if not all(math.isfinite(value) for value in values):
        raise ValueError(f"position and site must be numbers: {direction}, {site}")
