from __future__ import annotations

import numpy as np
import pytest

from accretor.core.errors import Unusable
from accretor.science import combine
from accretor.science.detector import Masters, reduce

SHAPE = (70, 90)


def rng(seed=1):
    return np.random.Generator(np.random.PCG64(seed))


def reader(stack):
    return lambda start, stop: stack[:, start:stop]


def test_outliers_are_left_out_and_the_rest_is_averaged():
    stack = rng().normal(1000, 5, (9, *SHAPE)).astype(np.float32)
    clean = stack.mean(axis=0)
    stack[3, 10, 20] += 5000
    stack[6, 50, 60] -= 800

    found = combine.combine(reader(stack), *SHAPE)

    assert found[10, 20] == pytest.approx(1000, abs=8)
    assert found[50, 60] == pytest.approx(1000, abs=8)
    assert np.mean(np.isclose(found, clean, atol=1e-3)) > 0.97
    assert found.std() < 1.05 * 5 / 3


def test_four_frames_give_their_median():
    stack = rng().normal(1000, 5, (4, *SHAPE)).astype(np.float32)

    np.testing.assert_array_equal(combine.combine(reader(stack), *SHAPE), np.median(stack, axis=0))


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_height_of_the_strips_changes_no_bit(rows):
    stack = rng().integers(990, 1010, (6, *SHAPE)).astype(np.uint16)

    found = combine.combine(reader(stack), *SHAPE, rows=rows)

    np.testing.assert_array_equal(found, combine.combine(reader(stack), *SHAPE))
    assert found.dtype == np.float32


def test_no_frames_are_a_mistake():
    with pytest.raises(ValueError, match="no frames"):
        combine.combine(reader(np.zeros((0, *SHAPE))), *SHAPE)


def test_masters_are_recovered_to_their_noise():
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    bias = 500 + 3 * np.sin(x / 3.0)
    dark = rng(2).exponential(0.2, SHAPE) + 0.1  # ADU per second
    response = (1 - 1e-5 * ((x - 45) ** 2 + (y - 35) ** 2)) * rng(3).normal(1, 0.01, SHAPE)
    response /= np.median(response)
    noise = rng(4)
    biases = bias + noise.normal(0, 4, (15, *SHAPE))
    darks = bias + 120 * dark + noise.normal(0, 4, (15, *SHAPE))
    level = np.linspace(20000, 30000, 15)[:, None, None]
    flats = bias + 10 * dark + level * response + noise.normal(0, 1, (15, *SHAPE)) * np.sqrt(level)

    master_bias = combine.master_bias(reader(biases), *SHAPE)
    master_dark = combine.master_dark(reader(darks), *SHAPE, bias=master_bias)
    masters = Masters(master_bias, master_dark, 120.0)
    flat = combine.master_flat(reader(flats), *SHAPE, exposure=np.full(15, 10.0), masters=masters)

    assert np.std(master_bias - bias) < 1.1 * 4 / np.sqrt(15)
    assert np.std(master_dark - 120 * dark) < 1.1 * 4 * np.sqrt(2 / 15)
    assert np.std(flat - response) < 1.2 / np.sqrt(25000 * 15)
    assert np.median(flat) == pytest.approx(1, abs=1e-6)
    scene = rng(5).uniform(100, 1000, SHAPE)
    raw = bias + 60 * dark + scene * response
    reduced = reduce(raw, Masters(master_bias, master_dark, 120.0, flat), exposure=60.0, gain=2.0)
    np.testing.assert_allclose(reduced, 2 * scene, atol=2 * 6 * 4 * np.sqrt(1.5 / 15))


def test_flats_of_different_light_weigh_the_same():
    flats = np.array([1000.0, 20000, 30000, 25000, 40000])[:, None, None] * np.ones((5, *SHAPE))

    flat = combine.master_flat(reader(flats), *SHAPE, exposure=np.ones(5), masters=Masters())

    np.testing.assert_allclose(flat, 1, rtol=1e-6)


def test_a_flat_without_light_is_unusable():
    flats = np.concatenate((np.full((4, *SHAPE), 900.0), np.full((1, *SHAPE), 500.0)))

    with pytest.raises(Unusable, match="flat 5 of 5 has no light"):
        combine.master_flat(
            reader(flats), *SHAPE, exposure=np.ones(5), masters=Masters(bias=np.full(SHAPE, 500.0))
        )


