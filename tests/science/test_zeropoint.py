from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.core.errors import Unusable
from accretor.science import zeropoint


def night(seed, *, n_frame=20, n_star=30, scatter=0.0, noise=0.01, slope=0.0, clouds=0.3):
    """Return instrumental magnitudes with errors, the catalogue's with errors and colours, and the truth."""
    rng = np.random.Generator(np.random.PCG64(seed))
    true = rng.uniform(10, 14, n_star)
    color = rng.normal(0.8, 0.4, n_star)
    zero_point = 22.0 - rng.uniform(0, clouds, n_frame)
    error = noise * np.ones((n_frame, n_star))
    measured = true - slope * (color - 0.8) - zero_point[:, None] + error * rng.standard_normal(error.shape)
    listed = true + scatter * rng.standard_normal(n_star)
    return measured, error, listed, np.full(n_star, 0.01), color, zero_point


def test_zero_points_are_those_that_were_put_in():
    measured, error, listed, listed_error, color, truth = night(1)
    found = zeropoint.solve(measured, error, listed, listed_error, color)

    np.testing.assert_allclose(found.zero_point, truth, atol=0.01)
    assert found.color.slope == 0.0
    assert "not distinct from 0" in found.color.reason


def test_errors_of_the_level_are_what_many_nights_scatter_by():
    pulls = []
    for seed in range(150):
        measured, error, listed, listed_error, color, truth = night(seed, scatter=0.05, n_frame=6)
        found = zeropoint.solve(measured, error, listed, listed_error, color, with_color=False)
        pulls.append((found.zero_point[0] - truth[0]) / found.error[0])
        assert found.error[0] == pytest.approx(np.hypot(0.05, 0.01) / np.sqrt(30), rel=0.45)

    # 150 draws tell a standard deviation to 6 %.
    assert np.std(pulls) == pytest.approx(1.0, abs=0.2)
    assert abs(np.mean(pulls)) < 0.3


def test_frames_are_tied_to_one_another_better_than_to_the_catalogue():
    measured, error, listed, listed_error, color, truth = night(3, scatter=0.05, noise=0.005)
    found = zeropoint.solve(measured, error, listed, listed_error, color)
    relative = found.zero_point - truth

    assert np.std(relative) == pytest.approx(0.005 / np.sqrt(30), rel=0.6)
    assert np.median(found.relative_error) == pytest.approx(np.std(relative), rel=0.6)
    assert np.median(found.error) > 5 * np.std(relative)


def test_a_star_that_is_missing_behind_clouds_does_not_move_the_zero_point():
    measured, error, listed, listed_error, color, truth = night(4, scatter=0.08, noise=0.002)
    measured[5:9, :20] = np.nan
    found = zeropoint.solve(measured, error, listed, listed_error, color)

    assert np.std(found.zero_point - truth) < 0.003


@pytest.mark.parametrize("slope", [-0.15, 0.08])
def test_a_colour_term_is_found_and_taken_off(slope):
    measured, error, listed, listed_error, color, truth = night(5, slope=slope, n_star=60)
    found = zeropoint.solve(measured, error, listed, listed_error, color)
    standard = zeropoint.calibrated(measured, error, color, found)

    assert found.color.slope == pytest.approx(slope, abs=4 * found.color.error)
    assert 0 < found.color.error < 0.02
    np.testing.assert_allclose(standard.mean, listed, atol=0.02)
    np.testing.assert_allclose(found.zero_point - slope * (found.color.reference - 0.8), truth, atol=0.01)


def test_few_stars_or_equal_colours_give_no_colour_term_and_say_so():
    measured, error, listed, listed_error, color, _ = night(6, n_star=7)
    assert zeropoint.solve(measured, error, listed, listed_error, color).color.reason == (
        "7 stars of known colour, 8 needed"
    )
    measured, error, listed, listed_error, color, _ = night(6)
    same = zeropoint.solve(measured, error, listed, listed_error, color * 0.01)
    assert same.color.reason.startswith("colours differ by 0.00 mag")


def test_stars_that_are_wrong_in_the_catalogue_are_left_out_and_counted():
    measured, error, listed, listed_error, color, truth = night(7)
    listed[[3, 9, 12]] += [0.5, -0.8, 2.0]
    found = zeropoint.solve(measured, error, listed, listed_error, color)

    assert set(np.flatnonzero(found.is_clipped)) == {3, 9, 12}
    assert (found.n_star == 27).all()
    assert (found.n_clipped == 3).all()
    np.testing.assert_allclose(found.zero_point, truth, atol=0.01)


