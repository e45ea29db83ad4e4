"""Centres and shapes of many stars at once, through a Gaussian window."""

from __future__ import annotations

import math

import numpy as np

from accretor.core.arrays import Booleans, Floats, Image
from accretor.science.geometry import Stampable, stamp_pixels, stamps

FWHM_OF_SIGMA = 2 * math.sqrt(2 * math.log(2))
WINDOW = 3.0
"""Radius of the cut-outs, in standard deviations of the window."""


def windowed(
    image: Image | Stampable, x: Floats, y: Floats, sky: Floats, fwhm: float, *, n_step: int = 8
) -> tuple[Floats, Floats, Booleans]:
    """Move positions to the Gaussian-weighted centres of the light around them.

    The centroid XWIN_IMAGE of SExtractor: a window with the star's own width, and
    steps of twice the offset of the weighted mean, which for a Gaussian star end
    at its centre at once. As precise as a fit of the profile, without one.

    Parameters
    ----------
    image : (height, width), any unit
    x, y : (n_star,) float64, pixel
        First guesses.
    sky : (n_star,) float64
        Background at each star, in the unit of image.
    fwhm : float, pixel
        Of the stars; the window has the same.
    n_step : int
        Most steps.

    Returns
    -------
    x, y : (n_star,) float64, pixel
        Centres; those that were given where there is no centre to be found.
    is_found : (n_star,) bool
        False where the window left the image, where there is no light, or where
        the position went away by more than the FWHM.
    """
    sigma = fwhm / FWHM_OF_SIGMA
    half = math.ceil(WINDOW * sigma + fwhm / 2)
    is_found = np.isfinite(x) & np.isfinite(y)
    start_x, start_y = np.where(is_found, x, 0.0), np.where(is_found, y, 0.0)
    columns, rows = stamp_pixels(start_x, start_y, half)
    values, is_inside = stamps(image, columns, rows)
    light = np.where(is_inside & np.isfinite(values), values - sky[:, np.newaxis, np.newaxis], 0.0)
    pixels = np.stack((columns, rows), axis=1).astype(np.float64)
    start = np.stack((start_x, start_y), axis=1)
    centre = start.copy()
    moving = np.flatnonzero(is_found)
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(n_step):
            is_all = len(moving) == len(light)
            some, here = (light, centre) if is_all else (light[moving], centre[moving])
            offset = (pixels if is_all else pixels[moving]) - here[:, :, np.newaxis]
            weight = np.exp(offset * offset * (-0.5 / sigma**2))
            profile = np.empty_like(weight)
            np.multiply(np.einsum("nyx,ny->nx", some, weight[:, 1]), weight[:, 0], out=profile[:, 0])
            np.multiply(np.einsum("nyx,nx->ny", some, weight[:, 0]), weight[:, 1], out=profile[:, 1])
            total = profile[:, 0].sum(axis=1)
            step = 2 * (profile * offset).sum(axis=2) / total[:, np.newaxis]
            length = np.hypot(step[:, 0], step[:, 1])
            lit = (total > 0) & (length < 2 * fwhm)
            there = here + step
            away = there - start[moving]
            lost = np.hypot(away[:, 0], away[:, 1]) > fwhm
            centre[moving[lit]] = there[lit]
            is_found[moving[~lit | lost]] = False
            moving = moving[lit & ~lost & (length > 1e-4)]
            if not len(moving):
                break
    new_x, new_y = centre.T
    height, width = image.shape
    is_found &= (new_x > -0.5) & (new_x < width - 0.5) & (new_y > -0.5) & (new_y < height - 0.5)
    return np.where(is_found, new_x, x), np.where(is_found, new_y, y), is_found


def windowed_shape(
    image: Image | Stampable, x: Floats, y: Floats, sky: Floats, fwhm: float
) -> tuple[Floats, Floats]:
    """Return the size and elongation of stars from second moments in a Gaussian window.

    The window is taken out again, exactly for a Gaussian star: with M the weighted
    and W the window's covariance, that of the star is (1/M - 1/W)**-1.

    Parameters
    ----------
    image, x, y, sky, fwhm
        As in `windowed`; fwhm is that of the window.

    Returns
    -------
    fwhm : (n_star,) float64, pixel
        Of a round Gaussian of the same area; inf for something without an end,
        such as a trail, and NaN where there is no light.
    elongation : (n_star,) float64
        Long over short axis, at least 1.
    """
    sigma = fwhm / FWHM_OF_SIGMA
    columns, rows = stamp_pixels(x, y, math.ceil(WINDOW * sigma))
    values, is_inside = stamps(image, columns, rows)
    light = np.where(is_inside & np.isfinite(values), values - sky[:, np.newaxis, np.newaxis], 0.0)
    dx = columns - x[:, np.newaxis]
    dy = rows - y[:, np.newaxis]
    weight_x = np.exp(-0.5 * (dx / sigma) ** 2)
    weight_y = np.exp(-0.5 * (dy / sigma) ** 2)
    along_x = np.einsum("nyx,ny->nx", light, weight_y) * weight_x
    along_y = np.einsum("nyx,nx->ny", light, weight_x) * weight_y
    moved = np.einsum("nyx,nx->ny", light, weight_x * dx) * weight_y
    with np.errstate(divide="ignore", invalid="ignore"):
        total = along_x.sum(axis=1)
        xx = (along_x * dx**2).sum(axis=1) / total
        yy = (along_y * dy**2).sum(axis=1) / total
        xy = (moved * dy).sum(axis=1) / total
        determinant = xx * yy - xy * xy
        # Inverse of M, less that of the window: its eigenvalues are 1 / (axis of the star)^2.
        mean = 0.5 * (xx + yy) / determinant - sigma**-2
        half_difference = np.hypot(0.5 * (xx - yy), xy) / determinant
        narrow, wide = mean + half_difference, mean - half_difference
        is_star = (total > 0) & (determinant > 0) & (xx > 0)
        has_end = is_star & (wide > 0)
        size = FWHM_OF_SIGMA * (narrow * wide) ** -0.25
        elongation = np.sqrt(narrow / wide)
    return (
        np.where(has_end, size, np.where(is_star, np.inf, np.nan)),
        np.where(has_end, elongation, np.where(is_star, np.inf, np.nan)),
    )
