from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from accretor.core.dumps import FRAMES, PHOTOMETRY, RESULTS, STARS, TEMPLATE, TEMPLATE_STARS
from accretor.core.observation import Observation
from accretor.io import dump
from accretor.io.layout import Layout
from tasks import _state


@pytest.fixture
def plan(tmp_path):
    """Return the plan of an observation of 24 frames."""
    return plan_of(tmp_path, "TOI-1.01")


@pytest.fixture
def reasons(monkeypatch):
    """Return why stages are blocked, by their names; to be filled in."""
    found = {}
    monkeypatch.setattr(_state._blocked, "reason", lambda stage, name: found.get(stage, ""))
    return found


@pytest.fixture
def workspace(monkeypatch, reasons):
    """Let the run be about these observations."""

    def of(*plans, left_out=()):
        now = SimpleNamespace(observations=plans, left_out=left_out)
        monkeypatch.setattr(_state._workspace, "current", lambda: now)

    return of


def plan_of(root, target, n_frame=24):
    observation = Observation(target, "20250304", "Hilltop-0m5", "ip")
    return SimpleNamespace(
        observation=observation, paths=Layout(root).observation(observation), frames=(None,) * n_frame
    )


def count(path, schema, **counts):
    """Write a dump that says these counts."""
    dump.write(path, schema, [], {"summary": {"frames": sum(counts.values()), **counts}})


@pytest.mark.parametrize("stage", ["preprocess", "registration", "photometry"])
def test_at_first_all_frames_are_new(plan, reasons, stage):
    assert _state.of_observation(stage, plan) == "24 frames: 24 new"


def test_frames_are_counted_by_what_the_header_of_the_dump_says(plan, reasons):
    count(plan.paths.frames, FRAMES, good=20, poor=1, error=1)

    assert _state.of_observation("preprocess", plan) == "24 frames: 20 good, 1 poor, 1 error, 2 new"


def test_a_frame_that_was_found_poor_before_is_poor_and_not_new(plan, reasons):
    count(plan.paths.frames, FRAMES, good=23, poor=1)
    count(plan.paths.image_info, STARS, good=21, poor=2)
    count(plan.paths.photometry_info, PHOTOMETRY, good=20, poor=1)

    assert _state.of_observation("registration", plan) == "24 frames: 21 good, 3 poor"
    assert _state.of_observation("photometry", plan) == "24 frames: 20 good, 4 poor"


def test_frames_that_only_the_first_stage_knows_are_new_to_the_others(plan, reasons):
    count(plan.paths.frames, FRAMES, good=23, poor=1)

    assert _state.of_observation("registration", plan) == "24 frames: 23 new"


def test_more_rows_than_frames_are_not_less_than_none_new(plan, reasons):
    count(plan.paths.frames, FRAMES, good=30)

    assert "new" not in _state.of_observation("preprocess", plan)


def test_a_damaged_dump_counts_as_none(plan, reasons):
    plan.paths.folder.mkdir(parents=True)
    for path in (plan.paths.frames, plan.paths.template_stars, plan.paths.results):
        path.write_bytes(b"\xff torn")

    assert _state.of_observation("preprocess", plan) == "24 frames: 24 new"
    assert _state.of_observation("template", plan) == "1 made"
    assert _state.of_observation("calibration", plan) == "1 made"


def test_what_blocks_a_stage_comes_before_all(plan, reasons):
    count(plan.paths.frames, FRAMES, good=24)
    reasons["preprocess"] = "no header tells the gain"

    assert _state.of_observation("preprocess", plan) == "blocked: no header tells the gain"


def test_of_what_blocks_a_stage_the_list_tells_the_fact_and_where_the_rest_is(plan, reasons):
    slug = plan.observation.slug
    reasons["template"] = f"{slug}: no plate solution of a.fits; doit fetch gets a catalogue. Tried: header"

    said = _state.of_observation("template", plan)

    assert said == "blocked: no plate solution of a.fits (doit why says what to do)"


def test_a_template_is_named_with_its_plate_solution_and_a_better_one_if_there_is(plan, reasons):
    assert _state.of_observation("template", plan) == "1 new"
    dump.write(plan.paths.template_stars, TEMPLATE_STARS, [], {"frame": "a.fits", "solution": "header"})
    assert _state.of_observation("template", plan) == "a.fits, plate solution: header"

    dump.write(plan.paths.template, TEMPLATE, [], {"template": "a.fits", "best": "b.fits", "gain": 0.25})
    said = _state.of_observation("template", plan)
    assert said.startswith("a.fits, plate solution: header; b.fits would now score 0.25 better")


def test_a_light_curve_is_told_by_its_numbers(plan, reasons):
    assert _state.of_observation("calibration", plan) == "1 new"
    plan.paths.folder.mkdir(parents=True)
    numbers = {"n_frame_good": 20, "aperture_radius_px": 5.0, "n_comparison": 9, "rms_per_point_ppt": 2.0}
    unknown = {"predicted_rms_ppt": None, "rp_rs": None, "fit_reason": "no ephemeris"}
    plan.paths.results.write_text(
        json.dumps({key.name: None for key in RESULTS} | numbers | unknown), encoding="utf-8"
    )

    assert _state.of_observation("calibration", plan).startswith("20 points, r = 5.0 px, 9 stars, 2.00 ppt")


def test_a_stage_of_one_observation_is_told_as_that_observation(plan, workspace):
    workspace(plan)

    assert _state.of_stage("preprocess", "") == _state.of_observation("preprocess", plan)


def test_a_stage_of_several_observations_is_their_sum(tmp_path, workspace):
    first, second, third = (plan_of(tmp_path, f"TOI-{i}.01", n_frame=10) for i in (1, 2, 3))
    workspace(first, second, third)
    count(first.paths.frames, FRAMES, good=10)
    count(second.paths.frames, FRAMES, good=3, poor=1)

    assert _state.of_stage("preprocess", "") == "1 of 3 observations; 30 frames: 13 good, 1 poor, 16 new"
    assert _state.of_stage("preprocess", "TOI-2.01") == "10 frames: 3 good, 1 poor, 6 new"


def test_without_frames_a_stage_says_so(workspace):
    workspace()

    assert _state.of_stage("preprocess", "") == "no frames"


def test_where_all_files_are_left_out_the_first_stage_tells_why_most_of_them_are(workspace):
    left_out = [("a.fits", "no exposure time"), ("b.fits", "no exposure time"), ("c.txt", "not a FITS name")]
    workspace(left_out=left_out)

    assert _state.of_stage("preprocess", "") == (
        "no frames; 3 files are left out, 2 of them for: no exposure time"
    )
    assert _state.of_stage("photometry", "") == "no frames"


def test_a_stage_without_a_count_of_its_own_is_told_by_the_dump_of_its_name(plan, reasons):
    assert _state.of_observation("comparison", plan) == "1 new"
    plan.paths.comparison.parent.mkdir(parents=True, exist_ok=True)
    plan.paths.comparison.write_text("", encoding="utf-8")
    assert _state.of_observation("comparison", plan) == "1 made"
