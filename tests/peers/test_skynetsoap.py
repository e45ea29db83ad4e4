"""Fluxes of skynetsoap's fixed aperture against ours."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest

from accretor.science import aperture
from tests.peers.conftest import install
from tests.science.conftest import moffat_stars

pytestmark = pytest.mark.peers

SCRIPT = """
import sys, numpy as np
from skynetsoap.extraction.aperture import sum_circle
from skynetsoap.extraction.background import estimate_background
from skynetsoap.extraction.extractor import extract_sources
image = np.load(sys.argv[1])
background = estimate_background(image)
clean = image - background.background
found = extract_sources(clean, err=background.global_rms).objects
x, y = np.load(sys.argv[2])
near = [int(np.argmin(np.hypot(found["x"] - a, found["y"] - b))) for a, b in zip(x, y)]
x, y = found["x"][near], found["y"][near]
flux = sum_circle(clean, x, y, float(sys.argv[3]), err=background.global_rms)
np.save(sys.argv[4], np.array([x, y, getattr(flux, "flux", flux[0] if isinstance(flux, tuple) else flux)]))
"""
SHAPE = (900, 1200)
RADII = (5.0, 8.0)


@pytest.fixture(scope="module")
def soap(tmp_path_factory):
    """The Python of an environment with skynetsoap, which wants 3.12."""
    return install(tmp_path_factory.mktemp("soap") / "env", "skynetsoap", python="3.12")


@pytest.mark.parametrize("radius", RADII)
def test_fluxes_of_isolated_stars_are_those_of_skynetsoap_to_a_part_in_a_thousand(soap, tmp_path, radius):
    rng = np.random.Generator(np.random.PCG64(2))
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
            *(str(soap), "-c", SCRIPT, tmp_path / "image.npy", tmp_path / "places.npy"),
            *(str(radius), tmp_path / "found.npy"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # Through the apertures that skynetsoap found the places of.
    x, y, theirs = np.load(tmp_path / "found.npy")
    ours = aperture.measure(
        image,
        image,
        x,
        y,
        radii=np.array([radius]),
        annulus=(20.0, 35.0),
        fwhm=3.5,
        gain=1.0,
        read_noise=3.0,
        recentre=np.zeros(len(x), dtype=bool),
        saturation=1e9,
    ).flux[:, 0]

    assert abs(np.median(ours / theirs) - 1) < 1e-3
    np.testing.assert_allclose(ours / theirs, 1.0, atol=1e-3)
