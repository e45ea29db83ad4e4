"""Proper motion against astropy, and where formulas like to fail."""

from __future__ import annotations

import warnings

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from accretor.science import motion


def test_moved_stars_are_where_astropy_puts_them():
    generator = np.random.Generator(np.random.PCG64(5))
    n_star = 200
    ra, dec = generator.uniform(0, 360, n_star), np.degrees(np.arcsin(generator.uniform(-1, 1, n_star)))
    dec[:2] = 89.999, -89.9999
    pm_ra, pm_dec = generator.normal(0, 3000, (2, n_star))
    stars = SkyCoord(
        ra * u.deg, dec * u.deg, pm_ra_cosdec=pm_ra * u.mas / u.yr, pm_dec=pm_dec * u.mas / u.yr,
        obstime=Time(2016.0, format="jyear", scale="tcb"),
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ERFA says that it assumes a distance
        truth = stars.apply_space_motion(new_obstime=Time(2025.5, format="jyear", scale="tcb"))

    found = motion.moved(ra, dec, pm_ra, pm_dec, 9.5)

    there = SkyCoord(*(found * u.deg for found in found))
    # ERFA's stars have a finite speed of light: some 1e-9 of 30 arcsec.
    assert there.separation(SkyCoord(truth.ra, truth.dec)).to_value(u.mas).max() < 0.01


@given(
    ra=st.floats(0, 359.999999),
    dec=st.floats(-89.99, 89.99),
    motions=st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)),
    years=st.floats(-50, 50),
)
def test_star_stays_on_the_sphere_and_moves_as_far_as_told(ra, dec, motions, years):
    new_ra, new_dec = motion.moved(*(np.array([value]) for value in (ra, dec, *motions)), years)

    assert 0 <= new_ra[0] < 360
    assert -90 <= new_dec[0] <= 90
    told = np.hypot(*motions) * abs(years) / 3.6e6
    there = SkyCoord(new_ra * u.deg, new_dec * u.deg)
    moved = SkyCoord([ra] * u.deg, [dec] * u.deg).separation(there).deg[0]
    assert abs(moved - np.degrees(np.arctan(np.radians(told)))) < 1e-9


def test_unknown_motion_is_none():
    ra, dec = np.array([10.0, 20.0]), np.array([30.0, 40.0])

    found = motion.moved(ra, dec, np.array([np.nan, 5.0]), np.array([100.0, np.nan]), 10)

    np.testing.assert_array_equal(found, (ra, dec))
