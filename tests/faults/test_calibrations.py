"""Bias, dark and flat frames that do not fit, or are damaged."""

from __future__ import annotations

import re

import pytest

from tests.faults import files, look
from tests.faults.files import with_cards
from tests.harness import run

MISFITS = {
    "flat/flat-001.fits": ({"FILTER": "rp"}, "flat in rp, frames in ip"),
    "flat/flat-002.fits": (
        {"XBINNING": 2, "YBINNING": 2},
        "binned 2x2, frames of 160 x 128 pixels binned 1x1",
    ),
    "flat/flat-003.fits": (
        {"DATE-OBS": "2025-02-01T20:00:00"},
        "flat of 20250201, those of 20250304 are nearer",
    ),
    "dark/dark-001.fits": ({"EXPTIME": 60.0}, "dark of 60 s, frames of 180 s"),
    "dark/dark-002.fits": ({"CCD-TEMP": -8.0}, "dark is 12.0 K off, 2 K allowed"),
    "bias/bias-001.fits": ({"GAIN": 3.0}, "bias with gain 3, frames with gain 1.5"),
    "bias/bias-002.fits": ({"IMAGETYP": "Master Light"}, "it is made of several exposures"),
}


@pytest.fixture(scope="module")
def outcome(clean, tmp_path_factory):
    workspace = tmp_path_factory.mktemp("calibrations")
    for path in sorted((clean / "raw").rglob("*.fits")):
        name = path.relative_to(clean / "raw").as_posix()
        place = workspace / "raw" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        cards, _ = MISFITS.get(name, ({}, ""))
        place.write_bytes(with_cards(cards)(path.read_bytes()) if cards else path.read_bytes())
    damaged = workspace / "raw" / "flat" / "flat-005.fits"
    damaged.with_suffix(".fits.gz").write_bytes(files.damaged_gzip(damaged.read_bytes()))
    damaged.unlink()
    (workspace / "workspace.toml").write_bytes((clean / "workspace.toml").read_bytes())
    return workspace, run(workspace, "calibration")


@pytest.mark.parametrize("name", MISFITS)
def test_calibration_frame_that_does_not_fit_is_left_out_with_both_values(outcome, name):
    workspace, _ = outcome

    assert MISFITS[name][1] in look.reasons(workspace)[name]


def test_the_others_are_combined_and_a_damaged_one_is_named(outcome):
    _, done = outcome

    assert done.status == 0
    assert look.is_tidy(done)
    assert "bias of 3, dark of 3, flat of 1" in done.done[f"preprocess:{look.SLUG}"]
    assert "damaged, and not in the master flat: flat-005.fits.gz" in done.out


def test_damaged_calibration_frames_are_not_read_again(outcome):
    workspace, _ = outcome

    assert run(workspace, "calibration").done == {}


def test_calibration_frames_that_are_all_damaged_block_in_one_line(copy):
    workspace = copy()
    for path in sorted((workspace / "raw" / "bias").iterdir()):
        path.with_suffix(".fits.gz").write_bytes(files.damaged_gzip(path.read_bytes()))
        path.unlink()

    done = run(workspace, "preprocess")

    assert look.is_tidy(done)
    # Some have damaged headers too, as Python unpacks them, and are no bias frames then.
    said = done.failed[f"preprocess:{look.SLUG}"]
    assert re.match(r"none of [2-5] bias frames can be read, bias-00\d\.fits\.gz for one; ", said)
