"""Combine many frames into one: master bias, dark and flat, and the self-dark."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from accretor.core.arrays import Booleans, Floats, Image, Integers
from accretor.core.errors import Unusable
from accretor.science.background import Sky, sky
from accretor.science.detector import Masters, dark_scale
from accretor.science.geometry import stamp_pixels, stamps
from accretor.science.readout import linearised
from accretor.science.sources import Sources, detect

ReadRows = Callable[[int, int], Image]
"""``read_rows(start, stop)`` returns these rows of all frames, (n_frame, stop - start, width)."""

LEAST_CLIPPED = 5
"""With fewer frames a deviation says nothing, and the median is taken."""
CLIP = 4.0
SAMPLED_ROWS = 64
"""Rows on which the typical deviation of a pixel is found."""
ROWS = 64
"""Most rows worked on at a time."""
STRIP_MEMORY = 2**26
"""Bytes of the strip of all frames that is worked on at a time; a few copies of it are made."""
SORTED_ROWS = 16
SELF_DARK_MEMORY = 2**28
"""Bytes of the stack of frames that the self-dark holds at a time."""
MOST_LEAK = 0.02
"""Starlight in the self-dark above this is a systematic error of a per cent or so."""
PROBED = 9
"""Frames in which the starlight in the self-dark is looked for."""


def combine(read_rows: ReadRows, height: int, width: int, *, rows: int = 0) -> Image:
    """Average a stack of frames, pixel by pixel, without the outliers.

    Values further than 4 x 1.4826 MAD from the median of their pixel are left out;
    the MAD counts as at least its median over the frame, for that of a few values
    is often near to 0 by chance. Fewer than five frames are not clipped: their
    median is taken.

    Parameters
    ----------
    read_rows : callable
        ``read_rows(start, stop)`` returns (n_frame, stop - start, width) of any
        number type; called for one strip after the other.
    height, width : int, pixel
    rows : int
        Height of a strip, which does not change the result; 0: as many as the memory is to hold.

    Returns
    -------
    (height, width) float32

    Raises
    ------
    ValueError
        If there is no frame.
    """
    rows = rows or _strip(len(read_rows(0, 1)), width)
    floor: float | None = None
    result = np.empty((height, width), dtype=np.float32)
    for start in range(0, height, rows):
        stack = _float_stack(read_rows(start, min(start + rows, height)))
        if len(stack) < LEAST_CLIPPED:
            result[start : start + rows] = _median(stack)
            continue
        if floor is None:
            floor = _typical_deviation(read_rows, height, width)
        result[start : start + rows] = _clipped_mean(stack, floor)
    return result


def master_bias(read_rows: ReadRows, height: int, width: int, *, rows: int = 0) -> Image:
    """Return the master bias: ADU, (height, width) float32; see `combine` for the parameters."""
    return combine(read_rows, height, width, rows=rows)


def master_dark(
    read_rows: ReadRows,
    height: int,
    width: int,
    *,
    bias: Image | None = None,
    nonlinearity: tuple[float, ...] = (),
    rows: int = 0,
) -> Image:
    """Return the master dark of frames of equal exposure, without *bias* if there is one.

    Parameters
    ----------
    read_rows, height, width, rows
        As in `combine`.
    bias : (height, width), ADU
        Master bias.
    nonlinearity : tuple of float
        As in `accretor.science.readout.linearised`; of the frames, less the bias.

    Returns
    -------
    (height, width) float32, ADU at the exposure of the frames
    """
    if nonlinearity:

        def without_bias(start: int, stop: int) -> Image:
            stack = _float_stack(read_rows(start, stop))
            if bias is not None:
                stack -= bias[start:stop]
            return linearised(stack, nonlinearity)

        return combine(without_bias, height, width, rows=rows)
    result = combine(read_rows, height, width, rows=rows)
    if bias is not None:
        result -= bias.astype(np.float32)
    return result


def master_flat(
    read_rows: ReadRows, height: int, width: int, *, exposure: Floats, masters: Masters, rows: int = 0
) -> Image:
    """Return the master flat: each frame without bias and dark, over its median, combined.

    Parameters
    ----------
    read_rows, height, width, rows
        As in `combine`.
    exposure : (n_frame,) float64, second
        Of each frame.
    masters : Masters
        Its bias, dark and non-linearity are used.

    Returns
    -------
    (height, width) float32
        Response of the pixels, median 1.

    Raises
    ------
    Unusable
        If a flat has no light.
    """
    dark = None if masters.dark is None else masters.dark.astype(np.float32)
    scale = np.array([dark_scale(masters, float(second)) for second in exposure], dtype=np.float32)

    def without_dark(start: int, stop: int) -> Image:
        stack = _float_stack(read_rows(start, stop))
        if masters.bias is not None:
            stack -= masters.bias[start:stop]
        stack = linearised(stack, masters.readout.nonlinearity)
        if dark is not None:
            stack -= scale[:, np.newaxis, np.newaxis] * dark[start:stop]
        return stack

    chosen = _sampled_rows(height, _strip(len(exposure), width))
    sample = np.concatenate([without_dark(row, row + 1) for row in chosen], axis=1)
    level = np.median(sample.reshape(len(sample), -1), axis=1).astype(np.float32)
    if not np.all(level > 0):
        raise Unusable(f"flat {int(np.argmin(level)) + 1} of {len(level)} has no light above bias and dark")

    def normalised(start: int, stop: int) -> Image:
        stack = without_dark(start, stop)
        stack /= level[:, np.newaxis, np.newaxis]
        return stack

    result = combine(normalised, height, width, rows=rows)
    result /= np.median(result)
    return result


def self_dark_indices(n_frame: int, max_frames: int = 61) -> Integers:
    """Return the indices, evenly spaced over *n_frame* frames, of which the self-dark is made."""
    count = min(n_frame, max_frames)
    return np.unique(np.rint(np.linspace(0, n_frame - 1, count)).astype(np.int64))


def self_dark(read: Callable[[int], Image], n_frame: int, max_frames: int = 61) -> Image:
    """Make a dark pattern from the science frames themselves, where the field drifts.

    The median over the *unregistered* frames, each without its background: what
    stays in place is of the detector, what moves is of the sky. Whether the stars
    moved enough is tested on the result: the light of stars of some frames is
    measured in the frame, and at the same place in the pattern.

    Parameters
    ----------
    read : callable
        ``read(index)`` returns frame *index* as (height, width), ADU; raw, or without
        the bias. It may be called more than once for a frame.
    n_frame : int
        Frames of the night, in the order of time.
    max_frames : int
        Frames to use, evenly spaced: `self_dark_indices`.

    Returns
    -------
    (height, width) float32, ADU
        To be used as a dark that is not scaled; around 0.

    Raises
    ------
    Unusable
        If there are fewer than 9 frames, or no stars to test with, or if more than
        2 per cent of the light of the stars would be in the pattern.
    """
    if n_frame < PROBED:
        raise Unusable(f"{n_frame} frames, a self-dark needs {PROBED}")
    indices = self_dark_indices(n_frame, max_frames)
    pattern = _median_without_background(read, indices)
    leak = _leak(read, indices, pattern)
    if leak > MOST_LEAK:
        raise Unusable(
            f"the field does not drift enough: {100 * leak:.0f} % of the star light would be in the pattern"
        )
    return pattern


def _float_stack(stack: Image) -> Image:
    if not len(stack):
        raise ValueError("there are no frames to combine")
    return np.array(stack, dtype=np.float32)


def _strip(n_frame: int, width: int) -> int:
    """Return how many rows of all frames the memory is to hold."""
    return int(np.clip(STRIP_MEMORY // max(4 * n_frame * width, 1), 1, ROWS))


def _sampled_rows(height: int, most: int = SAMPLED_ROWS) -> list[int]:
    return [int(row) for row in self_dark_indices(height, most)]


def _typical_deviation(read_rows: ReadRows, height: int, width: int) -> float:
    """Return the median over some rows of the MAD of each pixel."""
    chosen = _sampled_rows(height, _strip(len(read_rows(0, 1)), width))
    stack = np.concatenate([_float_stack(read_rows(row, row + 1)) for row in chosen], axis=1)
    return float(np.median(_median(np.abs(stack - _median(stack)))))


def _clipped_mean(stack: Image, floor: float) -> Image:
    middle = _median(stack)
    deviation = stack - middle
    spread = _median(np.abs(deviation))
    limit = np.float32(CLIP * 1.4826) * np.maximum(spread, np.float32(floor))
    kept = np.abs(deviation) <= limit
    deviation[~kept] = 0
    # The median itself is always kept but in an even stack of two halves: then it is the best there is.
    return np.asarray(middle + deviation.sum(axis=0) / np.maximum(kept.sum(axis=0), 1))


def _median_without_background(read: Callable[[int], Image], indices: Integers) -> Image:
    """Return the median of frames without their background, in strips that fit in the memory."""
    first = read(int(indices[0]))
    height, width = first.shape
    rows = int(np.clip(SELF_DARK_MEMORY // (4 * width * len(indices)), 1, height))
    backgrounds: dict[int, Sky] = {}
    pattern = np.empty((height, width), dtype=np.float32)
    for start in range(0, height, rows):
        stop = min(start + rows, height)
        stack = np.empty((len(indices), stop - start, width), dtype=np.float32)
        for position, index in enumerate(indices):
            frame = read(int(index))
            if position not in backgrounds:
                backgrounds[position] = sky(frame)
            stack[position] = frame[start:stop]
            stack[position] -= backgrounds[position].image(start, stop)
        pattern[start:stop] = _median(stack)
    return pattern


def _median(stack: Image) -> Image:
    """Return the median over the first axis; several times faster than numpy's, which strides."""
    result = np.empty(stack.shape[1:], dtype=np.float32)
    middle = len(stack) // 2
    # A few rows at a time: the sorted copy stays small.
    for start in range(0, len(result), SORTED_ROWS):
        part = stack[:, start : start + SORTED_ROWS]
        ordered = np.ascontiguousarray(part.reshape(len(stack), -1).T)
        ordered.sort(axis=1)
        value = ordered[:, middle]
        if len(stack) % 2 == 0:
            value = 0.5 * (ordered[:, middle - 1] + value)
        result[start : start + SORTED_ROWS] = value.reshape(part.shape[1:])
    return result


