from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accretor.science import ensemble

N, N_STAR, NOISE = 80, 12, 0.004


def night(seed=3, n_star=N_STAR):
    """Return logarithmic fluxes, their errors and the true zero points of constant stars."""
    random = np.random.Generator(np.random.PCG64(seed))
    zero = -0.1 * random.random(N)
    level = random.uniform(10, 13, n_star)
    error = np.full((N, n_star), NOISE)
    return level + zero[:, np.newaxis] + random.normal(0, error), error, zero


EVERY = np.ones(N_STAR, dtype=bool)


def test_zero_point_is_recovered_within_the_noise_of_the_ensemble():
    log_flux, error, truth = night()

    solution = ensemble.zero_point(log_flux, error, EVERY)

    residual = solution.zero - truth
    assert np.std(residual) == pytest.approx(NOISE / np.sqrt(N_STAR), rel=0.3)
    assert np.median(solution.error) == pytest.approx(NOISE / np.sqrt(N_STAR), rel=0.25)


def test_zero_point_of_constant_stars_is_near_their_weighted_mean():
    log_flux, error, _ = night()
    mean = (log_flux - log_flux.mean(axis=0)).mean(axis=1)

    solution = ensemble.zero_point(log_flux, error, EVERY)

    assert np.std(solution.zero - mean) < 0.3 * NOISE / np.sqrt(N_STAR) * 2


def test_a_variable_star_loses_its_weight():
    log_flux, error, truth = night()
    quiet = ensemble.zero_point(log_flux, error, EVERY).zero
    log_flux[:, 4] += 0.05 * np.sin(np.linspace(0, 7, N))

    solution = ensemble.zero_point(log_flux, error, EVERY)

    assert solution.weight[:, 4].sum() < 0.05 * np.median(solution.weight.sum(axis=0))
    assert np.std(solution.zero - truth) < 1.15 * np.std(quiet - truth)


def test_a_single_bad_point_does_not_move_its_frame():
    log_flux, error, _ = night()
    before = ensemble.zero_point(log_flux, error, EVERY).zero
    log_flux[30, 2] += 1.0

    after = ensemble.zero_point(log_flux, error, EVERY).zero

    assert abs(after[30] - before[30]) < 2 * NOISE / np.sqrt(N_STAR)


@given(st.permutations(range(N_STAR)))
@settings(max_examples=20, deadline=None)
def test_order_of_the_stars_does_not_matter(order):
    log_flux, error, _ = night()

    straight = ensemble.zero_point(log_flux, error, EVERY)
    shuffled = ensemble.zero_point(log_flux[:, order], error[:, order], EVERY)

    np.testing.assert_allclose(shuffled.zero, straight.zero, atol=1e-10)


@given(frame=st.integers(0, N - 1), throughput=st.floats(0.3, 1.0))
@settings(max_examples=20, deadline=None)
def test_cloud_over_the_whole_field_leaves_the_relative_flux_unchanged(frame, throughput):
    log_flux, error, _ = night()
    cloudy = log_flux.copy()
    cloudy[frame] += np.log(throughput)

    clear, _ = ensemble.leave_one_out(log_flux, ensemble.zero_point(log_flux, error, EVERY))
    covered, _ = ensemble.leave_one_out(cloudy, ensemble.zero_point(cloudy, error, EVERY))

    np.testing.assert_allclose(covered, clear, atol=1e-7)


def test_missing_points_are_left_out_and_an_empty_frame_is_nan():
    log_flux, error, truth = night()
    log_flux[::7, 3] = np.nan
    log_flux[10] = np.nan

    solution = ensemble.zero_point(log_flux, error, EVERY)
    relative, _ = ensemble.leave_one_out(log_flux, solution)

    assert np.isnan(solution.zero[10])
    assert np.isnan(relative[10]).all()
    good = np.delete(np.arange(N), 10)
    assert np.std((solution.zero - truth)[good]) < 1.5 * NOISE / np.sqrt(N_STAR)


def test_an_eclipse_of_a_comparison_star_shows_at_its_full_depth():
    log_flux, error, _ = night()
    log_flux[20:30, 5] += np.log(1 - 0.05)

    relative, _ = ensemble.leave_one_out(log_flux, ensemble.zero_point(log_flux, error, EVERY))

    depth = -np.mean(relative[20:30, 5])
    assert depth == pytest.approx(-np.log(0.95), abs=3 * NOISE / np.sqrt(10))


def test_leave_one_out_equals_solving_without_the_star():
    log_flux, error, _ = night(n_star=40)
    every = np.ones(40, dtype=bool)
    without = every.copy()
    without[7] = False

    relative, _ = ensemble.leave_one_out(log_flux, ensemble.zero_point(log_flux, error, every))
    alone = log_flux[:, 7] - ensemble.zero_point(log_flux, error, without).zero

    # Only the weights of the common solution differ: far below the noise.
    assert np.std(relative[:, 7] - alone) < 0.05 * NOISE


def test_excess_is_one_for_constant_stars_and_blind_to_one_cosmic_ray():
    random = np.random.Generator(np.random.PCG64(8))
    relative, error = random.normal(0, 0.01, (500, 2)), np.full((500, 2), 0.01)
    relative[3, 1] = 5.0

    np.testing.assert_allclose(ensemble.excess(relative, error), 1, atol=0.1)


def test_sum_ensemble_divides_each_star_by_the_others():
    flux = np.array([[10.0, 20.0, 30.0], [11.0, 18.0, 33.0]])

    ratio = ensemble.relative_flux(flux, np.array([0.0, 1.0, 1.0]))

    np.testing.assert_allclose(ratio, [[10 / 50, 20 / 30, 30 / 20], [11 / 51, 18 / 33, 33 / 18]])


def test_the_only_comparison_star_has_nothing_to_be_divided_by():
    ratio = ensemble.relative_flux(np.array([[10.0, 20.0]]), np.array([0.0, 1.0]))

    assert ratio[0, 0] == 0.5
    assert np.isnan(ratio[0, 1])


def test_sum_ensemble_needs_a_star():
    with pytest.raises(ValueError, match="needs a star"):
        ensemble.relative_flux(np.ones((3, 2)), np.zeros(2))
