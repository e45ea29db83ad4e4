from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from accretor.science import selection

N, N_STAR, NOISE = 100, 16, 0.004


def stars(**changes):
    """Return a night of constant stars, the target first."""
    random = np.random.Generator(np.random.PCG64(5))
    level = np.linspace(1e5, 4e5, N_STAR)
    level[0] = 2e5
    flux = level * random.normal(1, NOISE, (N, N_STAR))
    made = selection.Candidates(
        flux=flux,
        error=np.full((N, N_STAR), NOISE),
        is_saturated=np.zeros((N, N_STAR), dtype=bool),
        is_near_edge=np.zeros((N, N_STAR), dtype=bool),
        neighbour_contrast=np.zeros(N_STAR),
        target=0,
    )
    return dataclasses.replace(made, **changes)


def eligible(candidates, **options):
    return selection.eligible(candidates, **({"pinned": (), "excluded": (), "max_comparison": 120} | options))


def test_constant_stars_are_all_taken_and_the_target_never():
    reasons = selection.constant(stars(), eligible(stars()))

    assert reasons[0] == "target"
    assert set(reasons[1:]) == {""}


def test_each_refusal_says_why():
    night = stars()
    night.is_saturated[[2, 7, 9], 1] = True
    night.is_near_edge[:40, 2] = True
    night.error[:20, 3] = np.nan
    night.neighbour_contrast[4] = 0.3
    night.flux[:, 5] = 2e3
    night.flux[:, 6] = 5e6

    reasons = eligible(night, excluded=(7,))

    assert reasons[1:8] == [
        "saturated in 3 frames",
        "near the edge in 40 frames",
        "measured in 80 % of the frames, 95 % needed",
        "neighbours within 3 FWHM have 30 % of its flux",
        "too faint: 0.01 of the target's flux",
        "too bright: 25 times the target's flux",
        "excluded by [calibration] exclude",
    ]
    assert set(reasons[8:]) == {""}


def test_a_variable_star_is_dropped_with_its_scatter():
    night = stars()
    night.flux[:, 9] *= 1 + 0.017 * np.sin(np.linspace(0, 9, N))

    reasons = selection.constant(night, eligible(night))

    assert [star for star, reason in enumerate(reasons) if reason] == [0, 9]
    assert reasons[9].startswith("varies by 12")
    assert "times its noise" in reasons[9]


def test_the_light_curve_of_the_target_does_not_change_the_choice():
    night, dipped = stars(), stars()
    dipped.flux[30:60, 0] *= 0.9

    assert selection.constant(night, eligible(night)) == selection.constant(dipped, eligible(dipped))


def test_at_least_two_fifths_of_the_stars_are_kept():
    night = stars()
    for star in range(1, 11):
        night.flux[:, star] *= 1 + 0.03 * star * np.sin(np.linspace(0, 3 + star, N))

    reasons = selection.constant(night, eligible(night))

    assert reasons.count("") >= 6


def test_pinned_stars_are_used_whatever_they_do():
    night = stars()
    night.is_saturated[:, 4] = True

    reasons = eligible(night, pinned=(3, 4))

    assert [star for star, reason in enumerate(reasons) if not reason] == [3, 4]
    assert reasons[5] == "not one of [calibration] comparison"


def test_the_stars_with_the_least_noise_are_kept_when_there_are_too_many():
    night = stars()
    night.error[:] = NOISE * (1 + np.arange(N_STAR))

    reasons = eligible(night, max_comparison=5)

    assert [star for star, reason in enumerate(reasons) if not reason] == [1, 2, 3, 4, 5]
    assert reasons[6] == "not among the 5 stars with the least noise"


def test_faint_stars_are_taken_where_there_are_no_others():
    night = stars()
    night.flux[:, 1:] *= 0.02 * 2e5 / night.flux[:, 1:].mean(axis=0) / 0.4

    assert eligible(night).count("") == N_STAR - 1


def test_saturated_stars_are_not_taken_even_then():
    night = stars()
    night.is_saturated[0] = True

    assert eligible(night).count("") == 0


@pytest.mark.parametrize("order", [np.arange(N_STAR)[::-1], np.roll(np.arange(N_STAR), 5)])
def test_order_of_the_stars_does_not_matter(order):
    night = stars()
    night.flux[:, 9] *= 1 + 0.017 * np.sin(np.linspace(0, 9, N))
    turned = dataclasses.replace(night, flux=night.flux[:, order], target=int(np.nonzero(order == 0)[0][0]))

    straight = selection.constant(night, eligible(night))
    shuffled = selection.constant(turned, eligible(turned))

    assert [straight[star] for star in order] == shuffled
