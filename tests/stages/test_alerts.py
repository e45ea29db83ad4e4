"""What is said while a night is under way."""

from __future__ import annotations

import math

import pytest

from accretor.stages import alerts


def curve(n: int = 20, **changes: object) -> list[dict]:
    """A calm night; *changes* hold for the last three frames."""
    rows = [
        {
            "bjd_tdb": 2460000 + i / 480,
            "relative_flux": 1.0,
            "zero_point": 0.0,
            "x": 100.0,
            "y": 100.0,
            "reason": "",
        }
        for i in range(n)
    ]
    for row in rows[-3:]:
        row.update(changes)
    return rows


def test_a_calm_night_is_silent():
    assert alerts.of_light_curve(curve()) == []


def test_the_first_frames_of_a_night_are_no_reason_for_alarm():
    assert alerts.of_light_curve(curve(4, zero_point=-3.0)) == []


def test_clouds_are_told_with_the_transparency_that_is_left():
    (said,) = alerts.of_light_curve(curve(zero_point=-0.7526))
    assert said.startswith("clouds")
    assert "50 %" in said


@pytest.mark.parametrize("loss", [0.0, -0.4])
def test_thin_haze_is_not_called_clouds(loss):
    assert alerts.of_light_curve(curve(zero_point=loss)) == []


def test_a_lost_target_is_told_with_the_reason():
    (said,) = alerts.of_light_curve(
        curve(
            relative_flux=math.nan,
            zero_point=math.nan,
            x=math.nan,
            y=math.nan,
            reason="2 stars found, 8 needed",
        )
    )
    assert said.startswith("target lost")
    assert "2 stars found" in said


def test_saturation_is_told():
    (said,) = alerts.of_light_curve(curve(reason="target saturated"))
    assert said.startswith("saturation")
    assert "3 of the last 5" in said


def test_drift_is_told_in_pixels_per_hour():
    rows = curve()
    for i, row in enumerate(rows):
        row["x"] += i * 0.25  # 0.25 pixel in 3 minutes
    assert alerts.of_light_curve(rows) == []
    for i, row in enumerate(rows):
        row["x"] += i * 0.5
    (said,) = alerts.of_light_curve(rows)
    assert said == "drift: the target moves by 15 pixel per hour"
