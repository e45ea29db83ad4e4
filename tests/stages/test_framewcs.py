from __future__ import annotations

import json

import numpy as np
import pytest

from accretor.core.errors import Unusable
from accretor.stages import framewcs
from accretor.stages.platesolve import Solution
from tests.science.test_plate import SHAPE, SIP, grid, make


def moved(xy, angle=1.5):
    """Return where stars of the template are in a frame that is turned and shifted."""
    turn = np.radians(angle)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return (xy - 400) @ matrix.T + 400 + [12.0, -7.5]


@pytest.mark.parametrize("bend", [np.zeros((0, 2)), SIP], ids=["plain", "bent"])
def test_a_star_is_where_the_solution_of_its_frame_says(bend):
    truth = make(bend=bend, order=3 if len(bend) else 1)
    template = Solution(truth.cards(SHAPE), "catalogue")
    assert template.is_plain == (not len(bend))
    rng = np.random.Generator(np.random.PCG64(1))
    stars = rng.uniform([0, 0], [999, 799], (40, 2))
    there = moved(stars) + rng.normal(0, 0.01, stars.shape)
    there[3] += 5.0  # one that was taken for another
    there[4] = np.nan
    row = framewcs._carried(template, stars, there, SHAPE)
    found = Solution(json.loads(row["cards"]), "")

    inside = np.all((moved(grid()) > 0) & (moved(grid()) < [999, 799]), axis=1)
    sky = truth.to_sky(grid())[inside]
    np.testing.assert_allclose(found.wcs().all_world2pix(sky, 0), moved(grid())[inside], atol=0.05)
    assert row["rotation"] == pytest.approx(truth.rotation - 1.5, abs=0.1)
    assert row["residual"] < 0.03


def test_a_frame_with_three_stars_has_no_solution():
    with pytest.raises(Unusable, match="3 stars tell where it looks, 4 needed"):
        framewcs._affine(np.zeros((3, 2)), np.zeros((3, 2)))
