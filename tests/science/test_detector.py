from __future__ import annotations

import numpy as np
import pytest

from accretor.core.errors import Unusable
from accretor.core.readout import Readout, parse
from accretor.science.detector import Masters, bad_near, bad_pixels, linear, reduce

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


def test_overscan_and_trim_leave_the_charge_of_the_pixels_that_see():
    noise = rng(4)
    charge = noise.uniform(0, 5000, SHAPE)
    bias = noise.normal(0, 3, SHAPE)
    level, width = 1234.5, 20
    raw = np.hstack([np.full((SHAPE[0], width), level), charge + bias + level])
    raw[7, 3] = 60000  # a cosmic ray in the overscan
    height, whole = raw.shape
    readout = Readout(parse(f"[1:{width},1:{height}]"), parse(f"[{width + 1}:{whole},1:{height}]"))

    found = linear(raw, Masters(bias=bias, readout=readout))

    assert found.shape == SHAPE
    np.testing.assert_allclose(found, charge, atol=2e-3)


def test_section_outside_of_the_frame_is_a_verdict_on_the_frame():
    masters = Masters(readout=Readout(trim=parse("[1:300,1:300]")))

    with pytest.raises(Unusable, match=r"140x120 pixels; the section \[1:300,1:300\] is not in the frame"):
        reduce(np.zeros(SHAPE), masters, exposure=1, gain=1)


def test_non_linearity_is_undone_above_the_bias_and_before_the_flat():
    true = np.linspace(0, 50000, SHAPE[0] * SHAPE[1]).reshape(SHAPE)
    shown = true * (1 - 1e-6 * true)
    # true = s + a s^2 + 2 a^2 s^3 + 5 a^3 s^4 + 14 a^4 s^5 for s = true (1 - a true)
    a = 1e-6
    masters = Masters(
        bias=np.full(SHAPE, 300.0),
        flat=np.full(SHAPE, 0.5),
        readout=Readout(nonlinearity=(0.0, 1.0, a, 2 * a**2, 5 * a**3, 14 * a**4)),
    )

    found = reduce(shown + 300, masters, exposure=1, gain=2)

    np.testing.assert_allclose(found, 4 * true, rtol=3e-5, atol=1e-3)


def test_median_of_nine_hides_a_hot_pixel_only_where_it_is_asked_for():
    raw = np.full(SHAPE, 100.0)
    raw[40, 50] = 5000.0

    assert reduce(raw, Masters(), exposure=1, gain=1)[40, 50] == 5000
    filtered = Masters(readout=Readout(is_median_filtered=True))
    assert reduce(raw, filtered, exposure=1, gain=1).max() == 100


def test_bad_pixels_near_a_star_are_those_whose_centres_are():
    noise = rng(11)
    bad = noise.random(SHAPE) < 0.05
    x, y = noise.uniform(-3, SHAPE[1] + 3, 60), noise.uniform(-3, SHAPE[0] + 3, 60)
    x[7] = np.nan
    rows, columns = np.nonzero(bad)

    found = bad_near(bad, x, y, 4.2)

    with np.errstate(invalid="ignore"):
        expected = [(np.hypot(columns - a, rows - b) <= 4.2).sum() for a, b in zip(x, y, strict=True)]
    assert found.tolist() == expected
    assert found[7] == 0
    assert found.sum() > 50
