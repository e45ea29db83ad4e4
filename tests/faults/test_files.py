"""Bad files among good ones: each has its verdict, and the others are reduced as if it were not there."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.faults import corpus, files, look
from tests.harness import SMALL, Run, run

MODEL = "TOI-9999.01-0003.fits"


@dataclasses.dataclass(frozen=True)
class Outcome:
    workspace: Path
    run: Run
    before: dict[str, str]


@pytest.fixture(scope="module")
def outcome(clean, tmp_path_factory):
    workspace = tmp_path_factory.mktemp("faulty") / "workspace"
    good = (clean / look.LIGHTS / MODEL).read_bytes()
    for path in sorted((clean / "raw").rglob("*.fits")):
        place = workspace / path.relative_to(clean)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())
    (workspace / "workspace.toml").write_bytes((clean / "workspace.toml").read_bytes())
    for number, fault in enumerate(corpus.LEFT_OUT):
        content = fault.make(files.moved(good, fault.seconds(number)))
        (workspace / "raw" / fault.name).write_bytes(content)
    before = look.outside(workspace)
    return Outcome(workspace, run(workspace, "calibration"), before)


def test_bad_files_end_no_run_and_show_no_traceback(outcome):
    assert outcome.run.status == 0
    assert look.is_tidy(outcome.run)


@pytest.mark.parametrize("fault", corpus.LEFT_OUT, ids=lambda fault: f"{fault.number}-{fault.name}")
def test_bad_file_is_left_out_with_its_reason(outcome, fault):
    reason = look.reasons(outcome.workspace)[fault.name]

    assert fault.verdict in reason
    assert "\n" not in reason
    assert len(reason) < 250


def test_frames_beside_bad_files_are_measured_as_without_them(outcome, clean):
    bad = {fault.name for fault in corpus.LEFT_OUT}
    rows = [row for row in look.curve(outcome.workspace) if row["image_name"] not in bad]

    assert look.numbers(rows) == look.numbers(look.curve(clean))


def test_bad_files_are_told_with_the_table_that_has_all_reasons(outcome):
    assert "files left out (work/inventory.ecsv):" in outcome.run.out
    assert "damaged.fits.gz: cannot be read" in outcome.run.out


def test_raw_files_and_all_beside_the_workspace_stay_as_they_were(outcome):
    assert look.outside(outcome.workspace) == outcome.before


def test_bad_files_are_not_looked_at_again(outcome):
    again = run(outcome.workspace, "calibration")

    assert again.done == {}
    assert look.is_tidy(again)


def test_other_forms_of_a_frame_give_the_same_numbers(clean, copy):
    workspace = copy()
    lights = sorted((workspace / look.LIGHTS).iterdir())[-len(corpus.USED) :]
    for path, fault in zip(lights, corpus.USED, strict=True):
        (path.parent / fault.name).write_bytes(fault.make(path.read_bytes()))
        path.unlink()
    config = workspace / "workspace.toml"
    config.write_text(config.read_text("utf-8") + "\n[preprocess]\nsave_calibrated = true\n", "utf-8")

    done = run(workspace, "calibration")

    assert done.status == 0
    assert len(list((workspace / "work" / look.SLUG / "calibrated").iterdir())) == SMALL.n_frame
    assert look.is_tidy(done)
    assert look.numbers(look.curve(workspace)) == look.numbers(look.curve(clean))


def test_frame_that_is_still_arriving_is_taken_when_it_is_whole(clean, copy):
    workspace = copy()
    path = sorted((workspace / look.LIGHTS).iterdir())[-1]
    whole = path.read_bytes()
    path.write_bytes(whole[:20_000])

    first = run(workspace, "calibration")
    path.write_bytes(whole)
    second = run(workspace, "calibration")

    assert f"{path.name}: the file ends after" in first.out
    assert "still being copied?" in first.out
    assert first.measured("photometry") == SMALL.n_frame - 2  # and the trailed one
    assert [second.measured(stage) for stage in ("preprocess", "registration", "photometry")] == [1, 1, 1]
    assert look.numbers(look.curve(workspace)) == look.numbers(look.curve(clean))


def test_sums_that_a_program_left_stale_can_be_passed_over(clean, copy):
    workspace = copy()
    path = sorted((workspace / look.LIGHTS).iterdir())[-1]
    path.write_bytes(files.flipped(path.read_bytes()))
    config = workspace / "workspace.toml"
    config.write_text(config.read_text("utf-8") + "\n[preprocess]\ncheck_sums = false\n", "utf-8")

    run(workspace, "preprocess")

    assert look.frames(workspace)[path.name]["status"] == "good"
