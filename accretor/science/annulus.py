"""The sky in annuli around stars, and the discs of other stars that are kept out of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Booleans, Floats, Image, Integers
from accretor.science import annuli, clipping
from accretor.science.geometry import HALF_DIAGONAL, Stampable, around, picked, stamp_pixels, stamps

LEAST_SKY = 20
"""Pixels without which there is no level of the sky."""
SKY_VARIANCE = {"median": math.pi / 2, "mean": 1.0, "mode": 9 * math.pi / 2 - 8}
"""Variance of the sky level, times that of a pixel over their number. The mode is 3 median - 2 mean, whose
covariance is the variance of the mean: 9 pi / 2 + 4 - 12."""


def annulus_sky(
    image: Image | Stampable,
    x: Floats,
    y: Floats,
    annulus: tuple[float, float],
    dirt: Booleans | Sequence[Booleans],
    *,
    estimator: str = "median",
    discs: Discs | None = None,
) -> tuple[Floats, Floats, Integers]:
    """Return level, noise and number of pixels of the sky around stars.

    Parameters
    ----------
    image : (height, width), electron
    x, y : (n_star,) float64, pixel
        Finite centres.
    annulus : (float, float), pixel
        Pixels count whose centres are between these distances, both included.
    dirt : (height, width) bool, or several of them
        Pixels that do not count.
    estimator : str
        As of `measure`.
    discs : Discs
        Around other stars, which do not count either.

    Returns
    -------
    level, noise : (n_star,) float64, electron per pixel
    n_sky : (n_star,) int64
    """
    half = math.ceil(annulus[1]) + 1
    columns, rows = stamp_pixels(x, y, half)
    across, along, distance = around(half)
    near = np.flatnonzero((distance >= annulus[0] - HALF_DIAGONAL) & (distance <= annulus[1] + HALF_DIAGONAL))
    dx = across[near] - (x - columns[:, half])[:, np.newaxis]
    dy = along[near] - (y - rows[:, half])[:, np.newaxis]
    square = dx * dx + dy * dy
    values, is_inside = stamps(image, columns, rows)
    used = (square >= annulus[0] ** 2) & (square <= annulus[1] ** 2)
    if discs is not None:
        used &= annuli.free(discs.count(columns, rows, near), square, discs.own, discs.least)
    for mask in (dirt,) if isinstance(dirt, np.ndarray) else dirt:
        used &= ~picked(stamps(mask, columns, rows)[0], near)
    if not is_inside.all():
        used &= picked(is_inside, near)
    values = picked(values, near)
    values[~used] = np.nan
    kept = clipping.clipped(values, 3.0, 10)
    level = kept.median_of_steps()
    if estimator != "median":
        mean = kept.mean()
        level = mean if estimator == "mean" else 3 * level - 2 * mean
    return level, kept.deviation(), kept.high - kept.low


@dataclass(frozen=True)
class Discs:
    """What is kept out of the annuli of stars: discs around the other ones, which a cap makes smaller."""

    own: Floats
    """(n_star,) radius of the disc of each star, pixel."""
    least: float
    """Pixel; nearer to a star than this its own disc counts too."""
    alike: tuple[tuple[Integers, annuli.Counts], ...]
    """Stars of a cap, by index, and how many discs lie on each pixel (height, width) around them."""

    def of(self, part: slice) -> Discs:
        """Return those of the stars that are in a range, counted from its start."""
        alike = ((star[(star >= part.start) & (star < part.stop)], count) for star, count in self.alike)
        return Discs(self.own[part], self.least, tuple((star - part.start, count) for star, count in alike))

    def count(self, columns: Integers, rows: Integers, near: Integers) -> annuli.Counts:
        """Return how many discs lie on the pixels *near* of the cut-outs of the stars, (n_star, n_pixel)."""
        found = np.empty((len(columns), len(near)), dtype=np.int16)
        for star, count in self.alike:
            found[star] = picked(stamps(count, columns[star], rows[star])[0], near)
        return found


def discs_around(
    size: tuple[int, ...],
    x: Floats,
    y: Floats,
    annulus: tuple[float, float],
    fwhm: float,
    move: float,
    reach: Floats | None,
    cap: Floats | None,
) -> Discs:
    """Return the discs that are kept out of the annuli, for the stars of each cap.

    Parameters
    ----------
    size : (int, int)
        Height and width.
    x, y : (n_star,) float64, pixel
    annulus : (float, float), pixel
    fwhm : float, pixel
    move : float, pixel
        Their centres may be found this far from there.
    reach : (n_star,) float64, pixel
        As of `annuli.extent`; None for the least.
    cap : (n_star,) float64, pixel
        As of `annuli.caps`; None for none.
    """
    least = np.full(len(x), annuli.LEAST * fwhm)
    reach = least if reach is None else reach
    # Caps that cap nothing are one.
    cap = np.minimum(np.inf if cap is None else cap, reach.max(initial=0.0) + np.zeros(len(x)))
    alike = []
    for most in np.unique(cap):
        radius, star = np.minimum(reach, most), np.flatnonzero(cap == most)
        # Often a cap is that of one star or two: most discs are far from their annuli, wherever their
        # centres will be found.
        far = radius + annulus[1] + move
        is_near = _is_around(x, x[star], far) & _is_around(y, y[star], far)
        alike.append((star, annuli.cover(size, x[is_near], y[is_near], radius[is_near])))
    return Discs(np.minimum(reach, cap), annuli.LEAST * fwhm, tuple(alike))


def _is_around(position: Floats, others: Floats, far: Floats) -> Booleans:
    """Return which positions are no further than *far* from the range of the *others*; NaN is nowhere."""
    low, high = np.fmin.reduce(others), np.fmax.reduce(others)
    return np.asarray((position >= low - far) & (position <= high + far))
