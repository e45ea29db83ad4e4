"""Joint fit of a transit and of the linear trend under it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Booleans, Floats, Integers
from accretor.science import limbdarkening, rednoise, transit

TC, K, A_RS, IMPACT, LIMB_G = range(5)
"""Order of the parameters of the transit."""

_STEP = np.array([1e-5, 1e-5, 1e-4, 1e-4, 1e-4])
_BINARY = 0.5  # no planet has half the radius of its star


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


@dataclass(frozen=True)
class Solution:
    """Parameters of transit and trend, with the errors of two noise models."""

    parameter: Floats
    """(5,)"""
    coefficient: Floats
    """(n_term,)"""
    covariance: Floats
    """(5 + n_term, 5 + n_term) of generalised least squares; 0 for what was held."""
    covariance_white: Floats
    """The same of least squares, scaled by chi where it exceeds 1."""
    correlated_noise: float
    chi2: float
    """Least squares; without the priors."""


def transit_model(problem: Problem, parameter: Floats) -> Floats:
    """Return the transit at every point, 1 outside."""
    tc, k, a_rs, impact, g = (float(value) for value in parameter)
    return transit.light_curve(
        problem.time,
        problem.exposure,
        tc=tc,
        period=problem.period,
        k=k,
        a_rs=a_rs,
        impact=abs(impact),
        law=lambda mu: limbdarkening.intensity(mu, g, problem.limb_h),
    )


def _prior_residual(problem: Problem, parameter: Floats) -> Floats:
    """Return the deviations from the priors in units of their errors."""
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
            # Weak: it matters only where there is no transit to be timed.
            tc / problem.tc_reach,
        ]
    )


def _bounds(problem: Problem) -> tuple[Floats, Floats]:
    low = np.array([-problem.tc_reach, 1e-3, 1.05, 0.0, 0.0])
    high = np.array([problem.tc_reach, _BINARY, 500.0, 1.3, 1.0])
    return low, high


def linear(problem: Problem, model: Floats) -> tuple[Floats, float]:
    """Return the coefficients of the trend under a given transit, and chi^2."""
    design = model[:, np.newaxis] * problem.basis / problem.error[:, np.newaxis]
    value = problem.flux / problem.error
    coefficient: Floats = np.asarray(np.linalg.lstsq(design, value, rcond=None)[0], dtype=np.float64)
    return coefficient, float(np.sum((value - design @ coefficient) ** 2))


def least_squares(problem: Problem, start: Floats) -> tuple[Floats, float]:
    """Return the parameters of the transit at the least chi^2 near *start*, and the cost with the priors.

    Variable projection (Golub & Pereyra 1973, SIAM J. Num. An. 10, 413): the linear
    terms are solved for at every step and never seen by the minimiser.
    """
    from scipy.optimize import least_squares as minimise

    free = problem.is_free
    low, high = (bound[free] for bound in _bounds(problem))

    def parameter(values: Floats) -> Floats:
        full = np.array(start)
        full[free] = values
        return full

    def residual(values: Floats) -> Floats:
        point = parameter(values)
        model = transit_model(problem, point)
        design = model[:, np.newaxis] * problem.basis / problem.error[:, np.newaxis]
        value = problem.flux / problem.error
        coefficient = np.linalg.lstsq(design, value, rcond=None)[0]
        return np.concatenate([value - design @ coefficient, _prior_residual(problem, point)])

    guess = np.clip(start[free], low + 1e-9, high - 1e-9)
    found = minimise(
        residual, guess, bounds=(low, high), x_scale=np.array([0.002, 0.01, 0.3, 0.1, 0.1])[free], xtol=1e-7,
        ftol=1e-8, diff_step=1e-5, max_nfev=60,
    )  # fmt: skip
    return parameter(found.x), float(found.cost)


def best(problem: Problem) -> tuple[Floats, float]:
    """Return the better of two fits: from the prediction, and from the best mid-time of a grid.

    The second is left out where the grid ends at the prediction itself.
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
    """Return the derivatives by the free parameters and all linear terms, (n, n_free + n_term)."""
    trend = problem.basis @ coefficient
    columns = [
        (transit_model(problem, parameter + step) - transit_model(problem, parameter - step))
        / (2 * step.sum())
        * trend
        for step in np.diag(_STEP)[problem.is_free]
    ]
    model = transit_model(problem, parameter)
    return np.column_stack([*columns, model[:, np.newaxis] * problem.basis])


