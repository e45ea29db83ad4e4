from __future__ import annotations

import numpy as np
import pytest

from accretor.core.errors import Unusable
from accretor.science import gain

GAIN, READ_NOISE, LEVEL = 1.7, 9.0, 300.0
SHAPE = (160, 192)


def rng(seed=3):
    return np.random.Generator(np.random.PCG64(seed))


def frames(noise, electrons, n):
    """Return n frames, ADU in whole numbers, of an expectation of *electrons*."""
    shape = (n, *SHAPE)
    counted = noise.poisson(np.broadcast_to(electrons, shape)) + noise.normal(0, READ_NOISE, shape)
    return np.rint(LEVEL + counted / GAIN)


def test_pairs_of_flats_and_biases_tell_gain_and_read_noise():
    noise = rng()
    response = 1 + 0.02 * noise.standard_normal(SHAPE)

    found = gain.of_flats(frames(noise, 40000 * response, 4), frames(noise, 0.0, 4))

    assert found.gain == pytest.approx(GAIN, abs=4 * GAIN * np.sqrt(2 / response.size / 2))
    assert found.gain == pytest.approx(GAIN, abs=5 * found.error)
    assert found.read_noise == pytest.approx(READ_NOISE, rel=0.01)


def test_flats_of_twilight_need_not_be_equally_bright():
    noise = rng(4)
    flats = np.concatenate([frames(noise, level * 1000.0, 1) for level in (50, 31, 20, 12)])

    assert gain.of_flats(flats, frames(noise, 0.0, 2)).gain == pytest.approx(GAIN, rel=0.02)


def starry(noise, sky, n):
    """Return frames with 40 stars that the seeing changes, on a sky that brightens with time."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    place = noise.uniform(0, SHAPE[::-1], (40, 2))
    found = []
    for level in np.linspace(*sky, n):
        sigma = 1.5 * np.exp(0.1 * noise.standard_normal())
        light = sum(3e4 / sigma**2 * np.exp(-((x - a) ** 2 + (y - b) ** 2) / 2 / sigma**2) for a, b in place)
        found.append(frames(noise, level + light, 1)[0])
    return found


def test_sky_of_science_frames_tells_the_gain_where_the_zero_level_is_known():
    noise = rng(5)
    biases = frames(noise, 0.0, 4)
    lights = [frame - LEVEL for frame in starry(noise, (900, 1100), 12)]

    found = gain.of_frames(lights, gain.dark_variance(biases))

    assert found.gain == pytest.approx(GAIN, rel=0.03)
    assert found.error < 0.05 * GAIN
    assert gain.read_noise(biases, found.gain) == pytest.approx(READ_NOISE, rel=0.03)


def test_growing_sky_tells_the_gain_where_the_zero_level_is_not_known():
    found = gain.of_frames(starry(rng(6), (500, 4000), 16))

    assert found.gain == pytest.approx(GAIN, rel=0.05)
    assert np.isnan(found.read_noise)


def test_gain_that_the_frames_do_not_tell_is_refused():
    noise = rng(7)
    with pytest.raises(Unusable, match="two of each"):
        gain.of_flats(frames(noise, 4e4, 1), frames(noise, 0.0, 2))
    with pytest.raises(Unusable, match=r"no brighter|too uncertain"):
        gain.of_flats(frames(noise, 0.0, 2), frames(noise, 0.0, 2))
    with pytest.raises(Unusable, match=r"does not grow|too uncertain"):
        gain.of_frames(starry(noise, (1000, 1000.5), 8))
    with pytest.raises(Unusable, match="two needed"):
        gain.of_frames(starry(noise, (500, 4000), 3))
