from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

BETA = 3.2
NIGHT = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "hatp32-microobs" / "raw"


def moffat_stars(shape, x, y, flux, fwhm, *, beta=BETA, elongation=1.0, n_sub=5, reach=8.0):
    """Noise-free stars, each pixel integrated on a grid of n_sub x n_sub points."""
    image = np.zeros(shape)
    alpha = fwhm / 2 / np.sqrt(2 ** (1 / beta) - 1)
    half = int(reach * fwhm) + 4
    sub = (np.arange(n_sub) - (n_sub - 1) / 2) / n_sub
    offset = np.arange(-half, half + 1)
    for star_x, star_y, star_flux in zip(x, y, flux, strict=True):
        column, row = round(star_x), round(star_y)
        dx = (column + offset[:, None] + sub - star_x)[None, :, None, :]
        dy = (row + offset[:, None] + sub - star_y)[:, None, :, None]
        q = 1 + (dx**2 / elongation + dy**2 * elongation) / alpha**2
        stamp = star_flux * (beta - 1) / (np.pi * alpha**2) * (q**-beta).mean(axis=(2, 3))
        low_y, high_y = max(row - half, 0), min(row + half + 1, shape[0])
        low_x, high_x = max(column - half, 0), min(column + half + 1, shape[1])
        if low_y < high_y and low_x < high_x:
            top, left = row - half, column - half
            image[low_y:high_y, low_x:high_x] += stamp[
                low_y - top : high_y - top, low_x - left : high_x - left
            ]
    return image


@pytest.fixture(scope="session")
def draw() -> Callable[..., np.ndarray]:
    return moffat_stars


@pytest.fixture(scope="session")
def expose():
    def exposed(scene, seed, read_noise=8.0):
        rng = np.random.Generator(np.random.PCG64(seed))
        return (rng.poisson(scene) + rng.normal(0, read_noise, scene.shape)).astype(np.float32)

    return exposed


@pytest.fixture(scope="session")
def scattered():
    """Return positions that keep their distance from one another and from the rim."""

    def positions(n_star, shape, distance, seed):
        rng = np.random.Generator(np.random.PCG64(seed))
        found = np.zeros((0, 2))
        while len(found) < n_star:
            one = rng.uniform(distance, np.array(shape[::-1]) - distance)
            if not len(found) or np.hypot(*(found - one).T).min() > distance:
                found = np.vstack((found, one))
        return found

    return positions


@pytest.fixture(scope="session")
def real_night() -> list[np.ndarray]:
    """Return every sixth frame of a real night, ADU."""
    return frames_of_night(step=6)


@pytest.fixture(scope="session")
def whole_night() -> list[np.ndarray]:
    """Return all frames of a real night, ADU."""
    return frames_of_night(step=1)


def frames_of_night(step):
    if not NIGHT.is_dir():
        pytest.skip("real data are not here")
    from astropy.io import fits

    return [fits.getdata(path) for path in sorted(NIGHT.glob("*.FITS"))[::step]]
