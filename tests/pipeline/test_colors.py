"""Colours of a catalogue, from the frames to the weights of the comparison stars and the light curve."""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pytest

from accretor.core.dumps import COMPARISON, LIGHT_CURVE, TEMPLATE_STARS
from accretor.io import dump
from accretor.synthetic import scenarios, scene, sky
from tests import skies
from tests.harness import make, run

NIGHT = dataclasses.replace(
    scenarios.of("second-order extinction", 3).night,
    colour_scatter=0.6,
    start="2025-03-04T23:20:00.000",
    cadence=360.0,
    n_frame=30,
    size=(320, 280),
    n_star=40,
    isolation=36.0,
)
"""From airmass 1.13 to 2.43, after the transit."""
THERE = scene.prepare(NIGHT)
TARGET = max(np.flatnonzero(THERE.colour > 0.7), key=lambda star: THERE.flux[star])
"""A red star, as the hosts of small planets are; most others are bluer."""
SLUG = "work/TOI-9999.01/20250304/Demo-0m4/ip"
NO_TERMS = "\n[calibration]\ndetrend = []\n"
"""The trend with airmass stays in the light curve, where it can be measured."""


def of(folder):
    """Return what a workspace has of the night: rows of the stars and of the light curve, and the results."""
    paths = folder / SLUG
    return (
        dump.read(paths / "comparison.ecsv", COMPARISON).rows,
        dump.read(paths / "lightcurve.ecsv", LIGHT_CURVE).rows,
        json.loads((paths / "results.json").read_text(encoding="utf-8")),
    )


@pytest.fixture(scope="module")
def reduced(tmp_path_factory):
    """The same frames calibrated without and with a catalogue, and by how much each star is redder."""
    folder = make(tmp_path_factory.mktemp("colors") / "workspace", NIGHT, config=NO_TERMS)
    settings = folder / "workspace.toml"
    text = settings.read_text(encoding="utf-8")
    for name, value in zip(("ra", "dec"), sky.to_sky(NIGHT, THERE.position[TARGET]).ravel(), strict=True):
        text = re.sub(rf"(?m)^{name} = \S+", f"{name} = {value:.7f}", text, count=1)
    settings.write_text(text, encoding="utf-8")
    first = run(folder, "calibration")
    assert (first.status, first.failed) == (0, {}), first.out
    without = of(folder)
    skies.keep(folder, skies.catalog(NIGHT))
    second = run(folder, "calibration")
    assert (second.status, second.failed) == (0, {}), second.out
    assert second.measured("photometry") == 0
    stars = dump.read(folder / SLUG / "template_stars.ecsv", TEMPLATE_STARS)
    number = int(stars.meta["frame"].rsplit("-", 1)[1].split(".")[0]) - 1
    true = scene.positions(THERE, number)
    order = [int(np.hypot(*(true - [row["x"], row["y"]]).T).argmin()) for row in stars.rows]
    assert order[0] == TARGET
    return without, of(folder), THERE.colour[order] - THERE.colour[TARGET]


def tilt(curve):
    """Return by how much the target, which is constant, brightens with airmass, and the error of that."""
    used = np.array([row["is_used"] for row in curve])
    light = np.array([row["relative_flux"] for row in curve])[used]
    error = np.array([row["relative_flux_error"] for row in curve])[used]
    design = np.column_stack([np.ones(used.sum()), THERE.airmass[used] - 1]) / error[:, np.newaxis]
    covariance = np.linalg.inv(design.T @ design)
    return (covariance @ design.T @ (light / error))[1], np.sqrt(covariance[1, 1])


def expected(stars, redder):
    """Return the same by the colours of the ensemble, as the simulator dims them."""
    weight = np.array([row["weight"] * row["is_comparison"] for row in stars])
    return 0.4 * np.log(10) * NIGHT.colour_extinction * (weight @ redder) / weight.sum()


def test_with_colours_less_of_the_extinction_by_colour_is_left_in_the_light_curve(reduced):
    without, with_colors, redder = reduced

    before, error = tilt(without[1])
    after, error_after = tilt(with_colors[1])

    assert before == pytest.approx(expected(without[0], redder), abs=4 * error)
    assert after == pytest.approx(expected(with_colors[0], redder), abs=4 * error_after)
    assert abs(before) > 5 * error
    assert abs(after) < 0.95 * abs(before)


def test_the_colours_are_those_of_the_stars_and_what_they_did_is_written_down(reduced):
    without, (stars, _, results), redder = reduced
    difference = np.array([row["color_difference"] for row in stars])
    is_kept = np.array([row["is_comparison"] for row in stars])
    refused = [row for row in stars if row["reason"].startswith("colour differs")]

    np.testing.assert_allclose(difference, redder, atol=2e-4)
    assert results["comparison_colors"] == "BP - RP of gaia_dr3"
    assert without[2]["comparison_colors"] == ""
    assert refused
    assert {row["reason"] for row in refused} == {
        f"colour differs by {abs(row['color_difference']):.2f} mag from the target's" for row in refused
    }
    assert all(abs(row["color_difference"]) > 1 for row in refused)
    assert np.abs(difference[is_kept]).max() <= 1
