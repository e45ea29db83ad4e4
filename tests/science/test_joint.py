from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from accretor.science import joint
from accretor.science.fit import A_RS, IMPACT, LIMB_G, TC, K

SHARED = [TC, A_RS, IMPACT]
OWN = [K, LIMB_G]


def places(number):
    """Where tc, k, a_rs, impact and limb_g of a filter are among all parameters."""
    place = np.zeros(5, dtype=int)
    place[SHARED] = [0, 1, 2]
    place[OWN] = [3 + 2 * number, 4 + 2 * number]
    return place


def made(n_filter, seed=0):
    """Linear data of each filter and a prior on the orbit, solved for each filter and for all at once."""
    random = np.random.Generator(np.random.PCG64(seed))
    centre = np.array([0.001, 0.1, 8.0, 0.3, 0.6])
    scale = np.array([5e-4, 0.003, 0.4, 0.2, 0.1])
    prior_row = np.zeros((3, 5))  # a duration, the impact parameter, and each filter's own limb darkening
    prior_row[0, [K, A_RS, IMPACT]] = np.array([0.2, 0.9, 0.5]) / scale[[K, A_RS, IMPACT]]
    prior_row[1, IMPACT] = 1 / 0.3
    prior_row[2, LIMB_G] = 1 / 0.1
    prior_value = prior_row @ (centre + 0.4 * scale)
    filters, rows, values = [], [], []
    for number in range(n_filter):
        design = random.normal(size=(40, 5)) / scale / 2
        truth = centre + scale * np.array([0.3, number - 0.5, -0.2, 0.4, 0.2 * number])
        value = design @ truth + random.normal(size=40)
        precision = design.T @ design + prior_row.T @ prior_row
        mean = np.linalg.solve(precision, design.T @ value + prior_row.T @ prior_value)
        filters.append(
            joint.One(
                mean,
                np.linalg.inv(precision),
                prior_row.T @ prior_row,
                prior_row.T @ (prior_value - prior_row @ mean),
            )
        )
        wide = np.zeros((43 if number == 0 else 41, 3 + 2 * n_filter))
        wide[:, places(number)] = np.vstack([design, prior_row if number == 0 else prior_row[2:]])
        rows.append(wide)
        values.append(np.concatenate([value, prior_value if number == 0 else prior_value[2:]]))
    stacked, value = np.vstack(rows), np.concatenate(values)
    solution = np.linalg.lstsq(stacked, value, rcond=None)[0]
    return filters, solution, np.sqrt(np.diag(np.linalg.inv(stacked.T @ stacked)))


@pytest.mark.parametrize("n_filter", [1, 2, 4])
def test_filters_together_give_what_all_their_data_give_at_once_with_the_orbit_known_once(n_filter):
    filters, solution, error = made(n_filter)

    found = joint.combine(filters)

    np.testing.assert_allclose([found.tc, found.a_rs, found.impact], solution[:3], rtol=1e-9)
    np.testing.assert_allclose([found.tc_error, found.a_rs_error, found.impact_error], error[:3], rtol=1e-9)
    np.testing.assert_allclose(found.rp_rs, solution[3::2], rtol=1e-9)
    np.testing.assert_allclose(found.rp_rs_error, error[3::2], rtol=1e-9)


def test_order_of_the_filters_matters_no_more_than_whose_depth_the_duration_was_predicted_with():
    filters, _, _ = made(3, seed=5)

    one, other = joint.combine(filters), joint.combine(filters[::-1])

    assert other.tc == pytest.approx(one.tc, abs=0.02 * one.tc_error)
    assert other.rp_rs[::-1] == pytest.approx(one.rp_rs, abs=0.05 * min(one.rp_rs_error))


def test_a_shape_that_was_held_stays_and_the_mid_times_are_weighed():
    def held(tc, error):
        covariance = np.diag([error**2, 0.002**2, 0.0, 0.0, 0.1**2])
        return joint.One(np.array([tc, 0.1, 9.0, 0.2, 0.6]), covariance, np.zeros((5, 5)), np.zeros(5))

    found = joint.combine([held(0.001, 0.001), held(0.004, 0.002)])

    assert found.tc == pytest.approx((0.001 / 1 + 0.004 / 4) / (1 + 1 / 4))
    assert found.tc_error == pytest.approx(0.001 / np.sqrt(1.25))
    assert (found.a_rs, found.a_rs_error, found.impact) == (9.0, 0.0, 0.2)
    assert found.chi2 == pytest.approx((0.0006 / 0.001) ** 2 + (0.0024 / 0.002) ** 2)


def test_filters_that_say_less_than_their_priors_are_not_put_together():
    weak = joint.One(np.full(5, 0.1), np.eye(5), 2 * np.eye(5), np.zeros(5))

    assert joint.combine([weak, weak]) is None


def independent(error):
    """A filter whose fit is linear, with no prior."""
    nothing = np.zeros((5, 5))
    return joint.One(np.array([0.001, 0.1, 8.0, 0.3, 0.6]), np.diag(np.square(error)), nothing, np.zeros(5))


def test_a_joint_fit_is_as_much_less_certain_as_the_product_of_its_filters_becomes():
    errors = np.array([[4e-4, 2e-3, 0.4, 0.1, 0.1], [6e-4, 3e-3, 0.4, 0.1, 0.1]])
    chosen = joint.combine([independent(error) for error in errors])
    averaged = joint.combine([independent(errors[0]), independent(2 * errors[1])])

    found = joint.widened(dataclasses.replace(chosen, tc=0.5, tc_error=0.001), chosen, averaged)

    # Weights are 1 / sigma^2: that of the second filter is a quarter of what it was.
    certain, uncertain = (4e-4**-2 + 6e-4**-2) ** -0.5, (4e-4**-2 + 12e-4**-2) ** -0.5
    assert found.tc == 0.5
    assert found.tc_error == pytest.approx(0.001 * uncertain / certain)
    assert found.rp_rs_error == pytest.approx((2e-3, 6e-3))
    assert np.sqrt(found.covariance[0, 0]) == pytest.approx(found.tc_error)
