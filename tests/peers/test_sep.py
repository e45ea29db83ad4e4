"""Fluxes of sep, which skynetsoap measures with, against ours."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from accretor.science import aperture
from tests.science.conftest import moffat_stars

pytestmark = pytest.mark.peers

SCRIPT = """
import sys, numpy as np, sep
image = np.load(sys.argv[1]); x, y = np.load(sys.argv[2]); radius = float(sys.argv[3])
background = sep.Background(image)
flux, error, flag = sep.sum_circle(image - background.back(), x, y, radius, subpix=0)
np.save(sys.argv[4], flux)
"""
SHAPE = (900, 1200)
RADIUS = 5.0


@pytest.fixture(scope="module")
def sep(tmp_path_factory):
    """A folder with sep in it."""
    folder = tmp_path_factory.mktemp("sep")
    numpy = f"numpy=={np.__version__}"
    commands = (
        [
            "uv",
            "pip",
            "install",
            "--quiet",
            "--python",
            sys.executable,
            "--target",
            str(folder),
            "sep",
            numpy,
        ],
        [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), "sep", numpy],
    )
    said = ""
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        except FileNotFoundError as error:
            said = str(error)
            continue
        if done.returncode == 0:
            return folder
        said = done.stderr[-200:]
    pytest.skip(f"sep cannot be installed: {said}")


def test_fluxes_of_isolated_stars_through_a_fixed_aperture_are_those_of_sep(sep, tmp_path):
    # A grid of bright stars, far from one another, on a flat sky: what differs is the method alone.
    rng = np.random.Generator(np.random.PCG64(1))
    x, y = (
        a.ravel().astype(np.float64) for a in np.meshgrid(np.arange(75, 1150, 150), np.arange(75, 850, 150))
    )
    x, y = x + rng.uniform(-0.5, 0.5, len(x)), y + rng.uniform(-0.5, 0.5, len(y))
    flux = np.geomspace(2e5, 3e6, len(x))
    image = moffat_stars(SHAPE, x, y, flux, 3.5, reach=6.0) + rng.normal(100.0, 3.0, SHAPE)
    np.save(tmp_path / "image.npy", image)
    np.save(tmp_path / "places.npy", np.array([x, y]))
    done = subprocess.run(
        [
            *(sys.executable, "-c", SCRIPT, tmp_path / "image.npy", tmp_path / "places.npy"),
            *(str(RADIUS), tmp_path / "flux.npy"),
        ],
        env={"PYTHONPATH": str(sep), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ours = aperture.measure(
        image,
        image,
        x,
        y,
        radii=np.array([RADIUS]),
        annulus=(20.0, 35.0),
        fwhm=3.5,
        gain=1.0,
        read_noise=3.0,
        recentre=np.zeros(len(x), dtype=bool),
        saturation=1e9,
    ).flux[:, 0]

    ratio = ours / np.load(tmp_path / "flux.npy")
    assert abs(np.median(ratio) - 1) < 1e-3
    np.testing.assert_allclose(ratio, 1.0, atol=1e-3)
