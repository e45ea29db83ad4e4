from __future__ import annotations

import csv
import time
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accretor.io import inventory
from accretor.science import angles, times
from accretor.science.times import Direction, Site

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
HATP32 = Direction(angles.right_ascension("02:04:10.28"), angles.declination("+46:41:16.2"))
AMADO = Site(31.68, -110.88, 1268)
MIDS = [
    (datetime(2018, 1, 3, 2, 33, 43, 317123) + i * timedelta(days=77.123456)).isoformat()  # noqa: DTZ001
    for i in range(40)
]
STAR = Direction(257.5, -33.25, -3400.0, 2200.0)


def test_barycentric_date_is_the_published_one():
    # barycorrpy's documented example (Kanodia & Wright 2018, RNAAS 2, 4): tau Ceti from CTIO, DE430.
    # Its coordinates are Hipparcos's, of 1991.25: 8.75 years are added.
    of_1991 = Direction(26.0213645867, -15.9395557246, -1721.05, 854.16)
    ra, dec = times.at_epoch(of_1991, 2451545.0 + 8.75 * 365.25)

    found = times.bjd_tdb(
        ["2017-09-03T12:00:00"], Direction(ra, dec, -1721.05, 854.16), Site(-30.169283, -70.806789, 2241.9)
    )

    # Found: 0.4 ms, which is the last digit that was published.
    assert abs(found[0] - 2458000.00505211) * 86400 < 0.001


def test_times_and_altitudes_are_those_of_astropy():
    import astropy.units as u
    from astropy.coordinates import AltAz, EarthLocation, SkyCoord, get_sun
    from astropy.time import Time
    from astropy.utils import iers

    with iers.conf.set_temp("auto_download", value=False):
        place = EarthLocation.from_geodetic(AMADO.longitude, AMADO.latitude, AMADO.elevation)
        moment = Time(MIDS, scale="utc", location=place)
        still = SkyCoord(
            STAR.ra * u.deg,
            STAR.dec * u.deg,
            distance=10 * u.pc,
            pm_ra_cosdec=STAR.pm_ra * u.mas / u.yr,
            pm_dec=STAR.pm_dec * u.mas / u.yr,
            obstime=Time(2000, format="jyear", scale="tdb"),
        )
        star = still.apply_space_motion(moment)
        star = SkyCoord(star.ra, star.dec)
        horizon = AltAz(obstime=moment, location=place)
        bjd = (moment.tdb + moment.light_travel_time(star)).jd
        hjd = (moment + moment.light_travel_time(star, kind="heliocentric")).jd
        altitude = star.transform_to(horizon).alt.deg
        sun = get_sun(moment).transform_to(horizon).alt.deg

    found = times.frame_times(MIDS, STAR, AMADO)

    np.testing.assert_allclose(found.jd_utc, moment.jd, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.bjd_tdb, bjd, rtol=0, atol=0.0002 / 86400)
    np.testing.assert_allclose(found.hjd_utc, hjd, rtol=0, atol=0.0002 / 86400)
    np.testing.assert_allclose(found.altitude, altitude, rtol=0, atol=0.004)  # UT1 - UTC
    np.testing.assert_allclose(found.sun_altitude, sun, rtol=0, atol=0.011)  # and 20 arcsec


def test_frame_has_the_same_bits_alone_and_among_others():
    together = times.frame_times(MIDS, STAR, AMADO)

    for i, mid in enumerate(MIDS):
        alone = times.frame_times([mid], STAR, AMADO)
        for name in ("jd_utc", "hjd_utc", "bjd_tdb", "altitude", "airmass", "sun_altitude"):
            assert getattr(alone, name)[0] == getattr(together, name)[i]


def test_no_frames_give_empty_columns():
    assert times.frame_times([], STAR, AMADO).bjd_tdb.shape == (0,)


def test_frame_costs_less_than_five_milliseconds():
    times.frame_times(MIDS[:1], STAR, AMADO)
    began = time.process_time()

    times.frame_times(MIDS, STAR, AMADO)

    assert time.process_time() - began < 0.005 * len(MIDS)


def test_date_of_the_far_future_is_no_warning():
    assert times.bjd_tdb(["2199-01-01T00:00:00"], STAR, AMADO).shape == (1,)


