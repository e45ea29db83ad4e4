from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from accretor.core.dumps import LIGHT_CURVE
from accretor.io import dump
from accretor.stages import leftout
from tests.harness import SMALL, make, run

TAIL = "left-out.png"


def test_a_smaller_picture_holds_the_mean_of_what_it_shows():
    image = np.arange(1200 * 800, dtype=np.float64).reshape(1200, 800)

    small = leftout.smaller(image)

    assert small.shape == (200, 133)  # blocks of 6; two columns are beyond the last
    assert small[0, 0] == pytest.approx(image[:6, :6].mean())
    assert small[-1, -1] == pytest.approx(image[-6:, 792:798].mean())


def test_a_small_frame_is_shown_as_it_is():
    image = np.arange(12.0).reshape(3, 4)

    np.testing.assert_array_equal(leftout.smaller(image), image)


@pytest.mark.long
def test_the_picture_of_what_was_left_out_comes_and_goes_with_the_frames_that_are(tmp_path):
    workspace = make(tmp_path, dataclasses.replace(SMALL, n_frame=16))
    assert run(workspace, "plotting").status == 0
    (picture,) = (workspace / "products").rglob(TAIL)
    (record,) = (workspace / "work").rglob("figures.json")
    before = json.loads(record.read_text(encoding="utf-8"))[TAIL]

    rows = dump.read(next(workspace.rglob("lightcurve.ecsv")), LIGHT_CURVE).rows
    left_out = [row["image_name"] for row in rows if not row["is_used"]]

    next((workspace / "raw").rglob(rows[-1]["image_name"])).unlink()
    run(workspace, "plotting")
    assert json.loads(record.read_text(encoding="utf-8"))[TAIL] != before  # of 15 frames, not of 16

    for name in left_out:
        next((workspace / "raw").rglob(name)).unlink()
    run(workspace, "plotting")
    assert not picture.exists()
    assert TAIL not in json.loads(record.read_text(encoding="utf-8"))
