from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.report import curve

FLUX = st.lists(st.floats(0.9, 1.1) | st.just(math.nan), min_size=1, max_size=400)


@given(FLUX)
def test_a_small_curve_stays_inside_its_box_and_has_few_points(flux):
    time = [2458107.6 + 0.001 * i for i in range(len(flux))]

    found = curve.spark(time, flux, flux, window=(2458107.65, 2458107.8), n_bin=48)

    assert len(found.points) <= 48
    assert all(0 <= x <= curve.WIDTH and 0 <= y <= curve.HEIGHT for x, y in found.points)
    if found.window:
        assert 0 <= found.window[0] <= found.window[0] + found.window[1] <= curve.WIDTH


def test_a_transit_goes_down_in_the_small_curve():
    time = [0.01 * i for i in range(48)]
    flux = [0.98 if 16 <= i < 32 else 1.0 for i in range(48)]

    heights = [y for _, y in curve.spark(time, flux, flux).points]

    assert min(heights[16:32]) > max(heights[:16] + heights[32:])


def test_every_point_under_the_pointer_tells_its_own_frame():
    names = [f"frame-{i}.fits" for i in range(10)]
    flux = [1 + 0.001 * i for i in range(10)]

    found = curve.pointed(names, [2458107 + 0.01 * i for i in range(10)], flux, [0.002] * 10, flux)

    assert found is not None
    for i, point in enumerate(found.points):
        assert point.label == f"frame-{i}.fits\nBJD_TDB {2458107 + 0.01 * i:.6f}\n{flux[i]:.5f} ± 0.00200"


@pytest.mark.parametrize("n", [0, 1, curve.MOST_POINTS + 1])
def test_too_many_or_too_few_points_are_not_pointed_at(n):
    numbers = [float(i) for i in range(n)]

    assert curve.pointed([""] * n, numbers, numbers, numbers, numbers) is None