@given(st.datetimes(datetime(1972, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001
def test_julian_date_counts_days_from_j2000(moment):
    midnight, fraction = times.julian_date(moment.isoformat())

    days = (moment - datetime(2000, 1, 1, 12)) / timedelta(days=1)  # noqa: DTZ001
    assert 0 <= fraction < 1
    assert midnight % 1 == 0.5
    assert (midnight - 2451545) + fraction == pytest.approx(days, abs=1e-9)


def test_zone_and_rubbish_are_no_utc():
    with pytest.raises(ValueError, match="zone"):
        times.julian_date("2025-03-05T03:00:00+00:00")
    with pytest.raises(ValueError, match="isoformat"):
        times.julian_date("yesterday")
    with pytest.raises(ValueError, match="numbers"):
        times.frame_times(MIDS, STAR, Site(float("nan"), 0))


def test_unknown_elevation_is_sea_level():
    unknown = times.bjd_tdb(MIDS[:1], STAR, Site(31.68, -110.88, float("nan")))

    assert unknown == times.bjd_tdb(MIDS[:1], STAR, Site(31.68, -110.88))


def test_star_without_motion_stays_and_barnard_moves_ten_arcseconds_a_year():
    barnard = Direction(269.452, 4.693, -802.8, 10362.5)

    ra, dec = times.at_epoch(barnard, 2451545.0 + 25 * 365.25)

    assert times.at_epoch(HATP32, 2460000.5) == pytest.approx((HATP32.ra, HATP32.dec), abs=1e-12)
    assert angles.separation(barnard.ra, barnard.dec, ra, dec) * 3600 == pytest.approx(25 * 10.3935, abs=0.01)


def test_airmass_is_one_in_the_zenith_and_minus_one_below_the_horizon():
    found = times.airmass(np.array([90.0, 30.0, 0.0, -10.0, np.nan]))

    assert found[0] == 1
    assert found[1] == pytest.approx(1.9928, abs=1e-4)
    assert list(found[2:4]) == [-1, -1]
    assert np.isnan(found[4])


@settings(max_examples=50)
@given(st.floats(6, 89))
def test_airmass_falls_with_altitude_and_stays_near_the_secant(altitude):
    low, high = times.airmass(np.array([altitude, altitude + 0.5]))

    assert high < low < 1 / np.sin(np.radians(altitude))


def test_airmass_agrees_with_pickering_down_to_fifteen_degrees():
    altitude = np.linspace(15, 90, 76)
    pickering = 1 / np.sin(np.radians(altitude + 244 / (165 + 47 * altitude**1.1)))

    np.testing.assert_allclose(times.airmass(altitude), pickering, rtol=3e-3)


def test_altitudes_that_agree_are_nothing_to_say():
    altitude = np.array([30.0, 31.0, 32.0, np.nan])

    assert times.cross_check(altitude + 0.3, altitude) == ""
    assert times.cross_check(np.full(4, np.nan), altitude) == ""
    assert times.cross_check(altitude[:2] + 20, altitude[:2]) == ""
    assert times.cross_check(np.array([30.0, 31.0, 52.0, 33.0]), np.array([30.0, 31.0, 32.0, 33.0])) == ""


@pytest.mark.parametrize("wrong", ["longitude", "clock"])
def test_wrong_sign_of_longitude_and_local_clock_are_said(wrong):
    truth = times.frame_times(MIDS, HATP32, AMADO).altitude
    site = Site(AMADO.latitude, -AMADO.longitude, AMADO.elevation) if wrong == "longitude" else AMADO
    hours = -7 if wrong == "clock" else 0
    mids = [(datetime.fromisoformat(mid) + timedelta(hours=hours)).isoformat() for mid in MIDS]

    said = times.cross_check(truth, times.frame_times(mids, HATP32, site).altitude)

    assert "sign of the longitude" in said
    assert "of 40 frames" in said


def test_clock_of_single_frames_is_doubted_and_a_steady_difference_is_not():
    altitude = np.linspace(30.0, 60.0, 40)
    header = altitude + 0.3
    header[7] += 25

    assert list(np.flatnonzero(times.clock_jumps(header, altitude))) == [7]
    assert times.clock_jumps(header, altitude)[7] == pytest.approx(25)
    # An altitude at the start of long exposures is behind before the meridian, and ahead after it.
    assert not times.clock_jumps(altitude + np.linspace(-1.3, 1.3, 40), altitude).any()
    assert not times.clock_jumps(np.where(np.arange(40) % 3, altitude, 10.0), altitude).any()
    assert not times.clock_jumps(np.full(40, np.nan), altitude).any()


def test_real_night_stands_where_its_mount_says():
    raw = DATA / "hatp32-microobs" / "raw"
    if not raw.exists():
        pytest.skip("real data are not here")
    exposures = [file.exposure for file in inventory.refresh(raw, [], [])]
    one = exposures[0]

    found = times.frame_times(
        [exposure.mid for exposure in exposures], HATP32, Site(one.latitude, one.longitude, one.elevation)
    )

    header = np.array([exposure.altitude for exposure in exposures])
    assert len(exposures) == 142
    assert np.abs(header - found.altitude).max() < 0.5
    assert times.cross_check(header, found.altitude) == ""
    assert found.sun_altitude.max() < -12
    assert found.airmass.min() == pytest.approx(1.0357, abs=1e-3)


def test_real_table_of_astroimagej_has_our_times():
    path = DATA / "aij-tables" / "wasp135b" / "Measurements.xls"
    if not path.exists():
        pytest.skip("real data are not here")
    with path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))[:60]
    epoch = datetime(2000, 1, 1, 12)  # noqa: DTZ001
    mids = [(epoch + timedelta(days=float(row["JD_UTC"]) - 2451545)).isoformat() for row in rows]
    star = Direction(float(rows[0]["RA_T1"]) * 15, float(rows[0]["DEC_T1"]))

    found = times.frame_times(mids, star, Site(32.6, -116.3, 1100))

    # AstroImageJ's own ephemeris is good to 0.35 s, and the table has six decimals.
    for ours, column in ((found.bjd_tdb, "BJD_TDB"), (found.hjd_utc, "HJD_UTC")):
        theirs = np.array([float(row[column]) for row in rows])
        assert np.abs(ours - theirs).max() * 86400 < 0.5


def test_airmass_is_that_of_a_real_table_of_astroimagej():
    path = DATA / "aij-samples" / "profe-toi7149" / "TOI-7149" / "measurements" / "250223_g_w3.tbl"
    if not path.exists():
        pytest.skip("real data are not here")
    with path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))

    found = times.airmass(np.array([float(row["ALT_OBJ"]) for row in rows]))

    np.testing.assert_allclose(found, [float(row["AIRMASS"]) for row in rows], rtol=0, atol=2e-6)


