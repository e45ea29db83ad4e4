"""Nights out of focus, and frames out of focus in a night that is not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from astropy.io import fits
from scipy.ndimage import convolve

from accretor.core.dumps import LIGHT_CURVE, TEMPLATE
from accretor.io import dump
from accretor.synthetic import demo, frames, scene
from tests.harness import SMALL, run

NIGHT = dataclasses.replace(
    SMALL, size=(420, 380), n_star=24, n_frame=12, bad_frame=None, cloud=None, n_bias=3, n_dark=0, n_flat=0
)
SLUG = f"{NIGHT.target}/20250304/Demo-0m4/ip"


def ring(outer=10.0, inner=4.0):
    rows, columns = np.mgrid[-12:13, -12:13]
    distance = np.hypot(rows, columns)
    disc = ((distance <= outer) & (distance >= inner)).astype(float)
    return disc / disc.sum()


def blurred(path, bias):
    """Give each star of a frame the picture of the mirror; the noise stays that of the sky."""
    with fits.open(path, mode="update") as hdus:
        image = hdus[0].data.astype(float) - bias
        level = np.median(image)
        rng = np.random.default_rng(len(path.name) + int(path.stem[-2:]))
        found = level + convolve(image - level, ring(), mode="nearest")
        found += rng.normal(0, np.sqrt(np.abs(found) / NIGHT.gain + (NIGHT.read_noise / NIGHT.gain) ** 2))
        hdus[0].data = np.clip(np.rint(found + bias), 0, 65535).astype(np.uint16)


def workspace(folder, which):
    frames.write(NIGHT, folder)
    paths = sorted((folder / "raw" / NIGHT.target).iterdir())
    bias = np.median([fits.getdata(path) for path in sorted((folder / "raw" / "bias").iterdir())], axis=0)
    for index, path in enumerate(paths):
        if index in which:
            blurred(path, bias)
    text = demo.WORKSPACE + '\n[compute]\nexecutor = "serial"\n'
    (folder / "workspace.toml").write_text(text, encoding="utf-8")
    return run(folder, "calibration")


def scored(folder):
    return dump.read(folder / "work" / SLUG / "template.ecsv", TEMPLATE).rows


@pytest.mark.slow
def test_night_out_of_focus_has_its_light_curve(tmp_path):
    done = workspace(tmp_path, range(NIGHT.n_frame))

    assert done.failed == {}
    assert all("out of focus: stars are 2" in row["remark"] for row in scored(tmp_path))
    rows = dump.read(tmp_path / "work" / SLUG / "lightcurve.ecsv", LIGHT_CURVE).rows
    assert [row["is_used"] for row in rows] == [True] * NIGHT.n_frame
    flux = np.array([row["relative_flux"] for row in rows])
    error = np.array([row["relative_flux_error"] for row in rows])
    transit = np.array(frames.truth(scene.prepare(NIGHT)).transit)
    residual = flux / transit
    assert np.std(residual / np.median(residual)) < 2 * np.median(error)


def test_frames_out_of_focus_among_sharp_ones_are_poor_and_say_why(tmp_path):
    done = workspace(tmp_path, (0, 7))

    assert done.failed == {}
    poor = {index: row["reason"] for index, row in enumerate(scored(tmp_path)) if row["reason"]}
    assert list(poor) == [0, 7]
    assert all("out of focus: FWHM 2" in reason for reason in poor.values())
    rows = dump.read(tmp_path / "work" / SLUG / "lightcurve.ecsv", LIGHT_CURVE).rows
    assert [row["is_used"] for row in rows] == [index not in (0, 7) for index in range(NIGHT.n_frame)]
