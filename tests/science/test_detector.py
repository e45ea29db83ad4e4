from __future__ import annotations

import numpy as np
import pytest

from accretor.science.detector import Masters, bad_pixels, photon_transfer, reduce

SHAPE = (120, 140)


def rng(seed=1):
    return np.random.Generator(np.random.PCG64(seed))


def test_masters_of_nothing_change_nothing():
    raw = rng().integers(0, 60000, SHAPE).astype(np.uint16)

    for masters in (Masters(), Masters(np.zeros(SHAPE), np.zeros(SHAPE), 60.0, np.ones(SHAPE))):
        found = reduce(raw, masters, exposure=30.0, gain=1.0)
        np.testing.assert_array_equal(found, raw)
        assert found.dtype == np.float32


@pytest.mark.parametrize(
    ("bias", "dark_exposure", "expected"),
    [(100.0, 60.0, 1600.0), (None, 60.0, 1520.0), (100.0, np.nan, 1320.0)],
)
def test_the_dark_is_scaled_only_where_a_bias_was_taken_off(bias, dark_exposure, expected):
    masters = Masters(None if bias is None else np.full(SHAPE, bias), np.full(SHAPE, 240.0), dark_exposure)

    found = reduce(np.full(SHAPE, 1000.0), masters, exposure=25.0, gain=2.0)

    np.testing.assert_allclose(found, expected)


def test_a_dead_pixel_does_not_shine():
    flat = np.ones(SHAPE)
    flat[5, 5] = 0.0

    assert reduce(np.full(SHAPE, 50.0), Masters(flat=flat), exposure=1, gain=1)[5, 5] == pytest.approx(500)


def test_a_master_of_another_size_is_a_mistake():
    with pytest.raises(ValueError, match="master flat"):
        reduce(np.zeros(SHAPE), Masters(flat=np.ones((3, 3))), exposure=1, gain=1)


def test_hot_and_dead_pixels_are_found_and_a_dark_corner_is_not():
    dark = rng().normal(20, 3, SHAPE)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    flat = rng(2).normal(1, 0.01, SHAPE) * (1 - 0.6 * (x / 140) * (y / 120))
    dark[30, 40] += 100
    flat[50, 60] = 0.2
    flat[70, 80] = np.nan

    found = bad_pixels(dark, flat)

    assert {tuple(pixel) for pixel in np.argwhere(found)} == {(30, 40), (50, 60), (70, 80)}
    assert bad_pixels() is None


def test_photon_transfer_recovers_gain_and_read_noise():
    noise = rng(3)
    gain, read_noise = 1.7, 9.0
    biases = 300 + noise.normal(0, read_noise / gain, (2, *SHAPE))
    electrons = noise.poisson(40000, (2, *SHAPE)) + noise.normal(0, read_noise, (2, *SHAPE))

    found = photon_transfer(300 + electrons / gain, biases)

    assert found == pytest.approx((gain, read_noise), rel=4 * np.sqrt(2 / biases[0].size))
