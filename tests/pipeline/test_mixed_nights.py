"""A disk as observers bring it: targets, filters, cameras and nights in one folder, through all stages."""

from __future__ import annotations

import dataclasses
import shutil
from collections import Counter

import numpy as np
import pytest
from astropy.io import fits

from accretor.core.dumps import CALIBRATIONS, FRAMES, INVENTORY, LIGHT_CURVE
from accretor.io import dump
from accretor.synthetic import demo, frames
from accretor.synthetic.night import Night
from tests.harness import SMALL, run

pytestmark = pytest.mark.slow  # five observations, with figures, packages and reports

BASE: Night = dataclasses.replace(
    SMALL, size=(128, 112), n_star=16, n_frame=16, bad_frame=None, cloud=None, n_bias=3, n_dark=3, n_flat=3
)
BARE = {"n_bias": 0, "n_dark": 0, "n_flat": 0}
EVENING = "2025-03-04T21:00:00.000"

NIGHTS: dict[str, Night] = {
    # Two filters in turn, the pier side changed in the middle, from before midnight UT to after it.
    "filters": dataclasses.replace(BASE, filters=("ip", "gp"), n_frame=32, flip=15, start=EVENING),
    # Another target after it, with the same calibration frames.
    "other": dataclasses.replace(
        BASE,
        target="TOI-8888.01",
        ra=185.0,
        dec=20.0,
        seed=21,
        start="2025-03-05T02:30:00.000",
        cadence=300.0,
        **BARE,
    ),
    # A second camera beside the first, at the same time.
    "camera": dataclasses.replace(BASE, camera="Second", seed=31, cadence=900.0, start=EVENING),
    # The next night has no calibration frames of its own, begins in twilight, and is binned from frame 12 on.
    "next": dataclasses.replace(BASE, start="2025-03-05T19:12:00.000", n_frame=20, seed=41, **BARE),
}
SECOND = """
[[instrument]]
name = "Second-0m2"
match = {INSTRUME = "Second"}
dialect = "generic"
telescope_diameter = 0.2
"""
OTHER = """
[[target]]
name = "TOI-8888.01"
tic = 888888888
ra = 185.0
dec = 20.0
teff = 5600
logg = 4.45
"""