def test_two_groups_of_stars_are_a_wide_scatter_and_not_nothing():
    value = np.array([0.0, 0.01, -0.01, 1.0, 1.01, 0.99])
    found = zeropoint.mean(value, np.full(6, 0.005))

    assert found.is_used.all()
    assert found.value == pytest.approx(0.5, abs=0.01)
    assert found.scatter == pytest.approx(np.std(value, ddof=1), rel=0.02)
    assert found.error == pytest.approx(found.scatter / np.sqrt(6), rel=0.02)


def test_a_mean_without_scatter_is_the_one_of_the_textbook():
    value, error = np.array([1.0, 1.02, 0.99]), np.array([0.05, 0.02, 0.03])
    found = zeropoint.mean(value, error)
    weight = error**-2

    assert found.scatter == 0.0
    assert found.value == pytest.approx((weight * value).sum() / weight.sum())
    assert found.error == pytest.approx(weight.sum() ** -0.5)


@given(shift=st.floats(-5, 5), seed=st.integers(0, 1000))
def test_a_catalogue_that_is_brighter_by_a_step_moves_all_by_that_step(shift, seed):
    measured, error, listed, listed_error, color, _ = night(seed, scatter=0.03, n_frame=3)
    one = zeropoint.solve(measured, error, listed, listed_error, color)
    other = zeropoint.solve(measured, error, listed + shift, listed_error, color)

    np.testing.assert_allclose(other.zero_point, one.zero_point + shift, atol=1e-6)


def test_too_few_stars_are_said():
    measured, error, listed, listed_error, color, _ = night(8, n_star=4)
    with pytest.raises(Unusable, match="4 stars are measured and in the catalogue, 5 needed"):
        zeropoint.solve(measured, error, listed, listed_error, color)


def test_a_frame_with_too_few_stars_has_no_zero_point_and_the_others_do():
    measured, error, listed, listed_error, color, _ = night(9)
    measured[4, 3:] = np.nan
    found = zeropoint.solve(measured, error, listed, listed_error, color)

    assert list(np.flatnonzero(np.isnan(found.zero_point))) == [4]
    assert found.n_star[4] == 3


def test_a_flux_that_is_not_positive_has_no_magnitude():
    magnitude, error = zeropoint.instrumental(
        np.array([[100.0, -3.0, 0.0]]), np.array([[10.0, 10.0, 10.0]]), np.array([10.0])
    )

    assert magnitude[0, 0] == pytest.approx(-2.5)
    assert error[0, 0] == pytest.approx(1.0857 * 0.1, rel=1e-4)
    assert np.isnan(magnitude[0, 1:]).all()
    assert np.isnan(error[0, 1:]).all()


def test_the_error_of_a_mean_magnitude_is_what_it_is_off_by():
    pulls = []
    for seed in range(60):
        measured, error, listed, listed_error, color, _ = night(seed, scatter=0.03, n_star=25)
        found = zeropoint.solve(measured, error, listed, listed_error, color, with_color=False)
        rng = np.random.Generator(np.random.PCG64(10_000 + seed))
        extra = 12.0 - (22.0 - 0)  # a star that is in no catalogue
        truth = night(seed, scatter=0.03, n_star=25)[5]
        own = extra + 22.0 - truth + 0.01 * rng.standard_normal(len(truth))
        stars = zeropoint.calibrated(own[:, None], np.full((20, 1), 0.01), np.array([np.nan]), found)
        pulls.append((stars.mean[0] - 12.0) / stars.mean_error[0])

    assert np.std(pulls) == pytest.approx(1.0, abs=0.3)


def test_means_of_all_rows_at_once_are_those_of_each_row_alone():
    rng = np.random.Generator(np.random.PCG64(6))
    value = rng.normal(0, 0.02, (60, 25)) + rng.normal(0, 1, (60, 1))
    error = rng.uniform(0.005, 0.03, value.shape)
    value[rng.random(value.shape) < 0.1] = np.nan
    value[:20, 4] += 1.0
    value[7] = np.nan
    middle, middle_error, used = zeropoint.means(value, error)

    for row in range(60):
        alone = zeropoint.mean(value[row], error[row])
        if row == 7:
            assert np.isnan(middle[row])
            continue
        assert list(used[row]) == list(alone.is_used), row
        assert middle[row] == pytest.approx(alone.value, abs=2e-4)
        assert middle_error[row] == pytest.approx(alone.error, rel=0.02)


def test_a_thousand_frames_take_a_second_or_two():
    import time

    measured, error, listed, listed_error, color, _ = night(11, n_frame=1000, n_star=100)
    begun = time.process_time()
    zeropoint.solve(measured, error, listed, listed_error, color)
    assert time.process_time() - begun < 2.0
