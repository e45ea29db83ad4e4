"""Simulated nights through the stages of the pipeline, against the truth; few of them here, many by
``python -m benchmarks.validation``.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from accretor.synthetic import scenarios
from accretor.synthetic.night import Hit
from accretor.synthetic.scenarios import SCENARIOS, SMALL, Scenario
from benchmarks import validation_page
from benchmarks.validation_night import pixel_fwhm, reduced


def check(row):
    """Hold a night of a calibrated scenario against what it must reach."""
    assert row["error"] == ""
    assert (row["n_registered"], row["n_misplaced"]) == (row["n_frame"], 0)
    assert row["registration_rms"] < 0.03
    assert row["centroid_rms"] < 0.03
    # The scatter of some 45 residuals is itself known to a tenth.
    assert 0.6 < row["ratio"] < 1.3
    # Of few nights none should be beyond 4 standard errors.
    assert abs(row["k_pull"]) < 4
    assert abs(row["tc_pull"]) < 4
    assert row["delta_bic"] > 10
    if "fwhm_ratio" in row:
        assert row["fwhm_ratio"] == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("seed", [1, 2])
def test_small_night_is_reduced_to_its_truth(tmp_path, seed):
    [row] = reduced(Scenario(dataclasses.replace(SMALL, seed=seed)), tmp_path)

    check(row)
    assert row["n_good"] >= 38
    assert row["flags"] == []


@pytest.mark.long
@pytest.mark.parametrize("mode", ["variable", "optimal"])
def test_apertures_that_follow_the_seeing_and_weighted_ones_give_the_same_night(tmp_path, mode):
    night = dataclasses.replace(SMALL, seed=3, seeing_scatter=0.1)
    [row] = reduced(Scenario(night, settings={"photometry": f'mode = "{mode}"'}), tmp_path)

    check(row)
    assert row["flags"] == []


def test_frames_with_a_cosmic_ray_on_the_target_are_left_out_and_no_others(tmp_path):
    night = dataclasses.replace(
        SMALL, seed=4, hits=(Hit(9, 0), Hit(20, 0, (-1.6, 0.4)), Hit(33, 0, (0.2, -1.3), 12_000.0))
    )
    [row] = reduced(Scenario(night), tmp_path)

    check(row)
    assert (row["n_hit"], row["n_hit_kept"], row["n_left_out"]) == (3, 0, 3)


def test_a_star_alone_is_as_bright_through_every_aperture(tmp_path):
    night = dataclasses.replace(SMALL, seed=5, size=(240, 240), isolation=30.0)
    [row] = reduced(Scenario(night), tmp_path)

    # Root mean square over some 50 numbers, which apertures share.
    assert row["aperture_found_mmag"] < 2 * row["aperture_expected_mmag"]
    assert row["aperture_expected_mmag"] < 1


@pytest.mark.slow
def test_a_magnitude_depends_on_the_aperture_by_the_wings_in_the_annulus_where_wide_stars_are_crowded(
    tmp_path,
):
    [row] = reduced(scenarios.of("1 m, V = 10", 8), tmp_path)

    assert row["aperture_found_mmag"] > 1
    assert row["aperture_found_mmag"] == pytest.approx(row["aperture_expected_mmag"], rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "clouds",
        "meridian flip",
        "drift, with flats",
        "hot pixels, with darks",
        "cosmic rays",
        "defocus",
        "non-linear, corrected",
        "second-order extinction",
        "variable comparison star",
        "twilight",
        "filters in turn",
        "overscan",
        "1 m, V = 10",
    ],
)
def test_disturbed_night_is_reduced_to_its_truth(tmp_path, name):
    for row in reduced(scenarios.of(name, 101), tmp_path):
        check(row)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, scenario in SCENARIOS.items() if scenario.flags])
def test_what_biases_a_night_is_flagged(tmp_path, name):
    [row] = reduced(scenarios.of(name, 102), tmp_path)

    assert set(SCENARIOS[name].flags) <= set(row["flags"])


@pytest.mark.slow
def test_eclipse_of_a_neighbour_is_in_the_photometry(tmp_path):
    [row] = reduced(scenarios.of("eclipsing neighbour", 103), tmp_path)

    assert row["neb_found"]
    assert row["neb_depth"] == pytest.approx(0.3, abs=0.1)


def test_fwhm_that_pixels_see_is_wider_by_the_pixel():
    # A Gaussian-like core: the variance of a pixel, 1/12, is added.
    wide = pixel_fwhm(8.0, 20.0)
    assert wide**2 == pytest.approx(8.0**2 + 8 * math.log(2) / 12, rel=2e-3)
    assert pixel_fwhm(1.8, 3.0) > 1.9


def test_page_has_a_line_for_each_scenario_and_says_what_failed():
    row = {
        "error": "",
        "ratio": 0.9,
        "rms": 2.0,
        "k_pull": 0.5,
        "tc_pull": -0.5,
        "n_left_out": 1,
        "n_frame": 56,
        "n_registered": 56,
        "n_misplaced": 0,
        "n_ray": 4,
        "n_ray_found": 3,
        "n_clean": 1000,
        "n_ray_false": 2,
        "flags": ["undersampled"],
    }
    page = validation_page.page(
        {
            "quiet": [row, {**row, "ratio": 1.3, "k_pull": -0.1}],
            "undersampled": [row, {**row, "flags": []}],
            "defocus": [{"error": "no stars"}],
        }
    )

    assert "| rms / predicted, median | 1.100 | at most 1.05 |" in page
    assert "| rms / predicted, highest of 2 | 1.300 | at most 1.25 |" in page
    assert "| largest mean pull of one scenario | 0.50 ± 0.00 (quiet) | within 0.4 |" in page
    # Half of a normal distribution of that mean's error, 0.3, lies within 0.6745 of it.
    assert "| the same where nothing is biased, median | 0.20 | |" in page
    assert "| quiet | 2 | 2.00 | 1.10 (0.90 to 1.30) | +0.20 ± 0.42 | -0.50 ± 0.00 | 1 |" in page
    assert "| undersampled (not calibrated) | 112 of 112 | 0 |" in page
    assert "flag `undersampled` raised in 1 of 2 nights" in page
    assert "defocus: 1 of 1 nights gave no light curve: no stars" in page
    assert "of 8 cosmic rays that add a per cent or more to a bright star, 6 are found" in page


def test_the_largest_of_many_means_is_far_from_nothing_by_chance_alone():
    random = np.random.Generator(np.random.PCG64(4))
    errors = np.array([0.15, 0.2, 0.25] * 8)
    largest = np.abs(random.normal(0, errors, (20_000, len(errors)))).max(axis=1)

    assert validation_page.largest_by_chance(errors) == pytest.approx(np.median(largest), rel=0.02)
