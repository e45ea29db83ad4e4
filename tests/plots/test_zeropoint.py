from __future__ import annotations

import numpy as np
import pytest

from accretor.plots import style, zeropoint

HEAD = {"band": "i", "catalog": "refcat2", "color": ["r", "i"]}


def tables(n_frame=30, n_star=40, seed=2):
    rng = np.random.Generator(np.random.PCG64(seed))
    frames = {
        "bjd_tdb": 2460739.4 + np.linspace(0, 0.2, n_frame),
        "zero_point": 22.1 - 0.1 * np.linspace(0, 1, n_frame) ** 2,
        "relative_error": np.full(n_frame, 0.002),
    }
    frames["zero_point"][5] = np.nan
    magnitude = rng.uniform(10, 14, n_star)
    stars = {
        "magnitude": magnitude,
        "magnitude_error": np.full(n_star, 0.01),
        "catalog_magnitude": magnitude + 0.02 * rng.standard_normal(n_star),
        "catalog_error": np.full(n_star, 0.01),
        "color": rng.normal(0.3, 0.2, n_star),
        "is_used": np.arange(n_star) > 3,
    }
    stars["color"][2] = np.nan
    stars["catalog_magnitude"][0] = np.nan
    return frames, stars


def points(axes, label=None):
    """Return the data of the containers of error bars that have this label."""
    return [
        container[0].get_xydata() for container in axes.containers if label in (None, container.get_label())
    ]


def test_each_frame_with_a_zero_point_and_each_star_of_the_catalogue_is_a_point():
    frames, stars = tables()
    upper, left, right = zeropoint.zero_points(frames, stars, HEAD, title="A title").axes

    np.testing.assert_allclose(points(upper)[0][:, 1], np.delete(frames["zero_point"], 5))
    (used,) = points(left, "used")
    difference = stars["catalog_magnitude"] - stars["magnitude"]
    np.testing.assert_allclose(used[:, 1], difference[stars["is_used"]])
    assert sum(map(len, points(left))) == 39
    assert sum(map(len, points(right))) == 38
    assert left.get_ylim()[1] > np.abs(used[:, 1]).max()


def test_the_axes_name_band_catalogue_and_colour():
    _, left, right = zeropoint.zero_points(*tables(), HEAD, title="A title").axes

    assert left.get_xlabel() == "i of refcat2 (mag)"
    assert right.get_xlabel() == "r − i (mag)"


def test_without_a_zero_point_there_is_no_figure():
    frames, stars = tables()
    frames["zero_point"][:] = np.nan
    with pytest.raises(ValueError, match="needs one"):
        zeropoint.zero_points(frames, stars, HEAD, title="")


def test_no_text_touches_another_or_leaves_the_page_and_bytes_are_the_same(is_legible):
    def draw():
        return zeropoint.zero_points(*tables(), HEAD, title="A title", subtitle="what is said " * 9)

    is_legible(draw())
    assert style.save(draw()) == style.save(draw())
