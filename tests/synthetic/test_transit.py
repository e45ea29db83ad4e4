from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from accretor.synthetic import transit
from accretor.synthetic.night import Transit


def overlap(z: float, k: float) -> float:
    """Area common to the unit disc and a disc of radius k, over pi."""
    if z >= 1 + k:
        return 0.0
    if z <= 1 - k:
        return k**2
    star = np.arccos((z**2 + 1 - k**2) / (2 * z))
    planet = np.arccos((z**2 + k**2 - 1) / (2 * z * k))
    kite = 0.5 * np.sqrt((1 + k - z) * (z + k - 1) * (z + 1 - k) * (z + 1 + k))
    return float((star + k**2 * planet - kite) / np.pi)


def lost_on_a_grid(z: float, k: float, c: float, alpha: float) -> float:
    """Light under the planet over all light, by adding up small squares."""
    side = (np.arange(2000) + 0.5) / 1000 - 1
    x, y = np.meshgrid(z + k * side, k * side)
    square = x**2 + y**2
    seen = ((x - z) ** 2 + y**2 < k**2) & (square < 1)
    mu = np.sqrt(np.clip(1 - square, 0, None))
    lost = np.sum(np.where(seen, 1 - c * (1 - mu**alpha), 0.0)) * (k / 1000) ** 2
    return float(lost / (np.pi * (1 - c * alpha / (alpha + 2))))


@given(z=st.floats(0, 1.5), k=st.floats(0.01, 0.4))
def test_uniform_star_loses_the_area_that_is_covered(z, k):
    flux = transit.dimmed_flux(np.array([z]), k, (0.0, 1.0))[0]

    assert 1 - flux == pytest.approx(overlap(z, k), abs=1e-6)


@pytest.mark.parametrize("z", [0.0, 0.05, 0.4, 0.85, 0.95, 1.03])
@pytest.mark.parametrize("law", [(0.68, 0.60), (0.5, 1.0)])
def test_limb_darkened_star_loses_the_light_of_the_squares_under_the_planet(z, law):
    flux = transit.dimmed_flux(np.array([z]), 0.105, law)[0]

    # The squares on the rim of the planet bring an error of some 1e-3 of the loss.
    assert 1 - flux == pytest.approx(lost_on_a_grid(z, 0.105, *law), abs=2e-6)


def test_star_without_a_planet_is_constant():
    flux = transit.mean_flux(2460697.3 + np.linspace(-0.1, 0.1, 9), 180.0, Transit(rp_rs=0.0))

    np.testing.assert_array_equal(flux, 1.0)


def test_there_is_no_eclipse_behind_the_star():
    planet = Transit()
    behind = np.array([planet.t0 + planet.period / 2])

    assert transit.mean_flux(behind, 180.0, planet)[0] == 1.0


def test_duration_lasts_from_touch_to_touch():
    planet = Transit(impact=0.5)

    def gap(time: float) -> float:
        return float(transit.separation(np.array([time]), planet)[0]) - 1 - planet.rp_rs

    first = brentq(gap, planet.t0 - 0.2, planet.t0, xtol=1e-9)
    last = brentq(gap, planet.t0, planet.t0 + 0.2, xtol=1e-9)

    assert transit.duration(planet) == pytest.approx((last - first) * 24, abs=1e-5)


def test_long_exposure_is_the_mean_of_short_ones():
    planet = Transit()
    edge = planet.t0 - transit.duration(planet) / 48
    parts = edge + (np.arange(900) - 449.5) * 2.0 / 86400

    long = transit.mean_flux(np.array([edge]), 1800.0, planet, n_sample=60)[0]

    assert long == pytest.approx(transit.mean_flux(parts, 2.0, planet, n_sample=1).mean(), abs=2e-6)


def test_nearest_transit_is_less_than_half_a_period_away():
    planet = replace(Transit(), t0=100.0, period=3.0)

    assert transit.nearest_mid(131.4, planet) == 130.0
    assert transit.nearest_mid(131.6, planet) == 133.0
