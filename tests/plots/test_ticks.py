from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from accretor.plots import style, ticks


def drawn(scale="linear", aspect="auto"):
    """Return a figure with minor ticks on all four sides."""
    with style.house_style():
        figure = style.new_figure(3.0)
        axes = style.add_axes(figure, 0.8, 0.5, 6.0, 2.2)
        axes.plot([0.13, 9.71], [1.02, 87.3], lw=2)
        axes.set_xscale(scale)
        axes.set_aspect(aspect)
        beside = axes.twinx()
        beside.set_ylim(0.3, -1.7)
        figure.add_axes((0.1, 0.93, 0.5, 0.05), sharex=axes)
    return figure


def dots(figure):
    with style.house_style():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3].astype(int)


@pytest.mark.parametrize(("scale", "aspect"), [("linear", "auto"), ("linear", 0.02), ("log", "auto")])
def test_minor_ticks_drawn_together_are_those_that_matplotlib_draws_one_by_one(scale, aspect):
    figure = drawn(scale, aspect)
    one_by_one = dots(figure)
    figure = drawn(scale, aspect)
    with style.house_style(), ticks.together(figure):
        together = dots(figure)
        n_tick = sum(len(axes.yaxis.minorTicks) for axes in figure.axes)

    # Where two lines meet, ink may be mixed in another order.
    assert np.abs(one_by_one - together).max() <= 1
    assert n_tick <= 4
    np.testing.assert_array_equal(dots(figure), one_by_one)  # and the figure is left as it was


def test_a_saved_figure_has_the_dots_that_were_drawn_and_its_size():
    figure = drawn()
    with Image.open(io.BytesIO(style.save(figure))) as picture:
        assert picture.mode == "RGB"
        assert picture.info["dpi"] == pytest.approx((style.DPI, style.DPI), abs=0.01)
        assert np.abs(np.asarray(picture).astype(int) - dots(figure)).max() <= 1
    assert style.save(figure) == style.save(drawn())
