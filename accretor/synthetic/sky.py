"""Where the simulated telescope looks, and when: times, altitude, and the tangent plane."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from accretor.core.arrays import Floats
from accretor.synthetic.night import Night


def start_of(night: Night, second: float) -> datetime:
    """Return the UTC *second* seconds after the start of *night*, to the millisecond that headers hold."""
    whole = timedelta(milliseconds=round(second * 1000))
    return datetime.fromisoformat(night.start) + whole


def mid_times(night: Night) -> tuple[str, ...]:
    """Return the UTC of the mid-exposures, ISO 8601 to the microsecond."""
    half = timedelta(seconds=night.exposure / 2)
    return tuple(
        (start_of(night, index * night.cadence) + half).isoformat(timespec="microseconds")
        for index in range(night.n_frame)
    )


def place_in_time(night: Night) -> tuple[Floats, Floats]:
    """Return BJD_TDB and altitude of the target at the mid-exposures.

    Returns
    -------
    bjd : (n_frame,) float64
        Barycentric time (Eastman, Siverd & Gaudi 2010) by the ephemeris built into astropy.
    altitude : (n_frame,) float64, degree
        Without refraction.
    """
    from astropy import units as u
    from astropy.coordinates import AltAz, EarthLocation, SkyCoord
    from astropy.time import Time
    from astropy.utils import iers

    # The tables that came with astropy are good to far below a millisecond here; nothing is fetched.
    with (
        iers.conf.set_temp("auto_download", value=False),
        iers.conf.set_temp("auto_max_age", None),
        iers.conf.set_temp("iers_degraded_accuracy", "ignore"),
    ):
        site = EarthLocation.from_geodetic(
            night.site.longitude * u.deg, night.site.latitude * u.deg, night.site.height * u.m
        )
        time = Time(list(mid_times(night)), format="isot", scale="utc", location=site)
        target = SkyCoord(night.ra * u.deg, night.dec * u.deg)
        bjd = time.tdb + time.light_travel_time(target, kind="barycentric")
        altitude = target.transform_to(AltAz(obstime=time, location=site)).alt
        return np.asarray(bjd.jd, dtype=np.float64), np.asarray(altitude.to_value(u.deg), dtype=np.float64)


def airmass(altitude: Floats) -> Floats:
    """Return the airmass at *altitude*, degree (Kasten & Young 1989, Applied Optics 28, 4735)."""
    return np.asarray(1 / (np.sin(np.radians(altitude)) + 0.50572 * (altitude + 6.07995) ** -1.6364))


def pointing(night: Night) -> tuple[float, float]:
    """Return right ascension and declination of the centre of the field, degree."""
    east, north = night.pointing_offset
    return (
        (night.ra + east / 3600 / float(np.cos(np.radians(night.dec)))) % 360,
        night.dec + north / 3600,
    )


def plate(night: Night) -> Floats:
    """Return the (2, 2) matrix from pixels to degrees east and north on the tangent plane.

    North is up and east is left where the rotation is 0.
    """
    sine, cosine = np.sin(np.radians(night.rotation)), np.cos(np.radians(night.rotation))
    return np.asarray(night.pixel_scale / 3600 * np.array([[-cosine, sine], [sine, cosine]]))


def centre(night: Night) -> Floats:
    """Return the (2,) pixel position of the middle of the frame."""
    return np.asarray((np.array(night.size, dtype=np.float64) - 1) / 2)


def to_pixel(night: Night, ra: float, dec: float) -> Floats:
    """Return the (2,) nominal pixel position of a direction, by gnomonic projection."""
    ra0, dec0 = np.radians(pointing(night))
    angle, height = np.radians(ra) - ra0, np.radians(dec)
    toward = np.sin(dec0) * np.sin(height) + np.cos(dec0) * np.cos(height) * np.cos(angle)
    east = np.cos(height) * np.sin(angle) / toward
    north = (np.cos(dec0) * np.sin(height) - np.sin(dec0) * np.cos(height) * np.cos(angle)) / toward
    return np.asarray(centre(night) + np.linalg.solve(plate(night), np.degrees(np.array([east, north]))))


def to_sky(night: Night, position: Floats) -> Floats:
    """Return the (n, 2) right ascensions and declinations, degree, of nominal pixel positions (n, 2)."""
    ra0, dec0 = np.radians(pointing(night))
    east, north = np.radians((position - centre(night)) @ plate(night).T).T
    toward = np.cos(dec0) - north * np.sin(dec0)
    angle = np.arctan2(east, toward)
    dec = np.arctan((np.sin(dec0) + north * np.cos(dec0)) * np.cos(angle) / toward)
    return np.asarray(np.degrees(np.column_stack([(ra0 + angle) % (2 * np.pi), dec])))
