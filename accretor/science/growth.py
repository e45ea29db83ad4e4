"""The curve of growth: how much of a star's light is in each aperture."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Booleans, Floats

MOST_STARS = 30
"""Brightest stars that stand alone; fainter ones add noise only."""


@dataclass(frozen=True)
class Growth:
    """Light through each radius over that through the largest; (n_radius,)."""

    target: Floats
    target_error: Floats
    """By the scatter of the frames; NaN with fewer than two."""
    stars: Floats
    stars_error: Floats
    """By the scatter of the stars; NaN with fewer than two."""
    n_star: int


def curve(flux: Floats, *, is_left_out: Booleans, is_alone: Booleans) -> Growth:
    """Return the curve of growth of the target, and that of the other stars.

    Where the target's curve goes on to rise after that of the others has ended, there is a neighbour in
    its larger apertures.

    Parameters
    ----------
    flux : (n_frame, n_star, n_radius) float64, electron
        The target is the first star; radii ascend; NaN is allowed.
    is_left_out : (n_frame, n_star) bool
        Measurements that do not count.
    is_alone : (n_star,) bool
        Stars without a neighbour of note.

    Returns
    -------
    Growth
        Medians over frames, for each star first; NaN where there is nothing.
    """
    last = flux[:, :, -1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((last > 0) & ~is_left_out[:, :, np.newaxis], flux / last, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a star or radius without any value is NaN
        of_star = np.nanmedian(ratio, axis=0) if len(ratio) else np.full(flux.shape[1:], np.nan)
        light = np.nanmedian(last[:, :, 0], axis=0) if len(ratio) else np.full(flux.shape[1], np.nan)
    known = np.flatnonzero(is_alone & np.isfinite(of_star).all(axis=1) & (np.arange(len(light)) > 0))
    chosen = known[np.argsort(-light[known], kind="stable")][:MOST_STARS]
    target, target_error = _middle(ratio[:, 0])
    stars, stars_error = _middle(of_star[chosen])
    return Growth(target, target_error, stars, stars_error, len(chosen))


def _middle(values: Floats) -> tuple[Floats, Floats]:
    """Return the median of each column, and its error."""
    values = values[np.isfinite(values).all(axis=1)]
    nothing = np.full(values.shape[1], np.nan)
    if not len(values):
        return nothing, nothing
    middle = np.median(values, axis=0)
    if len(values) < 2:
        return middle, nothing
    spread = 1.4826 * np.median(np.abs(values - middle), axis=0)
    return middle, spread * math.sqrt(math.pi / 2 / len(values))
