"""Generalised least squares under noise that is partly correlated in time."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Floats

LIFETIMES = (4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 240.0)
"""Time constants tried, minute."""

AMPLITUDES = np.array([0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0])
"""Standard deviations of the correlated noise tried, times that of the white noise."""


def _rough(lag: Floats) -> Floats:
    return np.exp(-lag)


def _smooth(lag: Floats) -> Floats:
    return np.asarray((1 + np.sqrt(3) * lag) * np.exp(-np.sqrt(3) * lag))


MOST_JUDGED = 3.0
"""Greatest amplitude with which terms of a trend are judged: waves much stronger pass for any trend."""

SHAPES: tuple[Callable[[Floats], Floats], ...] = (_rough, _smooth)
"""Correlation against lag over lifetime: exponential, and Matern 3/2 for what is smooth."""

FEWEST_STARS = 5
"""With fewer stars nothing is learned from them."""

OTHERWISE = 0.1
"""Weight of the plain prior in one that was learned."""

N_ROUND = 4
"""Rounds in which the weights are sharpened."""

N_MODEL = len(SHAPES) * len(LIFETIMES) * len(AMPLITUDES)
"""Number of noise models: shape, lifetime and amplitude, the last one fastest."""

AMPLITUDE = np.tile(AMPLITUDES, len(SHAPES) * len(LIFETIMES))
"""(N_MODEL,) amplitude of each."""


def plain_prior() -> Floats:
    """Return the logarithm of the prior weight of each noise model, (N_MODEL,): 1 / sqrt(1 + amplitude)."""
    weight = -0.5 * np.log1p(AMPLITUDE)
    return np.asarray(weight - np.log(np.exp(weight).sum()))


@dataclass(frozen=True)
class Noise:
    """The noise models of one series, prepared once for all fits to it."""

    error: Floats
    """(n,)"""
    eigenvalue: Floats
    """(n_kernel, n) of the correlation matrices."""
    eigenvector: Floats
    """(n_kernel, n, n)"""
    log_prior: Floats
    """(N_MODEL,)"""


@dataclass(frozen=True)
class Gram:
    """Inner products of residual and Jacobian under every noise model."""

    product: Floats
    """(N_MODEL, ..., 1 + n_parameter, 1 + n_parameter); the residual is first."""
    log_det: Floats
    """(N_MODEL,) of the noise matrix."""
    log_prior: Floats
    """(N_MODEL,)"""
    n_point: int

    def of(self, column: list[int]) -> Gram:
        """Return the products of the residual with some of the parameters only."""
        index = [0, *(1 + i for i in column)]
        return Gram(self.product[..., index, :][..., :, index], self.log_det, self.log_prior, self.n_point)


@dataclass(frozen=True)
class Steps:
    """Gauss-Newton step of the parameters under every noise model."""

    step: Floats
    """(N_MODEL, ..., n_parameter)"""
    covariance: Floats
    """(N_MODEL, ..., n_parameter, n_parameter)"""
    log_weight: Floats
    """(N_MODEL, ...) restricted likelihood times prior, logarithm."""


@dataclass(frozen=True)
class Update:
    """Gauss-Newton step of the parameters, averaged over the noise models."""

    step: Floats
    """(n_parameter,)"""
    covariance: Floats
    """(n_parameter, n_parameter) with the spread between the noise models."""
    amplitude: float
    """Mean amplitude of the correlated noise over the white noise."""


def prepare(time: Floats, error: Floats, log_prior: Floats | None = None) -> Noise:
    """Return the noise models of a series: D (1 + rho^2 C(|dt| / tau)) D times a scale, D = diag(error).

    Parameters
    ----------
    time : (n,) float64
        Day. The matrices have n^2 elements: average longer series than some hundreds before.
    error : (n,) float64
    log_prior : (N_MODEL,) float64, optional
        Default: :func:`plain_prior`.
    """
    eigenvalue, eigenvector = _decomposed(np.ascontiguousarray(time, dtype=np.float64).tobytes())
    return Noise(error, eigenvalue, eigenvector, plain_prior() if log_prior is None else log_prior)


@functools.lru_cache(maxsize=2)
def _decomposed(times: bytes) -> tuple[Floats, Floats]:
    """Return eigenvalues and eigenvectors of the correlation matrices of a series of float64 *times*, day.

    Stars of one night mostly have the same times, and these matrices are nearly all that they cost.
    """
    time = np.frombuffer(times)
    lag = np.abs(time[:, np.newaxis] - time) * 1440.0
    found = [np.linalg.eigh(shape(lag / tau)) for shape in SHAPES for tau in LIFETIMES]
    eigenvalue = np.maximum(0.0, np.array([pair[0] for pair in found]))
    eigenvector = np.array([pair[1] for pair in found])
    for shared in (eigenvalue, eigenvector):
        shared.flags.writeable = False
    return eigenvalue, eigenvector


def gram(noise: Noise, table: Floats) -> Gram:
    """Return the inner products of the columns of *table*.

    Parameters
    ----------
    noise : Noise
    table : (..., n, 1 + n_parameter) float64
        Residual and Jacobian; leading axes are other tables.
    """
    white = table / noise.error[:, np.newaxis]
    size = table.shape[-1]
    row, column = np.triu_indices(size)
    product = np.empty((len(noise.eigenvalue), len(AMPLITUDES), *table.shape[:-2], size, size))
    log_det: list[Floats] = []
    for at, (eigenvalue, eigenvector) in enumerate(zip(noise.eigenvalue, noise.eigenvector, strict=True)):
        rotated = eigenvector.T @ white
        variance = 1 + AMPLITUDES[:, np.newaxis] ** 2 * eigenvalue
        # All amplitudes at once: they share the products of the columns.
        found = np.tensordot(1 / variance, rotated[..., row] * rotated[..., column], axes=(1, -2))
        product[at, ..., row, column] = np.moveaxis(found, -1, 0)
        product[at, ..., column, row] = np.moveaxis(found, -1, 0)
        log_det.append(np.log(variance).sum(axis=1))
    return Gram(
        product.reshape(N_MODEL, *product.shape[2:]),
        np.concatenate(log_det),
        noise.log_prior,
        len(noise.error),
    )


def steps(found: Gram, precision: Floats, gradient: Floats, offset: Floats | float = 0.0) -> Steps:
    """Solve the linear problem under every noise model.

    The scale of the noise is fitted, and never below 1: noise is not believed to be
    less than predicted. Models are weighted by their restricted likelihood (REML:
    Patterson & Thompson 1971, Biometrika 58, 545) and their prior.

    Parameters
    ----------
    found : Gram
    precision, gradient : (..., n_parameter, n_parameter), (..., n_parameter) float64
        Of the Gaussian priors at the present parameters: Q^T Q and -Q^T q for prior
        residuals q with Jacobian Q.
    offset : (...) float64
        q^T q; it matters only between problems with different present parameters.
    """
    normal, right = found.product[..., 1:, 1:], found.product[..., 1:, 0]
    square = found.product[..., 0, 0]
    n_free = max(1, found.n_point - right.shape[-1])
    scale: Floats = np.ones(square.shape)
    step: Floats = np.zeros(right.shape)
    left = square
    # Two rounds settle the scale; it matters to the step only through the priors.
    for _ in range(2):
        information = normal / scale[..., np.newaxis, np.newaxis] + precision
        value = right / scale[..., np.newaxis] + gradient
        step = _solve(information, value)
        left = square - 2 * (right * step).sum(-1) + _quadratic(normal, step)
        scale = np.maximum(1.0, left / n_free)
    information = normal / scale[..., np.newaxis, np.newaxis] + precision
    prior = offset - 2 * (gradient * step).sum(-1) + _quadratic(precision, step)
    model = (slice(None), *([np.newaxis] * (square.ndim - 1)))
    log_weight = (
        -0.5 * (n_free * np.log(scale) + left / scale + prior + np.linalg.slogdet(information)[1])
        - 0.5 * found.log_det[model]
        + found.log_prior[model]
    )
    return Steps(step, np.asarray(np.linalg.inv(information)), np.asarray(log_weight))


def _solve(matrix: Floats, vector: Floats) -> Floats:
    return np.asarray(np.linalg.solve(matrix, vector[..., np.newaxis])[..., 0], dtype=np.float64)


def _quadratic(matrix: Floats, vector: Floats) -> Floats:
    return np.asarray(np.einsum("...i,...ij,...j->...", vector, matrix, vector))


def average(found: Steps) -> Update:
    """Return the mean step over the noise models, and its covariance with their spread."""
    weight = np.exp(found.log_weight - found.log_weight.max())
    weight /= weight.sum()
    mean = weight @ found.step
    deviation = found.step - mean
    spread = np.einsum("m,mi,mj->ij", weight, deviation, deviation)
    return Update(mean, np.einsum("m,mij->ij", weight, found.covariance) + spread, float(weight @ AMPLITUDE))


def deviance(found: Gram, precision: Floats, gradient: Floats) -> float:
    """Return -2 ln of the greatest likelihood, priors included, over parameters and noise models.

    Twice the difference of two nested models falls on the scale of chi^2, so that terms can be
    judged by an information criterion without white noise being assumed. Noise models of more
    than :data:`MOST_JUDGED` are left to the fit that follows.

    Parameters
    ----------
    found : Gram
        Of the derivatives and the residuals.
    precision : (m, m) float64
        Of the priors of the m parameters.
    gradient : (m,) float64
        Of the priors.
    """
    normal, right = found.product[..., 1:, 1:], found.product[..., 1:, 0]
    square = found.product[..., 0, 0]
    scale = np.ones(square.shape)
    left, prior = square, np.zeros(square.shape)
    for _ in range(2):
        information = normal / scale[:, np.newaxis, np.newaxis] + precision
        value = right / scale[:, np.newaxis] + gradient
        step = _solve(information, value)
        left = square - 2 * (right * step).sum(-1) + _quadratic(normal, step)
        prior = _quadratic(precision, step) - 2 * (gradient * step).sum(-1)
        scale = np.maximum(1.0, left / found.n_point)
    value = found.n_point * np.log(scale) + left / scale + prior + found.log_det - 2 * found.log_prior
    return float(value[AMPLITUDE <= MOST_JUDGED].min())


def solve(
    time: Floats,
    error: Floats,
    residual: Floats,
    jacobian: Floats,
    precision: Floats,
    gradient: Floats,
    *,
    log_prior: Floats | None = None,
) -> Update:
    """Solve a linear problem under white plus correlated noise of unknown strength, in one call.

    Parameters
    ----------
    time : (n,) float64
        Day.
    error, residual : (n,) float64
    jacobian : (n, n_parameter) float64
        Of the model at the present parameters.
    precision, gradient : (n_parameter, n_parameter), (n_parameter,) float64
        As :func:`steps` takes them.
    log_prior : (N_MODEL,) float64
        Of the noise models; default: `plain_prior`.
    """
    table = np.column_stack([residual, jacobian])
    return average(steps(gram(prepare(time, error, log_prior), table), precision, gradient))


def learned_prior(time: Floats, residual: Floats, error: Floats, basis: Floats) -> Floats:
    """Return the prior of the noise models that other stars of the same night have shown.

    Every star gives each noise model a probability; their mean is what is to be
    expected of one more star, and a few rounds sharpen it (empirical Bayes; an
    expectation-maximisation for the weights of a mixture). The plain prior keeps a
    tenth, for the next star may be another.

    Parameters
    ----------
    time : (n,) float64
        Day.
    residual, error : (n, n_star) float64
        Relative flux about 0; stars with a point that is not finite are not used.
    basis : (n, n_term) float64
        Terms that may be in every star's curve, a constant among them.

    Returns
    -------
    (N_MODEL,) float64
        Logarithm of the weights; :func:`plain_prior` with fewer than 5 stars.
    """
    plain = plain_prior()
    star = np.nonzero(np.isfinite(residual).all(axis=0) & np.isfinite(error).all(axis=0))[0]
    if len(star) < FEWEST_STARS:
        return plain
    unit = prepare(time, np.ones(len(time)), np.zeros(N_MODEL))
    n_term = basis.shape[1]
    table = np.empty((len(star), len(time), 1 + n_term))
    table[..., 0], table[..., 1:] = residual.T[star], basis
    # A term that does not vary would leave nothing to invert.
    weak = 1e-6 * np.eye(n_term)
    found = steps(gram(unit, table / error.T[star, :, np.newaxis]), weak, np.zeros(n_term))
    likelihood = np.exp(found.log_weight - found.log_weight.max(axis=0))
    weight = np.exp(plain)
    for _ in range(N_ROUND):
        member = likelihood * weight[:, np.newaxis]
        weight = (member / member.sum(axis=0)).mean(axis=1)
        weight = (1 - OTHERWISE) * weight + OTHERWISE * np.exp(plain)
    return np.asarray(np.log(weight))
