from __future__ import annotations

import numpy as np
import pytest

from accretor.science import shape


def gaussian(sigma_x, sigma_y, degree):
    y, x = np.mgrid[:81, :81] - 40.0
    turn = np.radians(degree)
    u, v = x * np.cos(turn) + y * np.sin(turn), -x * np.sin(turn) + y * np.cos(turn)
    return 1e4 * np.exp(-0.5 * ((u / sigma_x) ** 2 + (v / sigma_y) ** 2)) + 50


def measure(image, radius=30.0):
    return shape.measure(image, np.array([40.0]), np.array([40.0]), np.array([50.0]), radius=radius)


@pytest.mark.parametrize("degree", [0.0, 30.0, 90.0, 135.0])
def test_axes_of_a_long_gaussian_are_found(degree):
    found = measure(gaussian(5.0, 3.0, degree))

    assert (found.angle[0] - degree + 90) % 180 - 90 == pytest.approx(0, abs=0.05)
    assert found.roundness[0] == pytest.approx(0.6, abs=1e-3)
    width_2 = (found.x_width**2 + found.y_width**2)[0] * 0.3602**2
    assert width_2 == pytest.approx(34, rel=1e-3)


def test_fwhm_is_that_of_the_profile():
    found = measure(gaussian(4.0, 4.0, 0))

    assert found.fwhm[0] == pytest.approx(4 * 2.3548, rel=0.01)


def test_empty_sky_has_no_shape():
    found = measure(np.full((81, 81), 50.0))

    assert np.isnan([found.x_width[0], found.roundness[0], found.angle[0], found.fwhm[0]]).all()
