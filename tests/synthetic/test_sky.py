from __future__ import annotations

from dataclasses import replace

import erfa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.synthetic import sky
from accretor.synthetic.night import Night, Site

AU_SECOND = 499.004783836


def utc_days(iso: str) -> float:
    """Days of UTC since J2000.0 (JD 2451545.0)."""
    return (
        float((np.datetime64(iso) - np.datetime64("2000-01-01T12:00:00")) / np.timedelta64(1, "us")) / 8.64e10
    )


def test_times_are_those_of_the_light_at_the_barycentre():
    night = Night(n_frame=3, cadence=7200.0)
    site = night.site
    ra, dec = np.radians([night.ra, night.dec])
    star = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])

    bjd, _ = sky.place_in_time(night)

    for iso, found in zip(sky.mid_times(night), bjd, strict=True):
        utc = utc_days(iso)
        tt = utc + (37 + 32.184) / 86400  # 37 leap seconds since 2017
        _, earth = erfa.epv00(2451545.0, tt)
        # Earth rotation is enough for a station: precession moves it by 30 km, 0.1 ms.
        turned = erfa.era00(2451545.0, utc)
        station = (
            erfa.pvtob(np.radians(site.longitude), np.radians(site.latitude), site.height, 0, 0, 0, turned)[
                "p"
            ]
            / 299792458.0
        )
        delay = earth["p"] @ star * AU_SECOND + station @ star
        assert (found - 2451545.0 - tt) * 86400 == pytest.approx(delay, abs=0.005)


def test_altitude_is_that_of_the_low_level_library():
    night = Night(n_frame=4, cadence=3600.0)
    _, altitude = sky.place_in_time(night)

    for iso, found in zip(sky.mid_times(night), altitude, strict=True):
        _, zenith, *_ = erfa.atco13(
            *np.radians([night.ra, night.dec]), 0, 0, 0, 0, 2451545.0, utc_days(iso), 0,
            *np.radians([night.site.longitude, night.site.latitude]), night.site.height, 0, 0, 0, 0, 0, 0.5,
        )  # fmt: skip
        # UT1 - UTC, left out here, is below half a second: 0.002 degree.
        assert found == pytest.approx(90 - np.degrees(zenith), abs=0.005)


def test_airmass_is_nearly_the_secant_high_in_the_sky():
    altitude = np.array([35.0, 50.0, 70.0, 90.0])

    np.testing.assert_allclose(sky.airmass(altitude), 1 / np.sin(np.radians(altitude)), rtol=3e-3)


def test_night_goes_on_after_midnight():
    night = Night(start="2024-12-31T23:59:00.500", n_frame=2, cadence=90.25, exposure=60.0)

    assert sky.mid_times(night) == ("2024-12-31T23:59:30.500000", "2025-01-01T00:01:00.750000")


@given(
    x=st.floats(-100, 500),
    y=st.floats(-100, 500),
    ra=st.floats(0, 360, exclude_max=True),
    dec=st.floats(-85, 85),
    rotation=st.floats(-180, 180),
)
def test_pixel_to_sky_and_back_is_the_same_pixel(x, y, ra, dec, rotation):
    night = replace(Night(), ra=ra, dec=dec, rotation=rotation)
    there = sky.to_sky(night, np.array([[x, y]]))[0]

    np.testing.assert_allclose(sky.to_pixel(night, *there), [x, y], atol=1e-6)


def test_site_in_the_south_sees_the_southern_sky():
    night = Night(dec=-60.0, site=Site(latitude=-30.0, longitude=-16.5))
    _, altitude = sky.place_in_time(night)

    assert altitude[0] > 50
