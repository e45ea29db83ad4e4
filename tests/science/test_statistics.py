from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.science import statistics
from tests.harness import SHARED

MINUTE = 1 / 1440
TOI_7149 = SHARED / "aij-samples/profe-toi7149/TOI-7149/measurements/250223_g_w3.tbl"


def noise(n, seed=1):
    return np.random.Generator(np.random.PCG64(seed)).normal(size=n)


def test_robust_scatter_of_normal_noise_is_its_standard_deviation():
    assert statistics.scatter(3 * noise(20_000)) == pytest.approx(3, rel=0.03)


def test_robust_scatter_ignores_a_fifth_of_wild_points():
    value = noise(5000)
    value[::5] = 1e6

    assert statistics.scatter(value) < 1.5


def test_point_to_point_scatter_does_not_see_a_transit():
    flux = 0.004 * noise(200)
    dipped = flux.copy()
    dipped -= 0.02 * np.interp(np.arange(200), [60, 80, 120, 140], [0, 1, 1, 0])

    assert statistics.point_to_point(dipped) == pytest.approx(statistics.point_to_point(flux), rel=0.02)
    assert statistics.point_to_point(flux) == pytest.approx(0.004, rel=0.15)


def test_too_short_series_have_no_scatter():
    assert np.isnan(statistics.scatter(np.array([1.0, np.nan])))
    assert np.isnan(statistics.point_to_point(np.array([1.0, np.nan, 2.0])))
    assert np.isnan(statistics.rms(np.array([np.nan])))


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40), st.sampled_from([1, 3, 7, 11]))
def test_running_median_is_the_median_of_each_window(values, width):
    series = np.array(values)
    half = width // 2

    expected = [np.median(series[max(0, i - half) : i + half + 1]) for i in range(len(series))]

    np.testing.assert_array_equal(statistics.running_median(series, width), expected)


def test_running_median_skips_nan_and_says_nan_only_for_an_empty_window():
    series = np.array([1.0, np.nan, 3.0, np.nan, np.nan, np.nan])

    np.testing.assert_array_equal(statistics.running_median(series, 3), [1, 2, 3, 3, np.nan, np.nan])


def test_bins_are_weighted_means_of_their_points():
    time = 2_458_107.0 + np.array([1, 2, 6, 7, 8]) * MINUTE
    value, error = np.array([1.0, 2.0, 5.0, 6.0, 7.0]), np.array([1.0, 2.0, 1.0, 1.0, 1.0])

    _, mean, sigma = statistics.time_bins(time, value, error, 5)

    np.testing.assert_allclose(mean, [(1 + 2 / 4) / (1 + 1 / 4), 6])
    np.testing.assert_allclose(sigma, [1 / np.sqrt(1.25), 1 / np.sqrt(3)])


def test_a_later_point_does_not_move_the_earlier_bins():
    time = 2_458_107.3 + np.arange(60) * MINUTE
    value, error = noise(60), np.ones(60)

    early = statistics.time_bins(time[:40], value[:40], error[:40], 5)
    late = statistics.time_bins(time, value, error, 5)

    np.testing.assert_array_equal(early[1][:-1], late[1][: len(early[1]) - 1])


def test_bins_leave_out_what_is_not_finite():
    time = np.array([0.0, MINUTE, 2 * MINUTE])

    _, mean, _ = statistics.time_bins(time, np.array([1.0, np.nan, 3.0]), np.ones(3), 10)

    np.testing.assert_allclose(mean, [2.0])


def test_white_noise_averages_down_and_has_a_beta_of_one():
    time = np.arange(400) * MINUTE
    found = [statistics.beta(time, noise(400, seed)) for seed in range(12)]

    assert 1 <= np.median(found) < 1.25
    binned = [statistics.binned_rms(time, noise(400, seed), 10)[0] for seed in range(40)]
    assert statistics.rms(np.array(binned)) == pytest.approx(1 / np.sqrt(10), rel=0.05)


@pytest.mark.parametrize("cadence", [30, 60, 75, 100, 120, 150, 300], ids=lambda second: f"{second} s")
def test_the_last_digit_of_regular_times_does_not_decide_the_scatter_in_bins(cadence):
    time = 2_460_739.381_234_56 + np.arange(14_400 // cadence) * cadence / 86_400
    value = noise(len(time))

    expected = statistics.binned_rms(time, value, 5)

    for same in (time - 2_460_739, time - time[0], np.round(time, 8)):
        assert statistics.binned_rms(same, value, 5) == pytest.approx(expected, rel=1e-12)


def test_correlated_noise_has_a_beta_far_above_one():
    time = np.arange(400) * MINUTE
    walk = np.convolve(noise(430), np.ones(30) / np.sqrt(30), mode="valid")[:400]

    assert statistics.beta(time, noise(400, 2) + walk) > 2


def test_beta_is_not_given_for_too_few_bins():
    assert np.isnan(statistics.beta(np.arange(10) * MINUTE, noise(10)))


@pytest.mark.skipif(not TOI_7149.exists(), reason="real data are not here")
def test_the_scatter_of_a_real_night_and_of_an_interval_of_it_are_those_of_the_plain_formulas():
    from accretor.aij import table

    night = table.read(TOI_7149)
    time, flux = night["BJD_TDB"], night["rel_flux_T1"]
    relative = flux / np.median(flux)

    ours = statistics.rms(flux - flux.mean()) / abs(np.median(flux))

    assert 1000 * ours == pytest.approx(1000 * np.std(flux) / abs(np.median(flux)), rel=1e-9)
    is_inside = (time > time[100]) & (time < time[200])
    interval = statistics.rms(relative[is_inside] - relative[is_inside].mean())
    assert interval == pytest.approx(np.std(flux[101:200]) / np.median(flux), rel=1e-9)
