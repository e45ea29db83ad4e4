from __future__ import annotations

import numpy as np
import pytest

from accretor.science import noise


def test_scintillation_of_a_small_telescope_is_about_two_ppt_in_a_minute():
    # 10^-2.5 * 1.56 * 0.152^(-2/3) * 60^(-1/2) * exp(-1268/8000), by hand
    assert noise.scintillation(
        np.ones(1), np.full(1, 60.0), diameter=0.152, height=1268.0, coefficient=1.56
    ) == pytest.approx([0.0019082], rel=1e-3)


def test_scintillation_follows_its_powers():
    def at(airmass=1.0, exposure=60.0, diameter=0.5, height=0.0, coefficient=1.5):
        return noise.scintillation(
            np.array([airmass]),
            np.array([exposure]),
            diameter=diameter,
            height=height,
            coefficient=coefficient,
        )[0]

    assert at(airmass=2) / at() == pytest.approx(2**1.5)
    assert at(exposure=240) / at() == pytest.approx(0.5)
    assert at(diameter=4) / at() == pytest.approx(1 / 4)
    assert at(height=8000) / at() == pytest.approx(np.exp(-1))
    assert at(coefficient=3) / at() == pytest.approx(2)


def test_fractional_error_adds_in_quadrature_and_has_no_answer_without_light():
    flux, error = np.array([[1000.0, -5.0, np.nan]]), np.array([[3.0, 3.0, 3.0]])

    found = noise.fractional_error(flux, error, np.array([0.004]))

    np.testing.assert_allclose(found, [[0.005, np.nan, np.nan]])
