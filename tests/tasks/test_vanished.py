"""Raw frames that are archived must not thin a light curve that is finished."""

from __future__ import annotations

import pytest

from tests.harness import results, run
from tests.tasks.conftest import TARGETS


def lights(space):
    return sorted((space / "raw" / TARGETS[0]).rglob("*.fits"))


def test_when_half_a_night_is_archived_the_results_stay_and_it_is_said(space, tmp_path):
    before = results(space)
    shelf = tmp_path / "archive"
    shelf.mkdir()
    moved = lights(space)[:4]
    for path in moved:
        path.rename(shelf / path.name)

    ran = run(space, "calibration")

    (reason,) = ran.failed.values()
    assert reason.startswith("4 of 8 frames of the last run are gone from raw/")
    assert f"doit redo=preprocess preprocess:{TARGETS[0]}" in reason
    assert ran.status != 0
    assert ran.done == {}
    after = results(space)
    assert {name: after[name] for name in before} == before
    assert "4 of 8 frames" in run(space, "list", "--all").out

    for path in moved:
        (shelf / path.name).rename(path)
    again = run(space, "calibration")
    assert again.status == 0
    assert again.measured("registration") == again.measured("photometry") == 0
    assert results(space) == before


def test_when_it_is_meant_one_command_makes_the_results_without_them(space):
    for path in lights(space)[:4]:
        path.unlink()
    assert run(space, "calibration").status != 0

    assert run(space, "redo=preprocess", f"preprocess:{TARGETS[0]}").status == 0
    ran = run(space, "calibration")

    assert "4 of 8" not in ran.out
    assert not any("gone from raw/" in reason for reason in ran.failed.values())


@pytest.mark.parametrize("kind", ["bias", "dark", "flat"])
def test_calibration_frames_that_are_archived_leave_the_masters_as_they_are(space, kind):
    before = results(space)
    frames = sorted((space / "raw" / kind).iterdir())
    assert len(frames) >= 3
    for path in frames:
        path.unlink()

    ran = run(space, "calibration")

    assert ran.done == {}
    assert all(f"{len(frames)} of {len(frames)} {kind} frames" in reason for reason in ran.failed.values())
    assert len(ran.failed) == 2
    after = results(space)
    assert {name: after[name] for name in before} == before


def test_frames_in_another_folder_or_under_another_name_are_not_gone(space):
    for path in lights(space)[:3]:
        path.rename(path.with_name(f"renamed-{path.name}"))
    folder = space / "raw" / "sorted"
    folder.mkdir()
    for path in sorted((space / "raw" / "bias").iterdir()):
        path.rename(folder / path.name)

    ran = run(space, "calibration")

    assert ran.failed == {}
    assert ran.measured("registration") == 0


def test_a_frame_or_two_may_be_taken_away(space):
    for path in lights(space)[:2]:
        path.unlink()

    assert "gone from raw/" not in run(space, "calibration").out
