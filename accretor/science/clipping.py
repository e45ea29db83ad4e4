"""Medians and means of many rows of pixels at once, without their outliers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Booleans, Floats, Image, Integers

FEW = 100_000
"""Values up to which comparing all of them is faster than bisection, which takes many small steps."""


def clipped_median(values: Image, *, clip: float = 3.0, n_round: int = 10) -> tuple[Floats, Floats, Integers]:
    """Return the median of each row after clipping around it.

    Parameters
    ----------
    values : (n_row, n_value)
        NaN is left out.
    clip : float
        In standard deviations of what is left.
    n_round : int
        Most rounds.

    Returns
    -------
    median, deviation : (n_row,) float64
        Of what is left; NaN where there is nothing.
    count : (n_row,) int64
    """
    kept = clipped(values, clip, n_round)
    return kept.median(), kept.deviation(), kept.high - kept.low


@dataclass
class Clipped:
    """Rows in order, and the range of each that is left after clipping."""

    ordered: Image
    """(n_row, n_value); what is not finite is zero, and after all else."""
    middle: Floats
    """(n_row,) from which the sums count, lest they lose digits."""
    sums: Floats
    """(n_row, n_value + 1) of the values before each."""
    squares: Floats
    low: Integers
    high: Integers

    def at(self, rank: Integers) -> Floats:
        """Return the value at a rank of each row."""
        last = self.ordered.shape[1] - 1
        if last < 0:
            return np.full(len(rank), np.nan)
        row = np.arange(len(rank))
        return np.asarray(self.ordered[row, np.minimum(np.maximum(rank, 0), last)], dtype=np.float64)

    def median(self) -> Floats:
        """Return the median of what is left of each row."""
        total = self.low + self.high
        value = 0.5 * (self.at((total - 1) // 2) + self.at(total // 2))
        return np.where(self.high > self.low, value, np.nan)

    def median_of_steps(self) -> Floats:
        """Return the median of what is left of each row, where digitised values are spread over their steps.

        The median of whole numbers is a whole number, up to half a step from the level; within the step it
        is where half of the values would be if those that are equal filled it evenly.
        """
        median = self.median()
        low, high = self.within(np.nan_to_num(median), np.zeros(len(median)))
        n_equal = np.maximum(high - low, 1)
        # At an end of what is left there is one neighbour to tell the step.
        above = np.where(high < self.high, self.at(high) - median, np.nan)
        below = np.where(low > self.low, median - self.at(low - 1), np.nan)
        step = np.where(np.isnan(above), below, np.where(np.isnan(below), above, 0.5 * (above + below)))
        is_tied = (high - low > 1) & np.isfinite(step)
        place = (0.5 * (self.low + self.high) - low) / n_equal - 0.5
        return np.asarray(median + np.where(is_tied, np.nan_to_num(step) * place, 0.0))

    def _moments(self) -> tuple[Floats, Floats]:
        row = np.arange(len(self.low))
        count = np.maximum(self.high - self.low, 1)
        mean = (self.sums[row, self.high] - self.sums[row, self.low]) / count
        return mean, (self.squares[row, self.high] - self.squares[row, self.low]) / count

    def mean(self) -> Floats:
        """Return the mean of what is left of each row."""
        return np.where(self.high > self.low, self.middle + self._moments()[0], np.nan)

    def deviation(self) -> Floats:
        """Return the standard deviation of what is left of each row."""
        mean, square = self._moments()
        return np.where(self.high > self.low, np.sqrt(np.maximum(square - mean * mean, 0.0)), np.nan)

    def within(self, middle: Floats, limit: Floats) -> tuple[Integers, Integers]:
        """Return the range of each range whose values are no further than *limit* from *middle*."""
        lower, upper = middle - limit, middle + limit
        if self.ordered.size > FEW:
            return self._bisected(lower, upper)
        is_high_enough = self.ordered >= lower[:, np.newaxis]
        is_too_high = self.ordered > upper[:, np.newaxis]
        return self._first(is_high_enough), self._first(is_too_high)

    def _first(self, is_so: Booleans) -> Integers:
        """Return the first rank of each range at which *is_so*, or the end of the range."""
        found = is_so.argmax(axis=1)
        found = np.where((found > 0) | is_so[:, 0], found, self.high)
        return np.asarray(np.minimum(np.maximum(found, self.low), self.high))

    def _bisected(self, lower: Floats, upper: Floats) -> tuple[Integers, Integers]:
        """Return the first rank of each range that is not below *lower*, and the first above *upper*."""
        n_row, n_value = self.ordered.shape
        row = np.arange(n_row) * n_value
        # Both ends at once; the next number after the upper one is the first above it.
        begin, ends = np.concatenate((row, row)), np.concatenate((lower, np.nextafter(upper, np.inf)))
        low, high = np.concatenate((self.low, self.low)), np.concatenate((self.high, self.high))
        flat = self.ordered.reshape(-1)
        for _ in range(n_value.bit_length()):
            at = (low + high) >> 1
            is_left = flat.take(begin + np.minimum(at, n_value - 1)) < ends
            is_left &= low < high
            low, high = np.where(is_left, at + 1, low), np.where(is_left, high, at)
        return low[:n_row], low[n_row:]


def clipped(values: Image, clip: float, n_round: int) -> Clipped:
    """Return the rows of *values*, sorted, with what the clipping left of each; see `clipped_median`.

    Parameters
    ----------
    values : (n_row, n) float
        NaN do not count.
    clip : float
        Standard deviations from the median beyond which a value is left out.
    n_round : int
        Times that this is done.
    """
    ordered = np.sort(values, axis=1)  # NaN comes last
    n_row = len(ordered)
    high = np.isfinite(ordered).sum(axis=1)
    if n_row and high.min() < ordered.shape[1]:
        ordered[np.arange(ordered.shape[1]) >= high[:, np.newaxis]] = 0
    zeros = np.zeros((n_row, 1))
    kept = Clipped(ordered, np.zeros(n_row), zeros, zeros, np.zeros(n_row, dtype=np.int64), high)
    kept.middle = np.where(high > 0, kept.median(), 0.0)
    from_middle = ordered - kept.middle[:, np.newaxis]
    # Sums from the lowest value on never meet a star, which is beyond the range; so they lose no digits.
    kept.sums = _sums(from_middle)
    from_middle *= from_middle
    kept.squares = _sums(from_middle)
    for _ in range(n_round):
        median, limit = kept.median(), clip * kept.deviation()
        with np.errstate(invalid="ignore"):
            low, high = kept.within(median, limit)  # what is left of an ordered row is a range of it
        is_left = high > low
        low, high = np.where(is_left, low, kept.low), np.where(is_left, high, kept.high)
        if np.array_equal(low, kept.low) and np.array_equal(high, kept.high):
            break
        kept.low, kept.high = low, high
    return kept


def _sums(values: Floats) -> Floats:
    """Return the sums of the values before each of a row, and that of all."""
    found = np.empty((len(values), values.shape[1] + 1))
    found[:, 0] = 0.0
    np.cumsum(values, axis=1, out=found[:, 1:])
    return found
