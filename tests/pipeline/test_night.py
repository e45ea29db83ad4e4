"""Whole nights through doit: the simulated one of the demo, and a real one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from accretor.core.dumps import INVENTORY
from accretor.io import dump, journal
from accretor.stages import figures
from accretor.stages.workspace import open_workspace
from accretor.synthetic import demo
from tests.harness import SHARED, results, run, spawn, start, tree
from tests.pipeline.causes import NIGHT, VISIT, put

SLUG = "TOI-9999.01/20250304/Demo-0m4/ip"
REAL = SHARED / "hatp32-microobs" / "raw"
REAL_NIGHT = "HAT-P-32.01/20171219/MicroObs-Cecilia/clear"
REAL_SETTINGS = """
observer = "A. Observer"

[[target]]
name = "HAT-P-32.01"
aliases = ["HATP-32", "HAT-P-32"]
tic = 292152376
ra = "02:04:10.28"
dec = "+46:41:16.2"
[target.ephemeris]
t0 = 2455867.402743
period = 2.1500082
duration = 3.108
depth = 22.2

[instrument]
name = "MicroObs-Cecilia"
dialect = "microobservatory"
telescope_diameter = 0.15
gain = 38.0
read_noise = 15.0
saturation = 4000
"""
KNOWN_TC = 2458107.7113
"""Of three independent reductions, BJD_TDB."""
KNOWN_RP_RS = 0.1489
"""Published."""


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """The demo, with its frames as they were, what its first run said, and what it made."""
    workspace = tmp_path_factory.mktemp("night")
    demo.make(workspace)
    raw = tree(workspace / "raw")
    first = run(workspace)
    return workspace, raw, first


def test_the_first_run_takes_the_demo_from_raw_frames_to_a_complete_package(night):
    workspace, _, first = night
    manifest = json.loads((workspace / VISIT / "manifest.json").read_text(encoding="utf-8"))

    assert first.status == 0
    stages = (
        "preprocess",
        "registration",
        "template",
        "photometry",
        "zeropoint",
        "calibration",
        "forced",
        "neb",
        "plotting",
    )
    visit = SLUG.rpartition("/")[0]
    assert list(first.done) == [
        *(f"{stage}:{SLUG}" for stage in stages),
        f"packaging:{visit}",
        f"report:{visit}",
        "index:workspace",
    ]
    assert [first.measured(stage) for stage in ("preprocess", "registration", "photometry")] == [56, 56, 55]
    assert manifest["problems"] == []
    assert set(manifest["files"]) == {path.name for path in (workspace / VISIT / "package").iterdir()}


def test_the_planet_of_the_demo_is_found_within_three_sigma_of_the_truth(night):
    workspace, _, _ = night
    truth = json.loads((workspace / "truth.json").read_text(encoding="utf-8"))
    found = json.loads((workspace / NIGHT / "results.json").read_text(encoding="utf-8"))

    assert found["rp_rs"] == pytest.approx(truth["rp_rs"], abs=3 * found["rp_rs_error"])
    assert found["tc_bjd_tdb"] == pytest.approx(truth["tc"], abs=3 * found["tc_error_day"])
    assert found["rp_rs_error"] < 0.05 * truth["rp_rs"]
    assert found["n_frame_poor"] >= 1
    assert found["rms_per_point_ppt"] < 1.5 * found["predicted_rms_ppt"]


def test_the_line_that_is_drawn_goes_through_the_model_at_every_frame(night, monkeypatch):
    monkeypatch.chdir(night[0])
    one = figures.Night(open_workspace(Path(), is_recorded=False).observations[0])
    used = np.asarray(one.table["is_used"], dtype=bool)

    at_frames = np.interp(one.table["bjd_tdb"][used], one.line["bjd_tdb"], one.line["model"])

    assert np.ptp(one.line["model"]) > 0.01
    np.testing.assert_allclose(at_frames, one.table["model"][used], atol=2e-5)


def test_the_bad_frame_of_the_demo_is_named_with_a_reason(night):
    workspace, _, first = night
    truth = json.loads((workspace / "truth.json").read_text(encoding="utf-8"))

    assert f"{truth['bad_frame']}: " in first.out


def test_a_second_run_does_nothing_and_raw_frames_are_never_touched(night):
    workspace, raw, _ = night
    before = results(workspace)

    second = run(workspace)

    assert (second.status, second.done) == (0, {})
    assert results(workspace) == before
    assert tree(workspace / "raw") == raw


def test_an_upload_is_command_when_asked_for(night):
    workspace, _, first = night

    assert "upload" not in first.stages
    assert not list(workspace.rglob("ledger*"))


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="a process group cannot be killed here")
def test_a_run_that_is_killed_in_the_middle_of_photometry_goes_on_from_there(night, tmp_path):
    workspace, _, _ = night
    shutil.copytree(workspace / "raw", tmp_path / "raw")
    for name in ("workspace.toml", "truth.json", "catalogue.csv"):
        shutil.copy2(workspace / name, tmp_path)
    written = journal.path_of(tmp_path / NIGHT / "photometry.fits")

    process = start(tmp_path)
    _wait_for_lines(written, 5, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    again = run(tmp_path)

    assert again.status == 0
    assert [again.measured(stage) for stage in ("preprocess", "registration")] == [0, 0]
    assert 0 < again.measured("photometry") <= 50
    assert results(tmp_path) == results(workspace)


def _wait_for_lines(path: Path, n_line: int, process) -> None:
    """Wait until a journal has so many rows."""
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        if path.is_file() and path.read_bytes().count(b"\n") > n_line:
            return
        time.sleep(0.002)
    raise AssertionError("the run ended before it could be killed")


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A real night: 100 frames, later 42 more and six bad files."""
    if not REAL.is_dir():
        pytest.skip("real data are not here")
    if not shutil.which("solve-field"):
        pytest.skip("astrometry.net is not here")
    workspace = tmp_path_factory.mktemp("real")
    (workspace / "workspace.toml").write_text(REAL_SETTINGS, encoding="utf-8")
    frames = sorted(REAL.iterdir())
    (workspace / "raw").mkdir()
    for path in frames[:100]:
        shutil.copy2(path, workspace / "raw")
    first = spawn(workspace, "calibration")
    if any("no plate solution" in reason for reason in first.failed.values()):
        pytest.skip("index files of astrometry.net for this field are not here")
    for path in frames[100:]:
        shutil.copy2(path, workspace / "raw")
    _bad_files(workspace / "raw", frames[50].read_bytes())
    return workspace, first, spawn(workspace, "calibration")


