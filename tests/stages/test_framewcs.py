from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from accretor.core.dumps import TEMPLATE_STARS
from accretor.core.errors import Unusable
from accretor.core.observation import Observation
from accretor.io import dump
from accretor.io.layout import Layout
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
    rng = np.random.Generator(np.random.PCG64(1))
    stars = rng.uniform([0, 0], [999, 799], (40, 2))
    there = moved(stars) + rng.normal(0, 0.01, stars.shape)
    there[3] += 5.0  # one that was taken for another
    there[4] = np.nan
    row = framewcs._carried(template, template.wcs, stars, there, SHAPE)
    found = Solution(json.loads(row["cards"]), "")

    inside = np.all((moved(grid()) > 0) & (moved(grid()) < [999, 799]), axis=1)
    sky = truth.to_sky(grid())[inside]
    np.testing.assert_allclose(found.wcs().all_world2pix(sky, 0), moved(grid())[inside], atol=0.05)
    assert row["rotation"] == pytest.approx(truth.rotation - 1.5, abs=0.1)
    assert row["residual"] < 0.03


def test_a_frame_with_three_stars_has_no_solution():
    with pytest.raises(Unusable, match="3 stars tell where it looks, 4 needed"):
        framewcs._affine(np.zeros((3, 2)), np.zeros((3, 2)))


def test_a_solution_that_is_there_is_kept_and_those_of_new_stars_are_worked_out(tmp_path, monkeypatch):
    plan, frames, measured = night(tmp_path)
    framewcs.write(plan, frames, measured)
    first = plan.paths.frame_wcs.read_bytes()
    worked_out = []
    carried = framewcs._carried
    monkeypatch.setattr(framewcs, "_carried", lambda *given: worked_out.append(given) or carried(*given))

    framewcs.write(plan, frames, measured)
    assert not worked_out
    assert plan.paths.frame_wcs.read_bytes() == first

    measured["x"][1] += 0.25
    framewcs.write(plan, frames, measured)
    assert len(worked_out) == 1
    together = plan.paths.frame_wcs.read_bytes()
    assert together != first
    framewcs.write(plan, frames, measured, redo=True)
    assert len(worked_out) == 1 + 3
    assert plan.paths.frame_wcs.read_bytes() == together


def night(folder):
    """Return what the stage needs of three frames with twenty stars, and a fourth that was not measured."""
    rng = np.random.Generator(np.random.PCG64(2))
    stars = rng.uniform([0, 0], [999, 799], (20, 2))
    blank = {column.name: 0 for column in TEMPLATE_STARS.columns}
    rows = [{**blank, "x": x, "y": y} for x, y in stars]
    cards = make(bend=SIP, order=3).cards(SHAPE)
    plan = SimpleNamespace(paths=Layout(folder).observation(Observation("T", "20250101", "scope", "r")))
    head = {"wcs": cards, "solution": "catalogue", "shape": list(SHAPE)}
    dump.write(plan.paths.template_stars, TEMPLATE_STARS, rows, head)
    there = [moved(stars, angle) for angle in (0.0, 0.7, 1.5)]
    measured = {
        "input": np.array(["a", "b", "c"]),
        "x": np.array([xy[:, 0] for xy in there]),
        "y": np.array([xy[:, 1] for xy in there]),
    }
    frames = [{"image_name": f"{name}.fits", "input": name, "reason": ""} for name in "abc"]
    frames.append({"image_name": "d.fits", "input": "d", "reason": "clouds"})
    return plan, frames, measured
