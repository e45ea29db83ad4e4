"""Nights at the seams of sky, earth and calendar, told from the truth that they were simulated with."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from accretor.core.dumps import PHOTOMETRY, TEMPLATE_STARS
from accretor.io import dump
from accretor.synthetic import demo, frames
from accretor.synthetic.night import Night, Site
from tests.faults import look
from tests.faults.files import with_cards
from tests.harness import SMALL, run

QUIET = dataclasses.replace(SMALL, cloud=None, bad_frame=None)

NIGHTS = {
    "right ascension passes 24 hours, and the date passes midnight in Greenwich": (
        dataclasses.replace(QUIET, ra=0.005, dec=10.0, start="2025-10-05T20:30:00"),
        "20251005",
    ),
    "at the date line in the south, while the year ends": (
        dataclasses.replace(QUIET, dec=-60.0, site=Site(-20.0, 179.9, 100.0), start="2024-12-31T09:00:00"),
        "20241231",
    ),
    "beside the pole": (dataclasses.replace(QUIET, ra=37.95, dec=89.26), "20250304"),
    "the telescope changes the side of its pier": (dataclasses.replace(QUIET, flip=13), "20250304"),
}


@pytest.mark.parametrize("name", NIGHTS)
def test_night_at_a_seam_is_reduced_to_its_truth(tmp_path, name):
    night, evening = NIGHTS[name]
    bjd = frames.write(night, tmp_path, lights=[]).bjd
    night = dataclasses.replace(night, transit=dataclasses.replace(night.transit, t0=(bjd[0] + bjd[-1]) / 2))
    truth = frames.write(night, tmp_path)
    (tmp_path / "workspace.toml").write_text(_config(night), "utf-8")

    done = run(tmp_path, "calibration")

    folder = tmp_path / "work" / night.target / evening / night.telescope / night.filter
    assert done.status == 0
    found = json.loads((folder / "results.json").read_text("utf-8"))
    assert found["n_frame_good"] == night.n_frame
    assert abs(found["tc_bjd_tdb"] - truth.tc) < 4 * found["tc_error_day"]
    assert abs(found["rp_rs"] - truth.rp_rs) < 4 * found["rp_rs_error"]
    rows = list(look.frames(tmp_path, folder.relative_to(tmp_path / "work").as_posix()).values())
    assert [row["bjd_tdb"] for row in rows] == pytest.approx(truth.bjd, abs=0.001 / 86400)
    assert [row["altitude"] for row in rows] == pytest.approx(truth.altitude, abs=0.01)
    target = dump.read(folder / "template_stars.ecsv", TEMPLATE_STARS).rows[0]
    east = ((target["ra"] - night.ra + 180) % 360 - 180) * np.cos(np.radians(night.dec))
    assert np.hypot(east, target["dec"] - night.dec) * 3600 < 0.1 * night.pixel_scale


def test_frames_turned_by_a_meridian_flip_are_aligned_and_the_flip_is_told(tmp_path):
    night = dataclasses.replace(QUIET, flip=13)
    truth = frames.write(night, tmp_path)
    (tmp_path / "workspace.toml").write_text(_config(night), "utf-8")

    run(tmp_path, "calibration")

    folder = tmp_path / "work" / look.SLUG
    found = json.loads((folder / "results.json").read_text("utf-8"))
    rotation = [row["rotation"] for row in dump.read(folder / "photometry.ecsv", PHOTOMETRY).rows]
    assert truth.bjd[12] < found["flip_bjd_tdb"] < truth.bjd[13]
    turned = np.abs((np.array(rotation) - rotation[0] + 180) % 360 - 180)
    assert np.max(turned[:13]) < 0.2
    assert np.min(turned[13:]) > 179.8


def test_wrong_sign_of_the_longitude_is_told_by_the_altitudes(copy):
    workspace = copy()
    for path in (workspace / look.LIGHTS).iterdir():
        path.write_bytes(with_cards({"SITELONG": 16.5})(path.read_bytes()))

    done = run(workspace, "calibration")

    assert "the sign of the longitude (east positive)" in done.out


def test_longitude_of_the_settings_that_contradicts_the_header_is_told(copy):
    workspace = copy()
    config = workspace / "workspace.toml"
    config.write_text(config.read_text("utf-8").replace("# longitude = -16.5", "longitude = 16.5"), "utf-8")

    done = run(workspace, "calibration")

    remarks = {row["remark"] for row in look.frames(workspace).values()}
    assert remarks == {"longitude 16.5 of the settings is used, the header has -16.5"}
    assert "the sign of the longitude (east positive)" in done.out


def _config(night: Night) -> str:
    text = demo.WORKSPACE + '\n[compute]\nexecutor = "serial"\n'
    for old, new in (
        ('"07:01:23.400"', repr(night.ra)),
        ('"+24:48:36.00"', repr(night.dec)),
        ("2460697.307011", repr(night.transit.t0)),
    ):
        assert old in text
        text = text.replace(old, new)
    return text
