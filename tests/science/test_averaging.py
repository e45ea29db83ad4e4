from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from accretor.science import averaging, detrend, fit, siblings, solution
from accretor.science.siblings import Siblings
from accretor.science.terms import Judge
from tests.science.test_solution import night

N = 90
RANDOM = np.random.Generator(np.random.PCG64(3))
TERMS = {
    "airmass": 1 + np.linspace(0, 1, N) ** 2,
    "x": RANDOM.normal(0, 1, N),
    "fwhm": np.sin(np.linspace(0, 9, N)),
}


def judged(*, seed=1, trend=(0.0, 0.0, 0.0)):
    """A transit under a trend of the terms in ppt, and the judge of its terms."""
    terms = detrend.candidates(TERMS, np.ones(N, dtype=bool))
    problem, _ = night(n=N, seed=seed)
    basis = np.column_stack([np.ones(N), *terms.values()])
    flux = problem.flux * (1 + 0.001 * basis[:, 1:] @ np.array(trend))
    wide = dataclasses.replace(problem, flux=flux, basis=basis)
    return Judge(wide, tuple(terms), solution.prepare(wide, None), n_point=N)


def averaged(judge, chosen):
    found = solution.solve(judge.with_terms(chosen), judge.noise)
    return averaging.average(judge, chosen, found, max_terms=2), found


def test_the_set_that_was_chosen_counts_most_and_weights_are_those_of_its_bic():
    judge = judged(trend=(0.0, 0.0, 1.3))
    chosen = judge.choose(2)

    found, _ = averaged(judge, chosen)

    assert set(found.sets[0].terms) == set(chosen)
    assert sum(one.weight for one in found.sets) == pytest.approx(1)
    fitted = {one.terms: solution.solve(judge.with_terms(one.terms), judge.noise) for one in found.sets}
    bic = {
        terms: judge.about(terms, one.parameter, one.coefficient).deviance(terms)
        + len(terms) * np.log(N)
        + 6 * sum(name != "airmass" for name in terms)
        for terms, one in fitted.items()
    }
    first, second = found.sets[:2]
    expected = np.exp(-0.5 * (bic[second.terms] - bic[first.terms]))
    assert second.weight / first.weight == pytest.approx(expected, rel=0.1)


def test_a_term_that_only_half_belongs_makes_the_errors_larger_and_one_that_is_needed_does_not():
    surely = judged(trend=(0.0, 0.0, 4.0))
    found, certain = averaged(surely, surely.choose(2))
    assert found.sets[0].weight > 0.8

    # Left out although it is there, as when it gains a little less than is asked for.
    judge = judged(trend=(4.0, 0.0, 0.0))
    doubtful, wrong = averaged(judge, ())

    assert found.covariance[fit.K, fit.K] < 1.3 * certain.covariance[fit.K, fit.K]
    right = next(one for one in doubtful.sets if one.terms == ("airmass",))
    distance = right.rp_rs - wrong.parameter[fit.K]
    assert doubtful.covariance[fit.K, fit.K] > right.weight * distance**2
    assert right.weight > 0.5


def test_values_and_errors_of_the_mean_over_sets_are_those_written_out():
    judge = judged(trend=(0.6, 0.0, 0.0), seed=4)
    chosen = judge.choose(2)

    found, own = averaged(judge, chosen)

    total = np.zeros((5, 5))
    for one in found.sets:
        each = (
            own
            if set(one.terms) == set(chosen)
            else solution.solve_near(judge.with_terms(one.terms), judge.noise, own)
        )
        off = each.parameter - own.parameter
        total += one.weight * (each.covariance[:5, :5] + off[:, np.newaxis] * off)
    np.testing.assert_allclose(found.covariance, total, rtol=1e-12)
    assert len(found.sets) > 1


def test_without_a_choice_the_errors_are_those_of_the_terms():
    judge = judged()
    own = solution.solve(judge.with_terms(("x",)), judge.noise)

    found = averaging.alone(own, ["x"])

    np.testing.assert_array_equal(found.covariance, own.covariance[:5, :5])
    assert [(one.terms, one.weight) for one in found.sets] == [(("x",), 1.0)]


def test_a_fit_near_another_is_that_from_afar():
    judge = judged(trend=(1.0, 0.0, 0.0))
    problem = judge.with_terms(("airmass",))
    other = solution.solve(judge.with_terms(()), judge.noise)

    near, far = solution.solve_near(problem, judge.noise, other), solution.solve(problem, judge.noise)

    error = np.sqrt(np.diag(far.covariance))[:2]
    assert np.all(np.abs(near.parameter - far.parameter)[:2] < 0.25 * error)
    np.testing.assert_allclose(np.sqrt(np.diag(near.covariance))[:2], error, rtol=0.15)


def stars(scatter, *, wave=0.0, n_star=30, seed=8):
    """Light curves of constant stars, 2 ppt their error."""
    random = np.random.Generator(np.random.PCG64(seed))
    time = np.linspace(-0.12, 0.12, N)[:, np.newaxis]
    phase = random.uniform(0, 2 * np.pi, n_star)
    value = scatter * random.normal(0, 1, (N, n_star)) + wave * np.sin(2 * np.pi * time / 0.12 + phase)
    return Siblings(value, np.full((N, n_star), 0.002))


def pulls(given, *, white=True):
    judge = judged()
    noise = judge.noise
    if white:  # the scale of the noise is fitted, so only waves can surprise models without them
        noise = dataclasses.replace(
            noise, log_prior=np.where(np.isclose(solution.rednoise.AMPLITUDE, 0), 0.0, -50.0)
        )
    problem = judge.with_terms(())
    found = solution.solve(problem, noise)
    return siblings.pull(given, np.ones(N, dtype=bool), problem, problem, noise, found), found


def test_stars_that_do_as_predicted_have_pulls_of_one_and_leave_the_errors():
    found, own = pulls(stars(0.002))

    # Of 30 stars a scatter is known to 13 per cent.
    assert found[fit.TC] == pytest.approx(1, abs=0.35)
    # The error of the depth has in it what is not known of the limb darkening, which no such star shows.
    assert 0.3 < found[fit.K] < 1.2
    quiet = siblings.stretched(own.covariance[:5, :5], 0.8 * found / np.nanmax(found))
    np.testing.assert_array_equal(quiet, own.covariance[:5, :5])


def test_waves_that_no_noise_model_expects_raise_the_errors_by_what_the_stars_show():
    found, own = pulls(stars(0.002, wave=0.004))

    raised = siblings.stretched(own.covariance[:5, :5], found)

    assert found[fit.TC] > 1.5
    assert np.sqrt(raised[0, 0] / own.covariance[0, 0]) == pytest.approx(found[fit.TC])
    assert np.sqrt(raised[1, 1] / own.covariance[1, 1]) == pytest.approx(max(1, found[fit.K]))


def test_a_star_that_misses_some_frames_counts_as_well():
    given = stars(0.002)
    given.value[5, :10] = np.nan

    found, _ = pulls(given)

    assert found[fit.TC] == pytest.approx(pulls(stars(0.002))[0][fit.TC], abs=0.1)


def test_few_stars_say_nothing():
    found, own = pulls(stars(0.002, n_star=siblings.FEWEST - 1))

    assert np.isnan(found).all()
    np.testing.assert_array_equal(siblings.stretched(own.covariance[:5, :5], found), own.covariance[:5, :5])
