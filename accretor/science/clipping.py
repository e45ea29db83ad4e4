"""Medians and means of many rows of pixels at once, without their outliers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Floats, Image, Integers

FEW = 100_000
"""Values up to which comparing all of them is faster than bisection, which takes many small steps."""

BEFORE = np.array([[-1], [0]])
"""Added to the sum of the ends of a range, it leads to the two ranks in the middle."""


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

    ordered: Floats
    """(n_row, n_value); what is not finite is zero, and after all else."""
    middle: Floats
    """(n_row,) from which the sums count, lest they lose digits."""
    sums: Floats
    """(n_row, n_value + 1) of the values before each."""
    squares: Floats
    ends: Integers
    """(2, n_row) first rank of each range, and that after its last: both at once, which halves the calls."""

    @property
    def low(self) -> Integers:
        """First rank of each range, (n_row,)."""
        return np.asarray(self.ends[0])

    @property
    def high(self) -> Integers:
        """Rank after the last one of each range, (n_row,)."""
        return np.asarray(self.ends[1])

    def at(self, rank: Integers) -> Floats:
        """Return the value at a rank of each row, (..., n_row)."""
        n_row, n_value = self.ordered.shape
        if not n_value:
            return np.full(rank.shape, np.nan)
        return np.asarray(self.ordered[np.arange(n_row), np.minimum(np.maximum(rank, 0), n_value - 1)])

    def median(self) -> Floats:
        """Return the median of what is left of each row."""
        below, above = self.at((self.low + self.high + BEFORE) >> 1)
        return np.where(self.high > self.low, 0.5 * (below + above), np.nan)

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
        row = np.arange(len(self.middle))
        count = np.maximum(self.high - self.low, 1)
        (sum_low, sum_high), (square_low, square_high) = (
            self.sums[row, self.ends],
            self.squares[row, self.ends],
        )
        return (sum_high - sum_low) / count, (square_high - square_low) / count

    def mean(self) -> Floats:
        """Return the mean of what is left of each row."""
        return np.where(self.high > self.low, self.middle + self._moments()[0], np.nan)

    def deviation(self) -> Floats:
        """Return the standard deviation of what is left of each row."""
        mean, square = self._moments()
        return np.where(self.high > self.low, np.sqrt(np.maximum(square - mean * mean, 0.0)), np.nan)

    def within(self, middle: Floats, limit: Floats) -> Integers:
        """Return the range of each range whose values are no further than *limit* from *middle*: its ends."""
        # The next number after the upper limit is the first above it.
        least = np.empty((2, len(middle)))
        np.subtract(middle, limit, out=least[0])
        np.nextafter(middle + limit, np.inf, out=least[1])
        if self.ordered.size > FEW:
            return self._bisected(least)
        is_reached = self.ordered >= least[:, :, np.newaxis]
        found = is_reached.argmax(axis=2)
        found = np.where((found > 0) | is_reached[:, :, 0], found, self.high)
        return np.asarray(np.minimum(np.maximum(found, self.low), self.high))

    def _bisected(self, least: Floats) -> Integers:
        """Return the first ranks of each range that are not below *least*, (2, n_row), or its end."""
        n_row, n_value = self.ordered.shape
        begin, flat = np.arange(n_row) * n_value, self.ordered.reshape(-1)
        low, high = np.stack((self.low, self.low)), np.stack((self.high, self.high))
        for _ in range(n_value.bit_length()):
            at = (low + high) >> 1
            is_left = flat.take(begin + np.minimum(at, n_value - 1)) < least
            is_left &= low < high
            low, high = np.where(is_left, at + 1, low), np.where(is_left, high, at)
        return low


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
    # Sorted as they are, NaN last; from then on compared and summed in double precision.
    ordered = np.sort(values, axis=1).astype(np.float64)
    n_row = len(ordered)
    high = np.isfinite(ordered).sum(axis=1)
    if n_row and high.min() < ordered.shape[1]:
        ordered[np.arange(ordered.shape[1]) >= high[:, np.newaxis]] = 0
    zeros = np.zeros((n_row, 1))
    kept = Clipped(ordered, np.zeros(n_row), zeros, zeros, np.stack((np.zeros_like(high), high)))
    kept.middle = np.where(high > 0, kept.median(), 0.0)
    from_middle = ordered - kept.middle[:, np.newaxis]
    # Sums from the lowest value on never meet a star, which is beyond the range; so they lose no digits.
    kept.sums = _sums(from_middle)
    from_middle *= from_middle
    kept.squares = _sums(from_middle)
    with np.errstate(invalid="ignore"):
        for _ in range(n_round):
            # What is left of an ordered row is a range of it.
            ends = kept.within(kept.median(), clip * kept.deviation())
            ends = np.where(ends[1] > ends[0], ends, kept.ends)
            if (ends == kept.ends).all():
                break
            kept.ends = ends
    return kept


def _sums(values: Floats) -> Floats:
    """Return the sums of the values before each of a row, and that of all."""
    found = np.empty((len(values), values.shape[1] + 1))
    found[:, 0] = 0.0
    np.cumsum(values, axis=1, out=found[:, 1:])
    return found
