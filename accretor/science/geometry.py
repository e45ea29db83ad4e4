"""Circles on square pixels, and cut-outs of many stars at once."""

from __future__ import annotations

import functools
import math
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from accretor.core.arrays import Booleans, Floats, Image, Integers

Pixel = TypeVar("Pixel", bound=np.generic)

HALF_DIAGONAL = math.sqrt(0.5)


def stamp_pixels(x: Floats, y: Floats, half: int) -> tuple[Integers, Integers]:
    """Return the columns and rows of square cut-outs around stars.

    Parameters
    ----------
    x, y : (n_star,) float64, pixel
        Finite centres.
    half : int
        A cut-out has 2 * half + 1 pixels a side.

    Returns
    -------
    columns, rows : (n_star, 2 * half + 1) int64
        Indices, which may lie outside of the image.
    """
    offset = np.arange(-half, half + 1)
    columns = np.floor(x + 0.5).astype(np.int64)[:, np.newaxis] + offset
    rows = np.floor(y + 0.5).astype(np.int64)[:, np.newaxis] + offset
    return columns, rows


def stamps(
    image: NDArray[Pixel] | Stampable, columns: Integers, rows: Integers
) -> tuple[NDArray[Pixel], Booleans]:
    """Cut the squares of `stamp_pixels` out of *image*.

    Parameters
    ----------
    image : (height, width)
    columns, rows : (n_star, size) int
        Of `stamp_pixels`.

    Returns
    -------
    values : (n_star, size, size)
        Pixels; those outside of the image repeat its rim.
    is_inside : (n_star, size, size) bool
        False where a pixel is not in the image.
    """
    height, width = image.shape
    inside_x = (columns >= 0) & (columns < width)
    inside_y = (rows >= 0) & (rows < height)
    is_inside = inside_y[:, :, np.newaxis] & inside_x[:, np.newaxis, :]
    if isinstance(image, np.ndarray):
        return blocks(image, columns, rows), is_inside
    return image.blocks(columns, rows), is_inside