def _leak(read: Callable[[int], Image], indices: Integers, pattern: Image) -> float:
    """Return the part of the starlight that is in the pattern, in the worst of some frames."""
    hot = _hot(pattern)
    found = []
    for index in indices[self_dark_indices(len(indices), PROBED)]:
        frame = read(int(index)).astype(np.float32)
        frame -= sky(frame).image()
        # A pattern with stars in it must not be taken off before they are looked for.
        stars = detect(frame, max_stars=30, bad=hot, threshold=10)
        if len(stars) < 3:
            continue
        ratio = _light(pattern, stars, hot) / _light(frame, stars, hot)
        found.append(float(np.nanmedian(ratio)))
    if not found:
        raise Unusable("no stars to show whether the field drifts")
    return max(found)


def _hot(pattern: Image) -> Booleans:
    """Return pixels of the pattern that stand alone, as no star does."""
    middle = pattern[1:-1, 1:-1]
    spread = 1.4826 * float(np.median(np.abs(pattern - np.median(pattern))))
    total = sum(
        pattern[1 + dy : pattern.shape[0] - 1 + dy, 1 + dx : pattern.shape[1] - 1 + dx]
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
        if dy or dx
    )
    hot = np.zeros(pattern.shape, dtype=bool)
    hot[1:-1, 1:-1] = (np.abs(middle) > 8 * spread) & (np.abs(total) < np.abs(middle))
    return hot


def _light(image: Image, stars: Sources, bad: Booleans) -> Floats:
    """Return the light within one FWHM of each star over the median of a ring around; NaN if unknown."""
    fwhm = float(np.median(stars.fwhm))
    columns, rows = stamp_pixels(stars.x, stars.y, int(np.ceil(3 * fwhm)))
    values, is_inside = stamps(image, columns, rows)
    hot, _ = stamps(bad, columns, rows)
    distance = np.hypot(
        (columns - stars.x[:, np.newaxis])[:, np.newaxis, :],
        (rows - stars.y[:, np.newaxis])[:, :, np.newaxis],
    )
    good = is_inside & ~hot
    around = np.where(good & (distance > 2 * fwhm), values, np.nan).reshape(len(stars), -1)
    level = np.nanmedian(around, axis=1)
    inner = np.where(good & (distance < fwhm), values - level[:, np.newaxis, np.newaxis], 0.0)
    return np.asarray(inner.sum(axis=(1, 2)), dtype=np.float64)
