from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accretor.core.errors import Unusable
from accretor.science import combine
from accretor.science.alignment import match
from accretor.science.detector import Masters, reduce
from accretor.science.sources import detect

SIZE = np.array([650.0, 500.0])


def similarity(degree, scale=1.0, shift=(0.0, 0.0), mirror=False):
    turn = np.radians(degree)
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    if mirror:
        linear = linear * [1.0, -1.0]
    return np.column_stack((linear, SIZE / 2 - linear @ SIZE / 2 + shift))


def two_frames(rng, matrix, n_star, spurious):
    """Stars of a reference and of a frame, in each a part that the other does not have."""
    sky = rng.uniform(-0.7, 1.7, (5 * n_star, 2)) * SIZE
    brightness = rng.exponential(size=len(sky))
    seen = []
    for position in (sky, sky @ matrix[:, :2].T + matrix[:, 2]):
        inside = np.all((position > 0) & (position < SIZE), axis=1) & (rng.uniform(size=len(sky)) > spurious)
        stars = position[inside] + rng.normal(0, 0.08, (inside.sum(), 2))
        false = rng.uniform(0, 1, (int(spurious * len(stars)), 2)) * SIZE
        both = np.vstack((stars, false))
        rank = np.concatenate((brightness[inside], rng.exponential(size=len(false))))
        order = np.argsort(-rank * rng.normal(1, 0.05, len(rank)))
        seen.append(both[order])
    return seen


def corners_apart(found, matrix):
    corners = np.array([[0.0, 0.0], [650, 0], [0, 500], [650, 500]])
    return np.hypot(*(found.apply(corners) - corners @ matrix[:, :2].T - matrix[:, 2]).T).max()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    degree=st.one_of(st.floats(-180, 180), st.sampled_from([0.0, 180.0, -0.6, 179.5])),
    shift=st.tuples(st.floats(-100, 100), st.floats(-80, 80)),
    scale=st.floats(0.99, 1.01),
)
def test_frames_match_whatever_the_rotation_with_a_third_of_the_stars_false(seed, degree, shift, scale):
    rng = np.random.Generator(np.random.PCG64(seed))
    matrix = similarity(degree, scale, shift)
    reference, stars = two_frames(rng, matrix, 100, 0.3)

    found = match(reference, stars)

    assert corners_apart(found, matrix) < 0.5
    assert (found.rotation - degree + 180) % 360 - 180 == pytest.approx(0, abs=0.05)
    assert found.scale == pytest.approx(scale, abs=1e-3)
    assert found.rms < 0.3


def test_unrelated_fields_never_match():
    rng = np.random.Generator(np.random.PCG64(1))
    for n_star in (8, 20, 60, 150, 200):
        for _ in range(12):
            reference, stars = (rng.uniform(0, 1, (n_star, 2)) * SIZE for _ in "ab")
            with pytest.raises(Unusable, match=r"stars matched, \d+ needed"):
                match(reference, stars, mirror=True)


def test_unrelated_crowded_fields_never_match():
    rng = np.random.Generator(np.random.PCG64(2))
    for _ in range(15):
        with pytest.raises(Unusable):
            match(rng.uniform(0, 160, (200, 2)), rng.uniform(0, 160, (200, 2)))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_first=st.integers(8, 200),
    n_second=st.integers(8, 200),
    side=st.sampled_from([100.0, 320.0, 650.0, 4096.0]),
)
def test_lists_of_any_lengths_from_unrelated_fields_never_match(seed, n_first, n_second, side):
    rng = np.random.Generator(np.random.PCG64(seed))

    with pytest.raises(Unusable):
        match(rng.uniform(0, side, (n_first, 2)), rng.uniform(0, side, (n_second, 2)), mirror=True)


@pytest.mark.parametrize("size", [(320, 240), (650, 500), (4096, 4096)])
@pytest.mark.parametrize("degree", [0.0, 180.0, 25.0])
def test_a_frame_that_shows_eight_stars_matches_a_list_of_two_hundred(size, degree):
    rng = np.random.Generator(np.random.PCG64(6))
    for _ in range(10):
        reference = rng.uniform(0.05, 0.95, (200, 2)) * size
        turn = np.radians(degree)
        linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        middle = np.array(size) / 2
        stars = (reference[:8] - middle) @ linear.T + middle + (5.0, -4.0) + rng.normal(0, 0.05, (8, 2))

        found = match(reference, stars)

        assert found.n_match == 8
        assert np.abs(found.apply(reference[:8]) - stars).max() < 0.3


