"""How full the pixels of a raw frame are, and how full they can be."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SAMPLE = 40_000
"""Pixels whose median is the level: it is known to a hundredth of the noise and better."""
STRIP = 1 << 18
"""Pixels looked at together."""

PILE = 5
"""Pixels at the highest value of all from which on that is where the detector ends, and not a bright star."""
LEAST_FULL = 255
"""ADU: no detector ends below."""


@dataclass(frozen=True)
class Levels:
    """What a glance at all pixels tells."""

    median: float
    """ADU, of every n-th pixel in both directions; NaN where none of these has a value."""
    n_saturated: int
    """Pixels at or above the saturation level."""
    n_undefined: int
    """Pixels without a value."""


def measure(raw: NDArray[Any], saturation: float) -> Levels:
    """Return the levels of a raw frame.

    Parameters
    ----------
    raw : (height, width), ADU
        Of any number type.
    saturation : float, ADU
    """
    step = max(1, math.isqrt(raw.size // SAMPLE))
    is_whole = raw.dtype.kind in "iu"
    sample = raw[::step, ::step].reshape(-1)
    if not is_whole:
        sample = sample[np.isfinite(sample)]
    # A whole number is at the level from the next whole number on, and the comparison stays one of integers.
    limit = math.ceil(saturation) if is_whole and math.isfinite(saturation) else saturation
    is_reached = is_whole and math.isfinite(saturation) and limit <= np.iinfo(raw.dtype).max
    n_saturated = n_undefined = 0
    pixels = raw.reshape(-1)
    for start in range(0, len(pixels), STRIP):
        part = pixels[start : start + STRIP]
        # Most parts have no such pixel, and their highest one is found in half the time.
        if not is_whole or (is_reached and part.max() >= limit):
            n_saturated += int(np.count_nonzero(part >= limit))
        if not is_whole:
            n_undefined += int(np.count_nonzero(~np.isfinite(part)))
    return Levels(_median(sample), n_saturated, n_undefined)


def full(frames: Iterable[NDArray[Any]]) -> float:
    """Return the level at which pixels of raw frames pile up, ADU; NaN if they do not.

    Parameters
    ----------
    frames : iterable of (height, width), ADU
        Of one night. Frames that are not of whole numbers tell nothing.

    Returns
    -------
    float
        The highest value of all frames, if 5 pixels and more have it: 4095 of a 12-bit camera whose stars or
        hot pixels are full. Stars that are not all end at values of their own.
    """
    highest, count = -math.inf, 0
    for frame in frames:
        if frame.dtype.kind not in "iu" or not frame.size:
            continue
        top = int(frame.max())
        if top >= highest:
            count = int(np.count_nonzero(frame == top)) + (count if top == highest else 0)
            highest = top
    return float(highest) if count >= PILE and highest >= LEAST_FULL else math.nan


def _median(values: NDArray[Any]) -> float:
    """Return the median of values of any number type; the mean of two whole numbers need not be one."""
    if not values.size:
        return math.nan
    middle = values.size // 2
    parted = np.partition(values, middle)  # two ranks at once take fifty times as long
    high = float(parted[middle])
    low = high if values.size % 2 else float(parted[:middle].max())
    return 0.5 * (low + high)
