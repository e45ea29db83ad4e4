"""What is said of a night and of its settings: each thing once, in the words of the workspace file."""

from __future__ import annotations

from accretor.core.settings import CalibrationSettings
from accretor.science.biasflags import Flag
from accretor.stages import calibration, madewith

DRIFT = Flag("no-flats-drift", "no flats, and the field drifts by 279 pixels")
SELF_DARK = Flag("self-dark", "the dark is the median of the drifting frames themselves")
LEVEL = Flag("no-zero-level", "neither bias nor overscan nor dark: the sky holds the zero level")
MASTERS = [
    "no darks: self-dark of 61 frames",
    "no bias: the sky holds the zero level of the detector; its noise is measured, not computed",
    "no flats: if the field drifts, the flux follows the response of the pixels",
]


def test_what_a_flag_says_is_not_said_again_by_the_masters():
    said = calibration.with_biases(["limb darkening assumed", *MASTERS], (DRIFT, SELF_DARK, LEVEL))

    assert said == [DRIFT.sentence, SELF_DARK.sentence, LEVEL.sentence, "limb darkening assumed"]


def test_why_there_is_no_self_dark_either_is_still_said():
    why = "no darks: no self-dark either, the field drifts by 2 pixels"

    assert calibration.with_biases([why, why], (LEVEL,)) == [LEVEL.sentence, why]


def test_settings_are_shown_as_they_are_written():
    section = CalibrationSettings(
        detrend=("airmass", "x"), intervals=((2460000.5, 2460000.6),), comparison=(3,)
    )

    assert madewith.differing("calibration", section) == {
        "calibration.comparison": "3",
        "calibration.detrend": "airmass, x",
        "calibration.intervals": "2460000.5, 2460000.6",
    }


def test_the_map_of_bad_pixels_counts_pixels_and_no_frames():
    assert madewith.master({"kind": "bad", "n_frame": 67}) == ["67 bad pixels", ""]
    assert madewith.master({"kind": "flat", "n_frame": 9, "remark": ""}) == ["flat", 9]


def test_a_measured_gain_is_told_once_with_its_numbers():
    gain = "gain not known: 1.34 ± 0.0025 electron/ADU estimated from 3 flats and 7 biases"

    assert calibration.with_biases([gain], (Flag("gain-estimated", gain),)) == [gain]
