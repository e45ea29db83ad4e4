"""What a fit finds in the comparison stars, which have no transit: how true its errors are on this night."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from accretor.core.arrays import Booleans, Floats
from accretor.science import fit, rednoise
from accretor.science.fit import Problem
from accretor.science.solution import MAX_POINT, Solution

FEWEST = 5
"""With fewer stars nothing is said."""

NOTHING = 1e3
"""Error, in units of the flux, of a point that is not there."""


@dataclass(frozen=True)
class Siblings:
    """Light curves of the comparison stars most like the target."""

    value: Floats
    """(n, n_star) relative flux less 1; NaN where a star was not measured."""
    error: Floats
    """(n, n_star) predicted."""


def pull(
    stars: Siblings, mask: Booleans, problem: Problem, short: Problem, noise: rednoise.Noise, found: Solution
) -> Floats:
    """Return the root mean square of what is found in stars without a transit, over its errors, (5,).

    The transit found is put into each star, and one linear step is taken from it under the
    noise models of the target, with the terms of its trend: what comes back differs from what
    was put in by what the night does to its stars. NaN for what was held, and with fewer than
    five stars.

    Parameters
    ----------
    stars : Siblings
        Of all frames.
    mask : (n,) bool
        Frames of the fit.
    problem, short : Problem
        Of the fit, all points and averaged in blocks (:func:`accretor.science.fit.condense`).
    noise : rednoise.Noise
        Of the blocks.
    found : Solution
    """
    result = np.full(5, np.nan)
    if stars.value.shape[1] < FEWEST:
        return result
    tables = []
    design = fit.jacobian(short, found.parameter, found.coefficient)
    for value, error in zip(stars.value[mask].T, stars.error[mask].T, strict=True):
        is_there = np.isfinite(value) & np.isfinite(error)
        own = fit.condense(
            replace(problem, flux=np.where(is_there, value, 0.0), error=np.where(is_there, error, NOTHING)),
            MAX_POINT,
        )
        tables.append(np.column_stack([own.flux, design]) / own.error[:, np.newaxis])
    precision, gradient = fit.prior_terms(short, found.parameter, short.basis.shape[1])
    unit = replace(noise, error=np.ones(len(short.time)))
    steps = rednoise.steps(rednoise.gram(unit, np.array(tables)), precision, np.zeros_like(gradient))
    weight = np.exp(steps.log_weight - steps.log_weight.max(axis=0))
    weight /= weight.sum(axis=0)
    mean = np.einsum("ms,msi->si", weight, steps.step)
    variance = np.einsum("ms,msi->si", weight, (steps.step - mean) ** 2)
    variance += np.einsum("ms,msii->si", weight, steps.covariance)
    n_free = int(short.is_free.sum())
    result[short.is_free] = np.sqrt(np.mean(mean**2 / variance, axis=0))[:n_free]
    return result


def stretched(covariance: Floats, pulls: Floats) -> Floats:
    """Return a covariance with the errors raised by those of *pulls* that are above 1.

    It is the scale factor of averages of measurements that disagree (Birge 1932, Phys. Rev.
    40, 207; Particle Data Group, introduction to the Review): errors that prove too small on the
    same night are raised, and none is lowered, for the stars share what they show.

    Parameters
    ----------
    covariance : (5, 5) float64
    pulls : (5,) float64
        Of :func:`pull`; NaN leaves an error as it is.
    """
    scale = np.fmax(1.0, pulls)
    return np.asarray(covariance * np.outer(scale, scale))
