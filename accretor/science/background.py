"""The coarse background of an image, for finding stars; photometry has annuli."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from accretor.core.arrays import Booleans, Floats, Image, Integers
from accretor.science.statistics import median

if TYPE_CHECKING:
    from accretor.science.calibrated import Calibrated

BOX = 64
"""Side of the boxes, pixel: more than a star, less than a gradient."""
SAMPLES = 24
"""Pixels looked at along each side of a box; they fix its level to a tenth of the noise or better."""
FEW_SAMPLES = 12
"""The same where there are more than a hundred boxes, whose median is what counts."""
MOST_BOXES = 20
"""Boxes along a side: large detectors have wider boxes."""


@dataclass(frozen=True)
class Sky:
    """Background of an image on a coarse mesh."""

    level: float
    """Median of the mesh, in the unit of the image."""
    noise: float
    """Standard deviation of a pixel around the background; median of the mesh."""
    mesh: Floats
    """(n_y, n_x) levels, those of equally spaced boxes from rim to rim."""
    shape: tuple[int, int]
    """Of the image, (height, width)."""

    def image(self, start: int = 0, stop: int | None = None) -> Image:
        """Return rows *start* to *stop* of the background, float32, bilinear between the boxes."""
        height, width = self.shape
        along_y = _interpolation(height, self.mesh.shape[0])[start:stop]
        along_x = _interpolation(width, self.mesh.shape[1])
        return np.asarray((along_y @ self.mesh).astype(np.float32) @ along_x.T.astype(np.float32))


def sky(
    image: Image | Calibrated, *, bad: Booleans | None = None, box: int = BOX, samples: int = SAMPLES
) -> Sky:
    """Measure the background of *image* on a mesh.

    In each box, the mean of the middle half of a sample of pixels after clipping at
    3 sigma, with sigma from the lower half, where there are no stars; then a 3 x 3
    median over the boxes, against one with a bright star in it.

    Parameters
    ----------
    image : (height, width), any unit
        NaN is left out. A `Calibrated` one is calibrated at the samples only.
    bad : (height, width) bool
        Pixels to leave out.
    box : int, pixel
        Least side of a box.
    samples : int
        Pixels looked at along each side of a box.

    Returns
    -------
    Sky
    """
    n_y, n_x, rows, columns = _grid((image.shape[0], image.shape[1]), box, samples)
    if isinstance(image, np.ndarray):
        sample = image.take(rows, axis=0).take(columns, axis=1)
    else:
        sample = image.grid(rows, columns)
    sample = sample.astype(np.float32, copy=False)
    if bad is not None:
        sample[bad[rows][:, columns]] = np.nan
    boxed = sample.reshape(n_y, len(rows) // n_y, n_x, len(columns) // n_x).transpose(0, 2, 1, 3)
    level, noise = _clipped_level(boxed.reshape(n_y * n_x, -1))
    is_known = np.isfinite(level)
    if not is_known.any():
        return Sky(np.nan, np.nan, np.full((1, 1), np.nan), (image.shape[0], image.shape[1]))
    middle = median(level[is_known])
    mesh = _median3(np.where(is_known, level, middle).reshape(n_y, n_x))
    return Sky(middle, median(noise[~np.isnan(noise)]), mesh, (image.shape[0], image.shape[1]))


@functools.lru_cache(maxsize=16)
def _grid(shape: tuple[int, int], box: int, samples: int) -> tuple[int, int, Integers, Integers]:
    """Return how many boxes there are in y and in x, and the rows and columns that are looked at."""
    starts_y, side_y = _boxes(shape[0], box)
    starts_x, side_x = _boxes(shape[1], box)
    if len(starts_y) * len(starts_x) > 100:
        samples = min(samples, FEW_SAMPLES)
    rows = (starts_y[:, np.newaxis] + _sample(side_y, samples)).ravel()
    columns = (starts_x[:, np.newaxis] + _sample(side_x, samples)).ravel()
    return len(starts_y), len(starts_x), rows, columns


def _boxes(length: int, box: int) -> tuple[Integers, int]:
    """Return where boxes start, and their side; together they cover the length."""
    n_box = int(np.clip(length // box, 1, MOST_BOXES))
    side = -(-length // n_box)
    return np.linspace(0, length - side, n_box).astype(np.int64), side


def _sample(side: int, samples: int) -> Integers:
    return np.unique(np.linspace(0, side - 1, min(side, samples)).astype(np.int64))


def _clipped_level(values: Image) -> tuple[Floats, Floats]:
    """Return the level of each row and its sigma; NaN where the row holds nothing.

    Medians find the clip; means over what is left then see below the step of an
    analogue-to-digital converter, which is often as large as the noise.
    """
    values = np.sort(values, axis=1)  # NaN comes last
    low = np.zeros(len(values), dtype=np.int64)
    high = n_finite = _first(~(values < np.inf), values.shape[1])
    row = np.arange(len(values))
    last = values.shape[1] - 1
    for _ in range(3):
        level = np.where(high > low, values[row, np.minimum((low + high) // 2, last)], np.nan)
        sixteenth = values[row, np.minimum(low + ((high - low) * 0.1587).astype(np.int64), last)]
        # Noise below one step of the converter leaves the quantiles equal.
        limit = 3 * np.maximum(level - sixteenth, 1e-4 * np.abs(level) + 1e-6)
        before = low, high
        low, high = (
            _first(values >= (level - limit)[:, np.newaxis], 0),
            _first(values > (level + limit)[:, np.newaxis], n_finite),
        )
        if (low == before[0]).all() and (high == before[1]).all():
            break
    fifth = ((high - low) * 0.25).astype(np.int64)
    begin, end = low + fifth, high - fifth
    level = _mean(values, begin, end)
    above = _first(values > level[:, np.newaxis], n_finite)
    deviation = values - level[:, np.newaxis]
    return level, np.sqrt(_mean(deviation * deviation, low, above))


def _first(is_so: Booleans, otherwise: Integers | int) -> Integers:
    """Return the first column in which a row *is_so*, or what to take where there is none."""
    found = is_so.argmax(axis=1)
    return np.where((found > 0) | is_so[:, 0], found, otherwise)


def _mean(values: Floats | Image, first: Integers, after: Integers) -> Floats:
    """Return the mean of each row from *first* up to, and without, *after*."""
    rank, count = np.arange(values.shape[1], dtype=np.int32), after - first
    chosen = rank >= first.astype(np.int32)[:, np.newaxis]
    chosen &= rank < after.astype(np.int32)[:, np.newaxis]
    total = np.where(chosen, values, np.float32(0)).astype(np.float64, copy=False).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _median3(mesh: Floats) -> Floats:
    padded = np.empty((mesh.shape[0] + 2, mesh.shape[1] + 2))
    padded[1:-1, 1:-1] = mesh
    if min(mesh.shape) > 1:
        # Odd reflection continues a slope beyond the rim; the plain one bends it there.
        padded[0], padded[-1] = 2 * padded[1] - padded[2], 2 * padded[-2] - padded[-3]
        padded[:, 0] = 2 * padded[:, 1] - padded[:, 2]
        padded[:, -1] = 2 * padded[:, -2] - padded[:, -3]
    else:
        padded[0], padded[-1] = padded[1], padded[-2]
        padded[:, 0], padded[:, -1] = padded[:, 1], padded[:, -2]
    views = [padded[y : y + mesh.shape[0], x : x + mesh.shape[1]] for y in range(3) for x in range(3)]
    return np.asarray(np.sort(views, axis=0)[4])


@functools.lru_cache(maxsize=16)
def _interpolation(length: int, n_box: int) -> Floats:
    """Return the matrix (length, n_box) that interpolates between box centres, and beyond them."""
    if n_box == 1:
        return np.ones((length, 1))
    position = np.arange(length)
    side = -(-length // n_box)
    at = (position - (side - 1) / 2) * (n_box - 1) / (length - side)
    lower = np.clip(at.astype(np.int64), 0, n_box - 2)
    matrix = np.zeros((length, n_box))
    matrix[position, lower] = 1 - (at - lower)
    matrix[position, lower + 1] = at - lower
    return matrix
