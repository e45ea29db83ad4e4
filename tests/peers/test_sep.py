"""Fluxes of sep, which skynetsoap measures with, against ours."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tests.peers import isolated

pytestmark = pytest.mark.peers

SCRIPT = """
import sys, numpy as np, sep
image = np.load(sys.argv[1]); x, y = np.load(sys.argv[2]); radius = float(sys.argv[3])
background = sep.Background(image)
flux, error, flag = sep.sum_circle(image - background.back(), x, y, radius, subpix=0)
np.save(sys.argv[4], flux)
"""
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
    image, x, y = isolated.stars(1)
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
    ours = isolated.ours(image, x, y, RADIUS)

    ratio = ours / np.load(tmp_path / "flux.npy")
    assert abs(np.median(ratio) - 1) < 1e-3
    np.testing.assert_allclose(ratio, 1.0, atol=1e-3)
