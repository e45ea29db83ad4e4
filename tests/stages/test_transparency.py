from __future__ import annotations

import dataclasses
import json

import numpy as np

from accretor.core.dumps import TEMPLATE
from accretor.io import dump
from accretor.stages.workspace import open_workspace
from accretor.synthetic import frames
from accretor.synthetic.night import Cloud
from tests.harness import SMALL, make, run


def test_transparency_is_that_of_the_cloud_and_thick_cloud_is_remarked_on(tmp_path):
    night = dataclasses.replace(
        SMALL, n_frame=10, cloud=Cloud(depth=0.6, hour=0.3, sigma=6.0), bad_frame=None, extinction=0.0
    )
    workspace = make(tmp_path / "cloudy", night)
    truth = frames.write(night, tmp_path / "truth", lights=[])

    assert run(workspace, "template").status == 0

    plan = open_workspace(workspace, is_recorded=False).observations[0]
    rows = dump.read(plan.paths.template, TEMPLATE).rows
    found = np.array([row["transparency"] for row in rows])
    true = np.array(truth.transparency)
    assert true.min() < 0.5
    # The light within 1.2 FWHM follows the seeing of a frame, by a few per cent.
    np.testing.assert_allclose(found / np.median(found / true), true, atol=0.05)
    thick = true < 0.5 * true.max()
    assert [bool(row["remark"]) for row in rows] == thick.tolist(), json.dumps(rows, default=str)
