"""The posterior of a transit by sampling, with the likelihood and the priors of the fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Floats, Integers
from accretor.core.errors import Blocked
from accretor.science import fit, likelihood, rednoise
from accretor.science.fit import Problem
from accretor.science.solution import Solution

ENOUGH = 50.0
"""Autocorrelation times that a chain must have (Foreman-Mackey et al. 2013, PASP 125, 306)."""

ACCEPTED = (0.1, 0.7)
"""Part of the steps that are taken when a chain moves as it should."""

MOST_SAMPLES = 4000
"""Samples that are kept: percentiles are known to a fortieth of their width, and a file is small."""

BURN = 5.0
"""Autocorrelation times at the start of the chain that are thrown away."""


@dataclass(frozen=True)
class Posterior:
    """Samples of the transit's parameters, and whether they can be believed."""

    sample: Floats
    """(n_sample, 5) tc (day from the prediction), k, a_rs, impact, first coefficient of limb darkening."""
    log_probability: Floats
    """(n_sample,) up to a constant."""
    autocorrelation: Floats
    """(5,) autocorrelation time, step; 0 for what was held."""
    acceptance: float
    """Part of the steps that were taken."""
    n_step: int
    n_burn: int
    """Steps thrown away at the start."""
    thin: int
    """One of so many steps is kept."""
    is_converged: bool

    @property
    def length(self) -> float:
        """Steps kept, in autocorrelation times."""
        return (self.n_step - self.n_burn) / float(self.autocorrelation.max())

    def intervals(self) -> tuple[Floats, Floats, Floats]:
        """Return the median of each parameter, and the distances to the ends of the central 68 per cent."""
        low, middle, high = np.percentile(self.sample, (15.865, 50, 84.135), axis=0)
        return middle, middle - low, high - middle

    @property
    def doubt(self) -> str:
        """Why the samples cannot be believed; empty if they can."""
        if self.is_converged:
            return ""
        low, high = ACCEPTED
        if not low <= self.acceptance <= high:
            return f"{100 * self.acceptance:.0f} % of the steps were taken, {low:.0%} to {high:.0%} needed"
        return (
            f"{self.n_step - self.n_burn} steps are {self.length:.0f} autocorrelation times, {ENOUGH:.0f} "
            "needed: raise [calibration] sampling_steps"
        )


def sample(
    problem: Problem,
    noise: rednoise.Noise,
    solution: Solution,
    *,
    n_step: int,
    n_walker: int,
    seed: int,
) -> Posterior:
    """Sample the posterior with walkers that start from the fit (emcee; moves of ter Braak & Vrugt 2008).

    Parameters
    ----------
    problem : Problem
        At most :data:`accretor.science.solution.MAX_POINT` points, or little more.
    noise : rednoise.Noise
        Of its times and errors.
    solution : Solution
        Of the same problem.
    n_step, n_walker : int
        The number of walkers must be at least twice that of the free parameters.
    seed : int
        The same seed gives the same samples.

    Raises
    ------
    Blocked
        If emcee is not installed.
    """
    try:
        import emcee
    except ModuleNotFoundError:
        raise Blocked("[calibration] sampling = true needs emcee: pip install 'accretor[fit]'") from None
    free = np.nonzero(problem.is_free)[0]
    error = np.sqrt(np.diag(solution.covariance))[free]

    def whole(unit: Floats) -> Floats:
        point = np.tile(solution.parameter, (len(unit), 1))
        point[:, free] += unit * error
        return point

    def log_posterior(unit: Floats) -> Floats:
        return likelihood.log_posterior(problem, noise, whole(unit))

    sampler = emcee.EnsembleSampler(
        n_walker,
        len(free),
        log_posterior,
        vectorize=True,
        moves=[(emcee.moves.DEMove(), 0.8), (emcee.moves.DESnookerMove(), 0.2)],
    )
    # emcee draws with the Mersenne twister only; its state comes from a generator of our own.
    key = np.random.Generator(np.random.PCG64(seed)).integers(0, 2**32, 624, dtype=np.uint32)
    start = _start(problem, solution, free, n_walker, seed)
    sampler.run_mcmc(emcee.State(start, random_state=("MT19937", key, 624, 0, 0.0)), n_step)
    time = np.nan_to_num(sampler.get_autocorr_time(tol=0), nan=float(n_step))
    n_burn = min(n_step // 2, int(np.ceil(BURN * time.max())))
    thin = max(1, -(-(n_step - n_burn) * n_walker // MOST_SAMPLES))
    acceptance = float(np.mean(sampler.acceptance_fraction))
    low, high = ACCEPTED
    return Posterior(
        sample=whole(sampler.get_chain(discard=n_burn, thin=thin, flat=True)),
        log_probability=np.asarray(sampler.get_log_prob(discard=n_burn, thin=thin, flat=True)),
        autocorrelation=_spread(time, free),
        acceptance=acceptance,
        n_step=n_step,
        n_burn=n_burn,
        thin=thin,
        is_converged=(n_step - n_burn) >= ENOUGH * float(time.max()) and low <= acceptance <= high,
    )


def _start(problem: Problem, solution: Solution, free: Integers, n_walker: int, seed: int) -> Floats:
    """Return where the walkers start: scattered as the fit's errors say, in units of these, within bounds."""
    random = np.random.Generator(np.random.PCG64(seed))
    covariance = solution.covariance[np.ix_(free, free)]
    error = np.sqrt(np.diag(covariance))
    low, high = (bound[free] for bound in fit.bounds(problem))
    correlation = covariance / np.outer(error, error)
    unit = random.multivariate_normal(np.zeros(len(free)), correlation, n_walker, method="eigh")
    value = solution.parameter[free] + unit * error
    # What lies beyond a bound is turned back into the allowed range.
    span = high - low
    value = low + np.abs((value - low + span) % (2 * span) - span)
    return np.asarray((value - solution.parameter[free]) / error)


def _spread(value: Floats, free: Integers) -> Floats:
    result = np.zeros(5)
    result[free] = value
    return result