@pytest.mark.parametrize("degree", [0.0, 180.0])
def test_eight_stars_are_enough(degree):
    rng = np.random.Generator(np.random.PCG64(3))
    matrix = similarity(degree, shift=(12, -7))
    reference = rng.uniform(0.2, 0.8, (8, 2)) * SIZE
    stars = reference @ matrix[:, :2].T + matrix[:, 2] + rng.normal(0, 0.05, (8, 2))

    found = match(reference, stars)

    assert found.n_match == 8
    assert corners_apart(found, matrix) < 0.5


def test_seven_stars_are_refused_with_both_numbers():
    stars = np.random.Generator(np.random.PCG64(3)).uniform(0, 500, (7, 2))

    with pytest.raises(Unusable, match="7 stars to match, 8 needed"):
        match(stars, stars)


def test_a_mirror_image_matches_only_if_asked_for():
    rng = np.random.Generator(np.random.PCG64(4))
    matrix = similarity(35.0, mirror=True)
    reference, stars = two_frames(rng, matrix, 80, 0.1)

    with pytest.raises(Unusable):
        match(reference, stars)
    found = match(reference, stars, mirror=True)

    assert found.is_mirrored
    assert corners_apart(found, matrix) < 0.5
    assert found.rotation == pytest.approx(35, abs=0.05)


def test_inverse_leads_back():
    rng = np.random.Generator(np.random.PCG64(5))
    found = match(*two_frames(rng, similarity(3.0, 1.01, (30, 40)), 60, 0.1))
    xy = rng.uniform(0, 500, (5, 2))

    np.testing.assert_allclose(found.inverse().apply(found.apply(xy)), xy, atol=1e-9)
    assert found.inverse().rotation == pytest.approx(-found.rotation, abs=1e-3)


def test_every_frame_of_a_real_night_is_aligned_with_or_without_a_dark(real_night):
    pattern = combine.self_dark(real_night.__getitem__, len(real_night))
    maps = []
    for masters in (Masters(dark=pattern), Masters()):
        stars = [detect(reduce(frame, masters, exposure=60, gain=38)).xy for frame in real_night]
        maps.append([match(stars[len(stars) // 2], one) for one in stars])

    corners = np.array([[0.0, 0.0], [650, 0], [0, 500], [650, 500]])
    for with_dark, without in zip(*maps, strict=True):
        assert with_dark.n_match > 100
        assert with_dark.rms < 0.12
        # Hot pixels do not move: maps with many of them would stay at the origin.
        np.testing.assert_allclose(with_dark.apply(corners), without.apply(corners), atol=0.15)
    assert np.ptp([found.matrix[0, 2] for found in maps[0]]) > 250


def test_frames_of_a_real_night_are_aligned_with_the_first_the_middle_and_the_last(real_night):
    stars = star_lists(real_night)
    assert_aligned(stars, (0, len(stars) // 2, len(stars) - 1))


@pytest.mark.slow
def test_all_frames_of_a_real_night_are_aligned_with_any_other(whole_night):
    stars = star_lists(whole_night)
    assert len(stars) == 142
    assert_aligned(stars, range(len(stars)))


def star_lists(night):
    masters = Masters(dark=combine.self_dark(night.__getitem__, len(night)))
    return [detect(reduce(frame, masters, exposure=60, gain=38)).xy for frame in night]


def assert_aligned(stars, references):
    """Assert that all frames fit on each reference, and that the way by the first gives the same map."""
    corners = np.array([[0.0, 0.0], [650, 0], [0, 500], [650, 500]])
    from_first = [match(stars[0], one) for one in stars]
    for index in references:
        for one, expected in zip(stars, from_first, strict=True):
            found = match(stars[index], one)
            there = found.apply(from_first[index].apply(corners))
            np.testing.assert_allclose(there, expected.apply(corners), atol=0.3)
