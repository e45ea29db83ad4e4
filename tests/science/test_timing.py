from __future__ import annotations

import numpy as np
import pytest

from accretor.science import timing

EPOCH = np.array([1000, 1003, 1003, 1010, 1024])
ERROR = np.array([0.0004, 0.0011, 0.0006, 0.0009, 0.0005])
TIME = 2455867.4 + 2.15 * EPOCH


def test_mid_times_on_a_line_give_the_line():
    found = timing.linear(EPOCH, TIME, ERROR)

    assert found.t0 + (1010 - found.epoch) * found.period == pytest.approx(TIME[3], abs=1e-8)
    assert found.period == pytest.approx(2.15, abs=1e-10)
    assert (found.n_time, found.chi2) == (5, pytest.approx(0, abs=1e-6))


def test_values_and_errors_are_those_of_a_weighted_polynomial():
    noise = np.array([0.4, -1.1, 0.2, 0.6, -0.3]) * ERROR
    found = timing.linear(EPOCH, TIME + noise, ERROR)
    time = TIME - TIME[0] + noise
    (slope, value), covariance = np.polyfit(EPOCH - found.epoch, time, 1, w=1 / ERROR, cov="unscaled")

    assert found.period == pytest.approx(slope, abs=1e-10)
    assert found.t0 - TIME[0] == pytest.approx(value, abs=1e-8)
    assert found.period_error == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-6)
    assert found.t0_error == pytest.approx(np.sqrt(covariance[1, 1]), rel=1e-6)
    assert abs(covariance[0, 1]) < 0.1 * found.period_error * found.t0_error


def test_errors_grow_with_scatter_beyond_them():
    random = np.random.Generator(np.random.PCG64(3))
    epoch = np.arange(40)
    time = 2.15 * epoch + random.normal(0, 0.002, 40)

    small, true = (timing.linear(epoch, time, np.full(40, error)) for error in (0.001, 0.002))

    assert small.period_error == pytest.approx(true.period_error, rel=0.15)


def test_an_ephemeris_from_elsewhere_counts_as_a_measurement():
    time, error = np.array([2455867.4 + 2.15 * 1042 + 0.0006]), np.array([0.0008])
    known = (2455867.4, 5e-5, 2.15, 2e-7)

    found = timing.linear(np.array([1042]), time, error, known=known)

    # One mid-time moves the period by its share: sigma^2 of the prediction over that of both.
    share = (1042 * 2e-7) ** 2 / (5e-5**2 + (1042 * 2e-7) ** 2 + 0.0008**2)
    assert found.period == pytest.approx(2.15 + share * 0.0006 / 1042, abs=1e-11)
    assert found.period_error < 2e-7


def test_one_transit_makes_no_period():
    one = np.array([3]), np.array([2455873.9]), np.array([0.001])

    assert timing.linear(*one) is None
    assert timing.linear(*one, known=(2455867.4, 0.0, 2.15, 0.0)) is None
    assert timing.linear(np.array([], dtype=int), np.array([]), np.array([])) is None
