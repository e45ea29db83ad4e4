from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accretor.core.errors import Unusable
from accretor.science import astrometry, sources
from accretor.science.plate import deproject, project
from tests.harness import SHARED
from tests.science import fields

HATP32 = (31.0428, 46.6878)


def solve(field, *, scale_error=1.0, sky=None):
    return astrometry.solve(
        field.xy,
        field.sky if sky is None else sky,
        shape=field.shape,
        centre=field.centre,
        pixel_scale=field.truth.scale * scale_error,
    )


@given(seed=st.integers(0, 10**6), scale_error=st.floats(0.84, 1.19))
@settings(max_examples=25, deadline=None)
def test_what_is_solved_is_solved_rightly_at_any_rotation_parity_and_place(seed, scale_error):
    field = fields.make(seed, stars=(30, 90))
    try:
        found = solve(field, scale_error=scale_error)
    except Unusable:
        return  # how often that may be is counted elsewhere

    assert field.error(found.plate) < 0.5
    assert found.plate.is_mirrored == field.truth.is_mirrored
    assert found.verdict.residual < 0.3


def test_few_stars_are_enough():
    solved = 0
    for seed in range(20):
        field = fields.make(seed, stars=(15, 22))
        try:
            found = solve(field)
        except Unusable:
            continue
        assert field.error(found.plate) < 1.5, seed
        solved += 1
    assert solved >= 18


@pytest.mark.slow
def test_of_a_hundred_fields_of_8_to_60_arcmin_95_are_solved_and_none_wrongly():
    rng = np.random.Generator(np.random.PCG64(1))
    solved, wrong = 0, []
    for seed in range(100, 200):
        field = fields.make(seed)
        try:
            found = solve(field, scale_error=rng.uniform(0.82, 1.2))
        except Unusable:
            continue
        solved += 1
        if field.error(found.plate) > 2.0:
            wrong.append(seed)
    assert wrong == []
    assert solved >= 95


@pytest.mark.parametrize("seed", range(6))
def test_another_field_is_never_taken_for_this_one(seed):
    field, other = fields.make(seed), fields.make(seed + 1000)
    turned = deproject(project(other.sky, other.centre) * field.truth.scale / other.truth.scale, field.centre)

    with pytest.raises(Unusable, match="no match with the catalogue"):
        solve(field, sky=turned)


def test_stars_at_random_are_never_solved_even_in_a_crowded_catalogue():
    field = fields.make(3, stars=(100, 110))
    rng = np.random.Generator(np.random.PCG64(5))
    width = field.shape[1]
    crowd = field.truth.to_sky(rng.uniform(-width, 2 * width, (3000, 2)))

    with pytest.raises(Unusable):
        solve(dataclasses.replace(field, sky=crowd))


def test_too_few_stars_are_said_with_their_numbers():
    field = fields.make(1)

    with pytest.raises(Unusable, match="4 stars on the frame and 7 in the catalogue, 6 needed of each"):
        solve(dataclasses.replace(field, xy=field.xy[:4], sky=field.sky[:7]))


def test_a_solution_that_is_true_passes_the_test_and_one_that_is_shifted_fails():
    field = fields.make(8, stars=(60, 61))
    height, width = field.shape
    expected = field.truth.to_pixel(field.sky)

    assert astrometry.verify(field.xy, expected, field.shape).reason == ""
    shifted = astrometry.verify(field.xy, expected + 25.0, field.shape)
    assert "needed" in shifted.reason or "prove nothing" in shifted.reason
    turned = astrometry.verify(field.xy, np.array([width, height]) - 1 - expected, field.shape)
    assert turned.reason


def test_the_number_of_chance_pairs_is_what_random_fields_have():
    rng = np.random.Generator(np.random.PCG64(4))
    verdicts = [
        astrometry.verify(rng.uniform(0, 500, (80, 2)), rng.uniform(0, 500, (90, 2)), (500, 500))
        for _ in range(60)
    ]
    counted = np.mean([verdict.n_match for verdict in verdicts])

    # Pairs that are each other's nearest are a few less than all pairs.
    assert counted == pytest.approx(verdicts[0].n_expected, rel=0.12)
    assert all(verdict.reason for verdict in verdicts)


def test_a_distortion_is_found_where_there_is_one_and_not_where_there_is_none():
    field = fields.make(9, stars=(150, 151), bad=0.0, noise=0.05)
    bent = dataclasses.replace(
        field.truth, order=2, bend=np.array([[4e-6, 1e-6], [-2e-6, 3e-6], [1e-6, -5e-6]])
    )
    curved = dataclasses.replace(field, truth=bent, sky=bent.to_sky(field.truth.to_pixel(field.sky)))

    assert solve(field).plate.order == 1
    found = solve(curved)
    assert found.plate.order > 1
    assert curved.error(found.plate) < 0.3
    assert found.verdict.residual < 0.1


def test_the_real_night_is_solved_from_tycho_2_all_through_its_drift(real_night):
    table = SHARED / "catalog-tycho2" / "fields" / "tycho2_hatp32.csv"
    ra, dec, magnitude = np.genfromtxt(table, delimiter=",", skip_header=1, unpack=True)[:3]
    sky = np.column_stack((ra, dec))[np.argsort(magnitude)]

    places = []
    for image in real_night[::6]:
        found = astrometry.solve(
            sources.detect(image.astype(np.float64)).xy,
            sky,
            shape=image.shape,
            centre=HATP32,
            pixel_scale=5.0,
        )
        assert found.verdict.residual < 0.3
        assert found.plate.scale == pytest.approx(5.164, abs=0.01)
        places.append(found.plate.to_pixel(np.array([HATP32]))[0])
    # The field drifts by 272 pixels (as told by the observers' own positions of the star).
    assert 200 < np.hypot(*(places[-1] - places[0])) < 290
