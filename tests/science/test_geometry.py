from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.science import geometry


@given(x=st.floats(-0.5, 0.5), y=st.floats(-0.5, 0.5), radius=st.floats(0.05, 40, allow_nan=False))
def test_pixels_share_the_whole_area_of_a_circle(x, y, radius):
    half = int(radius) + 2
    dx, dy = np.meshgrid(np.arange(-half, half + 1) - x, np.arange(-half, half + 1) - y)

    area = geometry.circle_overlap(dx, dy, radius)

    assert area.sum() == pytest.approx(np.pi * radius**2, rel=1e-10)
    assert area.min() >= 0
    assert area.max() <= 1


def test_overlap_is_that_of_a_fine_grid_of_points():
    dx, dy = np.meshgrid(np.arange(-5, 6) - 0.31, np.arange(-5, 6) + 0.18)
    sub = (np.arange(400) - 199.5) / 400

    area = geometry.circle_overlap(dx, dy, 3.7)

    inside = np.hypot(dx[..., None, None] + sub, dy[..., None, None] + sub[:, None]) < 3.7
    np.testing.assert_allclose(area, inside.mean(axis=(2, 3)), atol=3e-4)


def test_stamps_at_the_corner_know_what_is_outside():
    image = np.arange(20.0).reshape(4, 5)

    values, is_inside = geometry.stamps(image, *geometry.stamp_pixels(np.array([0.4]), np.array([3.0]), 1))

    assert is_inside[0].tolist() == [[False, True, True], [False, True, True], [False, False, False]]
    assert values[0, 1, 1] == image[3, 0]


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_binning_is_the_mean_of_squares(factor):
    image = np.random.Generator(np.random.PCG64(1)).normal(size=(25, 34))
    height, width = 25 // factor, 34 // factor

    expected = (
        image[: height * factor, : width * factor].reshape(height, factor, width, factor).mean(axis=(1, 3))
    )

    np.testing.assert_allclose(geometry.bin_image(image, factor), expected, rtol=1e-12, atol=1e-15)
