"""Is there an eclipse in the light curve of a neighbour, and would it have been seen? Our own test.

Beside the RMS of SG1's macro, which knows no time: the depth of an eclipse in the predicted window with an
error that knows correlated noise, eclipses injected into the very curve, and what was not observed.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Booleans, Floats
from accretor.science import neb, rednoise, statistics

CLEARED, LIKELY, NOT_CLEARED = "cleared", "likely cleared", "not cleared"
EVENT, DIP = "event", "dip"

FEWEST = 10
"""Frames without which nothing is said of a star."""
LEAST_PART = 0.5
"""Part of the frames in which a star must be measured."""
MOST_SATURATED = 0.2
"""Part of the frames in which it may be saturated."""
LEAST_SIGNAL = 5.0
"""Mean light over its error, without which a star is not seen at all."""
LEAST_COVERAGE = 0.6
"""Part of the predicted window, widened by its error on both sides, that must have been observed."""
MOST_NOISE = 3.0
"""Correlated over white noise that a curve is believed to have: with more, the misfit of an eclipse's shape
passes for noise, and the eclipse of a neighbour for a chance."""
FEWEST_BINS = 3
"""Bins in the window, and out of it."""
EVENT_SIGMA = 5.0
"""Depth over its error of an event."""
DIP_SIGMA = 3.0
"""Depth over its error from which a star is not cleared, whatever depth is needed."""
EVENT_RANGE = (0.5, 2.5)
"""Depth of an event over the depth needed. TESS may have told the mean of a V for its depth; and as much
as the star may be brighter for TESS (neb.BAND), it may be fainter, 10^(0.4 * 1 mag)."""
BOX, TRAPEZOID, VEE = 1.0, 0.5, 0.0
SHAPES = (BOX, TRAPEZOID, VEE)
"""Part of an eclipse at its bottom, for each of the shapes that are fitted."""
CLEAR_SIGMA, LIKELY_SIGMA = 5.0, 3.0
"""Depth needed less that found, over its error."""
CLEAR_RECOVERY, LIKELY_RECOVERY = 0.9, 0.5
"""Part of the injected eclipses that must be found."""
N_TRIAL = 60
"""Eclipses that are injected, each into the residuals turned round by another part of the night."""
MOST_SHIFTS = 41
"""Places of the window that are tried within three standard errors of the prediction."""
SPIKE = 6.0
"""Scatters from its neighbours beyond which a single point is left out."""


@dataclass(frozen=True)
class Curve:
    """The light of one star over the ensemble, in the frames of the light curve."""

    time: Floats
    """(n,) BJD_TDB day, ascending."""
    flux: Floats
    """(n,) any unit, not normalised; NaN where it was not measured."""
    error: Floats
    """(n,) same unit."""
    flip: Floats
    """(n,) side of the pier, +1 or -1."""
    exposure: Floats
    """(n,) second."""


@dataclass(frozen=True)
class Window:
    """When the eclipse is due."""

    ingress: float
    """BJD_TDB day."""
    egress: float
    """BJD_TDB day."""
    sigma: float
    """Standard error of both, day."""


@dataclass(frozen=True)
class Loss:
    """What is measured of a curve; NaN where it cannot be."""

    depth: float
    """Loss of light in the window at its deepest, by the shape that fits best, and with an uncertain
    window where it fits best; ppt."""
    error: float
    """Standard error, ppt."""
    significance: float
    """Depth needed less that found, over its error, by the shape that excludes least."""
    recovery: float
    """Part of the injected eclipses that are found at 3 sigma."""
    coverage: float
    """Part of the window that was observed."""
    n_frame: int
    """Points of the curve."""
    signal: float
    """Mean light over its error."""
    reason: str
    """Why there is no depth; empty if there is one."""


def measure(curve: Curve, window: Window, needed: float, *, cadence: float) -> Loss:
    """Measure the loss of light in the predicted window, and what of an eclipse would be found.

    The curve is binned; a constant (one for each side of the pier) and a box, a trapezoid and a V are
    fitted, each for itself, by generalised least squares under white and exponentially correlated noise
    (`accretor.science.rednoise`). Then V-shaped eclipses of the *needed* depth, as long as the window,
    are injected into the residuals, which are turned round by another part of the night each time; they
    count as found if a V comes out at 3 sigma: then the star would not be cleared.

    Parameters
    ----------
    curve : Curve
    window : Window
    needed : float, ppt
        Depth of the eclipse to be excluded; NaN for none.
    cadence : float, second
        Length of a bin.
    """
    good = np.isfinite(curve.flux) & np.isfinite(curve.error) & (curve.error > 0)
    good[good] = ~_spikes(curve.flux[good])
    n = int(good.sum())
    coverage = covered(curve.time[good], curve.exposure[good], window)
    nothing = Loss(math.nan, math.nan, math.nan, math.nan, coverage, n, math.nan, "")
    if n < FEWEST:
        return dataclasses.replace(nothing, reason=f"measured in {n} frames, {FEWEST} needed")
    time, flux, error, flip = (column[good] for column in (curve.time, curve.flux, curve.error, curve.flip))
    scatter = statistics.point_to_point(flux)
    level = float(np.median(flux))
    # The median of n points is known to 1.25 of what their mean would be.
    signal = level / (1.2533 * max(scatter, 1e-300) / math.sqrt(n))
    if not signal >= LEAST_SIGNAL:
        return dataclasses.replace(
            nothing, signal=signal, reason=f"its light is not seen: {signal:.1f} times its error"
        )
    table = np.column_stack([flux / level, flip, np.ones(n)])
    time, error, table = _binned(time, error / level, table, cadence)
    value, side = table[:, 0], table[:, 1]
    inside = _overlap(time, cadence, window.ingress, window.egress)
    if min((inside >= 0.5).sum(), (inside < 0.5).sum()) < FEWEST_BINS:
        where = "in" if (inside >= 0.5).sum() < FEWEST_BINS else "out of"
        return dataclasses.replace(
            nothing, signal=signal, reason=f"fewer than {FEWEST_BINS} points {where} the predicted window"
        )
    basis = np.column_stack([np.ones(len(time)), side] if np.ptp(side) > 0 else [np.ones(len(time))])
    tried = _tried(time, value, error, basis, window, cadence)
    # What grows brighter is no eclipse, however well it fits.
    best = min(tried, key=lambda trial: (trial.depth <= 0, trial.misfit))
    found = _fit(time, value, error, basis, best.profile)
    significance = recovery = math.nan
    if math.isfinite(needed):
        fits = {
            flat: _fit(time, value, error, basis, _profile(time, cadence, window, flat, 0.0))
            for flat in SHAPES
        }
        deepest = {flat: max(trial.depth for trial in tried if trial.flat == flat) for flat in SHAPES}
        significance = min((1e-3 * needed - deepest[flat]) / fit.error for flat, fit in fits.items())
        vee = _profile(time, cadence, window, VEE, 0.0)
        dimming = 1e-3 * min(needed, neb.UNITY) * vee
        recovery = _recovery(found.residual, error, basis, vee, dimming, fits[VEE].error)
    depth = 1000 * found.depth
    return Loss(depth, 1000 * found.error, significance, recovery, coverage, n, signal, "")


def verdict(loss: Loss, needed: float) -> tuple[str, str]:
    """Return what follows for a star: the verdict, and the reason.

    Parameters
    ----------
    loss : Loss
    needed : float, ppt
        Depth of the eclipse of this star that would cause the target's.

    Returns
    -------
    verdict : str
        ``event`` if there is a loss of light at 5 sigma with 0.5 to 2.5 times the depth needed;
        ``dip`` if there is another at 3 sigma; else whether the star is cleared.
    reason : str
        Empty for a star that is cleared by its curve.
    """
    if loss.reason:
        return NOT_CLEARED, loss.reason
    if not math.isfinite(needed):
        return NOT_CLEARED, "the depth needed is not known"
    seen = f"{loss.depth:.2f} ± {loss.error:.2f} ppt"
    low, high = (factor * needed for factor in EVENT_RANGE)
    if loss.depth > EVENT_SIGMA * loss.error and low - 3 * loss.error <= loss.depth <= high + 3 * loss.error:
        return EVENT, f"loss of light of {seen} at the predicted time, {needed:.2f} ppt needed"
    if loss.depth > DIP_SIGMA * loss.error:
        return DIP, f"loss of light of {seen} at the predicted time, not the {needed:.2f} ppt needed"
    if loss.coverage < LEAST_COVERAGE:
        return NOT_CLEARED, f"{100 * loss.coverage:.0f} % of the predicted window observed"
    if needed >= neb.UNITY:
        return CLEARED, f"too faint: {needed:.0f} ppt needed"
    if loss.significance >= CLEAR_SIGMA and loss.recovery >= CLEAR_RECOVERY:
        return CLEARED, ""
    said = f"{needed:.2f} ppt needed, {seen} seen; {100 * loss.recovery:.0f} % of injected eclipses found"
    if loss.significance >= LIKELY_SIGMA and loss.recovery >= LIKELY_RECOVERY:
        return LIKELY, said
    return NOT_CLEARED, said


def covered(time: Floats, exposure: Floats, window: Window) -> float:
    """Return the part of the predicted window, widened by its error on both sides, that was observed.

    A frame stands for the time half way to the next, and to the one before, but for no more than
    twice the usual.

    Parameters
    ----------
    time : (n,) float64, BJD_TDB
        Middles of the exposures, ascending.
    exposure : (n,) float64, s
    window : Window
    """
    start, end = window.ingress - window.sigma, window.egress + window.sigma
    if not len(time) or not end > start:
        return 0.0
    usual = float(np.median(np.diff(time))) if len(time) > 1 else 0.0
    half = np.maximum(exposure / 86400, usual) / 2
    gap = np.minimum(np.diff(time) / 2, 2 * usual / 2)
    low = time - np.maximum(half, np.append(0.0, gap))
    high = time + np.maximum(half, np.append(gap, 0.0))
    low, high = np.clip(low, start, end), np.clip(high, start, end)
    # Frames are in the order of time: what is covered already does not count twice.
    reached = np.maximum.accumulate(np.append(start, high[:-1]))
    return float(np.sum(np.maximum(0.0, high - np.maximum(low, reached))) / (end - start))


def _spikes(flux: Floats) -> Booleans:
    """Return the points far off their neighbours, at most one in twenty and never two in a row."""
    residual = flux - statistics.running_median(flux, 7)
    size = np.abs(residual) / max(statistics.scatter(residual), 1e-300)
    is_far = size > SPIKE
    pair = is_far.copy()
    pair[1:] &= is_far[:-1]
    pair[:-1] |= pair[1:]
    is_far &= ~pair
    most = len(flux) // 20
    if is_far.sum() > most:
        worst = np.argsort(-np.where(is_far, size, -1.0), kind="stable")[:most]
        is_far[:] = False
        is_far[worst] = True
    return np.asarray(is_far)


def _binned(time: Floats, error: Floats, table: Floats, cadence: float) -> tuple[Floats, Floats, Floats]:
    """Average points in bins of *cadence* second from the first on, plain means."""
    index = statistics.bin_index(time, cadence / 86400, time[0])
    _, member, count = np.unique(index, return_inverse=True, return_counts=True)
    return (
        time[0] + np.bincount(member, time - time[0]) / count,
        np.sqrt(np.bincount(member, error**2)) / count,
        np.column_stack([np.bincount(member, column) / count for column in table.T]),
    )


def _overlap(time: Floats, cadence: float, start: float, end: float) -> Floats:
    """Return how much of each bin lies in a window, 0 to 1."""
    half = cadence / 86400 / 2
    length = np.minimum(time + half, end) - np.maximum(time - half, start)
    return np.asarray(np.clip(length, 0, 2 * half) / (2 * half))


def _profile(time: Floats, cadence: float, window: Window, flat: float, step: float) -> Floats:
    """Return how much of the depth each bin has: an eclipse that fills the window, shifted by *step* (day).

    *flat* is the part of it at the bottom: 1 for a box, 0 for a V.
    """
    start, end = window.ingress + step, window.egress + step
    if flat == BOX:
        return _overlap(time, cadence, start, end)
    half = (end - start) / 2
    return np.asarray(np.clip((half - np.abs(time - (start + end) / 2)) / (half * (1 - flat)), 0.0, 1.0))


def _steps(window: Window) -> list[float]:
    """Return by how much the window is shifted within three standard errors, day; 0 is among them."""
    length = window.egress - window.ingress
    n_side = min(MOST_SHIFTS // 2, math.ceil(3 * window.sigma / (length / 12))) if window.sigma > 0 else 0
    steps = np.linspace(-3 * window.sigma, 3 * window.sigma, 2 * n_side + 1) if n_side else [0.0]
    return [float(step) for step in steps]


@dataclass(frozen=True)
class _Trial:
    """A shape at a place of the window, fitted under white noise."""

    flat: float
    profile: Floats
    """(n_bin,)"""
    depth: float
    """Part of the light."""
    misfit: float


def _tried(
    time: Floats, value: Floats, error: Floats, basis: Floats, window: Window, cadence: float
) -> list[_Trial]:
    """Return all shapes at all places of the window that have enough points in it and out of it."""
    trials = []
    for step in _steps(window):
        for flat in SHAPES:
            profile = _profile(time, cadence, window, flat, step)
            if step and min((profile > 0).sum(), (profile <= 0).sum()) < FEWEST_BINS:
                continue
            design = np.column_stack([basis, -profile]) / error[:, np.newaxis]
            step_to = np.linalg.lstsq(design, value / error, rcond=None)[0]
            misfit = float(np.sum((value / error - design @ step_to) ** 2))
            trials.append(_Trial(flat, profile, float(step_to[-1] / step_to[0]), misfit))
    return trials


@dataclass(frozen=True)
class _Fit:
    depth: float
    """Part of the light."""
    error: float
    residual: Floats
    """(n_bin,)"""


def _fit(time: Floats, value: Floats, error: Floats, basis: Floats, profile: Floats) -> _Fit:
    """Fit the depth of an eclipse."""
    design = np.column_stack([basis, -profile])
    m = design.shape[1]
    likely = np.where(rednoise.AMPLITUDE > MOST_NOISE, -np.inf, rednoise.plain_prior())
    update = rednoise.solve(time, error, value, design, np.zeros((m, m)), np.zeros(m), log_prior=likely)
    level = float(update.step[0])
    return _Fit(
        depth=float(update.step[-1]) / level,
        error=math.sqrt(update.covariance[-1, -1]) / level,
        residual=value - design @ update.step,
    )


def _recovery(
    residual: Floats, error: Floats, basis: Floats, profile: Floats, eclipse: Floats, sigma: float
) -> float:
    """Return the part of the trials in which an *eclipse* is found at 3 sigma."""
    design = np.column_stack([basis, -profile]) / error[:, np.newaxis]
    weight = (np.linalg.pinv(design) / error)[-1]
    turns = np.unique(np.linspace(0, len(residual), min(N_TRIAL, len(residual)), endpoint=False).astype(int))
    noise = np.array([weight @ np.roll(residual, turn) for turn in turns])
    found = noise - float(weight @ eclipse)
    return float(np.mean(found >= DIP_SIGMA * sigma))