def binned(path):
    """Sum each 2 x 2 pixels of a frame, as the camera does when it is told to in mid-night."""
    with fits.open(path, mode="update") as hdus:
        data = hdus[0].data.astype(np.uint32)
        height, width = data.shape
        summed = data.reshape(height // 2, 2, width // 2, 2).sum(axis=(1, 3)).clip(max=65535)
        hdus[0].data = summed.astype(np.uint16)
        hdus[0].header["XBINNING"] = hdus[0].header["YBINNING"] = 2


def focused(path, second):
    """Make a short exposure for the focus of the frame before it."""
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["EXPTIME"] = 5.0
        hdus[0].header["DATE-OBS"] = f"2025-03-04T20:{second // 60:02d}:{second % 60:02d}.000"


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """Return the workspace, reduced, and the run."""
    folder = tmp_path_factory.mktemp("mixed")
    for name, night in NIGHTS.items():
        made = folder / f"made-{name}"
        frames.write(night, made)
        shutil.move(made / "raw", folder / "raw" / name)
        made.rmdir()
    for number in range(13, 21):
        binned(folder / "raw" / "next" / BASE.target / f"{BASE.target}-{number:04d}.fits")
    for number in (1, 2):
        focus = folder / "raw" / "focus" / f"focus-{number}.fits"
        focus.parent.mkdir(exist_ok=True)
        shutil.copy(folder / "raw" / "filters" / BASE.target / f"{BASE.target}-0001.fits", focus)
        focused(focus, 60 * number)
    config = demo.WORKSPACE.replace("[[instrument]]", OTHER + "\n[[instrument]]", 1)
    config = config.replace("[upload]", SECOND.replace("\n[[", "[[", 1) + "\n[upload]")
    config = config.replace('name = "Demo-0m4" ', 'name = "Demo-0m4"\nmatch = {INSTRUME = "Demo camera"} ')
    (folder / "workspace.toml").write_text(config + '\n[compute]\nexecutor = "serial"\n', encoding="utf-8")
    return folder, run(folder, "--continue")


def rows(folder, slug, name, schema):
    return dump.read(folder / "work" / slug / name, schema).rows


OBSERVATIONS = {
    "TOI-9999.01/20250304/Demo-0m4/ip": 16,
    "TOI-9999.01/20250304/Demo-0m4/gp": 16,
    "TOI-9999.01/20250304/Second-0m2/ip": 16,
    "TOI-9999.01/20250305/Demo-0m4/ip": 12,
    "TOI-8888.01/20250304/Demo-0m4/ip": 16,
}
"""Frames of each; the eight that are binned are in none."""


def test_every_observation_has_a_light_curve_and_a_package_and_nothing_fails(disk):
    folder, done = disk

    assert (done.status, done.failed, done.err) == (0, {}, "")
    for slug, n_frame in OBSERVATIONS.items():
        assert len(rows(folder, slug, "lightcurve.ecsv", LIGHT_CURVE)) == n_frame, slug
        target, night, telescope, band = slug.split("/")
        package = folder / "products" / target / night / telescope / "package"
        # Their names have the date of UT, which for the second target is that after midnight.
        assert list(package.glob(f"*_{telescope}_{band}_measurements.tbl")), slug


def test_every_file_is_in_an_observation_or_has_its_reason(disk):
    folder, done = disk
    seen = dump.read(folder / "work" / "inventory.ecsv", INVENTORY).rows
    lights = [row for row in seen if row["kind"] == "light"]

    assert {row["path"] for row in seen} == {
        path.relative_to(folder / "raw").as_posix() for path in (folder / "raw").rglob("*.fits")
    }
    taken = Counter(row["observation"] for row in lights if not row["reason"])
    assert dict(taken) == OBSERVATIONS
    left_out = {row["path"]: row["reason"] for row in lights if row["reason"]}
    assert len(left_out) == 8 + 2
    for path, reason in left_out.items():
        wanted = "exposure of 5 s, the others have 180 s" if "focus" in path else "64 x 56 pixels binned 2x2"
        assert wanted in reason, path
    assert "binned 2x2" in done.out
    assert "of focus or pointing?" in done.out


def test_frames_of_twilight_are_in_their_observation_with_the_reason(disk):
    found = rows(disk[0], "TOI-9999.01/20250305/Demo-0m4/ip", "frames.ecsv", FRAMES)

    poor = {row["image_name"]: row["reason"] for row in found if row["status"] == "poor"}
    # The Sun is 6 degrees low at 19:32, for a day of 11.8 h has its noon at 13:18 UTC: after two exposures.
    assert list(poor) == ["TOI-9999.01-0001.fits", "TOI-9999.01-0002.fits"]
    assert all(reason.startswith("twilight: the Sun is -") for reason in poor.values())


def test_meridian_flip_leaves_no_step_in_the_light_curve(disk):
    folder, _ = disk
    truth = frames.truth(frames.scene.prepare(NIGHTS["filters"]))
    found = rows(folder, "TOI-9999.01/20250304/Demo-0m4/ip", "lightcurve.ecsv", LIGHT_CURVE)
    ratio = np.array([row["relative_flux"] for row in found]) / np.array(truth.transit[::2])
    error = np.array([row["relative_flux_error"] for row in found])
    side = np.array(truth.flip[::2])

    step = ratio[side == 1].mean() - ratio[side == -1].mean()

    assert set(side) == {1, -1}
    assert abs(step) < 4 * np.sqrt(2 * np.mean(error**2) / (len(ratio) / 2))


def test_night_and_target_without_calibration_frames_take_the_masters_of_the_night_before(disk):
    folder, _ = disk
    masters = {
        slug: {
            kind: (folder / "work" / slug / "masters" / f"{kind}.fits").read_bytes()
            for kind in ("bias", "dark", "flat")
        }
        for slug in OBSERVATIONS
    }
    first = masters.pop("TOI-9999.01/20250304/Demo-0m4/ip")

    for slug in ("TOI-9999.01/20250305/Demo-0m4/ip", "TOI-8888.01/20250304/Demo-0m4/ip"):
        assert masters[slug] == first, slug
    other = masters["TOI-9999.01/20250304/Demo-0m4/gp"]
    assert (other["bias"], other["dark"]) == (first["bias"], first["dark"])
    assert other["flat"] != first["flat"]
    second = masters["TOI-9999.01/20250304/Second-0m2/ip"]
    assert all(second[kind] != first[kind] for kind in first)


def test_table_of_each_observation_tells_what_became_of_each_calibration_frame(disk):
    folder, _ = disk
    n_file = len(
        [path for path in (folder / "raw").rglob("*-*.fits") if path.parent.name in {"bias", "dark", "flat"}]
    )
    for slug in OBSERVATIONS:
        found = rows(folder, slug, "calibrations.ecsv", CALIBRATIONS)
        assert len(found) == n_file
        assert all((row["use"] == "") == (row["reason"] != "") for row in found)

    found = rows(folder, "TOI-9999.01/20250304/Demo-0m4/gp", "calibrations.ecsv", CALIBRATIONS)
    reasons = Counter(row["reason"] for row in found if row["kind"] == "flat")
    assert reasons == {
        "": 3,
        "flat in ip, frames in gp": 3,
        "flat of Second-0m2, frames of Demo-0m4": 3,
    }
