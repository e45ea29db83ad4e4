from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import AltAz, EarthLocation, SkyCoord
from astropy.time import Time

from accretor.science import headertruth

TARGET, SITE = (31.0428, 46.6878), (31.68, -110.88)
JD = 2458107.5 + np.linspace(0.05, 0.25, 9)


def altitude(jd, longitude=SITE[1]):
    """By astropy."""
    place = EarthLocation.from_geodetic(longitude * u.deg, SITE[0] * u.deg, 1268 * u.m)
    frame = AltAz(obstime=Time(jd, format="jd", scale="utc"), location=place)
    return SkyCoord(*TARGET, unit="deg").transform_to(frame).alt.deg


COMPUTED = altitude(JD)


def explained(header):
    return headertruth.sentence(headertruth.explain(JD, header, COMPUTED, TARGET, SITE))


def test_simple_altitude_is_that_of_astropy_to_a_third_of_a_degree():
    np.testing.assert_allclose(headertruth.altitude(JD, *TARGET, *SITE), COMPUTED, atol=0.34)


@pytest.mark.parametrize("zone", [-7.0, 5.5, 1.0, -3.5])
def test_clock_of_a_time_zone_is_found_out(zone):
    # The stamps are local: it was, in truth, `zone` hours earlier in UTC than they say.
    said = explained(altitude(JD - zone / 24))

    assert said.startswith(f"the altitudes of the mount agree if the time stamps are of a clock {zone:+g} h")


@pytest.mark.parametrize("zone", [-4.0, -3.0, 4.0, 7.5])
def test_clock_of_a_time_zone_is_found_out_across_the_meridian(zone):
    # In truth the target set; by the stamps it would still rise, or the other way round.
    later = JD + zone / 48

    said = headertruth.sentence(
        headertruth.explain(later, altitude(later - zone / 24), altitude(later), TARGET, SITE)
    )

    assert f"of a clock {zone:+g} h" in said


def test_sign_of_the_longitude_is_found_out():
    assert "if the longitude is 110.88, not -110.88" in explained(altitude(JD, -SITE[1]))


def test_good_headers_with_a_mount_that_is_a_little_off_need_no_explanation():
    assert explained(COMPUTED + 0.3) == ""


def test_mount_that_points_elsewhere_is_explained_by_nothing():
    assert explained(90 - COMPUTED) == ""


def test_three_frames_in_a_minute_prove_nothing():
    close = JD[0] + np.arange(9) / 86400
    found = headertruth.explain(close, altitude(close + 7 / 24), altitude(close), TARGET, SITE)

    assert found == ()
