"""Apparent magnitudes in a measurement table, as AstroImageJ computes them."""

from __future__ import annotations

import math

import numpy as np

from accretor.core.arrays import Booleans, Floats

BASE = 2.512
"""Of the sum of the comparison stars: AstroImageJ has it where 10^0.4 = 2.51189 is exact."""
UNKNOWN = 99.999
"""What AstroImageJ writes for a comparison star whose magnitude was not given."""


def apparent(
    flux: Floats, error: Floats, magnitude: Floats, is_comparison: Booleans
) -> tuple[Floats, Floats] | None:
    """Return the magnitudes of all stars against those that are given for comparison stars.

    A target has that of the sum of the comparison stars with a magnitude, less its flux over
    theirs; a comparison star has its own.

    Parameters
    ----------
    flux, error : (n, n_star) float64, ADU
    magnitude : (n_star,) float64
        NaN where none is given.
    is_comparison : (n_star,) bool

    Returns
    -------
    magnitude, error : (n, n_star) float64
        NaN where a flux is not above 0; None if no comparison star has a magnitude.
    """
    is_given = is_comparison & np.isfinite(magnitude)
    if not is_given.any():
        return None
    total_magnitude = -math.log(float((BASE ** -magnitude[is_given]).sum())) / math.log(BASE)
    total, variance = flux[:, is_given].sum(axis=1), (error[:, is_given] ** 2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = flux / total[:, np.newaxis]
        relative = np.sqrt((error / flux) ** 2 + (variance / total**2)[:, np.newaxis])
        found = total_magnitude - 2.5 * np.log10(np.where(ratio > 0, ratio, np.nan))
        own = np.where(np.isfinite(magnitude), magnitude, UNKNOWN)
        found = np.where(is_comparison, own, found)
        noise = 2.5 * np.log10(1 + np.where(is_comparison, error / flux, relative))
    return found, noise
