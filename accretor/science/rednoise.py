"""Generalised least squares under noise that is partly correlated in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Floats

LIFETIMES = (4.0, 8.0, 15.0, 30.0, 60.0)
"""Time constants tried, minute."""

AMPLITUDES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
"""Standard deviations of the correlated noise tried, times that of the white noise."""

MAX_POINT = 400
"""Longer series are averaged in blocks: the matrices have n^2 elements, and n^3 is the time."""


@dataclass(frozen=True)
class Update:
    """Gauss-Newton step of the parameters, averaged over the noise models."""

    step: Floats
    """(n_parameter,)"""
    covariance: Floats
    """(n_parameter, n_parameter) with the spread between the noise models."""
    amplitude: float
    """Mean amplitude of the correlated noise over the white noise."""


def blocks(time: Floats, error: Floats, array: Floats) -> tuple[Floats, Floats, Floats]:
    """Average a long series in blocks of consecutive points, weights 1 / error^2.

    Parameters
    ----------
    time, error : (n,) float64
    array : (n, m) float64

    Returns
    -------
    time, error : (n_block,) float64
    array : (n_block, m) float64
        The input itself up to 400 points.
    """
    size = -(-len(time) // MAX_POINT)
    if size <= 1:
        return time, error, array
    start = np.arange(0, len(time), size)
    weight = error**-2
    total = np.add.reduceat(weight, start)
    mean_time = time[0] + np.add.reduceat((time - time[0]) * weight, start) / total
    return (
        mean_time,
        total**-0.5,
        np.add.reduceat(array * weight[:, np.newaxis], start, axis=0) / total[:, np.newaxis],
    )


def solve(
    time: Floats, error: Floats, residual: Floats, jacobian: Floats, precision: Floats, gradient: Floats
) -> Update:
    """Solve a linear problem under white plus exponentially correlated noise of unknown strength.

    The covariance is D (1 + rho^2 exp(-|dt| / tau)) D times a scale, D = diag(error).
    Every rho and tau of a grid is weighted by its restricted likelihood (REML:
    Patterson & Thompson 1971, Biometrika 58, 545) and by the prior 1 / sqrt(1 + rho).
    The scale is fitted, and never below 1: noise is not believed to be less than predicted.

    Parameters
    ----------
    time : (n,) float64
        Day.
    error, residual : (n,) float64
    jacobian : (n, n_parameter) float64
        Of the model at the present parameters.
    precision, gradient : (n_parameter, n_parameter), (n_parameter,) float64
        Of the Gaussian priors at the present parameters: Q^T Q and -Q^T q for prior
        residuals q with Jacobian Q.
    """
    table = np.column_stack([residual, jacobian])
    time, error, table = blocks(time, error, table)
    table = table / error[:, np.newaxis]
    lag = np.abs(time[:, np.newaxis] - time) * 1440.0
    likelihood: list[float] = []
    steps: list[Floats] = []
    covariances: list[Floats] = []
    rhos: list[float] = []
    for tau in LIFETIMES:
        eigenvalue, eigenvector = np.linalg.eigh(np.exp(-lag / tau))
        rotated = eigenvector.T @ table
        for rho in AMPLITUDES:
            variance = 1 + rho**2 * np.maximum(eigenvalue, 0.0)
            whitened = rotated / np.sqrt(variance)[:, np.newaxis]
            step, covariance, value = _one(whitened, precision, gradient)
            steps.append(step)
            covariances.append(covariance)
            rhos.append(rho)
            likelihood.append(value - 0.5 * float(np.log(variance).sum()) - 0.5 * float(np.log1p(rho)))
    weight = np.exp(np.array(likelihood) - max(likelihood))
    weight /= weight.sum()
    mean = weight @ np.array(steps)
    deviation = np.array(steps) - mean
    spread = np.einsum("m,mi,mj->ij", weight, deviation, deviation)
    return Update(mean, np.einsum("m,mij->ij", weight, np.array(covariances)) + spread, float(weight @ rhos))


def _one(whitened: Floats, precision: Floats, gradient: Floats) -> tuple[Floats, Floats, float]:
    """Return step, covariance and restricted log-likelihood (less that of the noise matrix) of white data."""
    residual, jacobian = whitened[:, 0], whitened[:, 1:]
    n, n_parameter = jacobian.shape
    normal, right = jacobian.T @ jacobian, jacobian.T @ residual
    scale = 1.0
    step: Floats = np.zeros(n_parameter)
    left = 0.0
    # Two rounds settle the scale; it matters to the step only through the priors.
    for _ in range(2):
        step = np.asarray(np.linalg.solve(normal / scale + precision, right / scale + gradient), np.float64)
        left = float(np.sum((residual - jacobian @ step) ** 2))
        scale = max(1.0, left / max(1, n - n_parameter))
    information = normal / scale + precision
    value = -0.5 * (
        (n - n_parameter) * np.log(scale) + left / scale + float(np.linalg.slogdet(information)[1])
    )
    return step, np.asarray(np.linalg.inv(information), np.float64), float(value)
