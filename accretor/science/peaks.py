"""An image without bad pixels, binned, and the peaks of light in it."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Booleans, Floats, Image
from accretor.science.background import BOX, Sky, sky
from accretor.science.calibrated import STRIP, Calibrated, Repairs, repairs
from accretor.science.geometry import bin_image, stamp_pixels, stamps

SHARPEST = 0.12
"""Mean of the 8 neighbours over the peak: a single hot pixel has less, a star of FWHM 1.8 more than twice."""
FIRST_SAMPLES = 12
"""Pixels along each side of a box of the sky, where its noise is all that is asked for."""
CACHED = 1 << 16
"""Pixels that are smoothed at a time, at least."""
DENSE = 0.03
"""Part of the pixels above the limit from which on there is more noise, or more stars, than sky."""


@dataclass
class Field:
    """An image without its bad pixels, and what was binned of it."""

    image: Image | Calibrated
    binned: dict[int, Image] = dataclasses.field(default_factory=dict)
    peaks: dict[tuple[int, int], tuple[Image, Floats, Floats]] = dataclasses.field(default_factory=dict)
    """By factor and blur, for a first look is often the last one too."""
    background: Sky | None = None
    """Of the image as it is, if it has been measured."""

    def at(self, factor: int) -> Image:
        """Return the image binned by *factor*: 1, 2 or 4."""
        if factor not in self.binned:
            if factor == 4:
                self.binned[4] = bin_image(self.at(2), 2)
            elif isinstance(self.image, Calibrated):
                self.binned[factor] = self.image.image() if factor == 1 else self.image.binned(factor)
            else:
                self.binned[factor] = bin_image(self.image, factor)
        return self.binned[factor]


def field_of(image: Image | Calibrated, bad: Booleans | Repairs | None) -> Field:
    """Return *image* without its bad and undefined pixels."""
    if isinstance(image, Calibrated):
        mended = repairs(bad) if isinstance(bad, np.ndarray) else bad
        if bad is None or mended is not None:
            whole = image.repaired(mended) if mended else image
            found = Field(whole if whole.done is None else whole.done)
            # What is undefined shows in the sum of all.
            if math.isfinite(float(found.at(2).sum(dtype=np.float64))):
                return found
        image = image.image()
    return Field(_without(image, bad.is_bad if isinstance(bad, Repairs) else bad))


def _without(image: Image, bad: Booleans | None) -> Image:
    """Return *image* with bad and undefined pixels set to the median of their neighbours."""
    image = image.astype(np.float32, copy=False)
    undefined = ~np.isfinite(image)
    if bad is not None:
        undefined |= bad
    if not undefined.any():
        return image
    image = image.copy()
    image[undefined] = np.nan
    rows, columns = np.nonzero(undefined)
    around, is_inside = stamps(image, *stamp_pixels(columns.astype(float), rows.astype(float), 1))
    around = np.sort(np.where(is_inside, around, np.nan).reshape(len(rows), 9), axis=1)
    n_good = np.isfinite(around).sum(axis=1)
    middle = around[np.arange(len(rows)), np.maximum(n_good - 1, 0) // 2]
    level = sky(image).level
    image[rows, columns] = np.where(n_good > 0, middle, level if math.isfinite(level) else 0.0)
    return image


def _smoothed(image: Image, times: int) -> Image:
    """Return *image* after *times* passes of the binomial filter 1-2-1; the rim is that of the image."""
    height, width = image.shape
    strip = min(max(STRIP, CACHED // width), height)
    work, beside = np.empty((strip, width), np.float32), np.empty(strip * width, np.float32)
    for _ in range(times):
        smooth = np.empty_like(image)
        for start in range(0, height, strip):  # what is worked on stays in the processor's cache
            stop = min(start + strip, height)
            rows = work[: stop - start]
            first, last = max(start, 1), min(stop, height - 1)
            inner = rows[first - start : last - start]
            np.add(image[first - 1 : last - 1], image[first + 1 : last + 1], out=inner)
            inner *= 0.5
            inner += image[first:last]
            if start == 0:
                rows[0] = image[0]
            if stop == height:
                rows[-1] = image[-1]
            part, side = smooth[start:stop], beside[: (stop - start) * width - 2]
            # Rows as one long row, which is faster; what is wrong at its joints is the rim.
            flat, in_row = rows.reshape(-1), part.reshape(-1)
            np.add(flat[:-2], flat[2:], out=side)
            side *= 0.5
            np.add(flat[1:-1], side, out=in_row[1:-1])
            part[:, 0], part[:, -1] = rows[:, 0], rows[:, -1]
            part *= 0.25
        image = smooth
    return image


def blur_for(fwhm: float) -> int:
    """Return how often to smooth for stars of *fwhm* pixels: nearly the matched filter."""
    return 1 if fwhm < 3.2 else 2


def candidates(
    field: Field, factor: int, threshold: float, blur: int, most: int
) -> tuple[Image, Floats, Floats]:
    """Return the binned image without its sky, and the peaks in it, brightest first.

    Parameters
    ----------
    field : Field
    factor : int
        By which the image is binned: 1, 2 or 4.
    threshold : float
        Peak of the smoothed image over its noise.
    blur : int
        How often it is smoothed, as `blur_for` tells.
    most : int
        Peaks to return.

    Returns
    -------
    image : (height, width) float32
    x, y : (n_peak,) float64, pixel of the binned image
    """
    key = factor, blur
    if key not in field.peaks:
        background = field.background if factor == 1 else None
        field.peaks[key] = _peaks(field.at(factor), threshold, blur, background)
    binned, x, y = field.peaks[key]
    return binned, x[:most], y[:most]


def _peaks(image: Image, threshold: float, blur: int, background: Sky | None) -> tuple[Image, Floats, Floats]:
    """Return *image* without its sky, float32, and the peaks in it, brightest first."""
    if min(image.shape) < 5:
        return image.astype(np.float32), np.zeros(0), np.zeros(0)
    image = image.astype(np.float32, copy=False)
    binned = (background or sky(image)).image()
    np.subtract(image, binned, out=binned)
    smooth = _smoothed(binned, blur)
    noise = sky(smooth[1:-1, 1:-1], box=2 * BOX, samples=FIRST_SAMPLES).noise
    limit = threshold * noise if noise > 0 else threshold * 1e-6
    width = smooth.shape[1]
    is_high = smooth > limit
    is_high[:2] = is_high[-2:] = is_high[:, :2] = is_high[:, -2:] = False
    flat, high = smooth.ravel(), is_high.ravel()
    if np.count_nonzero(high) > DENSE * flat.size:  # then what is next in memory is sooner compared for all
        high[1:-1] &= flat[1:-1] > flat[:-2]
        high[1:-1] &= flat[1:-1] >= flat[2:]
    at = np.flatnonzero(high)
    value = flat[at]
    for step in (-width - 1, -width, -width + 1, -1):
        keep = (value > flat[at + step]) & (value >= flat[at - step])
        at, value = at[keep], value[keep]
    raw = binned.ravel()
    core = np.stack([raw[at + dy * width + dx] for dy in (-1, 0, 1) for dx in (-1, 0, 1)])
    brightest = core.max(axis=0)
    is_star = core.sum(axis=0) - brightest > 8 * SHARPEST * brightest
    at, value = at[is_star], value[is_star]
    at = at[np.argsort(-value, kind="stable")]
    row, column = np.divmod(at, width)
    return binned, column.astype(np.float64), row.astype(np.float64)
