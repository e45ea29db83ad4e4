from __future__ import annotations

import numpy as np
import pytest

from accretor.science import growth

RADII = np.array([2.0, 4.0, 6.0, 9.0, 12.0])
SHARE = 1 - np.exp(-((RADII / 4) ** 2))


def fluxes(n_frame=30, n_star=12, noise=0.001):
    rng = np.random.Generator(np.random.PCG64(1))
    light = np.geomspace(1e5, 1e3, n_star)[:, np.newaxis] * SHARE
    clouds = rng.uniform(0.3, 1, n_frame)[:, np.newaxis, np.newaxis]
    return clouds * light * rng.normal(1, noise, (n_frame, n_star, len(RADII)))


def curve(flux, **changes):
    nothing = np.zeros(flux.shape[:2], dtype=bool)
    return growth.curve(
        flux, **({"is_left_out": nothing, "is_alone": np.ones(flux.shape[1], bool)} | changes)
    )


def test_the_curve_is_that_of_the_profile_whatever_the_clouds():
    found = curve(fluxes())

    np.testing.assert_allclose(found.stars, SHARE / SHARE[-1], atol=1e-3)
    np.testing.assert_allclose(found.target, SHARE / SHARE[-1], atol=4 * found.target_error.max() + 1e-9)
    assert found.n_star == 11
    assert found.target[-1] == found.stars[-1] == 1


def test_a_neighbour_in_the_target_s_large_apertures_shows():
    flux = fluxes()
    flux[:, 0, 3:] *= 1.2

    found = curve(flux)

    assert found.target[2] < found.stars[2] - 20 * found.target_error[2]


def test_what_is_saturated_or_blended_does_not_count():
    flux = fluxes()
    flux[:, 5] = 7.0
    flux[3] = 1.0
    left_out = np.zeros(flux.shape[:2], dtype=bool)
    left_out[3] = True
    alone = np.arange(12) != 5

    found = curve(flux, is_left_out=left_out, is_alone=alone)

    np.testing.assert_allclose(found.stars, SHARE / SHARE[-1], atol=1e-3)
    assert found.n_star == 10


@pytest.mark.parametrize("flux", [np.zeros((0, 3, 5)), np.full((4, 3, 5), np.nan)])
def test_without_a_measurement_there_is_no_curve(flux):
    found = curve(flux)

    assert np.isnan(found.target).all()
    assert np.isnan(found.stars).all()
    assert found.n_star == 0
