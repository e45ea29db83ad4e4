from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from accretor.plots import style


def contrast_on_white(color):
    """Contrast ratio of WCAG 2.1."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(color)]
    return 1.05 / (np.dot(linear, (0.2126, 0.7152, 0.0722)) + 0.05)


LINES = ["BLUE", "VERMILION", "GREEN", "PURPLE", "BLACK", "GREY", "TARGET", "COMPARISON"]


@pytest.mark.parametrize("name", LINES)
def test_lines_are_seen_and_their_names_are_read_on_white(name):
    color = getattr(style, name)

    assert contrast_on_white(color) >= 3
    assert contrast_on_white(style.ink(color)) >= 4.5


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0.01, 0.9)), min_size=1, max_size=10))
def test_spread_boxes_do_not_overlap_and_stay_inside(boxes):
    centres, sizes = (np.array(column) for column in zip(*boxes, strict=True))

    placed = style.spread(list(centres), list(sizes), 0.0, 10.0)

    order = np.argsort(centres, kind="stable")
    low, high = (placed - sizes / 2)[order], (placed + sizes / 2)[order]
    assert (low[1:] >= high[:-1] - 1e-9).all()
    assert low[0] >= -1e-9
    assert high[-1] <= 10 + 1e-9


def test_boxes_that_do_not_touch_are_not_moved():
    assert style.spread([5.0, 1.0, 3.0], [1.0, 1.0, 1.0], 0.0, 10.0).tolist() == [5.0, 1.0, 3.0]


def test_two_boxes_at_one_place_go_apart_by_the_same_way():
    assert style.spread([5.0, 5.0], [1.0, 1.0], 0.0, 10.0).tolist() == [4.5, 5.5]


def test_words_too_wide_lose_their_end_and_keep_their_beginning():
    figure = style.new_figure(2.0)

    text = style.write(figure, 0.1, 1.0, "TIC 1 " + "x" * 300, width=2.0, max_lines=2)

    assert style.text_size(text)[0] <= 2.0
    assert text.get_text().startswith("TIC 1")
    assert text.get_text().endswith("…")
    assert text.get_text().count("\n") == 1


def test_dollar_signs_are_not_mathematics():
    figure = style.new_figure(2.0)
    style.write(figure, 0.1, 1.0, "a $ b _ ^ { $ c")

    assert style.save(figure)
