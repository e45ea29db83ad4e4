from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from accretor.science.biasflags import Night, flags
from accretor.science.readout import median_filtered
from accretor.synthetic.camera import add_stars

CLEAN = Night(
    fwhm=3.4,
    drift=(2.0, 1.0),
    has_flat=True,
    n_flat=5,
    has_dark=True,
    has_self_dark=False,
    has_zero_level=True,
    n_hot=40,
    n_pixel=1_000_000,
    n_target_bad=0,
    n_target_saturated=0,
    n_comparison_saturated=0,
    n_frame=120,
    target_peak=0.6,
    coverage="Full",
    baseline=(0.6, 0.5),
    time_rule="DATE-OBS is the start of the exposure: by its comment",
)


def codes(**changes):
    return [flag.code for flag in flags(dataclasses.replace(CLEAN, **changes))]


def test_night_without_blemish_has_no_flags():
    assert flags(CLEAN) == ()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"has_flat": False, "drift": (30.0, 8.0)}, ["no-flats-drift"]),
        ({"has_flat": False}, ["no-flats"]),
        ({"has_flat": False, "has_flip": True}, ["no-flats", "no-flats-flip"]),
        ({"drift": (30.0, 8.0), "has_flip": True}, []),
        ({"has_dark": False}, ["no-darks-hot"]),
        ({"has_dark": False, "n_hot": 0}, []),
        ({"has_dark": False, "n_hot": None}, ["no-darks-hot"]),
        ({"n_hot": None}, []),
        ({"has_dark": False, "has_self_dark": True}, ["no-darks-hot", "self-dark"]),
        ({"has_zero_level": False}, ["no-zero-level"]),
        ({"n_target_saturated": 3}, ["target-saturated"]),
        ({"n_comparison_saturated": 1}, ["comparison-saturated"]),
        ({"target_peak": 0.9}, ["target-bright"]),
        ({"target_peak": 0.9, "is_nonlinearity_known": True}, []),
        ({"target_peak": float("nan")}, []),
        ({"n_target_bad": 7}, ["bad-pixels"]),
        ({"fwhm": 1.8}, ["undersampled"]),
        ({"drift": (30.0, 8.0), "n_flat": 2}, ["few-flats"]),
        ({"drift": (30.0, 8.0), "n_flat": 3}, []),
        ({"drift": (30.0, 8.0), "n_flat": 0}, []),
        ({"n_flat": 1}, []),
        ({"seen_saturation": 4095.0}, ["saturation-estimated"]),
        ({"misfit": 0.07}, ["profile"]),
        ({"misfit": 0.004}, []),
        ({"gain_estimate": "1.3 ± 0.1 electron/ADU estimated from the sky of 40 frames"}, ["gain-estimated"]),
        ({"is_read_noise_assumed": True}, ["read-noise-assumed"]),
        ({"is_median_filtered": True}, ["median3"]),
        ({"neighbour_light": 0.02}, ["blend"]),
        ({"coverage": "Ingress", "baseline": (0.6, 0.0)}, ["partial"]),
        ({"baseline": (0.6, 0.1)}, ["short-baseline"]),
        ({"time_rule": "DATE-OBS is the start of the exposure: assumed"}, ["time-stamp-assumed"]),
        ({"n_clock_problem": 1}, ["clock"]),
        ({"has_diameter": False}, ["no-diameter"]),
    ],
)
def test_each_thing_that_biases_is_flagged_and_nothing_else(changes, expected):
    assert codes(**changes) == expected


def test_sentences_have_the_numbers():
    said = flags(dataclasses.replace(CLEAN, has_flat=False, drift=(30.0, 40.0), n_target_saturated=3))

    assert "drifts by 50 pixels" in said[0].sentence
    assert "3 of 120 frames" in said[1].sentence


@pytest.mark.parametrize("fwhm", [3.5, 7.0])
def test_cost_of_a_median_is_what_simulated_stars_lose(fwhm):
    rng = np.random.Generator(np.random.PCG64(1))
    ratio = []
    for _ in range(40):
        x, y = 40 + rng.uniform(-0.5, 0.5, 2)
        image = np.zeros((81, 81))
        add_stars(image, np.array([x]), np.array([y]), np.array([1e6]), fwhm, 3.2)
        row, column = np.mgrid[:81, :81]
        inside = np.hypot(column - x, row - y) < 1.2 * fwhm + 2
        ratio.append(median_filtered(image)[inside].sum() / image[inside].sum())
    said = flags(dataclasses.replace(CLEAN, fwhm=fwhm, is_median_filtered=True))[0].sentence

    cost = float(said.split("adds about ")[1].split(" ppt")[0])
    assert cost == pytest.approx(1000 * np.std(ratio) / np.mean(ratio), rel=0.6)
