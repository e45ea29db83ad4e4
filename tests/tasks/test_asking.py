"""What `doit list`, `doit why`, redo= and renew= tell and do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.harness import Run, make, results, run, start

pytestmark = pytest.mark.usefixtures("blank_figures")

SLUG = "TOI-9999.01/20250304/Demo-0m4/ip"


@pytest.fixture(scope="module")
def reduced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make(tmp_path_factory.mktemp("asking") / "workspace", lights=range(20))
    assert run(folder).status == 0
    return folder


@pytest.fixture
def workspace(reduced, tmp_path) -> Path:
    """A copy: that it was moved must not matter."""
    return Path(shutil.copytree(reduced, tmp_path / "moved"))


def line(found: Run, task: str) -> str:
    return next(text for text in found.out.splitlines() if text.split()[:1] == [task])


def test_a_finished_workspace_has_nothing_to_explain(workspace):
    assert run(workspace, "why").out.strip() == "everything is up to date"
    assert "stale" not in run(workspace, "list", "--all").out


def test_new_frames_are_counted_in_the_list_and_explained(workspace):
    make(workspace, lights=range(22))
    listed = run(workspace, "list")
    assert "20 frames" not in line(listed, "photometry")
    assert "2 new" in line(listed, "preprocess")
    assert "2 new" in line(listed, "photometry")
    said = run(workspace, "why", "photometry:TOI-9999.01")
    assert f"preprocess:{SLUG}  2 frames to measure" in said.out
    assert "raw frames changed" in said.out
    assert "calibration" not in said.out, "what comes after is not asked for"


def test_a_changed_setting_is_named_with_what_it_makes_stale(workspace):
    config = workspace / "workspace.toml"
    config.write_text(config.read_text() + "\n[photometry]\nradii = [3.0, 4.0, 5.0]\n")
    said = run(workspace, "why")
    assert f"photometry:{SLUG}  19 frames to measure" in said.out
    assert "[photometry] changed" in said.out
    assert "registration" not in said.out
    assert "stale: [photometry] changed" in line(run(workspace, "list"), "photometry")


def test_a_file_that_was_edited_is_named(workspace):
    curve = workspace / "work" / SLUG / "lightcurve.ecsv"
    curve.write_text(curve.read_text() + "\n")
    assert (
        f"work/{SLUG}/lightcurve.ecsv was changed by hand or by another program" in run(workspace, "why").out
    )


def test_asking_changes_nothing(workspace):
    make(workspace, lights=range(22))
    before = results(workspace)
    for question in (("why",), ("list",), ("list", "--all"), ("help", "photometry"), ("clean", "-n")):
        assert run(workspace, *question).status == 0
    assert results(workspace) == before


def test_asking_for_a_task_that_does_not_exist_says_so(workspace):
    asked = run(workspace, "why", "photometry:TOI-1")
    assert "photometry:TOI-1: there is no such target; did you mean photometry:TOI-9999.01?" in asked.err
    assert asked.status != 0


def test_what_failed_is_told_in_the_list_until_it_can_be_done(workspace):
    config = workspace / "workspace.toml"
    good = config.read_text()
    config.write_text(good + '\n[template]\nframe = "no-such.fits"\n')
    failed = run(workspace)
    assert failed.status != 0
    assert "no-such.fits" in failed.failed[f"template:{SLUG}"]
    assert "blocked: " in line(run(workspace, "list"), "template")
    assert "failed the last time" in run(workspace, "why").out
    config.write_text(good)
    assert run(workspace).status == 0
    assert "blocked" not in run(workspace, "list").out
    assert not list((workspace / "work").rglob("blocked.json"))


def test_redo_measures_again_what_is_there_and_ends_in_the_same_bytes(workspace):
    before = results(workspace)
    again = run(workspace, "redo=photometry", "calibration")
    assert again.measured("photometry") == 19
    assert again.stages == ["photometry"], "the same bytes make nothing else stale"
    assert results(workspace) == before


def test_redo_of_an_unknown_stage_is_one_line():
    found = run(Path("nowhere"), "redo=fotometry")
    assert found.status != 0


def test_renew_chooses_again(workspace):
    assert run(workspace, "renew=TOI-9999.01", "calibration").stages == ["preprocess", "template"]
    assert run(workspace, "calibration").stages == []


def test_clean_removes_a_stage_and_no_raw_frame(workspace):
    before = results(workspace)
    n_raw = sum(1 for _ in (workspace / "raw").rglob("*.fits"))
    assert run(workspace, "clean", "photometry", "preprocess:TOI-9999.01").status == 0
    folder = workspace / "work" / SLUG
    assert not (folder / "photometry.fits").exists()
    assert not list((folder / "masters").iterdir())
    assert (folder / "image_info.ecsv").exists()
    assert sum(1 for _ in (workspace / "raw").rglob("*.fits")) == n_raw
    assert run(workspace).status == 0
    assert results(workspace) == before


def test_clean_leaves_a_folder_that_is_a_link(workspace, tmp_path):
    folder = workspace / "work" / SLUG
    elsewhere = tmp_path / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere, target_is_directory=True)
    try:
        cleaned = run(workspace, "clean", "photometry")
        assert "is a link" in cleaned.out + cleaned.err
        assert (elsewhere / "photometry.fits").is_file()
    finally:
        folder.unlink()
        elsewhere.rename(folder)


def test_clean_forgets_why_a_stage_could_not_be_done(workspace):
    config = workspace / "workspace.toml"
    good = config.read_text()
    config.write_text(good + '\n[template]\nframe = "no-such.fits"\n')
    run(workspace)
    config.write_text(good)
    assert list((workspace / "work").rglob("blocked.json"))
    run(workspace, "clean", "template")
    assert not list((workspace / "work").rglob("blocked.json"))
    assert run(workspace).status == 0


def test_settings_of_an_observation_that_is_not_there_are_told_to_be_unused(workspace):
    config = workspace / "workspace.toml"
    good = config.read_text()
    config.write_text(good + '\n[[observation]]\nname = "TOI-9999.01/19990101"\n')
    said = run(workspace, "list").err
    config.write_text(good)
    assert "TOI-9999.01/19990101: there is no such observation yet" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--all"),
        ("redo=calibration", "calibration"),
        ("cite:TOI-9999.01",),
        ("help", "neb"),
        ("why",),
    ],
)
def test_a_reader_that_goes_away_meets_no_traceback(workspace, arguments):
    started = start(workspace, *arguments)
    started.stdout.close()
    _, said = started.communicate(timeout=60)
    assert started.returncode == 1
    assert said == ""


def test_what_was_done_before_the_reader_went_away_is_kept(workspace):
    (workspace / "work" / SLUG / "lightcurve.ecsv").unlink()
    started = start(workspace, "calibration")
    started.stdout.close()
    started.communicate(timeout=60)
    assert run(workspace, "calibration").stages == []


def test_upload_shows_the_plan_and_leaves_nothing(workspace):
    before = results(workspace)
    shown = run(workspace, "upload:TOI-9999.01")
    assert shown.status == 0, shown.out
    for word in (
        "Upload plan",
        "planet     TOI9999.01",
        "transcov   Full",
        "measurements.tbl",
        "nothing has been sent",
    ):
        assert word in shown.out
    assert results(workspace) == before


def test_a_variable_that_nothing_reads_is_refused_with_the_one_that_was_meant(workspace):
    found = run(workspace, "workspce=elsewhere", "list")
    assert found.status != 0
    assert "did you mean workspace=?" in found.err


def test_renewing_a_target_that_does_not_exist_is_refused(workspace):
    found = run(workspace, "renew=TOI-1.01", "calibration")
    assert found.status != 0
    assert "one of TOI-9999.01" in found.err


def test_a_folder_that_is_no_workspace_is_left_as_it_is(tmp_path):
    found = run(tmp_path, "list")
    assert found.status != 0
    assert "there is no workspace.toml" in found.err
    assert list(tmp_path.iterdir()) == []


def test_results_of_another_shape_do_not_break_the_list(workspace):
    (workspace / "work" / SLUG / "results.json").write_text("{}")
    next((workspace / "products").rglob("manifest.json")).write_text("[]")
    assert run(workspace, "list").status == 0
