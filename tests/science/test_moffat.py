from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import least_squares

from accretor.science import moffat

RNG = np.random.Generator(np.random.PCG64(3))
OFFSET = np.arange(-7.0, 8.0)
X, Y = (part.ravel() for part in np.meshgrid(OFFSET, OFFSET))


def profile(x, y, fwhm, beta, amplitude, level):
    alpha = fwhm / 2 / math.sqrt(2 ** (1 / beta) - 1)
    return amplitude * (1 + ((X - x) ** 2 + (Y - y) ** 2) / alpha**2) ** -beta + level


def fitted(value, guess):
    n_star = len(value)
    return moffat.fit(np.tile(X, (n_star, 1)), np.tile(Y, (n_star, 1)), value, guess)


@pytest.mark.parametrize("beta", [1.5, 2.5, 4.0, 10.0])
def test_the_width_and_exponent_of_a_star_without_noise_are_found(beta):
    stars = np.array([profile(x, -x, 2.7, beta, 5000, 1000) for x in (-0.4, 0.0, 0.3)])

    width, exponent = fitted(stars, 2.2)

    np.testing.assert_allclose(width, 2.7, rtol=1e-5)
    np.testing.assert_allclose(exponent, beta, rtol=1e-3)


def test_a_gaussian_star_has_its_width_and_the_largest_exponent():
    sigma = 2.7 / (2 * math.sqrt(2 * math.log(2)))
    star = 5000 * np.exp(-0.5 * ((X - 0.2) ** 2 + Y**2) / sigma**2)

    width, exponent = fitted(star[np.newaxis], 2.2)

    assert exponent[0] == pytest.approx(50)
    # A profile of that exponent is slightly narrower at half maximum than the Gaussian it is closest to.
    assert width[0] == pytest.approx(2.7, rel=1e-2)


@pytest.mark.parametrize("beta", [2.5, 60.0])
def test_the_fit_ends_where_another_minimiser_with_the_same_bounds_does(beta):
    star = profile(0.2, -0.3, 2.7, beta, 5000, 1000) + RNG.normal(0, 30, len(X))

    width, _ = fitted(star[np.newaxis], 2.2)

    other = least_squares(
        lambda p: (profile(p[0], p[1], p[2], 1 / p[3], p[4], p[5]) - star) / 1000,
        [0, 0, 2.2, 1 / 3, 4000, 900],
        bounds=([-3, -3, 0.5, 1 / 50, 0, 0], [3, 3, 9, 1 / 1.05, 1e5, 1e5]),
        x_scale=[1, 1, 1, 0.1, 1000, 1000],
        xtol=1e-12,
        ftol=1e-14,
        gtol=1e-12,
    )
    assert width[0] == pytest.approx(other.x[2], rel=1e-4)


def test_a_star_is_fitted_alike_whatever_is_fitted_with_it():
    stars = np.array([profile(0, 0, w, b, 5000, 1000) for w, b in ((2.2, 2.0), (3.1, 9.0), (2.7, 300.0))])
    stars += RNG.normal(0, 30, stars.shape)

    together, _ = fitted(stars, 2.5)

    np.testing.assert_array_equal(together, [fitted(star[np.newaxis], 2.5)[0][0] for star in stars])
