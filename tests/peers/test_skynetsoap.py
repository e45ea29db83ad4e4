"""Fluxes of skynetsoap's fixed aperture against ours."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest

from tests.peers import isolated
from tests.peers.conftest import install

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
RADII = (5.0, 8.0)


@pytest.fixture(scope="module")
def soap(tmp_path_factory):
    """The Python of an environment with skynetsoap, which wants 3.12."""
    return install(tmp_path_factory.mktemp("soap") / "env", "skynetsoap", python="3.12")


@pytest.mark.parametrize("radius", RADII)
def test_fluxes_of_isolated_stars_are_those_of_skynetsoap_to_a_part_in_a_thousand(soap, tmp_path, radius):
    image, x, y = isolated.stars(2)
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
    ours = isolated.ours(image, x, y, radius)

    assert abs(np.median(ours / theirs) - 1) < 1e-3
    np.testing.assert_allclose(ours / theirs, 1.0, atol=1e-3)
