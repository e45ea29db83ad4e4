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


def many(frame, n, prefix):
    return {f"{prefix}{number}": frame for number in range(n)}


def test_master_goes_before_fewer_than_five_single_frames_and_not_before_five():
    master = replace(BIAS, n_combined=0)

    few, why_few, _ = plan(m=master, **many(BIAS, 4, "s"))
    enough, why_not, _ = plan(m=master, **many(BIAS, 5, "s"))

    assert few["bias"] == ["m"]
    assert set(why_few.values()) == {"only 4 single frames: the master m goes before them"}
    assert enough["bias"] == ["s0", "s1", "s2", "s3", "s4"]
    assert why_not == {"m": "5 single frames are there, and go before a master that is given"}


def test_master_of_no_more_frames_than_are_there_does_not_go_before_them():
    names, _, _ = plan(m=replace(BIAS, n_combined=3), **many(BIAS, 3, "s"))

    assert names["bias"] == ["s0", "s1", "s2"]


def test_master_of_the_night_goes_before_single_frames_of_another():
    older = replace(FLAT, mid="2025-03-01T01:00:00")

    names, left_out, _ = plan(m=replace(FLAT, n_combined=20), **many(older, 9, "s"))

    assert names["flat"] == ["m"]
    assert left_out["s0"] == "single frames 4 days off: the master m goes before them"


def test_of_several_masters_the_nearest_of_the_most_frames_is_taken():
    names, left_out, _ = plan(
        a=replace(BIAS, n_combined=10),
        b=replace(BIAS, n_combined=30),
        c=replace(BIAS, n_combined=90, mid="2025-03-01T03:00:00"),
    )

    assert names["bias"] == ["b"]
    assert left_out["c"] == "another master bias is nearer, or of more frames: b"


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (replace(FLAT, filter="V"), "flat in V, frames in R"),
        (replace(DARK, temperature=-5.0), "dark is 15.0 K off"),
        (replace(DARK, exposure=90.0), "dark of 90 s, frames of 60 s; without bias"),
        (replace(BIAS, width=5), "bias of 5 x 8 pixels"),
        (replace(BIAS, mid="2025-01-05T03:00:00"), "59 days before or after the frames"),
        (replace(DARK, calibrated="B"), "master dark without its bias, and there is no bias for the frames"),
    ],
)
def test_master_that_does_not_fit_has_the_reason(frame, reason):
    names, left_out, _ = plan(x=replace(frame, n_combined=20))

    assert names == {"bias": [], "dark": [], "flat": []}
    assert reason in left_out["x"]


def test_dark_of_the_exposure_goes_before_one_to_be_scaled_whichever_of_them_is_a_master():
    other = replace(DARK, exposure=300.0)

    exact, left_out, is_scaled = plan(b=BIAS, m=replace(DARK, n_combined=20), **many(other, 9, "s"))
    single, _, is_single_scaled = plan(b=BIAS, m=replace(other, n_combined=20), s=DARK)

    assert (exact["dark"], is_scaled) == (["m"], False)
    assert left_out["s0"] == "dark of 300 s, and there is one of the frames' exposure"
    assert (single["dark"], is_single_scaled) == (["s"], False)


def test_master_of_trimmed_frames_fits_frames_with_rims():
    light = replace(LIGHT, width=14, trim="[3:12,1:8]")
    files = [RawFile("m", 1, 1, replace(BIAS, n_combined=20)), RawFile("s", 1, 1, BIAS)]

    found = calibrations.choose(files, [light], PreprocessSettings())

    assert [file.path for file in found.bias] == ["m"]


def test_master_flat_of_another_gain_fits_for_it_has_no_unit():
    names, _, _ = plan(m=replace(FLAT, n_combined=20, gain=1.0), light=LIGHT)

    assert names["flat"] == ["m"]


@pytest.mark.parametrize(
    ("files", "said"), [([], "no flats"), ([replace(FLAT, filter="V")], "no fitting flats")]
)
def test_flats_that_do_not_fit_are_not_said_to_be_none(files, said):
    found = calibrations.choose(
        [RawFile("a", 1, 1, exposure) for exposure in [DARK, *files]], [LIGHT], PreprocessSettings()
    )

    assert found.none_of("flat", "flats") == said
    assert found.none_of("bias", "bias") == "no bias"
