from __future__ import annotations

from dataclasses import replace

import pytest

from accretor.core.frame import Exposure
from accretor.core.settings import PreprocessSettings
from accretor.io import calibrations
from accretor.io.inventory import RawFile

LIGHT = Exposure(
    "light",
    filter="R",
    exposure=60.0,
    mid="2025-03-05T03:00:00",
    instrument="X",
    width=10,
    height=8,
    temperature=-20.0,
    longitude=-110.0,
    latitude=31.0,
    camera="A",
    mode="slow",
)
BIAS = replace(LIGHT, kind="bias", exposure=0.0, filter="")
DARK = replace(LIGHT, kind="dark", filter="")
FLAT = replace(LIGHT, kind="flat", exposure=3.0)


def plan(**frames: Exposure):
    files = [RawFile(name, 1, 1, exposure) for name, exposure in frames.items()]
    found = calibrations.choose(files, [LIGHT], PreprocessSettings())
    names = {kind: [file.path for file in getattr(found, kind)] for kind in ("bias", "dark", "flat")}
    return names, {file.path: reason for file, reason in found.left_out}, found.dark_is_scaled


def test_frames_of_the_same_camera_fit():
    names, left_out, is_scaled = plan(a=BIAS, b=DARK, c=FLAT, d=LIGHT)

    assert names == {"bias": ["a"], "dark": ["b"], "flat": ["c"]}
    assert left_out == {}
    assert not is_scaled


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (replace(BIAS, instrument="Y"), "bias of Y, frames of X"),
        (replace(BIAS, width=5), "bias of 5 x 8 pixels binned 1x1, frames of 10 x 8 pixels binned 1x1"),
        (replace(DARK, binning="2x2"), "dark of 10 x 8 pixels binned 2x2"),
        (replace(DARK, temperature=-15.0), "dark is 5.0 K off, 2 K allowed"),
        (replace(DARK, exposure=90.0), "dark of 90 s, frames of 60 s; without bias it cannot be scaled"),
        (replace(FLAT, filter="V"), "flat in V, frames in R"),
        (replace(FLAT, mid="2025-01-05T03:00:00"), "flat of 59 days before or after the frames, 30 allowed"),
        (replace(BIAS, camera="B"), "bias of the camera 'B', frames of 'A'; if they are one, give camera"),
        (replace(BIAS, mode="fast"), "bias read out as 'fast', frames as 'slow'"),
        (
            replace(DARK, mode="slow, rows bottom-up"),
            "dark read out as 'slow, rows bottom-up', frames as 'slow'",
        ),
        (replace(DARK, part="mean 01+10"), "10 x 8 pixels (mean 01+10) binned 1x1"),
        (replace(FLAT, calibrated="B"), "flat without its bias, frames with its bias"),
    ],
)
def test_frame_that_does_not_fit_has_the_reason(frame, reason):
    names, left_out, _ = plan(x=frame)

    assert names == {"bias": [], "dark": [], "flat": []}
    assert reason in left_out["x"]


def test_darks_within_the_tolerances_fit():
    names, _, _ = plan(
        a=replace(DARK, exposure=61.0, temperature=-21.9), b=replace(DARK, temperature=float("nan"))
    )

    assert names["dark"] == ["a", "b"]


def test_darks_of_the_nearest_exposure_are_scaled_if_there_are_biases():
    names, left_out, is_scaled = plan(a=BIAS, b=replace(DARK, exposure=90.0), c=replace(DARK, exposure=5.0))

    assert names["dark"] == ["b"]
    assert is_scaled
    assert left_out == {"c": "dark of 5 s, frames of 60 s"}


def test_dark_of_the_exposure_goes_before_one_to_be_scaled():
    names, left_out, is_scaled = plan(a=BIAS, b=replace(DARK, exposure=90.0), c=DARK)

    assert names["dark"] == ["c"]
    assert not is_scaled
    assert "b" in left_out


def test_nearest_night_serves_if_the_own_has_none():
    names, left_out, _ = plan(
        a=replace(FLAT, mid="2025-03-01T01:00:00"),
        b=replace(FLAT, mid="2025-03-07T13:00:00"),
        c=replace(FLAT, mid="2025-03-08T01:00:00"),
        d=replace(FLAT, mid="2025-03-07T01:00:00"),
    )

    assert names["flat"] == ["b", "d"]
    assert left_out["a"] == "flat of 20250228, those of 20250306 are nearer"


def test_frame_without_time_or_site_counts_to_the_own_night():
    nowhere = float("nan")

    names, _, _ = plan(a=replace(BIAS, mid="", longitude=nowhere), b=replace(BIAS, longitude=nowhere))

    assert names["bias"] == ["a", "b"]


@pytest.mark.parametrize(
    ("done", "used"),
    [("", "bias dark flat"), ("B", ""), ("BD", "bias-flat"), ("F", "bias dark"), ("BDF", "")],
)
def test_nothing_is_done_twice_to_frames_that_were_calibrated_before(done, used):
    files = [RawFile(one.kind, 1, 1, one) for one in (BIAS, DARK, FLAT)]
    files.append(RawFile("bias-flat", 1, 1, replace(FLAT, calibrated="B")))

    found = calibrations.choose(files, [replace(LIGHT, calibrated=done)], PreprocessSettings())

    names = {file.path for one in (found.bias, found.dark, found.flat) for file in one}
    expected = set(used.split()) | ({"bias-flat"} if done == "B" else set())
    assert names == expected
    assert {file.path for file, _ in found.left_out} == {file.path for file in files} - names
    assert all(reason for _, reason in found.left_out)
