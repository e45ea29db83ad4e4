from __future__ import annotations

import numpy as np
import pytest

from accretor.science import depths

RNG = np.random.Generator(np.random.PCG64(5))
TIME = np.linspace(-1, 1, 400)
MODEL = np.where(np.abs(TIME) < 0.4, 0.99, 1.0)
TREND = 1 + 0.01 * TIME


def test_a_dip_of_the_same_depth_has_the_ratio_1_within_its_error_whatever_the_level():
    pulls = []
    for _ in range(40):
        flux = 0.37 * TREND * MODEL * (1 + RNG.normal(0, 0.002, 400))
        factor, error = depths.ratio(flux, TREND, MODEL)
        pulls.append((factor - 1) / error)

    assert abs(np.mean(pulls)) < 3 / np.sqrt(40)
    assert np.std(pulls) == pytest.approx(1, abs=0.35)


def test_light_of_a_neighbour_makes_the_dip_shallower_by_its_share():
    flux = TREND * (0.8 * MODEL + 0.2)

    assert depths.ratio(flux, TREND, MODEL)[0] == pytest.approx(0.8, abs=0.01)


def test_the_smallest_aperture_is_the_first_that_is_neither_diluted_nor_too_noisy():
    noise = np.array([0.03, 0.001, 0.001, 0.001])
    share = np.array([0.0, 0.3, 0.0, 0.0])
    flux = TREND[:, None] * (MODEL[:, None] * (1 - share) + share) * (1 + noise * RNG.normal(size=(400, 4)))
    radii = np.array([2.0, 3.0, 4.0, 5.0])

    found = depths.smallest_alike(radii, flux, TREND, MODEL, largest=5.0)

    assert found is not None
    assert found[0] == 4.0
    assert depths.smallest_alike(radii, flux, TREND, MODEL, largest=3.0) is None


def test_without_a_dip_nothing_is_known():
    assert all(np.isnan(depths.ratio(TREND, TREND, np.ones(400))))
