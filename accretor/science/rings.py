"""Stars so far out of focus that each is the picture of the mirror: a ring of light with a hole.

Peaks are of no use there: the rim of each ring has many. So the image is binned until a ring is one
blob, and what is found is believed only where the mean profile around it has a hole in the middle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Booleans, Floats, Image, Integers
from accretor.science.background import sky
from accretor.science.geometry import Stampable, bin_image, distances, stamp_pixels, stamps

FACTOR = 8
"""Pixels that are binned to one: rings of 12 to 50 pixels are then of 2 to 6."""
BOX = 128
"""Pixel: boxes of the sky, several rings wide."""
RIM = 20
"""Pixels from the rim within which a ring may not be whole."""
REACH = 40
"""Pixels to which a profile is followed."""
SMALLEST = 4
"""Pixels from the middle to the brightest radius of a ring, at least."""
HOLE = 0.75
"""Mean light in the inner third of a ring, over that at its brightest radius, at most."""
FEWEST = 3
"""Rings that make a frame one out of focus."""
MOSTLY = 0.6
"""Part of its bright stars that are rings then."""
JUDGED = 12
ALIKE = (0.7, 1.4)
"""Sizes of rings of one frame over their median."""
N_STEP = 4
N_SECTOR = 8
LIT, DARK = 0.4, 1
"""A rim is lit all around: sectors with less than this part of its mean light, of eight, at most."""


@dataclass(frozen=True)
class Rings:
    """Stars of a frame that is out of focus, brightest first; each array is (n_ring,)."""

    x: Floats
    """Pixel."""
    y: Floats
    width: Floats
    """Full width at half of the brightest radius, outside, pixel."""
    flux: Floats
    """Light within that width, sky subtracted."""
    peak: Floats
    """Brightest pixel, sky subtracted."""
    level: Floats
    """Sky around."""


def find(image: Image, threshold: float = 5.0) -> Rings | None:
    """Return the stars of a frame that is out of focus; None if it is not.

    Parameters
    ----------
    image : (height, width), any linear unit
    threshold : float
        Peak of the binned image over its noise.
    """
    if min(image.shape) < 4 * REACH:
        return None
    small = bin_image(image - sky(image, box=BOX).image(), FACTOR)
    x, y = _peaks(small, threshold)
    inside = (x > RIM) & (x < image.shape[1] - 1 - RIM) & (y > RIM) & (y < image.shape[0] - 1 - RIM)
    x, y = x[inside], y[inside]
    if len(x) < FEWEST:
        return None
    x, y, level = _centred(image, x, y)
    is_ring, width = _judged(image, x, y, level)
    if is_ring[:JUDGED].sum() < max(FEWEST, MOSTLY * len(is_ring[:JUDGED])):
        return None
    usual = float(np.median(width[is_ring]))
    with np.errstate(invalid="ignore"):
        is_alike = is_ring & (width > ALIKE[0] * usual) & (width < ALIKE[1] * usual)
    if is_alike.sum() < FEWEST:
        return None
    x, y, width, level = x[is_alike], y[is_alike], width[is_alike], level[is_alike]
    columns, rows = stamp_pixels(x, y, REACH)
    values, is_there = stamps(image, columns, rows)
    light = np.where(is_there, values - level[:, np.newaxis, np.newaxis], 0.0)
    near = distances(columns, rows, x, y) < 0.5 * width[:, np.newaxis, np.newaxis] + 1
    flux = np.where(near, light, 0.0).sum(axis=(1, 2))
    peak = np.where(near, light, -np.inf).reshape(len(x), -1).max(axis=1)
    order = np.argsort(-flux, kind="stable")
    return Rings(*(column[order] for column in (x, y, width, flux, peak, level)))


def are_rings(image: Image | Stampable, x: Floats, y: Floats) -> bool:
    """Tell whether most of the stars at these places are rings."""
    is_ring, _ = _judged(image, *_centred(image, x, y))
    return bool(is_ring.sum() >= MOSTLY * len(is_ring))


def _judged(image: Image | Stampable, x: Floats, y: Floats, level: Floats) -> tuple[Booleans, Floats]:
    """Return which places are rings, and the width of each as `shape` tells it."""
    profile = _profiles(image, x, y, level)
    is_ring, width = shape(profile)
    return is_ring & _is_lit_around(image, x, y, level, profile.argmax(axis=1)), width


def _is_lit_around(image: Image | Stampable, x: Floats, y: Floats, level: Floats, top: Integers) -> Booleans:
    """Tell whether light is on all sides at the radius *top*, (n,) pixel; groups of stars leave gaps."""
    columns, rows = stamp_pixels(x, y, REACH)
    values, is_there = stamps(image, columns, rows)
    right = (columns - x[:, np.newaxis])[:, np.newaxis, :]
    up = (rows - y[:, np.newaxis])[:, :, np.newaxis]
    sector = np.floor((np.arctan2(up, right) / (2 * np.pi) + 0.5) * N_SECTOR).astype(np.int64) % N_SECTOR
    radius = top[:, np.newaxis, np.newaxis]
    on_rim = is_there & (np.abs(np.hypot(right, up) - radius) <= np.maximum(1, radius / 4))
    light = np.where(on_rim, values - level[:, np.newaxis, np.newaxis], 0.0)
    found = np.zeros((len(x), N_SECTOR))
    for star in range(len(x)):
        at = sector[star][on_rim[star]]
        total = np.bincount(at, weights=light[star][on_rim[star]], minlength=N_SECTOR)
        found[star] = total / np.maximum(np.bincount(at, minlength=N_SECTOR), 1)
    return np.asarray((found < LIT * found.mean(axis=1, keepdims=True)).sum(axis=1) <= DARK)


def shape(profile: Floats) -> tuple[Booleans, Floats]:
    """Return which profiles are those of rings, and the full width of each at half of its brightest radius.

    Parameters
    ----------
    profile : (n, n_radius) float64
        Mean light over the sky at each whole radius from 0, pixel.
    """
    index = np.arange(len(profile))
    top = profile.argmax(axis=1)
    peak = profile[index, top]
    radius = np.arange(profile.shape[1])
    # The middle has few pixels: their weights are the areas of their rings.
    inner = np.where(radius <= np.maximum(top, 1)[:, np.newaxis] / 3, np.maximum(2 * np.pi * radius, 1), 0)
    middle = (profile * inner).sum(axis=1) / inner.sum(axis=1)
    is_low = (profile < 0.5 * peak[:, np.newaxis]) & (radius > top[:, np.newaxis])
    outside = is_low.argmax(axis=1)
    is_ring = (top >= SMALLEST) & (middle < HOLE * peak) & is_low.any(axis=1) & (peak > 0)
    last, first = profile[index, np.maximum(outside - 1, 0)], profile[index, outside]
    with np.errstate(divide="ignore", invalid="ignore"):
        half = outside - 1 + (last - 0.5 * peak) / (last - first)
    return is_ring, np.where(is_ring, 2 * half, np.nan)


def _peaks(small: Image, threshold: float) -> tuple[Floats, Floats]:
    """Return where the binned image is brightest around, brightest first, in pixels of the image."""
    padded = np.pad(small, 1, mode="edge")
    height, width = small.shape
    cells = [padded[dy : dy + height, dx : dx + width] for dy in range(3) for dx in range(3)]
    smooth = np.mean(cells, axis=0)
    middle = np.median(smooth)
    noise = 1.4826 * np.median(np.abs(smooth - middle))
    padded = np.pad(smooth, 2, mode="constant", constant_values=-np.inf)
    around = np.max([padded[dy : dy + height, dx : dx + width] for dy in range(5) for dx in range(5)], axis=0)
    rows, columns = np.nonzero((smooth >= around) & (smooth > middle + threshold * noise))
    order = np.argsort(-smooth[rows, columns], kind="stable")
    return tuple(FACTOR * axis[order] + (FACTOR - 1) / 2 for axis in (columns, rows))  # type: ignore[return-value]


def _centred(image: Image | Stampable, x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the centres of light within a radius of half of `REACH`, and the sky around."""
    level = np.zeros(len(x))
    for _ in range(N_STEP):
        columns, rows = stamp_pixels(x, y, REACH)
        values, is_there = stamps(image, columns, rows)
        distance = distances(columns, rows, x, y)
        far = np.where(is_there & (distance > 0.8 * REACH), values, np.nan).reshape(len(x), -1)
        level = _medians(far)
        light = np.where(is_there & (distance < REACH / 2), values - level[:, np.newaxis, np.newaxis], 0.0)
        total = light.sum(axis=(1, 2))
        total = np.where(total > 0, total, np.inf)
        step_x = (light * (columns - x[:, np.newaxis])[:, np.newaxis, :]).sum(axis=(1, 2)) / total
        step_y = (light * (rows - y[:, np.newaxis])[:, :, np.newaxis]).sum(axis=(1, 2)) / total
        x, y = x + np.clip(step_x, -FACTOR, FACTOR), y + np.clip(step_y, -FACTOR, FACTOR)
    return x, y, level


def _medians(values: Floats) -> Floats:
    """Return the median of each row, NaN left out: what `np.nanmedian` does row by row, all together."""
    ordered = np.sort(values, axis=1)
    n_known = np.maximum((ordered < np.inf).sum(axis=1), 1)
    row = np.arange(len(ordered))
    return np.asarray(0.5 * (ordered[row, (n_known - 1) // 2] + ordered[row, n_known // 2]))


def _profiles(image: Image | Stampable, x: Floats, y: Floats, level: Floats) -> Floats:
    """Return the mean light at each whole radius, (n, REACH)."""
    columns, rows = stamp_pixels(x, y, REACH)
    values, is_there = stamps(image, columns, rows)
    light = values - level[:, np.newaxis, np.newaxis]
    ring = np.rint(distances(columns, rows, x, y)).astype(np.int64)
    found = np.zeros((len(x), REACH))
    for star in range(len(x)):
        at = ring[star].ravel()
        keep = (at < REACH) & is_there[star].ravel()
        count = np.bincount(at[keep], minlength=REACH)
        total = np.bincount(at[keep], weights=light[star].ravel()[keep].astype(np.float64), minlength=REACH)
        found[star] = total / np.maximum(count, 1)
    return found