def _bad_files(raw: Path, frame: bytes) -> None:
    undated = frame
    for keyword in (b"DATE-OBS", b"DATE-END", b"UT-OBS  ", b"MJD-OBS ", b"FILENAME"):
        undated = undated.replace(keyword, b"NOT" + keyword[3:], 1)
    other = frame.replace(b"'HATP-32 '", b"'WASP-12 '", 1)
    at = other.index(b"RA      =")
    other = other[: at + 10] + b" 97.637099" + other[at + 20 :]
    for name, content in (
        ("empty.fits", b""),
        ("cut.fits", frame[:300_000]),
        ("text.fits", b"clear until two, then clouds\n"),
        ("undated.fits", undated),
        ("other.fits", other),
        ("twin.fits", frame),
    ):
        (raw / name).write_bytes(content)


def test_frames_that_are_added_to_a_real_night_are_all_that_is_measured(real):
    _, first, later = real

    assert (first.status, later.status) == (0, 0)
    assert [first.measured(stage) for stage in ("preprocess", "registration", "photometry")] == [
        100,
        100,
        100,
    ]
    assert [later.measured(stage) for stage in ("preprocess", "registration", "photometry")] == [42, 42, 42]


def test_every_bad_file_of_a_real_night_has_a_reason_and_stops_nothing(real):
    workspace, _, later = real
    rows = {row["path"]: row for row in dump.read(workspace / "work" / "inventory.ecsv", INVENTORY).rows}

    reasons = {
        name: rows[f"{name}.fits"]["reason"] for name in ("empty", "cut", "text", "undated", "other", "twin")
    }

    assert all(reasons.values()), reasons
    assert sum(bool(row["reason"]) for row in rows.values()) == 6
    for name, reason in reasons.items():
        assert f"{name}.fits: {reason}" in later.out
    assert "Traceback" not in later.out + later.err


def test_the_real_night_is_as_precise_as_careful_hand_work_and_finds_the_known_planet(real):
    workspace, _, _ = real
    found = json.loads((workspace / "work" / REAL_NIGHT / "results.json").read_text(encoding="utf-8"))

    assert found["n_frame_good"] >= 140
    assert found["rms_per_point_ppt"] <= 4.2
    assert found["rms_10min_ppt"] <= 2.6
    assert abs(found["o_c_sigma"]) < 1
    assert abs(found["tc_bjd_tdb"] - KNOWN_TC) * 1440 < 2
    assert abs(found["rp_rs"] - KNOWN_RP_RS) < found["rp_rs_error"]


@pytest.mark.slow
def test_with_policy_best_a_real_night_in_two_parts_gives_the_bytes_of_the_whole(real, tmp_path):
    workspace, _, _ = real
    shutil.copytree(workspace, tmp_path / "grown")
    put("ensemble", 'policy = "best"')(tmp_path / "grown", tmp_path)
    (tmp_path / "whole").mkdir()
    shutil.copy2(tmp_path / "grown" / "workspace.toml", tmp_path / "whole")
    shutil.copytree(workspace / "raw", tmp_path / "whole" / "raw")

    grown, whole = (spawn(tmp_path / name, "calibration") for name in ("grown", "whole"))

    assert (grown.status, whole.status) == (0, 0)
    assert results(tmp_path / "grown") == results(tmp_path / "whole")
