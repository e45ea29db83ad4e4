"""A raw frame through its masters, calibrated where it is looked at and nowhere else."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accretor.core.arrays import Booleans, Image, Integers
from accretor.science import detector
from accretor.science.detector import Masters
from accretor.science.geometry import bin_image, blocks
from accretor.science.readout import linearised, overscan_level, window

STRIP = 32
"""Rows calibrated at a time, at least: what is worked on stays in the processor's cache."""
PIXELS = 1 << 17
"""Pixels calibrated at a time, if so many rows are not more."""
SMALL = 1 << 20
"""Pixels up to which a frame is calibrated as a whole: it stays in the cache, and cut-outs cost one copy."""
REACH = 8
"""Pixels to the left and right in which a good one is looked for, in the place of a bad one."""


@dataclass(frozen=True)
class Repairs:
    """Bad pixels, and the two good ones whose mean takes the place of each, to find stars."""

    is_bad: Booleans
    """(height, width)."""
    at: Integers
    """Indices of the bad pixels in the flattened image, ascending."""
    left: Integers
    """Index of the nearest good pixel of the same row to the left; that to the right if there is none."""
    right: Integers


def repairs(is_bad: Booleans) -> Repairs | None:
    """Return how to mend the pixels *is_bad*; None where a row has no good ones near by."""
    at = np.flatnonzero(is_bad)
    width = is_bad.shape[1]
    flat = is_bad.ravel()
    found = []
    for sign in (-1, 1):
        near = np.full(len(at), -1)
        for step in range(REACH, 0, -1):
            there = at + sign * step
            is_row = (there >= 0) & (there < flat.size)
            is_row &= np.minimum(there, flat.size - 1) // width == at // width
            good = is_row & ~flat[np.clip(there, 0, flat.size - 1)]
            near[good] = there[good]
        found.append(near)
    left, right = found
    if np.any((left < 0) & (right < 0)):
        return None
    return Repairs(is_bad, at, np.where(left < 0, right, left), np.where(right < 0, left, right))