def _prior_terms(problem: Problem, parameter: Floats, n_term: int) -> tuple[Floats, Floats]:
    """Return precision and gradient of the priors for the free parameters and the linear terms."""
    rows = np.stack(
        [
            (_prior_residual(problem, parameter + step) - _prior_residual(problem, parameter - step))
            / (2 * step.sum())
            for step in np.diag(_STEP)[problem.is_free]
        ],
        axis=1,
    )
    rows = np.hstack([rows, np.zeros((len(rows), n_term))])
    return rows.T @ rows, -rows.T @ _prior_residual(problem, parameter)


def solve(problem: Problem) -> Solution:
    """Fit transit and trend, then let the noise model correct values and errors.

    Least squares finds the minimum; one or two Gauss-Newton steps of generalised
    least squares (:mod:`accretor.science.rednoise`) move it to where correlated noise
    has its proper weight, so that values and errors belong together.
    """
    parameter, _ = best(problem)
    coefficient, chi2 = linear(problem, transit_model(problem, parameter))
    n_term, n_free = problem.basis.shape[1], int(problem.is_free.sum())
    low, high = _bounds(problem)
    update = None
    for _ in range(2):
        residual = problem.flux - transit_model(problem, parameter) * (problem.basis @ coefficient)
        design = jacobian(problem, parameter, coefficient)
        precision, gradient = _prior_terms(problem, parameter, n_term)
        update = rednoise.solve(problem.time, problem.error, residual, design, precision, gradient)
        step = np.zeros(5)
        step[problem.is_free] = update.step[:n_free]
        # The model is linear only nearby: no step beyond two of its own errors.
        error = np.sqrt(np.diag(update.covariance)[:n_free])
        damping = min(1.0, 2 / max(1e-12, float(np.max(np.abs(update.step[:n_free]) / error))))
        parameter = np.clip(parameter + damping * step, low, high)
        coefficient = coefficient + damping * update.step[n_free:]
    design = jacobian(problem, parameter, coefficient) / problem.error[:, np.newaxis]
    precision, _ = _prior_terms(problem, parameter, n_term)
    scale = max(1.0, chi2 / max(1, len(problem.time) - n_free - n_term))
    white = np.linalg.inv(design.T @ design / scale + precision)
    index = np.concatenate([np.nonzero(problem.is_free)[0], 5 + np.arange(n_term)])
    assert update is not None
    return Solution(
        parameter=parameter,
        coefficient=coefficient,
        covariance=_spread(update.covariance, index, 5 + n_term),
        covariance_white=_spread(white, index, 5 + n_term),
        correlated_noise=update.amplitude,
        chi2=chi2,
    )


def _spread(small: Floats, index: Integers, size: int) -> Floats:
    """Return a covariance with rows and columns of zero for the parameters that were held."""
    wide = np.zeros((size, size))
    wide[np.ix_(index, index)] = small
    return wide


