"""Which single mistake in the headers explains that the mount's altitude is not the computed one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Floats
from accretor.science import angles

TOLERANCE = 0.5
"""Degree; a hypothesis explains the altitudes if 90 per cent of them are nearer to those that it gives."""
LEAST_FRAMES = 3
"""Frames with an altitude that are needed."""
LEAST_SPAN = 0.5
"""Hour that they must cover: an altitude alone is explained by many hours."""
ZONES = np.arange(-14, 14.5, 0.5)
"""Hours by which a clock of some time zone differs from UTC."""


@dataclass(frozen=True)
class Hypothesis:
    """A mistake that would explain the altitudes."""

    words: str
    """What to say of it."""
    error: float
    """Degree; the 90th percentile of what is left."""


def altitude(jd: Floats, ra: float, dec: float, latitude: float, longitude: float) -> Floats:
    """Return the altitude of a place of J2000, degree, good to a third of one until 2040.

    Mean sidereal time of Meeus (1998), chapter 12; without precession, nutation and refraction.

    Parameters
    ----------
    jd : (n,) float64, JD UTC
    ra, dec : float, degree
    latitude, longitude : float, degree
        East and north positive.

    Returns
    -------
    (n,) float64, degree
    """
    sidereal = 280.46061837 + 360.98564736629 * (jd - 2451545.0) + longitude
    hour_angle = np.radians(sidereal - ra)
    phi, delta = np.radians(latitude), np.radians(dec)
    sine = np.sin(phi) * np.sin(delta) + np.cos(phi) * np.cos(delta) * np.cos(hour_angle)
    return np.asarray(np.degrees(np.arcsin(np.clip(sine, -1, 1))))


def explain(
    jd: Floats, header: Floats, computed: Floats, target: tuple[float, float], site: tuple[float, float]
) -> tuple[Hypothesis, ...]:
    """Return the single mistakes that explain the altitudes in the headers, the best first.

    Tried are the sign of the longitude, and time stamps in another zone than UTC, in half hours.

    Parameters
    ----------
    jd : (n,) float64, day
        Mid-exposure by the time stamps, UTC.
    header, computed : (n,) float64, degree
        Altitude of the mount, and that of the target at *jd* and *site*; NaN where not known.
    target, site : pair of float, degree
        Right ascension and declination; latitude and longitude, east positive.

    Returns
    -------
    tuple of Hypothesis
        Empty if the altitudes agree as they are, are too few, or no single mistake explains them.
    """
    known = np.isfinite(header) & np.isfinite(computed)
    if known.sum() < LEAST_FRAMES or np.ptp(jd[known]) * 24 < LEAST_SPAN:
        return ()
    jd, header, computed = jd[known], header[known], computed[known]
    if _error(header - computed) <= TOLERANCE:
        return ()
    # The formula is for coordinates of date: their third of a degree has the other sign west of the meridian.
    of_date = _of_date(*target, 2000 + (float(jd.mean()) - 2451545.0) / 365.25)

    def error(hours: float, longitude: float) -> float:
        return _error(header - altitude(jd + hours / 24, *of_date, site[0], longitude))

    found = [
        Hypothesis(
            f"if the time stamps are of a clock {hours:+g} h from UTC, not of UTC", error(-hours, site[1])
        )
        for hours in ZONES
        if hours
    ]
    found.append(Hypothesis(f"if the longitude is {-site[1]:g}, not {site[1]:g}", error(0.0, -site[1])))
    return tuple(sorted((one for one in found if one.error <= TOLERANCE), key=lambda one: one.error))


def sentence(found: tuple[Hypothesis, ...]) -> str:
    """Return in words what explains the altitudes; "" for nothing."""
    if not found:
        return ""
    return f"the altitudes of the mount agree {'; or '.join(one.words for one in found)}"


def _of_date(ra: float, dec: float, year: float) -> tuple[float, float]:
    """Return coordinates of date of those of J2000, degree; to a thousandth of one within some decades."""
    back_ra, back_dec = angles.precess(ra, dec, year)
    return ra - ((back_ra - ra + 180) % 360 - 180), dec - (back_dec - dec)


def _error(difference: Floats) -> float:
    return float(np.percentile(np.abs(difference), 90))