@dataclass(frozen=True)
class Calibrated:
    """An image, electron, that is made of a raw frame and its masters when it is asked for.

    The pixels are those of `accretor.science.detector.reduce` to the rounding of float32: a part in ten
    million, for bias and dark are one level, the flat and the gain one factor.
    """

    raw: NDArray[Any]
    """(height, width), ADU, trimmed."""
    masters: Masters
    exposure: float
    """Second."""
    gain: float
    """Electron per ADU."""
    response: Image | None = None
    """(height, width) electron per ADU of each pixel, as `response` makes it of the flat."""
    zero: Image | None = None
    """(height, width) ADU, bias and dark as one, as `zero_level` makes it; worked out where it is None."""
    level: float = 0.0
    """Of the overscan, ADU; it is taken off first."""
    done: Image | None = None
    """The whole image: of a small frame, and where it cannot be worked out pixel by pixel."""
    mended: Repairs | None = None
    """Bad pixels that take the mean of their neighbours; for finding stars, never to measure them."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.raw.shape[0], self.raw.shape[1]

    def repaired(self, mended: Repairs) -> Calibrated:
        """Return the image with its bad pixels mended."""
        found = replace(self, mended=mended)
        return found if self.done is None else replace(self, done=found.image())

    def image(self) -> Image:
        """Return the whole image, float32."""
        if self.done is not None:
            return self.rows(0, self.shape[0])
        whole = np.empty(self.shape, np.float32)
        step = _strip(self.shape[1])
        for start in range(0, self.shape[0], step):
            self.rows(start, start + step, whole[start : start + step])
        return whole

    def rows(self, start: int, stop: int, out: Image | None = None) -> Image:
        """Return rows *start* up to, and without, *stop*, float32; in *out*, if that is given."""
        strip = self._reduced(self.raw[start:stop], lambda master: master[start:stop], out)
        if self.mended is not None:
            width = self.shape[1]
            first, last = np.searchsorted(self.mended.at, (start * width, stop * width))
            part, flat = slice(int(first), int(last)), strip.reshape(-1)
            begin = start * width
            flat[self.mended.at[part] - begin] = 0.5 * (
                flat[self.mended.left[part] - begin] + flat[self.mended.right[part] - begin]
            )
        return strip

    def blocks(self, columns: Integers, rows: Integers) -> Image:
        """Return the pixels (n_star, n_row, n_column) of cut-outs; those outside repeat the rim."""
        cut = functools.partial(blocks, columns=columns, rows=rows)
        values = self._reduced(cut(self.raw), cut) if self.done is None else cut(self.done)
        if self.mended is not None:
            star, row, column = np.nonzero(cut(self.mended.is_bad))
            if len(star):
                height, width = self.shape
                y, x = np.clip(rows[star, row], 0, height - 1), np.clip(columns[star, column], 0, width - 1)
                known = np.searchsorted(self.mended.at, y * width + x)
                left, right = self._at(self.mended.left[known]), self._at(self.mended.right[known])
                values[star, row, column] = 0.5 * (left + right)
        return values

    def grid(self, rows: Integers, columns: Integers) -> Image:
        """Return the pixels of *rows* that are also of *columns*; of a large frame without its repairs."""

        def of(whole: NDArray[Any]) -> NDArray[Any]:
            return np.asarray(whole[rows[:, np.newaxis], columns])

        return self._reduced(of(self.raw), of) if self.done is None else of(self.done)

    def binned(self, factor: int) -> Image:
        """Return the mean of squares of *factor* x *factor* pixels, without the whole image in between."""
        height, width = self.shape[0] // factor, self.shape[1] // factor
        small = np.empty((height, width), np.float32)
        step = _strip(self.shape[1]) // factor
        # New memory for each strip would leave the cache.
        strip = np.empty((step * factor, self.shape[1]), np.float32)
        for start in range(0, height, step):
            stop = min(start + step, height)
            part = strip[: (stop - start) * factor]
            bin_image(self.rows(start * factor, stop * factor, part), factor, small[start:stop])
        return small

    def points(self, rows: Integers, columns: Integers) -> Image:
        """Return single pixels, of the shape of *rows* and *columns*."""
        values = self._points(rows, columns)
        if self.mended is not None and (is_bad := self.mended.is_bad[rows, columns]).any():
            known = np.searchsorted(self.mended.at, rows[is_bad] * self.shape[1] + columns[is_bad])
            values[is_bad] = 0.5 * (self._at(self.mended.left[known]) + self._at(self.mended.right[known]))
        return values

    def _at(self, index: Integers) -> Image:
        return self._points(*np.divmod(index, self.shape[1]))

    def _points(self, rows: Integers, columns: Integers) -> Image:
        """Return single pixels without their repairs."""

        def of(whole: NDArray[Any]) -> NDArray[Any]:
            return np.asarray(whole[rows, columns])

        return self._reduced(of(self.raw), of) if self.done is None else of(self.done)

    def _reduced(self, raw: NDArray[Any], of: Any, out: Image | None = None) -> Image:
        if out is None:
            out = np.empty(raw.shape, np.float32)
        if self.done is not None:
            np.copyto(out, of(self.done))
            return out
        np.copyto(out, raw, casting="unsafe")
        self._discharge(out, of)
        if self.response is not None:
            out *= of(self.response)
        elif self.gain != 1:
            out *= np.float32(self.gain)
        return out

    def _discharge(self, image: Image, of: Any) -> None:
        """Take off what is not light: overscan, bias and dark, ADU."""
        masters = self.masters
        if self.level:
            image -= np.float32(self.level)
        if masters.readout.nonlinearity:
            # The charge is what is left without the bias, and the dark is charge.
            if masters.bias is not None:
                image -= of(masters.bias)
            image[...] = linearised(image, masters.readout.nonlinearity)
            if masters.dark is not None:
                image -= np.float32(detector.dark_scale(masters, self.exposure)) * of(masters.dark)
        elif self.zero is not None:
            image -= of(self.zero)
        elif (zero := _zero_level(masters, self.exposure, of)) is not None:
            image -= zero


def _strip(width: int) -> int:
    """Return the rows that are calibrated at a time, a multiple of 4."""
    return max(STRIP, PIXELS // width // 4 * 4)


def look_at(
    whole: NDArray[Any],
    masters: Masters,
    exposure: float,
    gain: float,
    response: Image | None,
    zero: Image | None = None,
) -> Calibrated:
    """Return a frame with overscan and blind rims as the part that is kept, to be calibrated.

    Parameters
    ----------
    whole : (full height, full width), ADU
    masters : Masters
        Of trimmed frames.
    exposure : float, second
    gain : float, electron per ADU
    response : (height, width), electron per ADU
        As `response` makes it of the flat; None without one.
    zero : (height, width), ADU
        As `zero_level` makes it of bias and dark, if it is at hand; the result is the same.

    Raises
    ------
    Unusable
        If overscan or trim section are not in the frame.
    """
    readout = masters.readout
    kept = window(whole, readout.trim)
    if readout.is_median_filtered:
        image = detector.reduce(whole, masters, exposure=exposure, gain=gain)
        return Calibrated(kept, masters, exposure, gain, done=image)
    level = overscan_level(window(whole, readout.overscan)) if readout.overscan is not None else 0.0
    found = Calibrated(kept, masters, exposure, gain, response, zero, level)
    return replace(found, done=found.image()) if kept.size <= SMALL else found


def zero_level(masters: Masters, exposure: float) -> Any:
    """Return what is taken off the frames of an exposure: bias and dark as one, float32, ADU.

    None where there is neither of them.
    """
    return _zero_level(masters, exposure, np.asarray)


def _zero_level(masters: Masters, exposure: float, of: Any) -> Any:
    """Return what *of* takes of `zero_level`."""
    if masters.dark is None:
        return None if masters.bias is None else of(masters.bias)
    factor = detector.dark_scale(masters, exposure)
    dark = of(masters.dark) if factor == 1 else np.float32(factor) * of(masters.dark)
    return dark if masters.bias is None else of(masters.bias) + dark


def response(flat: Image, gain: float) -> Image:
    """Return electron per ADU of each pixel: one product in the place of two divisions.

    Parameters
    ----------
    flat : (height, width) float32
        Master flat, about 1.
    gain : float, electron/ADU

    Returns
    -------
    (height, width) float32, electron/ADU
    """
    return np.asarray(np.float32(gain) / np.maximum(flat, np.float32(detector.LEAST_RESPONSE)))
