"""Joint fit of a transit and of the linear trend under it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from accretor.core.arrays import Booleans, Floats
from accretor.science import leastsquares, limbdarkening, statistics, transit

TC, K, A_RS, IMPACT, LIMB_G = range(5)
"""Order of the parameters of the transit."""

SCALE = np.array([0.002, 0.01, 0.3, 0.1, 0.1])
"""Changes of the parameters that matter about as much as each other."""

STEP = np.array([1e-5, 1e-5, 1e-4, 1e-4, 1e-4])
_BINARY = 0.5  # no planet has half the radius of its star

K_ERROR = 0.25
"""Error of the prior on the radius ratio, about that of the ephemeris.

As wide as all planets, so that it says nothing where a transit is measured; where hardly any of it
is in the data it is all that is known, and without it nothing would stand against any ratio.
"""


@dataclass(frozen=True)
class Prior:
    """A Gaussian prior."""

    mean: float
    error: float


@dataclass(frozen=True)
class Problem:
    """A light curve, the terms of its trend, and what is known of the transit beforehand."""

    time: Floats
    """(n,) day, small numbers: counted from the predicted mid-transit."""
    exposure: Floats
    """(n,) second."""
    flux: Floats
    """(n,) about 1."""
    error: Floats
    """(n,)"""
    basis: Floats
    """(n, n_term) terms of the trend; the first is the constant."""
    period: float
    """Day."""
    limb_h: float
    """Second coefficient of the limb darkening, held: h, or u2 of the quadratic law."""
    start: Floats
    """(5,) tc, k, a_rs, impact, limb_g."""
    is_free: Booleans
    """(5,)"""
    tc_reach: float
    """Mid-transit is looked for this far from the prediction, day."""
    limb_g: Prior
    impact: Prior
    a_rs: Prior | None
    """Where it is known; else the duration takes its place."""
    full: Prior
    """Duration from first to fourth contact, day."""
    limb_law: limbdarkening.Law = "power-2"
    """Of the fifth parameter: its g, or u1 of the quadratic law."""


def condense(problem: Problem, most: int) -> Problem:
    """Return *problem* with its points averaged in blocks, so that about *most* are left at the most.

    A block has consecutive points without a gap, weights 1 / error^2, and the exposure
    from the start of its first point to the end of its last, over which the model is
    averaged too.

    Parameters
    ----------
    problem : Problem
        In order of time.
    most : int
        A series that has no more points is returned as it is.
    """
    n = len(problem.time)
    if n <= most:
        return problem
    start = statistics.blocks(problem.time, -(-n // most))
    weight = problem.error**-2
    total = np.add.reduceat(weight, start)

    def mean(value: Floats) -> Floats:
        return np.asarray(np.add.reduceat(value * weight, start) / total)

    end = np.append(start[1:], n) - 1
    half = problem.exposure / 172800
    first, last = problem.time[start] - half[start], problem.time[end] + half[end]
    return replace(
        problem,
        time=mean(problem.time),
        exposure=(last - first) * 86400,
        flux=mean(problem.flux),
        error=total**-0.5,
        basis=np.column_stack([mean(column) for column in problem.basis.T]),
    )


def transit_model(problem: Problem, parameter: Floats) -> Floats:
    """Return the transit at every point, (n,), 1 outside; *parameter* is (5,): tc, k, a_rs, impact, g."""
    tc, k, a_rs, impact, g = (float(value) for value in parameter)
    return transit.light_curve(
        problem.time,
        problem.exposure,
        tc=tc,
        period=problem.period,
        k=k,
        a_rs=a_rs,
        impact=abs(impact),
        law=lambda mu: limbdarkening.profile(problem.limb_law, g, problem.limb_h, mu),
    )


def transit_slopes(problem: Problem, parameter: Floats) -> tuple[Floats, Floats]:
    """Return the transit at every point, (n,), and its derivatives by *parameter*, (n, 5)."""
    tc, k, a_rs, impact, g = (float(value) for value in parameter)
    model, slope = transit.light_curve_slopes(
        problem.time,
        problem.exposure,
        tc=tc,
        period=problem.period,
        k=k,
        a_rs=a_rs,
        impact=abs(impact),
        first=g,
        parts=lambda mu: limbdarkening.parts(problem.limb_law, problem.limb_h, mu),
    )
    if impact < 0:
        slope[:, IMPACT] *= -1
    return model, slope


def prior_residual(problem: Problem, parameter: Floats) -> Floats:
    """Return the deviations of *parameter* (5,) from the priors in units of their errors, (n_prior,)."""
    tc, k, a_rs, impact, g = (float(value) for value in parameter)
    if problem.a_rs is not None:
        scale = (a_rs - problem.a_rs.mean) / problem.a_rs.error
    else:
        full = transit.duration(period=problem.period, k=k, a_rs=a_rs, impact=abs(impact))
        scale = (full - problem.full.mean) / problem.full.error
    return np.array(
        [
            scale,
            (impact - problem.impact.mean) / problem.impact.error,
            (g - problem.limb_g.mean) / problem.limb_g.error,
            # Weak: they matter only where there is no transit to be measured.
            (k - problem.start[K]) / K_ERROR,
            tc / problem.tc_reach,
        ]
    )


def bounds(problem: Problem) -> tuple[Floats, Floats]:
    """Return the least and the greatest parameters that are believed, (5,) each."""
    darkest = limbdarkening.limits(problem.limb_law, problem.limb_h)
    low = np.array([-problem.tc_reach, 1e-3, 1.05, 0.0, darkest[0]])
    high = np.array([problem.tc_reach, _BINARY, 500.0, 1.3, darkest[1]])
    return low, high


def linear(problem: Problem, model: Floats) -> tuple[Floats, float]:
    """Return the coefficients of the trend (n_term,) under a given transit *model* (n,), and chi^2."""
    design = model[:, np.newaxis] * problem.basis / problem.error[:, np.newaxis]
    value = problem.flux / problem.error
    coefficient: Floats = np.asarray(np.linalg.lstsq(design, value, rcond=None)[0], dtype=np.float64)
    return coefficient, float(np.sum((value - design @ coefficient) ** 2))


def least_squares(problem: Problem, start: Floats) -> tuple[Floats, float]:
    """Return the parameters of the transit at the least chi^2 near *start*, and the cost with the priors.

    Variable projection (Golub & Pereyra 1973, SIAM J. Num. An. 10, 413): the linear
    terms are solved for at every step and never seen by the minimiser.

    Parameters
    ----------
    problem : Problem
    start : (5,) float64
        As of `transit_model`; those that are not free stay.

    Returns
    -------
    (5,) float64, float
    """
    free = problem.is_free
    low, high = (bound[free] for bound in bounds(problem))
    value = problem.flux / problem.error
    basis = problem.basis / problem.error[:, np.newaxis]

    def parameter(values: Floats) -> Floats:
        full = np.array(start)
        full[free] = values
        return full

    def evaluate(values: Floats) -> tuple[Floats, Floats]:
        point = parameter(values)
        model, by_parameter = transit_slopes(problem, point)
        design = model[:, np.newaxis] * basis
        rotation = np.linalg.qr(design)[0]
        # Of the derivatives, too, what the linear terms can take up is none (Kaufman 1975, BIT 15, 49).
        coefficient = np.linalg.lstsq(design, value, rcond=None)[0]
        change = -by_parameter[:, free] * (basis @ coefficient)[:, np.newaxis]
        residual = value - design @ coefficient
        slope = change - rotation @ (rotation.T @ change)
        return (
            np.concatenate([residual, prior_residual(problem, point)]),
            np.concatenate([slope, _prior_slopes(problem, point)]),
        )

    guess = np.clip(start[free], low + 1e-9, high - 1e-9)
    found, cost = leastsquares.minimise(evaluate, guess, low, high, SCALE[free])
    return parameter(found), cost


def best(problem: Problem) -> tuple[Floats, float]:
    """Return the better of two fits: from the prediction, and from the best mid-time of a grid.

    The second is left out where the grid ends at the prediction itself.

    Returns
    -------
    (5,) float64, float
        As of `least_squares`.
    """
    shifts = np.linspace(-problem.tc_reach, problem.tc_reach, 25)[1:-1]
    trials = [np.concatenate([[shift], problem.start[1:]]) for shift in shifts]
    chi2 = [linear(problem, transit_model(problem, trial))[1] for trial in trials]
    nearest = trials[int(np.argmin(chi2))]
    starts = [problem.start]
    if abs(nearest[TC] - problem.start[TC]) > 1.5 * (shifts[1] - shifts[0]):
        starts.append(nearest)
    return min((least_squares(problem, start) for start in starts), key=lambda found: found[1])


def jacobian(problem: Problem, parameter: Floats, coefficient: Floats) -> Floats:
    """Return the derivatives by the free parameters and all linear terms, (n, n_free + n_term).

    Parameters
    ----------
    problem : Problem
    parameter : (5,) float64
    coefficient : (n_term,) float64
        Of the trend.
    """
    model, slope = transit_slopes(problem, parameter)
    trend = problem.basis @ coefficient
    return np.hstack([slope[:, problem.is_free] * trend[:, np.newaxis], model[:, np.newaxis] * problem.basis])


def prior_terms(problem: Problem, parameter: Floats, n_term: int) -> tuple[Floats, Floats]:
    """Return precision (m, m) and gradient (m,) of the priors, m = n_free + *n_term*.

    Parameters
    ----------
    problem : Problem
    parameter : (5,) float64
    n_term : int
        Linear terms, which have no priors: their part is 0.
    """
    rows = _prior_slopes(problem, parameter)
    rows = np.hstack([rows, np.zeros((len(rows), n_term))])
    return rows.T @ rows, -rows.T @ prior_residual(problem, parameter)


def _prior_slopes(problem: Problem, parameter: Floats) -> Floats:
    """Return the derivatives of the deviations from the priors by the free parameters, (n_prior, n_free)."""
    return np.stack(
        [
            (prior_residual(problem, parameter + step) - prior_residual(problem, parameter - step))
            / (2 * step.sum())
            for step in np.diag(STEP)[problem.is_free]
        ],
        axis=1,
    )
