from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from accretor.science import leastsquares

FAR = np.full(3, np.inf)


def decay(seed):
    """A sum of two exponentials and a constant, noisy: residuals, derivatives and the truth."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0, 4, 60)
    truth = rng.uniform((0.5, 0.3, -1.0), (3.0, 2.0, 1.0))
    y = truth[0] * np.exp(-truth[1] * x) + truth[2] + rng.normal(0, 0.05, 60)

    def evaluate(p):
        shape = np.exp(-p[1] * x)
        return (p[0] * shape + p[2] - y) / 0.05, np.stack(
            [shape, -p[0] * x * shape, 0 * x + 1], axis=1
        ) / 0.05

    return evaluate, truth


def scipys(evaluate, start, low, high):
    found = least_squares(
        lambda p: evaluate(p)[0], start, lambda p: evaluate(p)[1], bounds=(low, high), xtol=1e-12, ftol=1e-12
    )
    return found.x, found.cost


@given(seed=st.integers(0, 10_000))
@settings(deadline=None)
def test_the_minimum_is_that_of_scipy(seed):
    evaluate, truth = decay(seed)
    start = truth * 1.3

    found, cost = leastsquares.minimise(evaluate, start, -FAR, FAR, np.ones(3))
    expected, least = scipys(evaluate, start, -FAR, FAR)

    assert cost == pytest.approx(least, rel=1e-6)
    assert cost == pytest.approx(0.5 * np.sum(evaluate(found)[0] ** 2))
    # Of their errors, a thousandth: a cost that is higher by 1e-6 of 30 lies so far away.
    slope = evaluate(expected)[1]
    error = np.sqrt(np.diag(np.linalg.inv(slope.T @ slope)))
    np.testing.assert_array_less(np.abs(found - expected), 0.02 * error)


@given(seed=st.integers(0, 10_000), share=st.floats(0.2, 0.9))
@settings(deadline=None)
def test_behind_a_bound_the_minimum_is_that_of_scipy(seed, share):
    evaluate, truth = decay(seed)
    low, high = -FAR, np.array([np.inf, share * truth[1], np.inf])
    start = np.array([truth[0], 0.5 * high[1], truth[2]])

    found, cost = leastsquares.minimise(evaluate, start, low, high, np.ones(3))
    _, least = scipys(evaluate, start, low, high)

    assert found[1] <= high[1]
    assert cost == pytest.approx(least, rel=1e-5)


def test_scales_of_many_orders_do_not_matter():
    evaluate, truth = decay(1)
    size = np.array([1e6, 1.0, 1e-6])

    def other(p):
        residual, slope = evaluate(p / size)
        return residual, slope / size

    plain, cost = leastsquares.minimise(evaluate, truth * 1.2, -FAR, FAR, np.ones(3))
    found, same = leastsquares.minimise(other, truth * 1.2 * size, -FAR, FAR, size)

    assert same == pytest.approx(cost, rel=1e-9)
    np.testing.assert_allclose(found, plain * size, rtol=1e-5)


def test_a_parameter_that_changes_nothing_stays():
    evaluate, truth = decay(2)

    def other(p):
        residual, slope = evaluate(p[:3])
        return residual, np.column_stack([slope, np.zeros(len(residual))])

    wide = np.full(4, np.inf)
    found, _ = leastsquares.minimise(other, np.append(truth * 1.1, 7.0), -wide, wide, np.ones(4))

    assert found[3] == 7.0
    np.testing.assert_allclose(found[:3], truth, atol=0.2)


def test_what_is_not_a_number_is_not_gone_to():
    def evaluate(p):
        residual = np.array([np.sqrt(p[0]) - 0.1]) if p[0] >= 0 else np.array([np.nan])
        return residual, np.array([[0.5 / np.sqrt(max(p[0], 1e-12))]])

    found, cost = leastsquares.minimise(
        evaluate, np.array([1.0]), np.array([-np.inf]), np.array([np.inf]), np.ones(1)
    )

    assert found[0] == pytest.approx(0.01, rel=1e-3)
    assert cost < 1e-10
