from __future__ import annotations

import numpy as np
import pytest

from accretor.science import rednoise

N = 150
TIME = np.linspace(0, 0.25, N)
ERROR = np.full(N, 0.003)


def design(time=TIME):
    """Return a constant and a box of two hours."""
    return np.column_stack([np.ones(len(time)), np.abs(time - 0.125) < 0.042]).astype(float)


def solve(residual, *, time=TIME, error=ERROR, columns=None):
    columns = design(time) if columns is None else columns
    none = np.zeros((columns.shape[1],) * 2)
    return rednoise.solve(time, error, residual, columns, none, np.zeros(columns.shape[1]))


def correlated(seed, amplitude=1.0, minutes=20.0):
    """Return white noise of 0.003 with an exponentially correlated part."""
    random = np.random.Generator(np.random.PCG64(seed))
    step = np.exp(-(TIME[1] - TIME[0]) * 1440 / minutes)
    red = np.zeros(N)
    red[0] = random.normal()
    for i in range(1, N):
        red[i] = step * red[i - 1] + np.sqrt(1 - step**2) * random.normal()
    return 0.003 * (random.normal(size=N) + amplitude * red)


def test_under_white_noise_values_and_errors_are_those_of_least_squares():
    values = correlated(1, amplitude=0.0)
    coefficient = np.linalg.lstsq(design(), values, rcond=None)[0]
    white = np.sqrt(np.diag(np.linalg.inv(design().T @ design()))) * 0.003

    update = solve(values)

    np.testing.assert_allclose(update.step, coefficient, atol=0.5 * white[1])
    assert 0.95 < np.sqrt(update.covariance[1, 1]) / white[1] < 2


@pytest.mark.parametrize("amplitude", [0.0, 1.0])
def test_depths_scatter_as_their_errors_say(amplitude):
    pull = []
    for seed in range(40):
        update = solve(correlated(seed, amplitude))
        pull.append(update.step[1] / np.sqrt(update.covariance[1, 1]))

    assert abs(np.mean(pull)) < 3 / np.sqrt(40) * max(1, np.std(pull))
    assert 0.5 < np.std(pull) < 1.45


def test_correlated_noise_is_told_from_white():
    white = np.mean([solve(correlated(seed, 0.0)).amplitude for seed in range(10)])
    red = np.mean([solve(correlated(seed, 1.5)).amplitude for seed in range(10)])

    assert white < 0.6 < red


def test_noise_is_not_believed_to_be_less_than_predicted():
    quiet = solve(0.1 * correlated(3, 0.0))

    assert np.sqrt(quiet.covariance[0, 0]) >= 0.999 * 0.003 / np.sqrt((~design()[:, 1].astype(bool)).sum())


def test_a_prior_counts_as_a_measurement():
    values = correlated(4, amplitude=0.0)
    free = solve(values)
    precision = np.diag([0.0, 1 / 1e-5**2])

    held = rednoise.solve(TIME, ERROR, values, design(), precision, np.zeros(2))

    assert np.sqrt(held.covariance[1, 1]) < 1.01e-5
    assert abs(held.step[1]) < 0.05 * abs(free.step[1]) + 1e-5


def test_stars_that_share_slow_waves_make_slow_waves_expected_and_clean_ones_do_not():
    columns = np.column_stack([np.ones(N), TIME - TIME.mean()])
    error = np.full((N, 12), 0.003)
    red = np.column_stack([correlated(seed, 1.5, 40) for seed in range(12)])
    white = np.column_stack([correlated(seed, 0.0) for seed in range(12)])

    def expected(residual):
        return np.exp(rednoise.learned_prior(TIME, residual, error, columns)) @ rednoise.AMPLITUDE

    assert expected(white) < 0.3 < 1.0 < expected(red)
    assert expected(white) < np.exp(rednoise.plain_prior()) @ rednoise.AMPLITUDE


def test_a_learned_prior_makes_errors_of_white_noise_as_small_as_they_are_and_of_red_as_large():
    columns = design()
    basis = np.column_stack([np.ones(N), TIME - TIME.mean()])
    pulls = {}
    for name, amplitude in (("white", 0.0), ("red", 1.2)):
        others = np.column_stack([correlated(1000 + seed, amplitude, 40) for seed in range(20)])
        prior = rednoise.learned_prior(TIME, others, np.full(others.shape, 0.003), basis)
        noise = rednoise.prepare(TIME, ERROR, prior)
        pulls[name] = []
        for seed in range(60):
            table = np.column_stack([correlated(seed, amplitude, 40), columns])
            update = rednoise.average(
                rednoise.steps(rednoise.gram(noise, table), np.zeros((2, 2)), np.zeros(2))
            )
            pulls[name].append(update.step[1] / np.sqrt(update.covariance[1, 1]))

    # 60 draws tell a standard deviation to 9 per cent.
    assert 0.75 < np.std(pulls["white"]) < 1.2, np.std(pulls["white"])
    assert 0.75 < np.std(pulls["red"]) < 1.25, np.std(pulls["red"])


def test_few_stars_teach_nothing():
    residual = np.column_stack([correlated(seed) for seed in range(4)])
    residual = np.column_stack([residual, np.full((N, 3), np.nan)])

    found = rednoise.learned_prior(TIME, residual, np.full(residual.shape, 0.003), np.ones((N, 1)))

    np.testing.assert_array_equal(found, rednoise.plain_prior())


def test_deviance_of_nested_models_under_white_noise_falls_like_chi_squared():
    gains = []
    for seed in range(60):
        random = np.random.Generator(np.random.PCG64(seed))
        table = np.column_stack([0.003 * random.normal(size=N), np.ones(N), random.normal(size=N)])
        found = rednoise.gram(rednoise.prepare(TIME, ERROR), table)
        none = np.zeros((2, 2))
        gains.append(
            rednoise.deviance(found.of([0]), none[:1, :1], none[0, :1])
            - rednoise.deviance(found, none, none[0])
        )

    assert np.min(gains) > -1e-6
    assert np.mean(gains) == pytest.approx(1.0, abs=3 * np.sqrt(2 / 60))
