"""How the depth of a transit depends on the aperture: light of a neighbour makes it shallower, or deeper."""

from __future__ import annotations

import math

import numpy as np

from accretor.core.arrays import Floats

ALIKE = 2.0
"""Errors within which two depths are alike."""
WORST = 0.25
"""Relative error of a depth beyond which nothing can be said of it."""


def ratio(flux: Floats, trend: Floats, model: Floats) -> tuple[float, float]:
    """Return by which factor the dip of *model* must be multiplied to fit *flux*, and its standard error.

    Parameters
    ----------
    flux : (n,) float64
        Relative flux through another aperture; its level is fitted too.
    trend : (n,) float64
        The trend, 1 on average.
    model : (n,) float64
        The transit as it was fitted to the light curve, 1 outside it.

    Returns
    -------
    factor, error : float
        NaN where *model* has no dip, or fewer than 4 points are known.
    """
    known = np.isfinite(flux) & np.isfinite(trend) & np.isfinite(model)
    dip = (model - 1)[known]
    fewest = 4
    if known.sum() < fewest or not np.any(dip < 0):
        return math.nan, math.nan
    design = np.column_stack([trend[known], trend[known] * dip])
    (level, depth), *_ = np.linalg.lstsq(design, flux[known], rcond=None)
    residual = flux[known] - design @ np.array([level, depth])
    variance = float(residual @ residual) / (int(known.sum()) - 2)
    covariance = variance * np.linalg.inv(design.T @ design)
    return float(depth / level), float(math.sqrt(covariance[1, 1]) / abs(level))


def smallest_alike(
    radii: Floats, flux: Floats, trend: Floats, model: Floats, *, largest: float
) -> tuple[float, float, float] | None:
    """Return the smallest aperture in which the transit is as deep as *model*: radius, factor, error.

    Parameters
    ----------
    radii : (n_radius,) float64, pixel, ascending
    flux : (n, n_radius) float64
        Relative flux through each.
    trend, model : (n,) float64
    largest : float
        Radii above it are not looked at.

    Returns
    -------
    tuple or None
        Radii below the one returned, and those between it and *largest*, do not count. None if none will do.
    """
    for index, radius in enumerate(radii):
        if radius > largest:
            return None
        factor, error = ratio(flux[:, index], trend, model)
        if error < WORST and abs(factor - 1) <= ALIKE * error:
            return float(radius), factor, error
    return None
