"""From raw numbers to electrons."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Booleans, Image
from accretor.science.background import sky

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


def reduce(raw: Image, masters: Masters, *, exposure: float, gain: float) -> Image:
    """Calibrate a raw frame: (raw - bias - dark * exposure / dark_exposure) / flat * gain.

    The dark is scaled to the exposure only if there is a bias, for else it holds
    the bias too. No pixel is repaired: what a repair makes of a star's core is
    worse than the bad pixel, whose pattern is taken off by the dark.

    Parameters
    ----------
    raw : (height, width), ADU
        Of any number type.
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
    image = raw.astype(np.float32)
    for name in ("bias", "dark", "flat"):
        master = getattr(masters, name)
        if master is not None and master.shape != image.shape:
            raise ValueError(f"the master {name} is {master.shape}, the frame {image.shape}")
    if masters.bias is not None:
        image -= masters.bias
    if masters.dark is not None:
        factor = dark_scale(masters, exposure)
        image -= masters.dark if factor == 1 else np.float32(factor) * masters.dark
    if masters.flat is not None:
        image /= np.maximum(masters.flat, np.float32(LEAST_RESPONSE))
    if gain != 1:
        image *= np.float32(gain)
    return image


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


def photon_transfer(flats: Image, biases: Image) -> tuple[float, float]:
    """Measure gain and read noise from pairs of frames (Janesick 2001, Scientific CCDs).

    Parameters
    ----------
    flats, biases : (2, height, width), ADU
        Two flats of equal light, and two biases; pixels beyond 5 sigma of the
        difference are left out.

    Returns
    -------
    gain : float, electron per ADU
    read_noise : float, electron
    """
    first, second = (np.asarray(frames, dtype=np.float64) for frames in (flats, biases))
    signal = float(np.median(first.sum(axis=0)) - np.median(second.sum(axis=0)))
    light, dark = _clipped_variance(first[0] - first[1]), _clipped_variance(second[0] - second[1])
    gain = signal / (light - dark)
    return gain, gain * math.sqrt(dark / 2)


def _clipped_variance(difference: Image) -> float:
    deviation = difference - np.median(difference)
    sigma = 1.4826 * float(np.median(np.abs(deviation)))
    return float(np.var(deviation[np.abs(deviation) <= 5 * max(sigma, 0.5)]))
