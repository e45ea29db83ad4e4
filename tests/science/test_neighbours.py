"""Stars around a target: brightness for TESS, places against astropy, which is the target."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from accretor.science import neighbours


def test_the_magnitude_for_tess_is_told_or_follows_from_gaias():
    bands = {
        "G": np.array([12.0, 12.0, 12.0, 12.0, np.nan]),
        "BP": np.array([12.3, 12.3, np.nan, 19.0, 12.0]),
        "RP": np.array([11.5, 11.5, 11.0, 12.0, 11.0]),
    }
    told = {**bands, "Tmag": np.array([11.55, np.nan, np.nan, np.nan, np.nan])}

    # c = 0.8: -0.00522555 * 0.512 + 0.0891337 * 0.64 - 0.633923 * 0.8 + 0.0324473 = -0.420321
    expected = [11.55, 11.579679, 11.57, 11.57, np.nan]
    np.testing.assert_allclose(neighbours.tess_magnitude(told), expected, atol=2e-6)
    assert neighbours.tess_magnitude(bands)[0] == pytest.approx(11.579679, abs=2e-6)
    assert np.isnan(neighbours.tess_magnitude({"V": np.array([10.0])})).all()


def test_offsets_are_those_of_astropy_also_at_the_pole_and_across_zero_hours():
    generator = np.random.Generator(np.random.PCG64(1))
    for centre in ((0.01, 10.0), (120.0, 89.99), (359.99, -45.0)):
        east, north = generator.uniform(-0.04, 0.04, (2, 50))
        target = SkyCoord(*centre, unit="deg")
        stars = target.spherical_offsets_by(east * u.deg, north * u.deg)

        separation, angle = neighbours.offsets(stars.ra.deg, stars.dec.deg, centre)

        np.testing.assert_allclose(separation, target.separation(stars).arcsec, rtol=1e-9)
        difference = (angle - target.position_angle(stars).deg + 180) % 360 - 180
        np.testing.assert_allclose(difference, 0, atol=1e-6)


@pytest.mark.parametrize(
    ("separation", "magnitude", "star"),
    [
        ([0.9, 0.3, 5.0], [10.0, 16.0, 8.0], 0),  # the faint companion is nearer by chance
        ([0.9, 0.3], [np.nan, np.nan], 0),
        ([3.0, 2.0, 50.0], [10.0, 16.0, 8.0], 1),
        ([5.0, 60.0], [10.0, 11.0], -1),
        ([], [], -1),
    ],
)
def test_the_target_is_the_brightest_star_at_its_place_or_the_nearest_about_it(separation, magnitude, star):
    assert neighbours.find_target(np.array(separation), np.array(magnitude)) == star


def test_stars_of_a_second_catalogue_are_new_only_away_from_those_of_the_first():
    ra, dec = np.array([10.0, 10.01]), np.array([60.0, 60.0])
    arcsec = 1 / 3600

    is_new = neighbours.unmatched(ra + np.array([2 * arcsec, 4 * arcsec]), dec, ra, dec)

    # At 60 degrees two arcsec of right ascension are one on the sky.
    assert is_new.tolist() == [False, True]
    assert neighbours.unmatched(ra, dec, np.empty(0), np.empty(0)).all()


def test_the_nearest_other_star_is_told_on_the_sky():
    ra, dec = np.array([10.0, 10.0, 10.01]), np.array([60.0, 60.0 + 3 / 3600, 60.0])

    np.testing.assert_allclose(neighbours.nearest(ra, dec), [3, 3, 18], rtol=0.02)
    assert neighbours.nearest(ra[:1], dec[:1]).tolist() == [np.inf]


def test_pairs_are_each_others_nearest_and_within_reach():
    one = np.array([[0.0, 0.0], [10.0, 0.0], [50.0, 50.0]])
    two = np.array([[10.4, 0.0], [0.2, 0.1], [9.0, 0.0], [70.0, 70.0]])

    first, second = neighbours.match(one, two, 2.0)

    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [(0, 1), (1, 0)]
    assert len(neighbours.match(one, np.empty((0, 2)), 2.0)[0]) == 0
