from __future__ import annotations

import io

import numpy as np
from PIL import Image

from accretor.plots import picture, style
from accretor.plots.field import field
from accretor.plots.lightcurve import light_curve


def pixels(png):
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"), dtype=float)


def test_a_reduced_figure_is_small_and_looks_the_same(night):
    whole = style.save(light_curve(*night(140), title="TIC 1.01"))

    small = picture.reduced(whole)

    assert len(small.data) < 0.6 * len(whole)
    before, after = pixels(whole), pixels(small.data)
    assert before.shape == after.shape == (small.height, small.width, 3)
    assert np.sqrt(np.mean((before - after) ** 2)) < 4  # of 255
    assert (after[5, -5] == 255).all()


def test_a_thin_circle_keeps_its_colour_in_a_grey_image():
    random = np.random.Generator(np.random.PCG64(1))
    stars = {"x": [60.0], "y": [50.0], "label": ["T1"], "role": ["target"]}
    whole = style.save(field(random.normal(100, 5, (120, 160)), stars=stars, radius_px=9, title="TIC 1.01"))

    greens = [
        (found[..., 1] - found[..., 0] > 60).sum()
        for found in (pixels(whole), pixels(picture.reduced(whole).data))
    ]

    assert greens[0] > 100
    assert greens[1] > 0.7 * greens[0]


def test_the_same_figure_is_reduced_to_the_same_bytes(night):
    whole = style.save(light_curve(*night(10), title="TIC 1.01"))

    assert picture.reduced(whole) == picture.reduced(whole)