def test_altitudes_of_a_night_at_once_are_those_of_each_frame():
    night = [(datetime(2025, 3, 4, 18) + i * timedelta(minutes=30)).isoformat() for i in range(24)]  # noqa: DTZ001

    at_once = times.altitudes(night, STAR, AMADO)

    np.testing.assert_allclose(at_once, times.frame_times(night, STAR, AMADO).altitude, atol=0.001)
    assert times.altitudes([], STAR, AMADO).shape == (0,)


def test_the_azimuth_of_a_night_is_that_of_astropy():
    import astropy.units as u
    from astropy.coordinates import AltAz, EarthLocation, SkyCoord
    from astropy.time import Time
    from astropy.utils import iers

    mids = [
        (datetime(2017, 12, 20, 1, 34, 13) + i * timedelta(minutes=21)).isoformat()  # noqa: DTZ001
        for i in range(20)
    ]
    altitude, azimuth = times.horizontal(mids, HATP32, AMADO)

    with iers.conf.set_temp("auto_download", value=False):
        place = EarthLocation.from_geodetic(AMADO.longitude, AMADO.latitude, AMADO.elevation)
        frame = AltAz(obstime=Time(mids, scale="utc"), location=place)
        expected = SkyCoord(HATP32.ra, HATP32.dec, unit=u.deg).transform_to(frame)

    # 0.004 degree on the sky for UT1, larger in azimuth near the zenith.
    np.testing.assert_allclose(altitude, expected.alt.deg, atol=0.006)
    np.testing.assert_allclose(
        (azimuth - expected.az.deg) * np.cos(np.radians(altitude)), np.zeros(20), atol=0.006
    )
