from __future__ import annotations

import sys

import numpy as np
import pytest

from accretor.core.errors import Blocked
from accretor.science import fit, likelihood, posterior, rednoise, solution
from tests.science.test_solution import night


def prepared(**options):
    problem, truth = night(**options)
    noise = solution.prepare(problem, None)
    return problem, noise, solution.solve(problem, noise), truth


@pytest.fixture(scope="module")
def sampled():
    pytest.importorskip("emcee")
    problem, noise, found, truth = prepared(n=60, seed=3, noise=0.0012)
    return posterior.sample(problem, noise, found, n_step=2200, n_walker=24, seed=1), found, truth


@pytest.mark.slow
def test_the_posterior_agrees_with_the_errors_of_least_squares_and_holds_the_truth(sampled):
    chain, found, truth = sampled
    middle, minus, plus = chain.intervals()
    error = np.sqrt(np.diag(found.covariance))[:5]
    width = 0.5 * (minus + plus)
    # A percentile of so many independent samples is known to so many errors.
    slack = 4 * 1.5 / np.sqrt(24 * chain.length)

    assert chain.is_converged, chain.doubt
    for i in (fit.TC, fit.K, fit.LIMB_G):
        assert width[i] / error[i] == pytest.approx(1, abs=0.25 + slack)
        assert abs(middle[i] - found.parameter[i]) < (0.35 + slack) * error[i]
    assert np.all(np.abs(middle - truth) < 3.5 * np.maximum(width, error))


@pytest.mark.slow
def test_samples_spread_as_the_likelihood_says_they_should(sampled):
    chain, _, _ = sampled
    best = chain.log_probability.max()

    # -2 ln of the probability falls as chi^2 of five parameters about its peak, if that is nearly normal.
    assert np.mean(2 * (best - chain.log_probability)) == pytest.approx(5, abs=2)


def test_a_short_chain_is_already_near_the_fit_and_the_truth():
    pytest.importorskip("emcee")
    problem, noise, found, truth = prepared(n=60, seed=3, noise=0.0012)
    chain = posterior.sample(problem, noise, found, n_step=250, n_walker=16, seed=1)
    middle, minus, plus = chain.intervals()
    error = np.sqrt(np.diag(found.covariance))[:5]

    for i in (fit.TC, fit.K):
        assert 0.5 * (minus + plus)[i] / error[i] == pytest.approx(1, abs=0.45)
        assert abs(middle[i] - found.parameter[i]) < error[i]
        assert abs(middle[i] - truth[i]) < 4 * error[i]


def test_the_same_seed_gives_the_same_samples_and_another_one_others():
    pytest.importorskip("emcee")
    problem, noise, found, _ = prepared(n=60)

    def run(seed):
        return posterior.sample(problem, noise, found, n_step=100, n_walker=16, seed=seed).sample.tobytes()

    np.random.seed(5)  # noqa: NPY002  # what others do with the global generator must not matter
    first = run(1)
    np.random.seed(6)  # noqa: NPY002
    assert run(1) == first
    assert run(2) != first


def test_a_chain_that_is_too_short_says_how_much_is_lacking():
    pytest.importorskip("emcee")
    problem, noise, found, _ = prepared(n=60)

    chain = posterior.sample(problem, noise, found, n_step=120, n_walker=16, seed=1)

    assert not chain.is_converged
    assert "autocorrelation times, 50 needed: raise [calibration] sampling_steps" in chain.doubt


def test_what_is_held_in_the_fit_is_held_in_the_samples():
    pytest.importorskip("emcee")
    problem, _ = night(n=60)
    problem.is_free[[fit.A_RS, fit.IMPACT]] = False
    noise = solution.prepare(problem, None)
    found = solution.solve(problem, noise)

    chain = posterior.sample(problem, noise, found, n_step=100, n_walker=16, seed=1)

    assert np.ptp(chain.sample[:, fit.IMPACT]) == 0
    assert np.ptp(chain.sample[:, fit.TC]) > 0
    assert chain.autocorrelation[fit.A_RS] == 0


def test_without_the_extra_one_line_says_what_to_install(monkeypatch):
    problem, noise, found, _ = prepared(n=60)
    monkeypatch.setitem(sys.modules, "emcee", None)

    with pytest.raises(Blocked, match=r"pip install 'accretor\[fit\]'"):
        posterior.sample(problem, noise, found, n_step=100, n_walker=16, seed=1)


def test_the_likelihood_of_white_noise_is_that_of_chi_square_with_the_trend_integrated_over():
    problem, truth = night(n=60)
    log_prior = np.full(rednoise.N_MODEL, -np.inf)
    log_prior[0] = 0.0  # no correlated noise
    # Scaled errors, so that the scale of the noise stays at 1.
    problem.error[:] *= 2
    noise = solution.prepare(problem, log_prior)
    other = truth + np.array([0.002, 0.004, 0.0, 0.0, 0.0])

    first, second = likelihood.log_likelihood(problem, noise, np.stack([truth, other]))

    def expected(parameter):
        model = fit.transit_model(problem, parameter)
        chi2 = fit.linear(problem, model)[1]
        # The integral over the level gives a factor of 1 / sqrt(sum of model^2 / error^2).
        return -0.5 * chi2 - 0.5 * np.log(np.sum((model / problem.error) ** 2))

    assert first - second == pytest.approx(expected(truth) - expected(other), rel=1e-6)


def test_beyond_the_bounds_there_is_nothing():
    problem, noise, found, _ = prepared(n=60)
    outside = np.array(found.parameter)
    outside[fit.K] = 0.7

    values = likelihood.log_posterior(problem, noise, np.stack([found.parameter, outside]))

    assert np.isfinite(values[0])
    assert values[1] == -np.inf
