from __future__ import annotations

import numpy as np
import pytest

from accretor.plots import limits

HEAD = {"band": "r", "system": "AB", "significance": 5.0, "radius": 4.0}


def rows(n=20):
    time = np.repeat(2460739.3 + np.arange(n) * 0.005, 2)
    by_noise = np.tile([17.5, 17.1], n)
    return {
        "bjd_tdb": time,
        "radius": np.tile([4.0, 6.0], n),
        "by_noise": by_noise,
        "limiting_magnitude": by_noise - 0.1,
    }


def test_the_limits_through_each_aperture_are_a_series_of_their_own():
    (axes,) = limits.limits(rows(), HEAD, title="A title").axes
    points = [line for line in axes.lines if line.get_marker() != "None"]

    assert [line.get_label() for line in points] == ["4.0 px", "6.0 px"]
    np.testing.assert_allclose(points[0].get_ydata(), 17.4)
    assert len({line.get_marker() for line in points}) == 2
    assert axes.get_ylabel() == "Limit in r (mag, AB)"


def test_without_a_limit_there_is_no_figure():
    empty = rows() | {"limiting_magnitude": np.full(40, np.nan)}
    with pytest.raises(ValueError, match="a figure of limits needs one"):
        limits.limits(empty, HEAD, title="")
