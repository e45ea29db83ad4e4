"""How probable a transit is, trend and noise of unknown strength summed over."""

from __future__ import annotations

import numpy as np

from accretor.core.arrays import Floats
from accretor.science import fit, rednoise
from accretor.science.fit import Problem


def log_likelihood(problem: Problem, noise: rednoise.Noise, parameter: Floats) -> Floats:
    """Return the logarithm of the likelihood of transits, up to a constant.

    The terms of the trend have flat priors and are integrated over; the noise models of
    :mod:`accretor.science.rednoise` are summed over by their prior. It is what
    :func:`accretor.science.solution.solve` takes for linear about its solution, as it is.

    Parameters
    ----------
    problem : Problem
    noise : rednoise.Noise
        Of its times and errors.
    parameter : (m, 5) float64
        As of `fit.transit_model`.

    Returns
    -------
    (m,) float64
    """
    model = np.stack([fit.transit_model(problem, point) for point in parameter])
    value = np.broadcast_to(problem.flux, model.shape)
    table = np.concatenate([value[..., np.newaxis], model[..., np.newaxis] * problem.basis], axis=-1)
    n_term = problem.basis.shape[1]
    products = rednoise.gram(noise, table)
    weight = rednoise.steps(products, np.zeros((n_term, n_term)), np.zeros(n_term)).log_weight
    greatest = weight.max(axis=0)
    return np.asarray(greatest + np.log(np.exp(weight - greatest).sum(axis=0)))


def log_posterior(problem: Problem, noise: rednoise.Noise, parameter: Floats) -> Floats:
    """Return the same with the priors; minus infinity beyond the bounds of the fit.

    Parameters
    ----------
    problem, noise
        As :func:`log_likelihood` takes them.
    parameter : (m, 5) float64

    Returns
    -------
    (m,) float64
    """
    low, high = fit.bounds(problem)
    is_free = problem.is_free
    is_inside = ((parameter >= low) & (parameter <= high))[:, is_free].all(axis=1)
    result = np.full(len(parameter), -np.inf)
    if is_inside.any():
        inside = parameter[is_inside]
        prior = np.array([np.sum(fit.prior_residual(problem, point) ** 2) for point in inside])
        result[is_inside] = log_likelihood(problem, noise, inside) - 0.5 * prior
    return result
