"""Figures of the neighbours: same bytes for the same star, and room for what is odd."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from matplotlib.image import imread

from accretor.plots import neighbours, style
from accretor.science import neb

ROW = {
    "neighbour": 3,
    "separation": 12.3,
    "position_angle": 100.0,
    "delta_mag": 3.1,
    "depth_needed": 213.8,
    "rms": 17.8,
    "ratio": 12.0,
    "disposition": neb.CLEARED,
    "radius": 2.7,
    "verdict": "cleared",
    "box_depth": 1.5,
    "box_depth_error": 2.0,
    "reason": "",
}
UNKNOWN = dict.fromkeys(
    ("delta_mag", "depth_needed", "rms", "ratio", "radius", "box_depth", "box_depth_error"), math.nan
)
BEGIN = 2460739.4


def curve(row=ROW, n=60):
    time = BEGIN + np.linspace(0, 0.2, n)
    flux = 1 + 0.01 * np.sin(np.arange(n))
    if n:
        flux[5] = np.nan
    return neighbours.depth_curve(
        time, flux, row, nearest=9.0, ingress=BEGIN + 0.05, egress=BEGIN + 0.12, scale=1.2, title="A title"
    )


def texts(figure):
    return [text.get_text() for text in (*figure.texts, *(text for ax in figure.axes for text in ax.texts))]


def test_a_curve_is_900_pixels_wide_and_has_the_same_bytes_each_time():
    first, second = neighbours.save(curve()), neighbours.save(curve())

    assert first == second
    assert imread(io.BytesIO(first)).shape[:2] == (600, 900)


def test_a_curve_tells_what_sg1_wants_to_know_of_the_star():
    said = "\n".join(texts(curve()))

    for part in ("T3", "dmag: 3.1", "213.8 ppt", "17.8 ppt", "2.7 px", '12.3"', '9.0"', "100.0°", "Cleared"):
        assert part in said


@pytest.mark.parametrize(("depth", "bottom"), [(213.8, 1 - 0.2138), (5000.0, 0.0)])
def test_the_eclipse_that_is_needed_is_drawn_and_never_below_zero(depth, bottom):
    axes = curve({**ROW, "depth_needed": depth}).axes[0]

    assert min(axes.lines[0].get_ydata()) == pytest.approx(bottom)


def test_a_star_that_was_not_measured_is_drawn_as_such():
    row = {**ROW, **UNKNOWN, "disposition": neb.NOT_CLEARED, "reason": "measured in 0 of 60 frames"}

    said = "\n".join(texts(curve(row, n=0)))

    assert "not measured" in said
    assert "measured in 0 of 60 frames" in said
    assert "nan" not in said


def test_the_scatter_shows_each_star_once_and_counts_those_that_it_cannot_show():
    rows = [{**ROW, "neighbour": i, "delta_mag": i / 7, "rms": 2.0 + i} for i in range(2, 30)]
    rows += [{**ROW, **UNKNOWN, "neighbour": 30}, {**ROW, "neighbour": 31, "disposition": neb.FLUX_TOO_LOW}]

    figure = neighbours.scatter(rows, depth=10.0, nearest=[30.0] * 30, scale=1.2, title="A title")
    names = [text for text in texts(figure) if text.startswith("T")]

    assert sorted(names) == sorted(f"T{i}" for i in range(2, 30))
    assert any("2 stars not shown" in text for text in texts(figure))
    assert style.save(figure).startswith(b"\x89PNG")


def test_without_any_star_to_show_the_lines_are_there_all_the_same():
    figure = neighbours.scatter([], depth=10.0, nearest=[], scale=1.2, title="A title")

    assert len(figure.axes[0].lines) == 2


def test_the_lines_are_the_depth_needed_over_3_and_5():
    axes = neighbours.scatter([ROW], depth=10.0, nearest=[30.0], scale=1.2, title="A title").axes[0]
    likely, cleared = (np.interp(3.0, line.get_xdata(), line.get_ydata()) for line in axes.lines[:2])

    assert likely == pytest.approx(10 * 10 ** (0.4 * 2.5) / 3, rel=1e-3)
    assert cleared == pytest.approx(10 * 10 ** (0.4 * 2.5) / 5, rel=1e-3)
