from __future__ import annotations

import numpy as np
import pytest

from accretor.science.background import sky


def test_slope_under_stars_is_recovered_to_a_tenth_of_the_noise(draw, expose, scattered):
    xy = scattered(60, (300, 400), 8, seed=1)
    y, x = np.mgrid[:300, :400]
    slope = 200 + 0.3 * x + 0.2 * y

    found = sky(expose(slope + draw((300, 400), *xy.T, np.full(60, 5e4), 4.0), seed=2))

    assert np.abs(found.image() - slope)[40:-40, 40:-40].max() < 0.25 * found.noise
    assert found.noise == pytest.approx(np.sqrt(slope.mean() + 64), rel=0.07)


def test_level_is_finer_than_the_step_of_the_converter():
    rng = np.random.Generator(np.random.PCG64(1))
    counts = np.rint(rng.normal(100.37, 0.9, (200, 200))).astype(np.int16)

    found = sky(counts)

    assert found.level == pytest.approx(100.37, abs=0.1)
    assert found.noise == pytest.approx(np.hypot(0.9, 12**-0.5), rel=0.12)


def test_rows_of_the_background_are_those_of_the_whole():
    rng = np.random.Generator(np.random.PCG64(1))
    found = sky(rng.normal(100, 5, (150, 170)))

    np.testing.assert_allclose(found.image(30, 50), found.image()[30:50], rtol=1e-6)


def test_bad_and_undefined_pixels_are_left_out():
    image = np.random.Generator(np.random.PCG64(1)).normal(100, 1, (128, 128))
    bad = np.zeros(image.shape, dtype=bool)
    bad[:, :90] = True
    image[bad] = 5000
    image[:, 120:] = np.nan

    assert sky(image, bad=bad).level == pytest.approx(100, abs=0.1)
    assert np.isnan(sky(np.full((20, 20), np.nan)).level)
