"""The fitted transit in the units of the field."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Floats
from accretor.science import limbdarkening, transit
from accretor.science.fit import A_RS, IMPACT, LIMB_G, STEP, TC, K, Problem, linear, transit_model
from accretor.science.solution import Solution

LONGEST = 2.0
"""Times the predicted duration, and its inverse, beyond which no transit of an ephemeris is believed."""


@dataclass(frozen=True)
class TransitFit:
    """Parameters of the transit and their errors; ``_white`` ones are of plain least squares."""

    tc: float
    """Mid-transit time, BJD_TDB day."""
    tc_error: float
    tc_error_chosen: float
    """That of the noise alone, the terms of the trend being certain."""
    tc_error_white: float
    rp_rs: float
    """Planet radius over stellar radius."""
    rp_rs_error: float
    rp_rs_error_chosen: float
    """That of the noise alone, the terms of the trend being certain."""
    rp_rs_error_white: float
    a_rs: float
    """Semi-major axis over stellar radius."""
    a_rs_error: float
    impact: float
    """Impact parameter, stellar radii."""
    impact_error: float
    limb_g: float
    """First coefficient of the limb darkening: g of I = 1 - g (1 - mu^h), or u1 of the quadratic law."""
    limb_g_error: float
    limb_h: float
    """Second coefficient, held: h, or u2."""
    limb_law: str
    """``power-2`` or ``quadratic``."""
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
    o_c_sigma: float
    """``o_c_minute`` over its error."""
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
    correlation: tuple[float, ...]
    """(25) of tc, rp_rs, a_rs, impact and limb_g, row by row; 0 for what was held."""
    prior: tuple[float, ...]
    """(25) inverse covariance of the priors, row by row, in units of the errors; 0 for what was held."""
    prior_slope: tuple[float, ...]
    """(5) slope of the logarithm of the priors, per error; 0 for what was held."""


def summarise(
    problem: Problem, solution: Solution, covariance: Floats, *, mid: float, sigma: float
) -> TransitFit:
    """Return the fit in the units of the field.

    Parameters
    ----------
    problem, solution
        The light curve and what :func:`accretor.science.solution.solve` found.
    covariance : (5, 5) float64
        Of the transit's parameters, the choice of terms allowed for (:mod:`accretor.science.averaging`).
    mid, sigma : float
        Predicted mid-transit (BJD_TDB day), from which the problem's time is counted, and its error.
    """
    tc, k, a_rs, impact, g = (float(value) for value in solution.parameter)
    error, chosen = np.sqrt(np.diag(covariance)), np.sqrt(np.diag(solution.covariance))
    white = np.sqrt(np.diag(solution.covariance_white))
    n, n_parameter = len(problem.time), int(problem.is_free.sum()) + problem.basis.shape[1]
    _, chi2 = linear(problem, transit_model(problem, solution.parameter))
    scale = max(1e-12, chi2 / max(1, n - n_parameter))
    bic = chi2 / scale + n_parameter * math.log(n)
    flat = linear(problem, np.ones(n))[1] / scale + problem.basis.shape[1] * math.log(n)
    is_quadratic = problem.limb_law == "quadratic"
    u1, u2 = (g, problem.limb_h) if is_quadratic else limbdarkening.quadratic(g, problem.limb_h)

    def full(parameter: Floats) -> float:
        return transit.duration(
            period=problem.period, k=parameter[K], a_rs=parameter[A_RS], impact=abs(parameter[IMPACT])
        )

    slope = np.array(
        [
            (full(solution.parameter + step) - full(solution.parameter - step)) / (2 * step.sum())
            for step in np.diag(STEP)
        ]
    )
    deepest = transit.flux(
        np.array([impact]), k, lambda mu: limbdarkening.profile(problem.limb_law, g, problem.limb_h, mu)
    )
    return TransitFit(
        tc=mid + tc,
        tc_error=float(error[TC]),
        tc_error_chosen=float(chosen[TC]),
        tc_error_white=float(white[TC]),
        rp_rs=k,
        rp_rs_error=float(error[K]),
        rp_rs_error_chosen=float(chosen[K]),
        rp_rs_error_white=float(white[K]),
        a_rs=a_rs,
        a_rs_error=float(error[A_RS]),
        impact=impact,
        impact_error=float(error[IMPACT]),
        limb_g=g,
        limb_g_error=float(error[LIMB_G]),
        limb_h=problem.limb_h,
        limb_law=problem.limb_law,
        u1=u1,
        u2=u2,
        depth_ppt=1000 * k**2,
        depth_error_ppt=2000 * k * float(error[K]),
        dip_ppt=1000 * (1 - float(deepest[0])),
        duration_hour=24 * full(solution.parameter),
        duration_error_hour=24 * math.sqrt(max(0.0, float(slope @ covariance @ slope))),
        o_c_minute=1440 * tc,
        o_c_error_minute=1440 * math.hypot(float(error[TC]), sigma),
        o_c_sigma=tc / math.hypot(float(error[TC]), sigma),
        chi2=chi2,
        n_point=n,
        n_parameter=n_parameter,
        bic=bic,
        bic_flat=flat,
        delta_bic=flat - bic,
        is_detected=flat - bic > 10 and k > 3 * float(error[K]),
        is_shape_fixed=not problem.is_free[A_RS],
        correlated_noise=solution.correlated_noise,
        correlation=_flat(covariance / np.maximum(np.outer(error, error), 1e-300)),
        prior_slope=_flat(solution.prior_gradient * error),
        prior=_flat(solution.prior_precision * np.outer(error, error)),
    )


def nonsense(fit: TransitFit, duration_hour: float) -> str:
    """Return why *fit* measures no transit, "" where it does.

    A shallow transit that is lost in the noise is measured (it is at most so deep);
    none is where the points in it leave depth or shape to chance.

    Parameters
    ----------
    fit : TransitFit
    duration_hour : float
        Predicted.
    """
    numbers = (fit.tc, fit.tc_error, fit.rp_rs, fit.rp_rs_error, fit.duration_hour, fit.duration_error_hour)
    if not all(math.isfinite(value) for value in numbers):
        return "its errors cannot be told"
    if not fit.rp_rs_error < fit.rp_rs:
        return f"Rp/R* would be {fit.rp_rs:.4f} ± {fit.rp_rs_error:.4f}"
    is_long = fit.duration_hour > LONGEST * duration_hour
    if is_long or fit.duration_hour < duration_hour / LONGEST or fit.duration_error_hour > fit.duration_hour:
        return (
            f"it would last {fit.duration_hour:.1f} ± {fit.duration_error_hour:.1f} h "
            f"instead of {duration_hour:.1f} h"
        )
    return ""


def _flat(matrix: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in matrix.ravel())
