from __future__ import annotations

import numpy as np
import pytest

from accretor.plots import leftout


def frame(seed=1):
    return np.random.Generator(np.random.PCG64(seed)).normal(500, 20, (30, 40)).astype(np.float32)


def words(figure):
    return [text.get_text() for text in figure.texts]


def test_each_frame_has_its_picture_its_name_and_its_reason():
    figure = leftout.left_out(
        [frame(1), frame(2)], ["a.fits", "b.fits"], ["clouds", "a trail"], title="A title", subtitle="2 of 9"
    )

    assert [axes.images[0].get_array().shape for axes in figure.axes] == [(30, 40)] * 2
    assert words(figure) == ["A title", "2 of 9", "a.fits", "clouds", "b.fits", "a trail"]


def test_a_frame_that_cannot_be_read_keeps_its_place_and_says_so():
    figure = leftout.left_out([None, frame()], ["a.fits", "b.fits"], ["torn", "clouds"], title="A title")

    assert [len(axes.images) for axes in figure.axes] == [0, 1]
    assert [text.get_text() for text in figure.axes[0].texts] == ["cannot be read"]


def test_frames_that_have_no_room_are_counted():
    figure = leftout.left_out([frame()] * 12, ["a.fits"] * 12, ["clouds"] * 12, n_more=5, title="A title")

    assert words(figure)[-1] == "and 5 more"
    assert len({axes.get_position().y0 for axes in figure.axes}) == 3


@pytest.mark.parametrize("n_name", [0, 2])
def test_frames_without_names_are_refused(n_name):
    with pytest.raises(ValueError, match=f"1 frames, {n_name} names"):
        leftout.left_out([frame()], ["a.fits"] * n_name, ["clouds"], title="A title")
