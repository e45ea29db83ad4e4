from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from accretor.science import differential, ensemble, likeness
from tests.science.test_lightcurve import MID, N_STAR, TARGET, night, reduce

SECOND_ORDER = -0.03 * 0.4 * np.log(10)
"""Relative flux per airmass and magnitude of colour: a star redder than others is dimmed less."""


def colored(seed, **options):
    """A blue target among stars that are mostly red, seen through an atmosphere that reddens."""
    random = np.random.Generator(np.random.PCG64(900 + seed))
    made = night(seed, **options)
    color = np.concatenate([random.uniform(0.4, 1.0, N_STAR // 2), random.uniform(1.2, 2.6, N_STAR // 2)])
    color[TARGET] = 0.6
    light = np.exp(-SECOND_ORDER * np.outer(made.airmass - 1.2, color))
    return dataclasses.replace(made, flux=made.flux * light[:, :, np.newaxis]), color


def slope(made, curve):
    """Change of the target's light with airmass out of transit, ppt per airmass."""
    out = np.abs(made.time - MID) > 1.7 / 24
    return 1000 * np.polyfit(made.airmass[out], curve.relative_flux[out], 1)[0]


def test_stars_like_the_target_lower_the_bias_of_second_order_extinction():
    slopes = {"as it is": [], "by colour": []}
    for seed in range(3):
        made, color = colored(seed)
        for name, known in (("as it is", None), ("by colour", color)):
            given = dataclasses.replace(made, color=known)
            curve = reduce(given, detrend=())
            slopes[name].append(slope(given, curve))

    before, after = (abs(np.mean(slopes[name])) for name in ("as it is", "by colour"))
    assert before > 5
    assert after < 0.5 * before


def test_a_star_of_another_colour_is_left_out_with_the_reason_and_the_difference():
    made, color = colored(1)

    curve = reduce(dataclasses.replace(made, color=color))

    unlike = np.abs(color - color[TARGET]) > likeness.MOST_DIFFERENCE
    said = [reason for reason in curve.stars.reason if reason.startswith("colour differs")]
    assert said
    assert not (curve.stars.is_comparison & unlike).any()
    star = curve.stars.reason.index(said[0])
    assert said[0] == f"colour differs by {abs(color[star] - color[TARGET]):.2f} mag from the target's"


def test_of_two_stars_as_bright_the_nearer_and_the_more_alike_weighs_more():
    made = night()
    made.flux[...] = made.flux[:, TARGET : TARGET + 1]
    made.flux_error[...] = made.flux_error[:, TARGET : TARGET + 1]
    color = np.full(N_STAR, 0.8)
    color[10] = 1.5
    given = dataclasses.replace(made, color=color)

    aperture = differential.at_radius(given, np.full(len(made.time), 0.001), 1)
    others = np.arange(N_STAR) != TARGET
    weight = ensemble.zero_point(
        aperture.log_flux, aperture.error, others, penalty=aperture.penalty
    ).weight.mean(axis=0)

    assert weight[10] < 0.8 * min(weight[9], weight[11])
    assert np.all(np.diff(weight[[4, 9, 14, 23]]) < 0)


@pytest.mark.parametrize("known", ["none", "not of the target"])
def test_without_colours_every_number_is_as_it_was(known):
    made = night(2)
    color = None
    if known == "not of the target":
        color = np.full(N_STAR, 0.7)
        color[TARGET] = np.nan

    one, other = reduce(made), reduce(dataclasses.replace(made, color=color))

    assert one.relative_flux.tobytes() == other.relative_flux.tobytes()
    assert one.stars.weight.tobytes() == other.stars.weight.tobytes()
    assert one.fit.rp_rs == other.fit.rp_rs
    assert one.stars.reason == other.stars.reason


def test_a_penalty_of_nothing_changes_nothing_and_is_not_in_the_errors():
    made = night(3)
    aperture = differential.at_radius(made, np.full(len(made.time), 0.001), 1)
    others = np.arange(N_STAR) != TARGET

    plain = ensemble.zero_point(aperture.log_flux, aperture.error, others)
    zero = ensemble.zero_point(aperture.log_flux, aperture.error, others, penalty=np.zeros(N_STAR))
    heavy = ensemble.zero_point(aperture.log_flux, aperture.error, others, penalty=np.full(N_STAR, 0.1))

    np.testing.assert_allclose(zero.error, plain.error, rtol=1e-12)
    np.testing.assert_allclose(
        ensemble.leave_one_out(aperture.log_flux, zero)[1][:, others],
        ensemble.leave_one_out(aperture.log_flux, plain)[1][:, others],
        rtol=1e-9,
    )
    # All weights alike: the error is that of the plain mean, by the noise of the stars alone.
    mean = np.sqrt((aperture.error[:, others] ** 2).sum(axis=1)) / others.sum()
    np.testing.assert_allclose(heavy.error, mean, rtol=0.02)


def test_colours_are_asked_for_only_while_enough_stars_have_them():
    color = np.array([0.6, *np.full(9, 0.8), *np.full(5, 2.0)])
    reasons = ["target", *[""] * 14]

    assert likeness.refused(color, reasons, 0) == reasons
    color[10] = 0.9
    assert [bool(reason) for reason in likeness.refused(color, reasons, 0)][10:] == [False, *[True] * 4]
