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


def test_long_series_are_averaged_with_their_weights():
    n = 1000
    time = np.linspace(0, 0.25, n)
    random = np.random.Generator(np.random.PCG64(6))
    error = random.uniform(0.002, 0.006, n)
    array = random.normal(size=(n, 2))

    short_time, short_error, short = rednoise.blocks(time, error, array)

    assert len(short_time) <= rednoise.MAX_POINT
    weight = error[:3] ** -2
    np.testing.assert_allclose(short[0], weight @ array[:3] / weight.sum())
    assert np.sum(short_error**-2) == pytest.approx(np.sum(error**-2))


def test_a_long_series_gives_the_answer_of_its_white_noise():
    time = np.linspace(0, 0.25, 3000)
    error = np.full(3000, 0.003)
    values = 0.003 * np.random.Generator(np.random.PCG64(7)).normal(size=3000) + 0.01 * design(time)[:, 1]

    update = solve(values, time=time, error=error, columns=design(time))

    assert update.step[1] == pytest.approx(0.01, abs=4 * 0.003 / np.sqrt(600))
