"""A night whose calibration frames another program has combined: the light curve is that of single ones."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest
from astropy.io import fits

from accretor.core.dumps import CALIBRATIONS, LIGHT_CURVE, MASTERS
from accretor.io import dump
from accretor.synthetic import demo, frames
from tests.harness import SMALL, run

NIGHT = dataclasses.replace(
    SMALL, size=(128, 112), n_star=16, n_frame=14, bad_frame=None, cloud=None, n_bias=7, n_dark=7, n_flat=7
)
SLUG = f"{NIGHT.target}/20250304/Demo-0m4/ip"
KINDS = ("bias", "dark", "flat")


def combined(raw, kind, calibrated=0.0):
    """Return the mean of the single frames of a kind without outliers, and their header."""
    paths = sorted((raw / kind).glob("*.fits"))
    stack = np.array([fits.getdata(path).astype(float) for path in paths]) - calibrated
    if kind == "flat":
        stack /= np.median(stack, axis=(1, 2))[:, np.newaxis, np.newaxis]
    middle = np.median(stack, axis=0)
    spread = 1.4826 * np.median(np.abs(stack - middle), axis=0)
    kept = np.abs(stack - middle) <= 4 * np.maximum(spread, np.median(spread))
    return np.where(kept, stack, 0).sum(axis=0) / kept.sum(axis=0), fits.getheader(paths[0])


def write(path, image, header, **cards):
    header = header.copy()
    header.update({key.replace("_", "-"): value for key, value in cards.items()})
    for key in ("BZERO", "BSCALE"):
        header.remove(key, ignore_missing=True)
    path.parent.mkdir(exist_ok=True)
    fits.PrimaryHDU(np.asarray(image, dtype=np.float32), header).writeto(path, overwrite=True)


def as_maxim(raw):
    """Masters in ADU; the dark holds its bias, the flat does not, and says so."""
    (bias, of_bias), (dark, of_dark) = combined(raw, "bias"), combined(raw, "dark")
    flat, of_flat = combined(raw, "flat", bias + (dark - bias) * flat_time(raw))
    return {
        "Master_Bias.fit": (bias, of_bias, {"IMAGETYP": "Bias Frame", "SNAPSHOT": 7}),
        "Master_Dark.fit": (dark, of_dark, {"IMAGETYP": "Dark Frame", "SNAPSHOT": 7}),
        "Master_Flat.fit": (21000 * flat, of_flat, {"IMAGETYP": "Flat Field", "CALSTAT": "BD"}),
    }


def as_pixinsight(raw):
    """Masters from 0 to 1, without a number of frames; the flat is normalised."""
    (bias, of_bias), (dark, of_dark) = combined(raw, "bias"), combined(raw, "dark")
    flat, of_flat = combined(raw, "flat", bias + (dark - bias) * flat_time(raw))
    return {
        "masterBias.fit": (bias / 65535, of_bias, {"IMAGETYP": "Master Bias"}),
        "masterDark.fit": (dark / 65535, of_dark, {"IMAGETYP": "Master Dark"}),
        "masterFlat.fit": (0.4 * flat, of_flat, {"IMAGETYP": "Master Flat"}),
    }


def as_ccdproc(raw):
    """Masters in ADU without the bias in the dark, which no card tells; the flat has a median of 1."""
    (bias, of_bias), (dark, of_dark) = combined(raw, "bias"), combined(raw, "dark")
    flat, of_flat = combined(raw, "flat", bias + (dark - bias) * flat_time(raw))
    return {
        "combined_bias.fit": (bias, of_bias, {"COMBINED": True}),
        "combined_dark_180.fit": (dark - bias, of_dark, {"COMBINED": True}),
        "combined_flat_ip.fit": (flat, of_flat, {"COMBINED": True}),
    }


def flat_time(raw):
    seconds = [
        fits.getheader(next(iter(sorted((raw / kind).glob("*.fits")))))["EXPTIME"] for kind in KINDS[:0:-1]
    ]
    return seconds[0] / seconds[1]


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    """Return the workspace with single frames, and its light curve."""
    folder = tmp_path_factory.mktemp("single")
    frames.write(NIGHT, folder)
    text = demo.WORKSPACE + '\n[compute]\nexecutor = "serial"\n'
    (folder / "workspace.toml").write_text(text, encoding="utf-8")
    assert run(folder, "calibration").failed == {}
    return folder


def given(folder, single, program):
    shutil.copytree(single / "raw", folder / "raw")
    shutil.copy(single / "workspace.toml", folder)
    made = program(single / "raw")
    for kind in KINDS:
        shutil.rmtree(folder / "raw" / kind)
    for name, (image, header, cards) in made.items():
        write(folder / "raw" / "masters" / name, image, header, **cards)
    return folder


def curve(folder):
    rows = dump.read(folder / "work" / SLUG / "lightcurve.ecsv", LIGHT_CURVE).rows
    return np.array([[row["relative_flux"], row["relative_flux_error"]] for row in rows]).T


def masters(folder):
    found = dump.read(folder / "work" / SLUG / "masters.ecsv", MASTERS)
    return {row["kind"]: row for row in found.rows}, found.meta["remarks"]


@pytest.mark.parametrize("program", [as_maxim, as_pixinsight, as_ccdproc])
def test_light_curve_is_that_of_the_single_frames(tmp_path, single, program):
    folder = given(tmp_path / "given", single, program)

    done = run(folder, "calibration")

    assert (done.status, done.failed) == (0, {})
    (flux, error), (expected, _) = curve(folder), curve(single)
    # The programs do not clip as we do, and round; that is far below the noise of a point.
    assert np.abs(flux - expected).max() < 0.05 * error.min()
    rows, remarks = masters(folder)
    number = {"bias": 7, "dark": 7, "flat": 0} if program is as_maxim else dict.fromkeys(KINDS, 0)
    assert {kind: rows[kind]["n_frame"] for kind in KINDS} == number
    for kind in KINDS:
        assert sum(f"master {kind}" in said and "was given, of" in said for said in remarks) == 1
    used = dump.read(folder / "work" / SLUG / "calibrations.ecsv", CALIBRATIONS).rows
    assert {row["use"] for row in used} == {"bias.fits", "dark.fits", "flat.fits"}


def test_master_that_is_replaced_added_or_removed_makes_anew_what_follows_and_nothing_else(tmp_path, single):
    folder = given(tmp_path / "given", single, as_maxim)
    first = run(folder, "calibration")
    before = curve(folder)[0]
    flat = folder / "raw" / "masters" / "Master_Flat.fit"
    image, header = fits.getdata(flat), fits.getheader(flat)

    again = run(folder, "calibration")
    write(flat, image * np.linspace(0.98, 1.02, image.shape[1]), header)
    replaced = run(folder, "calibration")
    changed = curve(folder)[0]
    write(flat, image, header)
    back = run(folder, "calibration")
    restored = curve(folder)[0]
    flat.unlink()
    without = run(folder, "calibration")

    assert first.failed == again.failed == replaced.failed == back.failed == without.failed == {}
    assert again.done == {}
    assert "bias given, of 7, dark given, of 7, flat given" in replaced.done[f"preprocess:{SLUG}"]
    assert replaced.done[f"photometry:{SLUG}"].startswith(f"{NIGHT.n_frame} measured, 0 kept")
    assert not np.array_equal(changed, before)
    np.testing.assert_array_equal(restored, before)
    assert "flat" not in masters(folder)[0]
    assert without.done[f"photometry:{SLUG}"].startswith(f"{NIGHT.n_frame} measured, 0 kept")


def test_master_bias_of_another_scale_stops_the_observation_with_both_levels(tmp_path, single):
    folder = given(tmp_path / "given", single, as_maxim)
    path = folder / "raw" / "masters" / "Master_Bias.fit"
    write(path, 16 * fits.getdata(path), fits.getheader(path))

    done = run(folder, "preprocess")

    said = done.failed[f"preprocess:{SLUG}"]
    assert "master bias Master_Bias.fit: its level is" in said
    assert "it is of another camera, offset or scale" in said