class Stampable(Protocol):
    """An image whose pixels are worked out where they are looked at."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""

    def blocks(self, columns: Integers, rows: Integers) -> Any:
        """Return the pixels of cut-outs, as `blocks` does."""

    def points(self, rows: Integers, columns: Integers) -> Any:
        """Return single pixels, of the shape of *rows* and *columns*."""


def blocks(image: NDArray[Pixel], columns: Integers, rows: Integers) -> NDArray[Pixel]:
    """Return the pixels of cut-outs; those outside of *image* repeat its rim.

    Parameters
    ----------
    image : (height, width)
    columns : (n_star, n_column) int
    rows : (n_star, n_row) int

    Returns
    -------
    (n_star, n_row, n_column), the type of *image*
    """
    height, width = image.shape
    n_star, n_row, n_column = len(columns), rows.shape[1], columns.shape[1]
    x, y = columns[:, 0], rows[:, 0]
    is_whole = (x >= 0) & (y >= 0) & (columns[:, -1] < width) & (rows[:, -1] < height)
    is_whole &= (columns[:, -1] - x == n_column - 1) & (rows[:, -1] - y == n_row - 1)
    if not n_star or not is_whole.any():
        return _picked(image, columns, rows)
    # A view of all squares there are: whole rows are copied, several times as fast as pixel by pixel.
    size, steps = (height - n_row + 1, width - n_column + 1, n_row, n_column), image.strides * 2
    squares: NDArray[Pixel]
    if image.flags.c_contiguous:  # which takes a tenth of the time for a view
        squares = np.ndarray(size, image.dtype, image, 0, steps)
    else:
        squares = np.lib.stride_tricks.as_strided(image, size, steps, writeable=False)
    if is_whole.all():
        return squares[y, x]
    values = np.empty((n_star, n_row, n_column), image.dtype)
    values[is_whole] = squares[y[is_whole], x[is_whole]]
    values[~is_whole] = _picked(image, columns[~is_whole], rows[~is_whole])
    return values


def _picked(image: NDArray[Pixel], columns: Integers, rows: Integers) -> NDArray[Pixel]:
    height, width = image.shape
    # `np.clip` takes three times as long for so few.
    y, x = (
        np.minimum(np.maximum(index, 0), length - 1) for index, length in ((rows, height), (columns, width))
    )
    return np.asarray(image[y[:, :, np.newaxis], x[:, np.newaxis, :]])


def picked(squares: NDArray[Any], pixels: Integers) -> NDArray[Any]:
    """Return some pixels of each cut-out by their index in it, (n_star, n_pixel)."""
    n_star, n_row, n_column = squares.shape
    return squares.reshape(n_star, n_row * n_column).take(pixels, axis=1)


@functools.lru_cache(maxsize=16)
def around(half: int) -> tuple[Floats, Floats, Floats]:
    """Return the offsets in x and y of the pixels of a flattened cut-out, and their distances."""
    offset = np.arange(-half, half + 1, dtype=np.float64)
    across, along = np.tile(offset, len(offset)), np.repeat(offset, len(offset))
    return across, along, np.hypot(across, along)


def distances(columns: Integers, rows: Integers, x: Floats, y: Floats) -> Floats:
    """Return how far the pixels of cut-outs are from their stars, (n_star, n_row, n_column), pixel."""
    dx, dy = columns - x[:, np.newaxis], rows - y[:, np.newaxis]
    return np.asarray(np.sqrt((dx * dx)[:, np.newaxis, :] + (dy * dy)[:, :, np.newaxis]))


def rims(
    image: NDArray[Pixel] | Stampable, x: Floats, y: Floats, half: int
) -> tuple[NDArray[Pixel], Booleans]:
    """Return the outermost pixels of the cut-outs of `stamp_pixels`.

    Returns
    -------
    values : (n_star, 8 * half)
        Pixels; those outside of the image are any other.
    is_inside : (n_star, 8 * half) bool
    """
    height, width = image.shape
    side = np.arange(-half, half + 1)
    whole, ends = np.full(2 * half + 1, half), side[1:-1]
    across = np.concatenate((side, side, -whole[1:-1], whole[1:-1]))
    along = np.concatenate((-whole, whole, ends, ends))
    columns = np.floor(x + 0.5).astype(np.int64)[:, np.newaxis] + across
    rows = np.floor(y + 0.5).astype(np.int64)[:, np.newaxis] + along
    is_inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    rows, columns = rows * is_inside, columns * is_inside
    if isinstance(image, np.ndarray):
        return np.asarray(image[rows, columns]), is_inside
    return image.points(rows, columns), is_inside


def circle_overlap(dx: Floats, dy: Floats, radius: float | Floats) -> Floats:
    """Return how much of unit pixels lies in a circle around the origin.

    Parameters
    ----------
    dx, dy : any equal shape, float64, pixel
        Centres of the pixels relative to the centre of the circle.
    radius : float, or of a shape that goes with dx, pixel

    Returns
    -------
    float64, shape of dx
        Exact area of the overlap, 0 to 1.
    """
    distance = np.sqrt(dx * dx + dy * dy)
    area = np.where(distance < radius, 1.0, 0.0)
    # A circle smaller than a pixel can lie within one, far from all of its corners.
    rim = np.abs(distance - radius) <= HALF_DIAGONAL + 1e-9
    rim |= (np.asarray(radius) <= 2 * HALF_DIAGONAL) & (distance <= radius + HALF_DIAGONAL)
    at = np.flatnonzero(rim)
    x, y, reach = dx.ravel()[at], dy.ravel()[at], np.broadcast_to(radius, dx.shape).ravel()[at]
    is_small = reach <= 2 * HALF_DIAGONAL
    x, y = np.where(is_small, x, np.abs(x)), np.where(is_small, y, np.abs(y))
    is_on_axis = (x < 0.5) | (y < 0.5) | is_small
    for overlap, some in ((_rectangle_overlap, is_on_axis), (_quadrant_overlap, ~is_on_axis)):
        # By index, which is several times as fast as by a mask.
        index = np.flatnonzero(some)
        area.ravel()[at[index]] = overlap(x[index], y[index], reach[index])
    return area


def _quadrant_overlap(dx: Floats, dy: Floats, radius: Floats) -> Floats:
    """Return the overlap of pixels in the first quadrant: the area under the arc, by its integral."""
    left, right, low, high = dx - 0.5, dx + 0.5, dy - 0.5, dy + 0.5
    square = radius * radius
    # The arc is above the pixel up to the first of these x, in it up to the second, below it thereafter.
    enters = np.minimum(np.maximum(np.sqrt(np.maximum(square - high * high, 0.0)), left), right)
    leaves = np.minimum(np.maximum(np.sqrt(np.maximum(square - low * low, 0.0)), left), right)
    height_in = np.sqrt(np.maximum(square - enters * enters, 0.0))
    height_out = np.sqrt(np.maximum(square - leaves * leaves, 0.0))
    angle = np.arcsin((leaves * height_in - enters * height_out) / square)
    under = 0.5 * (leaves * height_out - enters * height_in + square * angle)
    return np.asarray(np.clip(enters - left + under - low * (leaves - enters), 0.0, 1.0))


def _rectangle_overlap(dx: Floats, dy: Floats, radius: Floats) -> Floats:
    square = radius * radius

    def arc(x: Floats) -> Floats:
        """Return twice the area under the arc up to *x*."""
        return np.asarray(x * np.sqrt(square - x * x) + square * np.arcsin(x / radius))

    # Of each edge: its sign, how far in the circle it is, and what all that it ends shares.
    left, right = (
        (np.sign(edge), reach := np.minimum(np.abs(edge), radius), arc(reach))
        for edge in (dx - 0.5, dx + 0.5)
    )
    low, high = (
        (np.sign(edge), reach := np.minimum(np.abs(edge), radius), np.sqrt(square - reach * reach))
        for edge in (dy - 0.5, dy + 0.5)
    )

    def corner(across: tuple[Floats, Floats, Floats], along: tuple[Floats, Floats, Floats]) -> Floats:
        """Return the area that the circle shares with the rectangle from its centre to a corner, signed."""
        (sign_x, x, arc_x), (sign_y, y, chord) = across, along
        # The circle is as high as y up to this x; beyond it, the area lies under the arc.
        bend = np.minimum(chord, x)
        return np.asarray(sign_x * sign_y * (bend * y + 0.5 * (arc_x - arc(bend))))

    return np.clip(
        corner(right, high) - corner(left, high) - corner(right, low) + corner(left, low), 0.0, 1.0
    )


def bin_image(image: Image, factor: int, out: Image | None = None) -> Image:
    """Return the mean of squares of *factor* x *factor* pixels of *image* (height, width).

    A rest at the far rims is left out. Means are written to *out*, if that is given and *factor* is not 1.
    """
    if factor == 1:
        return image
    height, width = image.shape[0] // factor, image.shape[1] // factor
    cut = image[: height * factor, : width * factor]
    # Sums of slices are several times faster than a mean over two axes of a reshaped array.
    rows = cut[0::factor] + cut[1::factor]
    for offset in range(2, factor):
        rows += cut[offset::factor]
    binned = np.add(rows[:, 0::factor], rows[:, 1::factor], out=out)
    for offset in range(2, factor):
        binned += rows[:, offset::factor]
    binned *= 1.0 / (factor * factor)
    return np.asarray(binned)
