"""Figures against small pictures of how they should look."""

from __future__ import annotations

import matplotlib
import pytest
from PIL import Image

from accretor.plots.lightcurve import light_curve
from tests import figure_references as references

TOLERANCE = 5.0
"""Of 255: another release of matplotlib or of its font library moves edges of letters by less."""


@pytest.mark.skipif(
    tuple(map(int, matplotlib.__version__.split(".")[:2])) < (3, 11),
    reason="the pictures were drawn with matplotlib 3.11, whose letters are wider than those before",
)
@pytest.mark.parametrize("name", references.FIGURES)
def test_a_figure_looks_as_it_did(name):
    found = references.small(references.FIGURES[name]())

    with Image.open(references.FOLDER / f"{name}.png") as wanted:
        assert references.difference(found, wanted) < TOLERANCE


@pytest.mark.parametrize(
    ("table", "results"),
    [
        (references.table(140, depth=0.004), {}),
        (references.table(140), {"has_fit": False}),
        (references.table(20), {}),
    ],
    ids=["another depth", "no fit", "few points"],
)
def test_the_comparison_sees_a_light_curve_that_is_another(table, results):
    other = references.small(light_curve(table, {**references.results(), **results}, **references.HEAD))

    with Image.open(references.FOLDER / "lightcurve.png") as wanted:
        assert references.difference(other, wanted) > 1.5 * TOLERANCE