def night(draw, expose, scattered, drift, n_frame=25):
    shape = (120, 150)
    xy = scattered(25, (120, 150 + 80), 12, seed=1)
    pattern = np.where(rng(2).uniform(size=shape) < 0.005, rng(3).exponential(400, shape), 0.0)
    frames = []
    for index in range(n_frame):
        x = xy[:, 0] - 40 + drift * (index / (n_frame - 1) - 0.5)
        scene = draw(shape, x, xy[:, 1], np.geomspace(3e3, 6e4, 25), 2.5) + 200 + 2 * index
        frames.append(expose(scene + pattern, seed=10 + index))
    return frames, pattern


def test_self_dark_of_a_drifting_field_is_the_pattern(draw, expose, scattered):
    frames, pattern = night(draw, expose, scattered, drift=80)

    found = combine.self_dark(frames.__getitem__, len(frames))

    sigma = 1.2533 * np.sqrt((200 + 24 + pattern + 64) / len(frames))
    deviation = (found - pattern) / sigma
    assert 1.4826 * np.median(np.abs(deviation)) < 1.25
    assert abs(np.median(deviation)) < 0.4  # wings of stars, everywhere alike
    hot = pattern > 200
    np.testing.assert_allclose(found[hot], pattern[hot], atol=6 * sigma[hot].max())


@pytest.mark.parametrize("drift", [0, 1.5])
def test_self_dark_of_a_field_that_stays_is_refused(draw, expose, scattered, drift):
    frames, _ = night(draw, expose, scattered, drift=drift)

    with pytest.raises(Unusable, match=r"does not drift enough: \d\d+ % of the star light"):
        combine.self_dark(frames.__getitem__, len(frames))


def test_self_dark_in_little_memory_is_the_same(draw, expose, scattered, monkeypatch):
    frames, _ = night(draw, expose, scattered, drift=80, n_frame=12)
    whole = combine.self_dark(frames.__getitem__, len(frames))

    monkeypatch.setattr(combine, "SELF_DARK_MEMORY", 150 * 4 * 12 * 17)

    np.testing.assert_allclose(combine.self_dark(frames.__getitem__, len(frames)), whole, atol=2e-4)


def test_self_dark_needs_frames_and_stars():
    empty = rng().normal(100, 5, (20, *SHAPE))

    with pytest.raises(Unusable, match="5 frames, a self-dark needs 9"):
        combine.self_dark(empty.__getitem__, 5)
    with pytest.raises(Unusable, match="no stars"):
        combine.self_dark(empty.__getitem__, 20)


def test_frames_of_the_self_dark_are_spread_over_the_night():
    indices = combine.self_dark_indices(142)

    assert len(indices) == 61
    assert (indices[0], indices[-1]) == (0, 141)
    assert set(np.diff(indices)) <= {2, 3}
    assert combine.self_dark_indices(10).tolist() == list(range(10))


def test_memory_is_bounded_whatever_the_number_of_frames(monkeypatch):
    import tracemalloc

    n_frame, height, width = 300, 40, 400
    monkeypatch.setattr(combine, "STRIP_MEMORY", 2**20)
    frame = np.arange(height * width, dtype=np.float32).reshape(height, width) % 997

    def read(start, stop):
        return np.broadcast_to(frame[start:stop], (n_frame, stop - start, width))

    tracemalloc.start()
    found = combine.combine(read, height, width)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    np.testing.assert_array_equal(found, frame)
    # All frames have 19 MB; a few copies of a strip, of 1 MB at most, are what is held.
    assert peak < 8e6


def test_height_of_the_strips_does_not_change_a_master():
    rng = np.random.Generator(np.random.PCG64(8))
    stack = rng.normal(300, 5, (7, 50, 30)).astype(np.float32)
    stack[3, 20, 10] = 5000

    whole = combine.combine(lambda start, stop: stack[:, start:stop], 50, 30)
    for rows in (1, 7, 50):
        np.testing.assert_array_equal(
            combine.combine(lambda start, stop: stack[:, start:stop], 50, 30, rows=rows), whole
        )
