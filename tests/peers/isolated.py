"""Bright stars far from one another on a flat sky: what differs between programs is the method alone."""

from __future__ import annotations

import numpy as np

from accretor.science import aperture
from tests.science.conftest import moffat_stars

SHAPE = (900, 1200)


def stars(seed):
    """Return an image, and where its stars are."""
    rng = np.random.Generator(np.random.PCG64(seed))
    x, y = (
        a.ravel().astype(np.float64) for a in np.meshgrid(np.arange(75, 1150, 150), np.arange(75, 850, 150))
    )
    x, y = x + rng.uniform(-0.5, 0.5, len(x)), y + rng.uniform(-0.5, 0.5, len(y))
    flux = np.geomspace(2e5, 3e6, len(x))
    return moffat_stars(SHAPE, x, y, flux, 3.5, reach=6.0) + rng.normal(100.0, 3.0, SHAPE), x, y


def ours(image, x, y, radius):
    """Return our fluxes through a fixed aperture."""
    return aperture.measure(
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
