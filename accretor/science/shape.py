"""Shapes of stars as AstroImageJ's measurement table defines them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Floats, Image
from accretor.science.geometry import Stampable, stamp_pixels, stamps

WIDTH_OF_SIGMA = 1 / 0.3602
"""AstroImageJ divides the root of a second moment by this number to have a width."""


@dataclass(frozen=True)
class Shape:
    """Shapes of stars; each array is (n_star,), NaN where there is no light to measure."""

    x_width: Floats
    """Pixel: square root of the second moment along x, over 0.3602; it grows with the radius."""
    y_width: Floats
    """The same along y."""
    angle: Floats
    """Of the long axis, from the x axis towards the y axis, degree, 0 to 180."""
    roundness: Floats
    """Square root of the ratio of the eigenvalues of the moments: 1 is round."""
    fwhm: Floats
    """Pixel: twice the radius at which the mean profile falls to half of its highest ring."""


def measure(image: Image | Stampable, x: Floats, y: Floats, sky: Floats, *, radius: float) -> Shape:
    """Return the moments of the light in a circle, and the FWHM of the mean profile.

    Whole pixels count, those whose centre is in the circle. The definitions are those
    of AstroImageJ (Collins et al. 2017, AJ 153, 77): the FWHM is that of means over
    rings of one pixel, without a fit.

    Parameters
    ----------
    image : (height, width), electron
    x, y : (n_star,) float64, pixel
        Centres; NaN is allowed.
    sky : (n_star,) float64, electron per pixel
    radius : float, pixel
        Of the circle.

    Returns
    -------
    Shape
    """
    is_star = np.isfinite(x) & np.isfinite(y) & np.isfinite(sky)
    at_x, at_y, level = (np.where(is_star, value, 0.0) for value in (x, y, sky))
    columns, rows = stamp_pixels(at_x, at_y, math.ceil(radius) + 1)
    values, is_inside = stamps(image, columns, rows)
    dx = (columns - at_x[:, np.newaxis])[:, np.newaxis, :]
    dy = (rows - at_y[:, np.newaxis])[:, :, np.newaxis]
    distance = np.sqrt(dx * dx + dy * dy)
    used = is_inside & np.isfinite(values) & (distance <= radius)
    light = np.where(used, values - level[:, np.newaxis, np.newaxis], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = light.sum(axis=(1, 2))
        mean_x, mean_y = (light * dx).sum(axis=(1, 2)) / total, (light * dy).sum(axis=(1, 2)) / total
        xx = (light * dx * dx).sum(axis=(1, 2)) / total - mean_x**2
        yy = (light * dy * dy).sum(axis=(1, 2)) / total - mean_y**2
        xy = (light * dx * dy).sum(axis=(1, 2)) / total - mean_x * mean_y
        is_star &= (total > 0) & (xx > 0) & (yy > 0) & (xx * yy > xy * xy)
        half = np.hypot(0.5 * (xx - yy), xy)
        roundness = np.sqrt((0.5 * (xx + yy) - half) / (0.5 * (xx + yy) + half))
        shape = (
            np.sqrt(xx) * WIDTH_OF_SIGMA,
            np.sqrt(yy) * WIDTH_OF_SIGMA,
            np.degrees(0.5 * np.arctan2(2 * xy, xx - yy)) % 180.0,
            roundness,
            _profile_fwhm(light, distance, used),
        )
    return Shape(*(np.where(is_star, value, np.nan) for value in shape))


def _profile_fwhm(light: Floats, distance: Floats, used: np.ndarray) -> Floats:
    """Return twice the radius at which ring means, one pixel wide, cross half of the highest."""
    n_star = len(light)
    n_ring = int(distance[used].max(initial=0.0)) + 1
    ring = np.where(used, distance, n_ring).astype(np.int64)
    index = (ring + (n_ring + 1) * np.arange(n_star)[:, np.newaxis, np.newaxis]).ravel()

    def sums(weight: Floats) -> Floats:
        total = np.bincount(index, weight.ravel(), n_star * (n_ring + 1))
        return np.asarray(total.reshape(n_star, n_ring + 1)[:, :n_ring])

    count = sums(used.astype(np.float64))
    # A ring is where its pixels are, not where its border is.
    profile, radius = sums(light) / count, sums(np.where(used, distance, 0.0)) / count
    profile = np.where(count > 0, profile, -np.inf)
    top = profile.argmax(axis=1)
    star = np.arange(n_star)
    below = profile < 0.5 * profile[star, top][:, np.newaxis]
    below &= np.arange(n_ring) > top[:, np.newaxis]
    outer = below.argmax(axis=1)
    inner = np.maximum(outer - 1, 0)
    high, low = profile[star, inner], profile[star, outer]
    part = (high - 0.5 * profile[star, top]) / (high - low)
    half = radius[star, inner] + part * (radius[star, outer] - radius[star, inner])
    return np.where(below.any(axis=1) & np.isfinite(half), 2 * half, np.nan)
