from __future__ import annotations

import math

import numpy as np
import pytest

from accretor.science import levels

RNG = np.random.Generator(np.random.PCG64(2))


@pytest.mark.parametrize("kind", ["u2", "i2", "i4", "f4"])
def test_every_saturated_pixel_is_counted(kind):
    raw = RNG.integers(0, 32000, (700, 900)).astype(kind)

    found = levels.measure(raw, 31000.5)

    assert found.n_saturated == int((raw.astype(np.float64) >= 31000.5).sum())
    assert found.n_undefined == 0


def test_the_level_is_the_median_to_a_hundredth_of_the_noise():
    raw = np.rint(RNG.normal(1200, 40, (2000, 2100))).astype(np.uint16)

    assert levels.measure(raw, math.inf).median == pytest.approx(1200, abs=0.01 * 40 * 2.5)


def test_a_level_that_the_type_cannot_hold_is_never_reached():
    assert levels.measure(np.full((50, 50), 65535, np.uint16), 70000.0).n_saturated == 0


def test_pixels_without_a_value_are_counted_and_left_out_of_the_level():
    raw = np.full((60, 60), 7.0, np.float32)
    raw[:20] = np.nan
    raw[20, 0] = np.inf

    found = levels.measure(raw, math.inf)

    assert (found.median, found.n_undefined) == (7.0, 1201)
    assert math.isnan(levels.measure(np.full((9, 9), np.nan), 5.0).median)


@pytest.mark.parametrize(
    ("tops", "expected"),
    [
        ([[4095, 4095, 4095], [4095, 4095]], 4095.0),
        ([[4095, 4095, 4095, 4095]], math.nan),
        ([[4090] * 9, [4091]], math.nan),
        ([[4090], [4095] * 6, [4095]], 4095.0),
        ([[200] * 9], math.nan),
    ],
)
def test_pixels_pile_up_where_five_have_the_highest_value_of_all_frames(tops, expected):
    frames = []
    for top in tops:
        frame = np.full((30, 20), 150, dtype=np.uint16)
        frame[3, : len(top)] = top
        frames.append(frame)

    np.testing.assert_equal(levels.full(frames), expected)
    np.testing.assert_equal(levels.full(frame.astype(np.float32) for frame in frames), math.nan)
