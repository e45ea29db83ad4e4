"""From raw numbers to electrons."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Booleans, Floats, Image, Integers
from accretor.core.readout import AS_IT_IS, Readout
from accretor.science.background import sky
from accretor.science.readout import linearised, median_filtered, overscan_level, window

LEAST_RESPONSE = 0.1
"""A flat below this is taken as this: a dead pixel must not become the brightest of the frame."""


@dataclass(frozen=True)
class Masters:
    """What is known of a detector; None where it is not.

    All arrays have the shape of the frames.
    """

    bias: Image | None = None
    """ADU."""
    dark: Image | None = None
    """ADU at `dark_exposure`; without the bias if there is one, else with it."""
    dark_exposure: float = math.nan
    """Second; NaN for a pattern that must not be scaled, such as the self-dark."""
    flat: Image | None = None
    """Response of the pixels, median 1."""
    bad: Booleans | None = None
    """Hot and dead pixels."""
    readout: Readout = AS_IT_IS
    """What is done before; the arrays are of trimmed frames."""


def linear(raw: Image, masters: Masters) -> Image:
    """Return a frame without overscan, blind rims, bias and non-linearity: the charge, in ADU.

    Parameters
    ----------
    raw : (full height, full width), ADU
        Of any number type.
    masters : Masters

    Returns
    -------
    (height, width) float32, ADU

    Raises
    ------
    Unusable
        If overscan or trim section are not in the frame.
    ValueError
        If the bias has another shape.
    """
    readout = masters.readout
    image = window(raw, readout.trim).astype(np.float32)
    if readout.overscan is not None:
        image -= np.float32(overscan_level(window(raw, readout.overscan)))
    if masters.bias is not None:
        _check_shape("bias", masters.bias, image)
        image -= masters.bias
    return linearised(image, readout.nonlinearity)


def reduce(raw: Image, masters: Masters, *, exposure: float, gain: float) -> Image:
    """Calibrate a raw frame: (raw - bias - dark * exposure / dark_exposure) / flat * gain.

    Overscan and non-linearity go before: see `linear`. The dark is scaled to the
    exposure only if there is a bias, for else it holds the bias too. No pixel is
    repaired: what a repair makes of a star's core is worse than the bad pixel, whose
    pattern is taken off by the dark.

    Parameters
    ----------
    raw : (full height, full width), ADU
        Of any number type; it is trimmed.
    masters : Masters
        What is None is left out.
    exposure : float, second
    gain : float, electron per ADU

    Returns
    -------
    (height, width) float32, electron

    Raises
    ------
    ValueError
        If a master has another shape than the frame.
    """
    image = linear(raw, masters)
    if masters.dark is not None:
        _check_shape("dark", masters.dark, image)
        factor = dark_scale(masters, exposure)
        image -= masters.dark if factor == 1 else np.float32(factor) * masters.dark
    if masters.flat is not None:
        _check_shape("flat", masters.flat, image)
        image /= np.maximum(masters.flat, np.float32(LEAST_RESPONSE))
    if gain != 1:
        image *= np.float32(gain)
    return median_filtered(image) if masters.readout.is_median_filtered else image


def dark_scale(masters: Masters, exposure: float) -> float:
    """Return the factor by which the master dark fits a frame of *exposure* seconds."""
    if masters.bias is None or not masters.dark_exposure > 0:
        return 1.0
    return exposure / masters.dark_exposure


def bad_pixels(dark: Image | None = None, flat: Image | None = None) -> Booleans | None:
    """Return the map of the pixels that must not be trusted.

    Hot: dark above its median by 8 MAD, and by 40 ADU at least. Dead: less than half
    or more than one and a half times the response of the surroundings (64 pixels
    around, so that vignetting is not held against a corner).

    Parameters
    ----------
    dark : (height, width), ADU
        Master dark.
    flat : (height, width)
        Master flat.

    Returns
    -------
    (height, width) bool, or None without any master
    """
    found: Booleans | None = None
    if dark is not None:
        middle = np.median(dark)
        spread = np.median(np.abs(dark - middle))
        found = dark > middle + max(8 * float(spread), 40.0)
    if flat is not None:
        response = flat / np.maximum(sky(flat).image(), LEAST_RESPONSE)
        dead = ~((response > 0.5) & (response < 1.5))
        found = dead if found is None else found | dead
    return found


def bad_near(bad: Booleans, x: Floats, y: Floats, radius: float) -> Integers:
    """Return how many *bad* pixels have their centre within *radius* of each place.

    Parameters
    ----------
    bad : (height, width) bool
    x, y : (n,) float64, pixel
        NaN counts none.
    radius : float, pixel
    """
    known = np.isfinite(x) & np.isfinite(y)
    at_x, at_y = np.where(known, x, -1e6), np.where(known, y, -1e6)
    rows, columns = np.nonzero(bad)
    order = np.argsort(columns, kind="stable")
    rows, columns = rows[order], columns[order]
    first = np.searchsorted(columns, at_x - radius, side="left")
    last = np.searchsorted(columns, at_x + radius, side="right")
    return np.array(
        [
            np.count_nonzero(np.hypot(columns[a:b] - one, rows[a:b] - other) <= radius)
            for a, b, one, other in zip(first, last, at_x, at_y, strict=True)
        ],
        dtype=np.int64,
    )


def _check_shape(name: str, master: Image, image: Image) -> None:
    if master.shape != image.shape:
        raise ValueError(f"the master {name} is {master.shape}, the frame {image.shape}")
