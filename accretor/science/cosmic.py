"""Cosmic rays and satellites within apertures, found by comparison with the frames before and after.

A filter that looks at one image alone takes the cores of undersampled stars for cosmic rays (van Dokkum
2001, PASP 113, 1420, warns of it). In time a hit stands alone: one star in one frame is too bright, and its
light is not spread as that of the other stars of the frame. Nothing is repaired: the point is flagged.
"""

from __future__ import annotations

import itertools

import numpy as np

from accretor.core.arrays import Booleans, Floats

BRIGHTER = 3.5
"""Standard deviations by which the star must be brighter than before and after."""
SHAPE = 4.5
"""Standard deviations by which the spread of its light must differ from that of the other stars."""
HALF_WINDOW = 5
"""Frames before and after with which one is compared."""
LEAST_STARS = 4
"""Stars without which the frame's own change of shape is not known."""


def hits(flux: Floats, flux_error: Floats, peak: Floats, *, chosen: int) -> Booleans:
    """Return which points a cosmic ray or a trail has added light to.

    Parameters
    ----------
    flux, flux_error : (n_frame, n_star, n_radius) float64, electron
        In the order of time, radii ascending; NaN where a star was not measured.
    peak : (n_frame, n_star) float64
        Highest raw pixel of each star, less the level of the sky, in any unit.
    chosen : int
        Index of the radius of the light curve.

    Returns
    -------
    (n_frame, n_star) bool
        True where, against the frames around and less what all stars of the frame do, the flux through
        the chosen aperture is high by 3.5 standard deviations, and also the ratio of the smallest, the
        chosen and the largest aperture, one to the next, or the peak over the flux, is off by 4.5. A
        flare changes no shape; the seeing changes that of all stars; what falls outside of the chosen
        aperture does no harm.
    """
    used = sorted({0, chosen, flux.shape[2] - 1})
    with np.errstate(invalid="ignore", divide="ignore"):
        value = {i: np.log(np.where(flux[:, :, i] > 0, flux[:, :, i], np.nan)) for i in used}
        error = {i: np.where(flux[:, :, i] > 0, flux_error[:, :, i] / flux[:, :, i], np.nan) for i in used}
        height = np.log(np.where(peak > 0, peak, np.nan)) - value[chosen]
    is_bright = _excess(value[chosen], error[chosen]) > BRIGHTER
    is_odd = _excess(height, np.zeros_like(height)) > SHAPE
    for inner, outer in itertools.pairwise(used):
        # What is in both apertures cancels in their ratio; the noise of the ring between them is left.
        ring = np.sqrt(np.maximum(error[outer] ** 2 - error[inner] ** 2, 0)) + 0.2 * error[inner]
        is_odd |= np.abs(_excess(value[outer] - value[inner], ring)) > SHAPE
    return np.asarray(is_bright & is_odd)


def _excess(value: Floats, expected: Floats) -> Floats:
    """Return how far *value* (n_frame, n_star) is above its neighbours in time, in standard deviations.

    The median of each star, then that over the stars of each frame is taken off first; the
    scatter is that of the star itself, by the MAD, and not less than *expected*.
    """
    value = value - _median(value, axis=0)
    if value.shape[1] >= LEAST_STARS:
        value = value - _median(value, axis=1)[:, np.newaxis]
    n_frame = len(value)
    away = np.full(value.shape, np.nan)
    for frame in range(n_frame):
        low = min(max(frame - HALF_WINDOW, 0), max(n_frame - 2 * HALF_WINDOW - 1, 0))
        around = np.r_[low:frame, frame + 1 : min(low + 2 * HALF_WINDOW + 1, n_frame)]
        away[frame] = value[frame] - _median(value[around], axis=0)
    scatter = 1.4826 * _median(np.abs(away - _median(away, axis=0)), axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.nan_to_num(away / np.fmax(scatter, expected), nan=0.0, posinf=0.0, neginf=0.0))


def _median(values: Floats, axis: int) -> Floats:
    """Return the median without NaN; NaN where there is nothing else, and no warning."""
    is_known = np.isfinite(values)
    count = is_known.sum(axis=axis)
    ordered = np.sort(np.where(is_known, values, np.inf), axis=axis)
    middle = np.stack(
        [
            np.take_along_axis(ordered, np.expand_dims(np.maximum(rank, 0), axis), axis).squeeze(axis)
            for rank in ((count - 1) // 2, count // 2)
        ]
    )
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(count > 0, middle.mean(axis=0), np.nan))
