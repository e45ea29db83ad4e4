"""Transit and trend under correlated noise: generalised least squares, every mid-time weighed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from accretor.core.arrays import Floats, Integers
from accretor.science import fit, rednoise
from accretor.science.fit import TC, K, Problem

MAX_POINT = 320
"""Longer series are averaged in blocks: noise matrices have n^2 elements, and n^3 is the time."""

N_TRIAL = 61
"""Mid-times weighed over all that is possible."""

N_NEAR = 31
"""Mid-times weighed about the best: one in 0.3 errors, by which mean and spread of a Gaussian are exact."""

N_SIGMA = 4.5
"""Half the range of the second look, in errors of the first."""

N_FINE = 1600
"""Moments at which the transit is computed for the trials; between them it is interpolated."""


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
    prior_precision: Floats
    """(5, 5) inverse covariance of the priors near the solution."""
    prior_gradient: Floats
    """(5,) slope of the logarithm of the priors there."""


def prepare(problem: Problem, log_prior: Floats | None) -> rednoise.Noise:
    """Return the noise models of a problem; *log_prior* is theirs, (rednoise.N_MODEL,)."""
    return rednoise.prepare(problem.time, problem.error, log_prior)


def solve(problem: Problem, noise: rednoise.Noise, near: Floats | None = None) -> Solution:
    """Fit transit and trend, then let the noise models correct values and errors.

    Least squares finds the neighbourhood; steps of generalised least squares
    (:mod:`accretor.science.rednoise`) move it to where correlated noise has its proper
    weight. A linear step is not enough for the mid-time, which correlated noise gives
    several likely values: all are tried, and mean and covariance are those over trials
    and noise models together.

    Parameters
    ----------
    problem : Problem
        At most :data:`MAX_POINT` points, or little more.
    noise : rednoise.Noise
        Of its times and errors.
    near : (5,) float64, optional
        What least squares finds (:func:`accretor.science.fit.best`), where that is known.
    """
    parameter = fit.best(problem)[0] if near is None else near.copy()
    coefficient, chi2 = fit.linear(problem, fit.transit_model(problem, parameter))
    parameter, coefficient = _approach(problem, noise, parameter, coefficient)
    trial = np.linspace(-problem.tc_reach, problem.tc_reach, N_TRIAL)
    found = _weigh(problem, noise, parameter, coefficient, trial)
    parameter[TC] = found.likeliest
    middle, error = float(found.mean[TC]), float(np.sqrt(found.covariance[TC, TC]))
    return _settled(problem, noise, parameter, coefficient, chi2, middle, error)


def solve_near(problem: Problem, noise: rednoise.Noise, other: Solution) -> Solution:
    """Fit the points of *other* with other terms of the trend, where mid-times are about as likely as there.

    Parameters
    ----------
    problem, noise
        As :func:`solve` takes them.
    other : Solution
        Of the same points.
    """
    parameter = other.parameter.copy()
    coefficient, chi2 = fit.linear(problem, fit.transit_model(problem, parameter))
    error = float(np.sqrt(other.covariance[TC, TC]))
    return _settled(problem, noise, parameter, coefficient, chi2, float(parameter[TC]), error)


def _settled(
    problem: Problem,
    noise: rednoise.Noise,
    parameter: Floats,
    coefficient: Floats,
    chi2: float,
    middle: float,
    error: float,
) -> Solution:
    """Return the solution from one near it, the mid-times about *middle* with *error* being weighed."""
    parameter, coefficient = _approach(problem, noise, parameter, coefficient)
    reach = N_SIGMA * error
    trial = np.linspace(max(-problem.tc_reach, middle - reach), min(problem.tc_reach, middle + reach), N_NEAR)
    found = _weigh(problem, noise, parameter, coefficient, trial)
    low, high = fit.bounds(problem)
    free = np.nonzero(problem.is_free)[0]
    final = np.clip(found.mean[:5], low, high)
    prior_precision, prior_gradient = fit.prior_terms(problem, final, 0)
    slope = np.zeros(5)
    slope[free] = prior_gradient
    return Solution(
        parameter=final,
        coefficient=found.mean[5:],
        covariance=found.covariance,
        covariance_white=_white(problem, parameter, coefficient, chi2),
        correlated_noise=found.amplitude,
        prior_precision=_spread(prior_precision, free, 5),
        prior_gradient=slope,
    )


def rp_rs_of(problem: Problem, noise: rednoise.Noise, parameter: Floats) -> tuple[float, float]:
    """Return radius ratio and error of another light curve of the same transit, near *parameter*.

    One linear step, mid-time and shape being held: what differs is the depth alone.

    Parameters
    ----------
    problem : Problem
        Of the same times as *noise*, such as the same frames through another aperture.
    noise : rednoise.Noise
        Its errors are replaced by those of the problem.
    parameter : (5,) float64
        Of the transit, from :func:`solve`.
    """
    held = replace(problem, is_free=np.arange(5) == K)
    coefficient, _ = fit.linear(held, fit.transit_model(held, parameter))
    update = _step(held, replace(noise, error=held.error), parameter, coefficient)
    return float(parameter[K] + update.step[0]), float(np.sqrt(update.covariance[0, 0]))


def _step(problem: Problem, noise: rednoise.Noise, parameter: Floats, coefficient: Floats) -> rednoise.Update:
    """Return one Gauss-Newton step."""
    residual = problem.flux - fit.transit_model(problem, parameter) * (problem.basis @ coefficient)
    design = fit.jacobian(problem, parameter, coefficient)
    precision, gradient = fit.prior_terms(problem, parameter, problem.basis.shape[1])
    products = rednoise.gram(noise, np.column_stack([residual, design]))
    return rednoise.average(rednoise.steps(products, precision, gradient))


def _approach(
    problem: Problem, noise: rednoise.Noise, parameter: Floats, coefficient: Floats
) -> tuple[Floats, Floats]:
    """Return parameters after two Gauss-Newton steps, none beyond two of its own errors."""
    n_free = int(problem.is_free.sum())
    low, high = fit.bounds(problem)
    for _ in range(2):
        update = _step(problem, noise, parameter, coefficient)
        step = np.zeros(5)
        step[problem.is_free] = update.step[:n_free]
        error = np.sqrt(np.diag(update.covariance)[:n_free])
        damping = min(1.0, 2 / max(1e-12, float(np.max(np.abs(update.step[:n_free]) / error))))
        parameter = np.clip(parameter + damping * step, low, high)
        coefficient = coefficient + damping * update.step[n_free:]
    return parameter, coefficient


@dataclass(frozen=True)
class _Weighed:
    """Mean and spread over all trials of the mid-time and all noise models."""

    mean: Floats
    """(5 + n_term,)"""
    covariance: Floats
    """(5 + n_term, 5 + n_term); 0 for what was held."""
    likeliest: float
    """Mid-time of the greatest weight."""
    amplitude: float


def _weigh(
    problem: Problem, noise: rednoise.Noise, parameter: Floats, coefficient: Floats, trial: Floats
) -> _Weighed:
    """Weigh every mid-time of *trial*, all other parameters being solved for, linearly, at each."""
    n_term = problem.basis.shape[1]
    is_free = problem.is_free & (np.arange(5) != TC)
    held = replace(problem, is_free=is_free)
    model, slope = _shifted(held, parameter, trial)
    trend = problem.basis @ coefficient
    residual = problem.flux - model * trend
    design = np.concatenate([slope * trend[:, np.newaxis], model[..., np.newaxis] * problem.basis], axis=-1)
    at_zero = np.array(parameter)
    at_zero[TC] = 0.0
    prior = fit.prior_residual(held, at_zero)
    precision, gradient = fit.prior_terms(held, at_zero, n_term)
    offset = prior @ prior + (trial / problem.tc_reach) ** 2
    products = rednoise.gram(noise, np.concatenate([residual[..., np.newaxis], design], axis=-1))
    steps = rednoise.steps(products, precision, gradient, offset)
    weight = np.exp(steps.log_weight - steps.log_weight.max())
    weight /= weight.sum()

    index = np.concatenate([np.nonzero(is_free)[0], 5 + np.arange(n_term)])
    value = np.zeros((*weight.shape, 5 + n_term))
    value[...] = np.concatenate([parameter, coefficient])
    value[..., index] += steps.step
    value[..., TC] = trial
    mean = np.einsum("mt,mti->i", weight, value)
    deviation = value - mean
    covariance = np.einsum("mt,mti,mtj->ij", weight, deviation, deviation, optimize=True)
    covariance[np.ix_(index, index)] += np.einsum("mt,mtij->ij", weight, steps.covariance)
    # Where nearly all weight is that of one trial, what lies between two is not known.
    covariance[TC, TC] = max(covariance[TC, TC], (trial[1] - trial[0]) ** 2 / 12)
    return _Weighed(
        mean,
        covariance,
        float(trial[int(np.argmax(weight.sum(axis=0)))]),
        float(weight.sum(axis=1) @ rednoise.AMPLITUDE),
    )


def _shifted(problem: Problem, parameter: Floats, trial: Floats) -> tuple[Floats, Floats]:
    """Return transit and its derivatives by the free parameters for each mid-time of *trial*.

    Both are computed once along a fine line of time for the usual exposure, and
    shifted.

    Returns
    -------
    model : (n_trial, n) float64
    slope : (n_trial, n, n_free) float64
    """
    first, last = problem.time[0] - trial[-1], problem.time[-1] - trial[0]
    moment = np.linspace(first, last, N_FINE)
    exposure = np.full(N_FINE, float(np.median(problem.exposure)))
    fine = replace(problem, time=moment, exposure=exposure, basis=np.ones((N_FINE, 1)))
    at_zero = np.array(parameter)
    at_zero[TC] = 0.0
    line = fit.jacobian(fine, at_zero, np.ones(1))
    shifted = problem.time - trial[:, np.newaxis]
    found = [np.interp(shifted, moment, column) for column in line.T]
    model, slope = found[-1], found[:-1]
    if not slope:
        return model, np.zeros((*model.shape, 0))
    return model, np.stack(slope, axis=-1)


def _white(problem: Problem, parameter: Floats, coefficient: Floats, chi2: float) -> Floats:
    """Return the covariance under white noise."""
    n_term, n_free = problem.basis.shape[1], int(problem.is_free.sum())
    design = fit.jacobian(problem, parameter, coefficient) / problem.error[:, np.newaxis]
    precision, _ = fit.prior_terms(problem, parameter, n_term)
    scale = max(1.0, chi2 / max(1, len(problem.time) - n_free - n_term))
    white = np.linalg.inv(design.T @ design / scale + precision)
    index = np.concatenate([np.nonzero(problem.is_free)[0], 5 + np.arange(n_term)])
    return _spread(white, index, 5 + n_term)


def _spread(small: Floats, index: Integers, size: int) -> Floats:
    """Return a covariance with rows and columns of zero for the parameters that were held."""
    wide = np.zeros((size, size))
    wide[np.ix_(index, index)] = small
    return wide
