"""In whatever order and with whatever workers frames are measured, what comes out is the same."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
from pathlib import Path

import pytest

from accretor.core.dumps import MASTERS, PHOTOMETRY, TEMPLATE
from accretor.io import dump, journal, records
from accretor.synthetic.night import Night
from tests.harness import SMALL, make, results, run, spawn
from tests.pipeline.causes import LIGHTS, NIGHT, put

TWELVE: Night = dataclasses.replace(SMALL, n_frame=12, cadence=900.0)
PINNED = f'\n[template]\nframe = "{TWELVE.target}-0004.fits"\n'
DRIFTING: Night = dataclasses.replace(
    SMALL,
    n_frame=24,
    size=(200, 160),
    n_star=18,
    n_bias=0,
    n_dark=0,
    n_flat=0,
    drift=(90.0, 70.0),
    bad_frame=None,
    cloud=None,
)
"""Without calibration frames, on a field that drifts: they give their own dark. A late one is poor."""
FIRST, LATER = range(17), range(17, 24)


def some(night: Night, whole: Path, workspace: Path, lights: list[int], config: str) -> None:
    """Put some light frames of the workspace *whole* into another."""
    if not workspace.exists():
        (workspace / LIGHTS).mkdir(parents=True)
        make(workspace, night, lights=[], config=config)
    for index in lights:
        shutil.copy2(whole / LIGHTS / f"{night.target}-{index + 1:04d}.fits", workspace / LIGHTS)


@pytest.fixture(scope="module")
def at_once(tmp_path_factory):
    workspace = make(tmp_path_factory.mktemp("at_once"), TWELVE, config=PINNED)
    assert run(workspace, "calibration").status == 0
    return workspace


def test_frames_that_come_one_by_one_in_any_order_give_the_bytes_of_all_at_once(at_once, tmp_path):
    lights = list(range(TWELVE.n_frame))
    random.Random(20250304).shuffle(lights)
    measured = {"preprocess": 0, "registration": 0, "photometry": 0}

    for index in lights:
        some(TWELVE, at_once, tmp_path / "grown", [index], PINNED)
        done = run(tmp_path / "grown", "photometry")
        measured = {stage: count + done.measured(stage) for stage, count in measured.items()}
    last = run(tmp_path / "grown", "calibration")

    assert (last.status, last.stages) == (0, ["calibration"])
    assert measured == {"preprocess": 12, "registration": 12, "photometry": 11}
    assert results(tmp_path / "grown") == results(at_once)


def test_two_worker_processes_give_the_bytes_of_one(at_once, tmp_path):
    make(tmp_path, TWELVE, config=f'{PINNED}\n[compute]\nexecutor = "processes"\nworkers = 2\n')

    done = spawn(tmp_path, "calibration")

    assert done.status == 0, done.out + done.err
    assert done.measured("photometry") == 11
    assert results(tmp_path) == results(at_once)


def test_with_policy_best_the_order_does_not_matter_though_nothing_is_pinned(at_once, tmp_path):
    best = '\n[ensemble]\npolicy = "best"\n'
    for lights in ([7, 8, 9, 10, 11], [0, 1, 2, 4, 5, 6], [3]):
        some(TWELVE, at_once, tmp_path / "grown", lights, best)
        assert run(tmp_path / "grown", "calibration").status == 0
    some(TWELVE, at_once, tmp_path / "whole", list(range(12)), best)
    assert run(tmp_path / "whole", "calibration").status == 0

    assert results(tmp_path / "grown") == results(tmp_path / "whole")


def test_a_self_dark_is_kept_so_that_frames_that_are_added_are_all_that_is_measured(tmp_path):
    whole = make(tmp_path / "whole", DRIFTING)
    some(DRIFTING, whole, tmp_path / "grown", list(FIRST), "")
    first = run(tmp_path / "grown", "calibration")
    some(DRIFTING, whole, tmp_path / "grown", list(LATER), "")

    later = run(tmp_path / "grown", "calibration")

    (dark,) = [
        row
        for row in dump.read(tmp_path / "grown" / NIGHT / "masters.ecsv", MASTERS).rows
        if row["kind"] == "selfdark"
    ]
    assert (dark["kind"], dark["n_frame"]) == ("selfdark", len(FIRST)), first.out
    assert [first.measured(stage) for stage in ("preprocess", "registration", "photometry")] == [17, 17, 17]
    assert [later.measured(stage) for stage in ("preprocess", "registration", "photometry")] == [7, 7, 6]


def test_the_list_says_how_much_better_a_self_dark_chosen_now_would_be_and_it_is_made_on_request(tmp_path):
    whole = make(tmp_path / "whole", DRIFTING)
    some(DRIFTING, whole, tmp_path / "grown", list(FIRST), "")
    run(tmp_path / "grown", "preprocess")
    before = run(tmp_path / "grown", "list").out
    some(DRIFTING, whole, tmp_path / "grown", list(LATER), "")
    run(tmp_path / "grown", "preprocess")

    offered = run(tmp_path / "grown", "list").out
    run(tmp_path / "grown", "preprocess", "renew=TOI-9999.01")
    run(whole, "preprocess")

    # The noise of a median goes with one over the root of the number of frames: 1 - sqrt(17 / 24).
    assert "less noise" not in before
    assert "a self-dark of 24 frames would now have 16% less noise (doit renew=...)" in offered
    assert "less noise" not in run(tmp_path / "grown", "list").out
    masters = NIGHT + "/masters/selfdark.fits"
    assert (tmp_path / "grown" / masters).read_bytes() == (whole / masters).read_bytes()


def test_a_self_dark_goes_with_a_frame_of_it_that_is_deleted(tmp_path):
    workspace = make(tmp_path, DRIFTING)
    run(workspace, "preprocess")
    (before,) = [
        row for row in dump.read(tmp_path / NIGHT / "masters.ecsv", MASTERS).rows if row["kind"] == "selfdark"
    ]
    gone = sorted((workspace / "raw").rglob("*.fits"))[3]
    gone.unlink()

    run(workspace, "preprocess")

    (after,) = [
        row for row in dump.read(tmp_path / NIGHT / "masters.ecsv", MASTERS).rows if row["kind"] == "selfdark"
    ]
    assert gone.name in before["frames"].split(" / ")
    assert set(after["frames"].split(" / ")) == set(before["frames"].split(" / ")) - {gone.name}


def test_the_frames_of_a_self_dark_can_be_pinned(tmp_path):
    workspace = make(tmp_path, DRIFTING)
    names = [path.name for path in sorted((workspace / "raw").rglob("*.fits"))][:18]
    put("preprocess", f"self_dark_frames = {json.dumps(names)}")(workspace, tmp_path)
    done = run(workspace, "preprocess")
    (pinned,) = [
        row for row in dump.read(tmp_path / NIGHT / "masters.ecsv", MASTERS).rows if row["kind"] == "selfdark"
    ]
    put("preprocess", f'self_dark_frames = ["{names[0]}", "no-such.fits"]')(workspace, tmp_path)
    refused = run(workspace, "preprocess")

    assert done.status == 0, done.out
    assert pinned["frames"].split(" / ") == names
    assert "self_dark_frames: no-such.fits is not one of its good frames" in refused.out


def test_with_policy_best_the_self_dark_is_made_again_and_all_is_as_if_it_had_come_at_once(tmp_path):
    best = '\n[ensemble]\npolicy = "best"\n'
    whole = make(tmp_path / "whole", DRIFTING, config=best)
    run(whole, "calibration")
    some(DRIFTING, whole, tmp_path / "grown", list(FIRST), best)
    run(tmp_path / "grown", "calibration")
    some(DRIFTING, whole, tmp_path / "grown", list(LATER), best)

    later = run(tmp_path / "grown", "calibration")

    assert later.measured("photometry") == 23
    assert results(tmp_path / "grown") == results(whole)


def test_a_better_template_is_recorded_under_keep_and_taken_under_best(at_once, tmp_path):
    best = dump.read_meta(at_once / NIGHT / "template.ecsv")["best"]
    index = int(best[-9:-5]) - 1
    some(TWELVE, at_once, tmp_path / "kept", [i for i in range(12) if i != index], "")
    run(tmp_path / "kept", "template")
    before = dump.read_meta(tmp_path / "kept" / NIGHT / "template.ecsv")
    some(TWELVE, at_once, tmp_path / "kept", [index], "")

    kept = run(tmp_path / "kept", "template")
    record = dump.read(tmp_path / "kept" / NIGHT / "template.ecsv", TEMPLATE)
    put("ensemble", 'policy = "best"')(tmp_path / "kept", tmp_path)
    taken = run(tmp_path / "kept", "template")

    assert record.meta["template"] == before["template"] == before["best"]
    assert record.meta["best"] == best
    score = {row["image_name"]: row["score"] for row in record.rows}
    assert record.meta["gain"] == pytest.approx(
        score[best] - score[before["best"]], abs=2e-6
    )  # each is rounded
    assert record.meta["gain"] > 0
    assert any(f"{best} would now score" in said for said in kept.done.values())
    assert taken.stages == ["preprocess", "template"]
    assert dump.read_meta(tmp_path / "kept" / NIGHT / "template.ecsv")["template"] == best


@pytest.mark.parametrize("torn", [b"", b'{"image_name": "half a ro'], ids=["whole", "torn"])
def test_what_a_killed_run_left_in_its_journal_is_not_measured_again(torn, at_once, tmp_path):
    shutil.copytree(at_once, tmp_path / "killed")
    path = tmp_path / "killed" / NIGHT / "photometry.fits"
    rows, _ = records.read(path, PHOTOMETRY)
    with journal.Journal(path) as kept:
        for row in rows[3:10]:
            kept.add(row)
    with journal.path_of(path).open("ab") as file:
        file.write(torn)
    path.unlink()

    done = run(tmp_path / "killed", "calibration")

    assert (done.stages, done.measured("photometry")) == (["photometry"], 11 - 7)
    assert not journal.path_of(path).exists()
    assert results(tmp_path / "killed") == results(at_once)


def test_a_workspace_that_is_moved_has_nothing_to_do(at_once, tmp_path):
    shutil.copytree(at_once, tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")

    assert run(tmp_path / "there", "calibration").done == {}


def test_a_night_that_is_done_is_not_touched_by_another(at_once, tmp_path):
    shutil.copytree(at_once, tmp_path / "both")
    before = results(tmp_path / "both")
    other = dataclasses.replace(TWELVE, seed=5, start="2025-03-08T21:00:00.000", n_bias=0, n_dark=0, n_flat=0)
    make(tmp_path / "other", other)
    shutil.copytree(tmp_path / "other" / "raw", tmp_path / "both" / "raw" / "other")

    done = run(tmp_path / "both", "calibration")

    assert done.measured("preprocess") == 12
    after = results(tmp_path / "both")
    assert {name: after[name] for name in before} == before
