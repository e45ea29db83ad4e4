"""How many electrons make one ADU, measured where no header tells it: the noise of light is known.

Photon transfer (Janesick 2001, Scientific Charge-Coupled Devices, SPIE): the variance of a level of light
is that level over the gain, whatever the pixels' response, if two frames are subtracted first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Floats, Image
from accretor.core.errors import Unusable

CLIP = 4.0
"""Standard deviations within which a difference of two pixels counts; it takes 0.1 % off the variance."""
CLIPPED_VARIANCE = 0.99892
"""Variance of a normal distribution that is cut there."""
BLOCK = 32
"""Side of the squares of science frames whose level and noise are compared, pixel."""
MOST_ERROR = 0.1
"""Relative error with which a gain is not worth having."""
N_PART = 8
"""Parts of the pairs of frames that are left out in turn, to see how sure their gain is."""
STARRY = 1.5
"""Standard deviations of the smoothed sum of two frames above which a pixel holds a star."""
DIGITS = 1 / 12
"""Variance of rounding to whole numbers, ADU^2."""


@dataclass(frozen=True)
class Gain:
    """A gain that was measured."""

    gain: float
    """Electron per ADU."""
    error: float
    """Standard error, electron per ADU."""
    read_noise: float
    """Electron; NaN where the frames do not tell."""


def of_flats(flats: Image, biases: Image) -> Gain:
    """Measure gain and read noise from pairs of flats and biases.

    Parameters
    ----------
    flats : (n, height, width), ADU
        Flats of one filter, n at least 2; their levels may differ.
    biases : (m, height, width), ADU
        At least 2; overscan, if any, is off both.

    Raises
    ------
    Unusable
        If there are fewer, or the flats are no brighter than the biases, or have no noise.
    """
    if min(len(flats), len(biases)) < 2:
        raise Unusable(f"flats: {len(flats)}, biases: {len(biases)}; two of each needed")
    dark = dark_variance(biases)
    zero = np.median(np.asarray(biases, dtype=np.float64), axis=0)
    gains = [_of_pair(one - zero, other - zero, dark) for one, other in _pairs(flats)]
    found = float(np.median(gains))
    # The variance of n values has the relative error sqrt(2 / n).
    error = found * math.sqrt(2 / zero.size / len(gains))
    if len(gains) > 1:
        error = max(error, 1.2533 * float(np.std(gains, ddof=1)) / math.sqrt(len(gains)))
    return _believed(found, error, found * math.sqrt(dark))


def read_noise(biases: Image, gain: float) -> float:
    """Return the read noise, electron, of (n, height, width) biases in ADU; n at least 2.

    Raises
    ------
    Unusable
        If there are fewer.
    """
    if len(biases) < 2:
        raise Unusable(f"biases: {len(biases)}; two needed to measure the read noise")
    return gain * math.sqrt(max(dark_variance(biases) - DIGITS, 0.0))


def dark_variance(biases: Image) -> float:
    """Return the variance of a pixel without light, ADU^2, of (n, height, width) biases; n at least 2."""
    return float(np.mean([_variance(one - other) for one, other in _pairs(biases)])) / 2


def of_frames(frames: Iterable[Image], dark_variance: float = math.nan) -> Gain:
    """Estimate the gain from science frames: their sky against its noise.

    In squares of 32 pixels the level of two frames that follow one another is
    compared with the variance of their difference; stars are clipped from it.

    Parameters
    ----------
    frames : iterable of (height, width), ADU
        In the order of time, not divided by a flat; two are held at a time, and each two compared.
    dark_variance : float, ADU^2
        Variance of a pixel without light; NaN if the zero level of the frames is not known, for then
        only the growth of the noise with the level tells the gain.

    Raises
    ------
    Unusable
        If there are fewer than four frames, or the sky is too faint or too even to tell.
    """
    waiting = iter(frames)
    blocks = [_blocks(one, other) for one, other in zip(waiting, waiting, strict=False)]
    if len(blocks) < 2:
        raise Unusable(f"pairs of frames: {len(blocks)}; two needed to measure the gain")
    if math.isfinite(dark_variance):
        pairs = [_slope(level, variance, dark_variance) for level, variance in blocks]
        slope = float(np.median(pairs))
        error = 1.2533 * float(np.std(pairs, ddof=1)) / math.sqrt(len(pairs))
    else:
        slope = _joint_slope(blocks)
        # Again and again without a part of the pairs (jackknife).
        parts = [
            _joint_slope([block for i, block in enumerate(blocks) if i % N_PART != part])
            for part in range(min(N_PART, len(blocks)))
        ]
        error = math.sqrt(len(parts) - 1) * float(np.std(parts))
    if not slope > 0:
        raise Unusable("the noise of the frames does not grow with their sky")
    return _believed(1 / slope, error / slope**2, math.nan)


def _joint_slope(blocks: Sequence[tuple[Floats, Floats]]) -> float:
    level = np.concatenate([block[0] for block in blocks])
    return _slope(level, np.concatenate([block[1] for block in blocks]), math.nan)


def _blocks(one: Image, other: Image) -> tuple[Floats, Floats]:
    """Return level and variance of a pixel, ADU and ADU^2, of each square of two frames."""
    first, second = (np.asarray(frame, dtype=np.float64) for frame in (one, other))
    height, width = (side // BLOCK * BLOCK for side in first.shape)
    if not height or not width:
        raise Unusable(f"frames of {first.shape[1]}x{first.shape[0]} pixels are too small")

    def squares(image: Floats) -> Floats:
        cut = image[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK)
        return cut.swapaxes(1, 2).reshape(-1, BLOCK * BLOCK)

    total = squares(first + second)
    level = np.median(total, axis=1)
    # Stars are found in the sum, whose noise is not that of the difference: nothing is cut off the latter.
    smooth = squares(_smoothed(first + second)) - level[:, np.newaxis]
    spread = 1.4826 * np.median(np.abs(smooth), axis=1)
    is_sky = smooth <= STARRY * np.maximum(spread, 0.25)[:, np.newaxis]
    difference = squares(first - second)
    variance = [_variance(values[sky]) for values, sky in zip(difference, is_sky, strict=True)]
    return level / 2, np.array(variance) / 2 - DIGITS


def _smoothed(image: Floats) -> Floats:
    """Return the mean of the 5 x 5 pixels around each pixel."""
    from scipy.ndimage import uniform_filter

    return np.asarray(uniform_filter(image, 5, mode="nearest"))


def _slope(level: Floats, variance: Floats, dark_variance: float) -> float:
    """Return by how much the variance grows with the level, 1/gain; robustly."""
    if math.isfinite(dark_variance):
        return float(np.median((variance - dark_variance) / level))
    keep = np.ones(len(level), dtype=bool)
    slope, offset = 0.0, 0.0
    for _ in range(8):
        slope, offset = np.polyfit(level[keep], variance[keep], 1)
        residual = variance - (offset + slope * level)
        # A star that the seeing changed adds noise and never takes any: cut closer above.
        spread = 1.4826 * float(np.median(np.abs(residual[keep] - np.median(residual[keep]))))
        keep = np.abs(residual - np.median(residual[keep])) <= 2.5 * max(spread, 1e-9)
    return float(slope)


def _of_pair(one: Floats, other: Floats, dark: float) -> float:
    """Return the gain by two flats without bias; *dark* is the variance of a pixel without light, ADU^2."""
    first, second = float(np.median(one)), float(np.median(other))
    if min(first, second) > 0:
        ratio = first / second
        noise = _variance(one - ratio * other) - (1 + ratio**2) * dark
        if noise > 0:
            return (first + ratio**2 * second) / noise
    raise Unusable("the flats are no brighter than the biases, or have no noise")


def _believed(gain: float, error: float, noise: float) -> Gain:
    if not (gain > 0 and error <= MOST_ERROR * gain):
        raise Unusable(f"the gain comes out as {gain:.3g} ± {error:.2g} electron/ADU: too uncertain")
    return Gain(gain, error, noise)


def _pairs(frames: Sequence[Image] | Image) -> list[tuple[Image, Image]]:
    """Return frames two by two, none twice; the last of an odd number is left."""
    return [
        (np.asarray(frames[i], dtype=np.float64), np.asarray(frames[i + 1], dtype=np.float64))
        for i in range(0, len(frames) - 1, 2)
    ]


def _variance(difference: Image) -> float:
    """Return the variance of values of which some are of stars and cosmic rays."""
    deviation = np.asarray(difference, dtype=np.float64)
    deviation = deviation - np.median(deviation)
    sigma = 1.4826 * float(np.median(np.abs(deviation)))
    for _ in range(3):  # the median of whole numbers is coarse; the standard deviation is not
        kept = deviation[np.abs(deviation) <= CLIP * max(sigma, 0.5)]
        sigma = math.sqrt(float(np.var(kept)) / CLIPPED_VARIANCE)
    return sigma**2