@dataclass(frozen=True)
class TransitFit:
    """Parameters of the transit; errors are of generalised least squares, ``_white`` ones of plain."""

    tc: float
    """Mid-transit time, BJD_TDB day."""
    tc_error: float
    tc_error_white: float
    rp_rs: float
    """Planet radius over stellar radius."""
    rp_rs_error: float
    rp_rs_error_white: float
    a_rs: float
    """Semi-major axis over stellar radius."""
    a_rs_error: float
    a_rs_error_white: float
    impact: float
    """Impact parameter, stellar radii."""
    impact_error: float
    impact_error_white: float
    limb_g: float
    """First coefficient of the power-2 law I = 1 - g (1 - mu^h)."""
    limb_g_error: float
    limb_g_error_white: float
    limb_h: float
    """Second coefficient of the power-2 law, held."""
    u1: float
    """The same limb darkening as a quadratic law, for AstroImageJ."""
    u2: float
    depth_ppt: float
    """(rp_rs)^2, ppt."""
    depth_error_ppt: float
    dip_ppt: float
    """Deepest point of the model, limb darkening included, ppt."""
    duration_hour: float
    """First to fourth contact, hour."""
    duration_error_hour: float
    o_c_minute: float
    """Observed minus predicted mid-transit time, minute."""
    o_c_error_minute: float
    """Of observation and prediction together, minute."""
    chi2: float
    """Sum of squared residuals over predicted errors."""
    n_point: int
    n_parameter: int
    bic: float
    """Of errors scaled so that this fit has a chi^2 of its degrees of freedom."""
    bic_flat: float
    """BIC of the same trend without a transit, same errors."""
    delta_bic: float
    """``bic_flat - bic``; above 10 the transit is detected."""
    is_detected: bool
    """The BIC asks for the transit, and its depth is beyond 3 of its errors."""
    is_shape_fixed: bool
    """a_rs and impact were held, for the baseline was too short to tell them."""
    correlated_noise: float
    """Amplitude of the correlated noise over the white noise, averaged over the noise models."""


def summary(problem: Problem, solution: Solution, *, mid: float, sigma: float) -> TransitFit:
    """Return the fit in the units of the field.

    Parameters
    ----------
    problem, solution
        The light curve and what :func:`solve` found.
    mid, sigma : float
        Predicted mid-transit (BJD_TDB day), from which the problem's time is counted, and its error.
    """
    tc, k, a_rs, impact, g = (float(value) for value in solution.parameter)
    error = np.sqrt(np.diag(solution.covariance))
    white = np.sqrt(np.diag(solution.covariance_white))
    n, n_parameter = len(problem.time), int(problem.is_free.sum()) + problem.basis.shape[1]
    scale = max(1e-12, solution.chi2 / max(1, n - n_parameter))
    bic = solution.chi2 / scale + n_parameter * math.log(n)
    flat = linear(problem, np.ones(n))[1] / scale + problem.basis.shape[1] * math.log(n)
    u1, u2 = limbdarkening.quadratic(g, problem.limb_h)

    def full(parameter: Floats) -> float:
        return transit.duration(
            period=problem.period, k=parameter[K], a_rs=parameter[A_RS], impact=abs(parameter[IMPACT])
        )

    slope = np.array(
        [
            (full(solution.parameter + step) - full(solution.parameter - step)) / (2 * step.sum())
            for step in np.diag(_STEP)
        ]
    )
    deepest = transit.flux(np.array([impact]), k, lambda mu: limbdarkening.intensity(mu, g, problem.limb_h))
    return TransitFit(
        tc=mid + tc,
        tc_error=float(error[TC]),
        tc_error_white=float(white[TC]),
        rp_rs=k,
        rp_rs_error=float(error[K]),
        rp_rs_error_white=float(white[K]),
        a_rs=a_rs,
        a_rs_error=float(error[A_RS]),
        a_rs_error_white=float(white[A_RS]),
        impact=impact,
        impact_error=float(error[IMPACT]),
        impact_error_white=float(white[IMPACT]),
        limb_g=g,
        limb_g_error=float(error[LIMB_G]),
        limb_g_error_white=float(white[LIMB_G]),
        limb_h=problem.limb_h,
        u1=u1,
        u2=u2,
        depth_ppt=1000 * k**2,
        depth_error_ppt=2000 * k * float(error[K]),
        dip_ppt=1000 * (1 - float(deepest[0])),
        duration_hour=24 * full(solution.parameter),
        duration_error_hour=24 * math.sqrt(max(0.0, float(slope @ solution.covariance[:5, :5] @ slope))),
        o_c_minute=1440 * tc,
        o_c_error_minute=1440 * math.hypot(float(error[TC]), sigma),
        chi2=solution.chi2,
        n_point=n,
        n_parameter=n_parameter,
        bic=bic,
        bic_flat=flat,
        delta_bic=flat - bic,
        is_detected=flat - bic > 10 and k > 3 * float(error[K]),
        is_shape_fixed=not problem.is_free[A_RS],
        correlated_noise=solution.correlated_noise,
    )
