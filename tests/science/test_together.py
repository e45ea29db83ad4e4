from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from accretor.core.errors import Unusable
from accretor.core.settings import Ephemeris
from accretor.science import curve, fit, joint, limbdarkening, solution, together, transit
from accretor.science import ephemeris as ephemerides
from accretor.science.curve import Series

EPHEMERIS = Ephemeris(t0=2460000.0, period=3.0, duration=2.4, depth=10.0, t0_error=0.002)
TC, IMPACT = 0.001, 0.35
A_RS = transit.a_rs_of_duration(period=3.0, k=0.1, impact=IMPACT, full=0.1)
FILTERS = (("rp", 0.0015), ("ip", 0.0015), ("V", 0.0025))


def band(filter_name, noise, k, seed, *, n=60, mid=0.0):
    """The points of one filter of the same transit, and their single fit."""
    random = np.random.Generator(np.random.PCG64(seed))
    law = limbdarkening.of_star(5800, 4.4, filter_name)
    time = np.linspace(-0.12, 0.12, n) + random.uniform(-5e-4, 5e-4)
    series = Series(
        EPHEMERIS.t0 + time, np.full(n, 60.0), np.ones(n), np.full(n, noise), np.ones(n, dtype=bool)
    )
    prediction = ephemerides.predict(EPHEMERIS, EPHEMERIS.t0)
    whole = curve.set_up(series, prediction, EPHEMERIS, None, law)
    light = fit.transit_model(whole, np.array([TC, k, A_RS, IMPACT, law.g]))
    problem = dataclasses.replace(whole, flux=light + random.normal(0, noise, n), time=whole.time - mid)
    models = solution.prepare(problem, None)
    found = solution.solve(problem, models)
    return joint.Band(problem, models, EPHEMERIS.t0 + mid, found.covariance[:5, :5]), found


def night(seed, depths=(0.1, 0.1, 0.1), **options):
    made = [
        band(name, noise, k, 10 * seed + i, **options)
        for i, ((name, noise), k) in enumerate(zip(FILTERS, depths, strict=True))
    ]
    product = joint.combine(
        [
            joint.One(found.parameter, found.covariance[:5, :5], found.prior_precision, found.prior_gradient)
            for _, found in made
        ]
    )
    limb = np.array([[found.parameter[4], found.covariance[4, 4] ** 0.5] for _, found in made]).T
    return [one for one, _ in made], product, limb


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(together, "N_DRAW", 600)


@pytest.mark.usefixtures("quick")
def test_three_filters_give_the_orbit_and_the_depths_that_were_put_in():
    depths = (0.100, 0.104, 0.096)
    bands, product, limb = night(1, depths)

    found = together.fit_together(bands, product, *limb)

    one = found.separate
    assert abs(one.tc - TC) < 3.5 * one.tc_error
    assert abs(one.impact - IMPACT) < 3.5 * one.impact_error
    for k, error, truth in zip(one.rp_rs, one.rp_rs_error, depths, strict=True):
        assert abs(k - truth) < 3.5 * error
    assert min(one.rp_rs) - max(one.rp_rs_error) < found.rp_rs < max(one.rp_rs) + max(one.rp_rs_error)
    assert found.rp_rs_error < min(one.rp_rs_error)


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_all_points_at_once_say_nearly_what_the_product_of_the_single_fits_says():
    bands, product, limb = night(2)

    one = together.fit_together(bands, product, *limb).separate

    assert abs(one.tc - product.tc) < 0.5 * product.tc_error
    assert one.tc_error == pytest.approx(product.tc_error, rel=0.25)
    np.testing.assert_allclose(one.rp_rs, product.rp_rs, atol=1.5 * max(product.rp_rs_error))


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_the_same_points_give_the_same_numbers_and_times_may_be_counted_from_elsewhere():
    bands, product, limb = night(3, n=40)
    later = dataclasses.replace(
        bands[1],
        problem=dataclasses.replace(bands[1].problem, time=bands[1].problem.time - 0.01),
        mid=bands[1].mid + 0.01,
    )

    first = together.fit_together(bands, product, *limb)
    again = together.fit_together([bands[0], later, bands[2]], product, *limb)

    assert together.fit_together(bands, product, *limb).separate.rp_rs == first.separate.rp_rs
    assert again.separate.tc == pytest.approx(first.separate.tc, abs=0.02 * first.separate.tc_error)


@pytest.mark.usefixtures("quick")
def test_a_shape_that_is_held_in_one_filter_is_held_in_all():
    bands, product, limb = night(4, n=40)
    bands[0].problem.is_free[[fit.A_RS, fit.IMPACT]] = False

    one = together.fit_together(bands, product, *limb).separate

    assert (one.a_rs, one.impact) == (bands[0].problem.start[2], bands[0].problem.start[3])
    assert (one.a_rs_error, one.impact_error) == (0.0, 0.0)


@pytest.mark.usefixtures("quick")
def test_draws_that_do_not_reach_the_transit_are_not_believed():
    bands, product, limb = night(5, n=40)
    astray = dataclasses.replace(product, tc=0.5)

    with pytest.raises(Unusable, match="draw"):
        together.fit_together(bands, astray, *limb)


@pytest.mark.slow
def test_errors_of_three_filters_together_are_true_and_no_worse_than_those_of_the_product():
    pulls, products, common = [], [], []
    for seed in range(100, 130):
        bands, product, limb = night(seed)
        found = together.fit_together(bands, product, *limb)
        one = found.separate
        pulls.append([(one.tc - TC) / one.tc_error, *(np.array(one.rp_rs) - 0.1) / one.rp_rs_error])
        products.append(
            [(product.tc - TC) / product.tc_error, *(np.array(product.rp_rs) - 0.1) / product.rp_rs_error]
        )
        common.append((found.rp_rs - 0.1) / found.rp_rs_error)

    print(
        np.mean(pulls, axis=0),
        np.std(pulls, axis=0),
        np.std(products, axis=0),
        np.mean(common),
        np.std(common),
    )
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 0.7)
    assert np.all((np.std(pulls, axis=0) > 0.5) & (np.std(pulls, axis=0) < 1.4))
    assert 0.5 < np.std(common) < 1.4
    assert abs(np.mean(common)) < 0.7
