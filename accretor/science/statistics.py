"""Robust numbers of a series: level, scatter, running median, bins, and the factor of correlated noise."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from accretor.core.arrays import Booleans, Floats, Image, Integers

MAD_TO_SIGMA = 1.482602218505602
"""Standard deviation of a normal distribution over its median absolute deviation."""

MINUTES_PER_DAY = 1440.0


def median(values: Floats | Image) -> float:
    """Return the median of a few values, none of them NaN, which `np.median` takes its time for."""
    if not len(values):
        return math.nan
    ordered = np.sort(values)
    return 0.5 * float(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2])


def scatter(value: Floats) -> float:
    """Return the robust standard deviation of *value*: 1.4826 times the median absolute deviation.

    NaN are left out; NaN if fewer than two values remain.
    """
    finite = value[np.isfinite(value)]
    if finite.size < 2:
        return math.nan
    return float(MAD_TO_SIGMA * np.median(np.abs(finite - np.median(finite))))


def rms(value: Floats) -> float:
    """Return the root mean square of the finite values about zero; NaN if there are none."""
    finite = value[np.isfinite(value)]
    return float(np.sqrt(np.mean(finite**2))) if finite.size else math.nan


def point_to_point(value: Floats, *, clip: float = 5.0) -> float:
    """Return the scatter of neighbouring differences over the root of two.

    It sees the noise of single points and is blind to whatever changes slowly,
    such as a transit of hours.

    Parameters
    ----------
    value : (n,) float64
        In order of time; NaN are left out before differences are taken.
    clip : float
        Differences beyond this many robust standard deviations do not count.

    Returns
    -------
    float
        In the unit of *value*; NaN if fewer than three values are finite.
    """
    finite = value[np.isfinite(value)]
    if finite.size < 3:
        return math.nan
    difference = np.diff(finite)
    sigma = scatter(difference)
    kept = np.abs(difference - np.median(difference)) <= clip * sigma
    # A series with more than half of its differences equal has no robust scatter to clip by.
    return float(np.std(difference[kept] if sigma > 0 else difference) / math.sqrt(2))


def inside(time: Floats, intervals: Sequence[tuple[float, float]]) -> Booleans:
    """Tell which times (n,) are in one of the *intervals*, ends included, (n,).

    Intervals that hold no time at all are those of other nights: then every time counts, as
    it does without an interval.
    """
    within = np.zeros(len(time), dtype=bool)
    for first, last in intervals:
        within |= (time >= first) & (time <= last)
    return within if within.any() else np.ones(len(time), dtype=bool)


def running_median(value: Floats, width: int) -> Floats:
    """Return the median of *value* (n,) in a window of *width* points about each point, (n,).

    At the ends the window is cut, not padded. NaN do not count; a window without
    a finite value gives NaN.
    """
    half = width // 2
    padded = np.pad(np.asarray(value, dtype=np.float64), half, constant_values=np.nan)
    window = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    # nanmedian warns of a window without a value, so those are answered beforehand.
    has_value = np.isfinite(window).any(axis=1)
    result = np.full(len(value), np.nan)
    result[has_value] = np.nanmedian(window[has_value], axis=1)
    return result


def bin_index(time: Floats, width: float, start: float) -> Integers:
    """Return the number of the bin in which each *time* (n,) falls; *width* and *start* are in its unit."""
    return np.floor((time - start) / width).astype(np.int64)


def time_bins(time: Floats, value: Floats, error: Floats, minutes: float) -> tuple[Floats, Floats, Floats]:
    """Average a series in bins of equal time.

    Parameters
    ----------
    time : (n,) float64
        Day, ascending.
    value, error : (n,) float64
        Points with a value or error that is not finite are left out. Weights are 1 / error^2.
    minutes : float
        Width of a bin.

    Returns
    -------
    time, value, error : (n_bin,) float64
        Mean time, weighted mean and its propagated standard error of each bin
        that is not empty. Edges of bins are whole multiples of the width after
        the whole day before the first point, so that a later point moves none.
    """
    good = np.isfinite(time) & np.isfinite(value) & np.isfinite(error) & (error > 0)
    if not good.any():
        empty = np.empty(0)
        return empty, empty, empty
    time, value, weight = time[good], value[good], error[good] ** -2
    index = bin_index(time, minutes / MINUTES_PER_DAY, math.floor(time[0]))
    _, member = np.unique(index, return_inverse=True)
    total = np.bincount(member, weight)
    # Times are averaged from the first one: a BJD leaves only 4e-10 day of precision.
    mean_time = time[0] + np.bincount(member, time - time[0]) / np.bincount(member)
    return (
        np.asarray(mean_time),
        np.asarray(np.bincount(member, weight * value) / total),
        np.asarray(1 / np.sqrt(total)),
    )


def blocks(time: Floats, size: int, *, gap: float = 5.0) -> Integers:
    """Return the index of the first point of each block of *size* consecutive points.

    A block ends early where the next point is more than *gap* usual steps away.

    Parameters
    ----------
    time : (n,) float64
        Ascending, n at least 1.
    """
    step = np.diff(time)
    usual = float(np.median(step)) if step.size else 0.0
    begins = np.concatenate([[True], step > gap * usual])
    since = np.arange(len(time)) - np.maximum.accumulate(np.where(begins, np.arange(len(time)), 0))
    return np.nonzero(since % size == 0)[0]


_BETWEEN = (3 - math.sqrt(5)) / 2
"""Part of a step of the phase by which bins begin before the first point: no ratio of small numbers."""


def binned_rms(
    time: Floats, residual: Floats, minutes: float, *, n_phase: int = 8
) -> tuple[float, float, float]:
    """Return the rms of a *residual* averaged in bins, over several phases of the bins.

    Only bins with at least half of the usual number of points count. No edge of a bin is where a point
    of a regular series may be: there its last digit would decide, and times in another unit, or from
    another day on, would give another scatter.

    Parameters
    ----------
    time : (n,) float64, day
    residual : (n,) float64
        NaN do not count.
    minutes : float
        Length of a bin.
    n_phase : int
        Phases over which the mean is taken.

    Returns
    -------
    rms : float
        In the unit of *residual*; NaN with fewer than two bins.
    n_bin : float
        Bins, averaged over the phases.
    n_point : float
        Points per bin, averaged over the bins and phases.
    """
    good = np.isfinite(time) & np.isfinite(residual)
    time, residual = time[good], residual[good]
    if time.size < 2:
        return math.nan, 0.0, 0.0
    width = minutes / MINUTES_PER_DAY
    squares: list[float] = []
    counts: list[float] = []
    bins: list[int] = []
    for phase in range(n_phase):
        index = bin_index(time, width, time[0] - width * (phase + _BETWEEN) / n_phase)
        _, member = np.unique(index, return_inverse=True)
        count = np.bincount(member)
        full = count >= 0.5 * np.median(count)
        mean = np.bincount(member, residual)[full] / count[full]
        squares.append(float(np.mean(mean**2)))
        counts.append(float(np.mean(count[full])))
        bins.append(int(full.sum()))
    n_bin = float(np.mean(bins))
    value = math.sqrt(float(np.mean(squares))) if n_bin >= 2 else math.nan
    return value, n_bin, float(np.mean(counts))


def time_averaging(
    time: Floats, residual: Floats, *, minutes: tuple[float, ...] = (2.5, 5, 7.5, 10, 15, 20, 25, 30, 45, 60)
) -> tuple[tuple[float, float, float], ...]:
    """Return the scatter of means of *residual* against their length, and what white noise would give.

    Residuals must be without the transit (Pont, Zucker & Queloz 2006, MNRAS 373, 231).

    Parameters
    ----------
    time : (n,) float64, day
    residual : (n,) float64
    minutes : tuple of float
        Lengths to try.

    Returns
    -------
    tuple of (minutes, rms, white)
        Lengths with at least 4 bins of more than 1.5 points; white is
        rms_1 / sqrt(N) sqrt(M / (M - 1)) for M bins of N points.
    """
    single = rms(residual)
    found = []
    for length in minutes:
        value, n_bin, n_point = binned_rms(time, residual, length)
        if n_bin >= 4 and n_point > 1.5:
            found.append((float(length), value, single / math.sqrt(n_point) * math.sqrt(n_bin / (n_bin - 1))))
    return tuple(found)


def beta(
    time: Floats,
    residual: Floats,
    *,
    minutes: tuple[float, ...] = (5, 7.5, 10, 15, 20, 25, 30),
    min_bins: int = 4,
) -> float:
    """Return by how much correlated noise exceeds white noise, 5 to 30 minutes long.

    The greatest rms_bin sqrt(N) / rms_1 sqrt((M - 1) / M) over the lengths, for M
    bins of N points (Pont, Zucker & Queloz 2006, MNRAS 373, 231; Winn et al. 2008,
    ApJ 683, 1076). Residuals must be without the transit.

    Parameters
    ----------
    time : (n,) float64, day
    residual : (n,) float64
    minutes : tuple of float
        Lengths of the bins.
    min_bins : int

    Returns
    -------
    float
        At least 1; NaN if no length leaves *min_bins* bins of more than one point.
    """
    single = rms(residual)
    found: list[float] = []
    for length in minutes:
        value, n_bin, n_point = binned_rms(time, residual, length)
        if n_bin < min_bins or n_point <= 1.5 or not single > 0:
            continue
        found.append(value * math.sqrt(n_point) / single * math.sqrt((n_bin - 1) / n_bin))
    return max(1.0, *found) if found else math.nan
