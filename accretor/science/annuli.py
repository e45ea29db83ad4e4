"""Whose light is kept out of the annuli of the sky, and how far from each star."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from accretor.core.arrays import Booleans, Floats, Integers
from accretor.science.geometry import stamp_pixels, stamps

Counts = NDArray[np.int16]

LEAST = 2.0
"""Radius of the disc that is kept out around every star, FWHM."""
CAPS = (5.0, 4.0, 3.0, LEAST)
"""Largest discs, FWHM: the first that leaves a star enough of its annulus is taken."""
ENOUGH = 0.5
"""Part of the annulus, as discs of 2 FWHM leave it, that is enough."""
FAINT = 0.1
"""Light of a star at the rim of its disc over the noise of a pixel; that of many stars adds up."""
FAR = 1e6
"""Pixel: a star further away is not in the frame."""
TOGETHER = 1 << 16
"""Pixels of annuli that are looked at together, and stay in the processor's cache."""
BETA = 3.0
"""Exponent of the wings (Moffat 1969, A&A 3, 455)."""


def extent(flux: Floats, noise: float, fwhm: float) -> Floats:
    """Return how far from each star its light is at least a tenth of the noise of a pixel.

    Parameters
    ----------
    flux : (n_star,) float64, electron
        Zero or less, or NaN, for a star that is only known to be there.
    noise : float, electron
        Of a pixel of the sky.
    fwhm : float, pixel

    Returns
    -------
    (n_star,) float64, pixel
        At least 2 FWHM, and at most 5.
    """
    alpha = fwhm / 2 / math.sqrt(2 ** (1 / BETA) - 1)
    central = np.where(flux > 0, flux, 0.0) * (BETA - 1) / (math.pi * alpha**2)
    ratio = np.maximum(central / (FAINT * noise) if noise > 0 else np.zeros(len(flux)), 1.0)
    return np.clip(alpha * np.sqrt(ratio ** (1 / BETA) - 1), LEAST * fwhm, CAPS[0] * fwhm)


def cover(size: tuple[int, ...], x: Floats, y: Floats, radius: Floats) -> Counts:
    """Return how many of the discs around stars each pixel's centre is in.

    Parameters
    ----------
    size : (int, int)
        Height and width.
    x, y : (n_star,) float64, pixel
        A star that is not finite has no disc.
    radius : (n_star,) float64, pixel

    Returns
    -------
    (height, width) int
    """
    count = np.zeros(size, dtype=np.int16)
    is_there = (np.abs(x) < FAR) & (np.abs(y) < FAR)  # NaN is neither
    x, y, radius = x[is_there], y[is_there], radius[is_there]
    left, right, across = _side(x, radius)
    low, high, along = _side(y, radius)
    for star, square in enumerate((radius * radius).tolist()):
        part = count[low[star] : high[star], left[star] : right[star]]
        height, width = part.shape
        part += across[star, :width] + along[star, :height, np.newaxis] <= square
    return count


def _side(position: Floats, radius: Floats) -> tuple[list[int], list[int], Floats]:
    """Return the first index of each disc, that after its last, and squared distances from the first on."""
    first = np.maximum(np.ceil(position - radius), 0).astype(np.int64)
    after = np.maximum(np.floor(position + radius) + 1, 0).astype(np.int64)
    offset = first[:, np.newaxis] + np.arange((after - first).max(initial=0)) - position[:, np.newaxis]
    return first.tolist(), after.tolist(), offset * offset


def caps(
    size: tuple[int, ...], x: Floats, y: Floats, reach: Floats, annulus: tuple[float, float], fwhm: float
) -> Floats:
    """Return for each star the largest disc of the others that leaves it enough of its annulus.

    Parameters
    ----------
    size : (int, int)
        Height and width.
    x, y : (n_star,) float64, pixel
    reach : (n_star,) float64, pixel
        As of `extent`.
    annulus : (float, float), pixel
    fwhm : float, pixel

    Returns
    -------
    (n_star,) float64, pixel
        Of `CAPS`, times the FWHM.
    """
    least = np.full(len(x), LEAST * fwhm)
    needed = ENOUGH * _n_free(size, x, y, least, annulus, LEAST * fwhm)
    found = least.copy()
    for cap in reversed(CAPS[:-1]):
        free = _n_free(size, x, y, np.minimum(reach, cap * fwhm), annulus, LEAST * fwhm)
        found[free >= needed] = cap * fwhm
    return found


def free(count: Counts, square: Floats, own: Floats, least: float) -> Booleans:
    """Return which pixels of cut-outs are in no disc but, beyond the *least*, the star's own.

    Parameters
    ----------
    count : (n_star, n_pixel)
        Cut out of `cover`.
    square : (n_star, n_pixel) float64, pixel^2
        Squared distance from the star.
    own : (n_star,) float64, pixel
        Radius of its disc.
    least : float, pixel
        The star's own light takes the place of a constant sky nearer than this.
    """
    is_own = (square <= (own**2)[:, np.newaxis]) & (square > least**2)
    return np.asarray(count <= is_own)


def _n_free(
    size: tuple[int, ...], x: Floats, y: Floats, radius: Floats, annulus: tuple[float, float], least: float
) -> Integers:
    """Return how many pixels of each annulus are in the frame and in no disc."""
    count = cover(size, x, y, radius)
    found = np.zeros(len(x), dtype=np.int64)
    half = math.ceil(annulus[1]) + 1
    together = max(1, TOGETHER // (2 * half + 1) ** 2)
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    for star in (known[begin : begin + together] for begin in range(0, len(known), together)):
        columns, rows = stamp_pixels(x[star], y[star], half)
        discs, is_inside = stamps(count, columns, rows)
        along_x, along_y = (columns - x[star, np.newaxis]) ** 2, (rows - y[star, np.newaxis]) ** 2
        square = (along_x[:, np.newaxis, :] + along_y[:, :, np.newaxis]).reshape(len(star), -1)
        used = (square >= annulus[0] ** 2) & (square <= annulus[1] ** 2)
        used &= is_inside.reshape(square.shape)
        found[star] = (used & free(discs.reshape(square.shape), square, radius[star], least)).sum(axis=1)
    return found
