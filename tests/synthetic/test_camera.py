from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accretor.synthetic import scene
from accretor.synthetic.camera import Stream, add_stars, camera, read_out, stream
from accretor.synthetic.night import Night
from accretor.synthetic.scene import Scene


def moffat_pixels(x: float, y: float, fwhm: float, beta: float, side: int):
    """Mean of 20 x 20 points of the analytic profile in each pixel of a square, for a flux of 1."""
    scale = fwhm / (2 * np.sqrt(2 ** (1 / beta) - 1))
    fine = (np.arange(20 * side) + 0.5) / 20 - 0.5
    square = ((fine - x) ** 2 + (fine[:, np.newaxis] - y) ** 2) / scale**2
    profile = (beta - 1) / (np.pi * scale**2) * (1 + square) ** -beta
    return profile.reshape(side, 20, side, 20).mean(axis=(1, 3))


@settings(max_examples=25, deadline=None)
@given(x=st.floats(29.5, 30.5), y=st.floats(29.5, 30.5), fwhm=st.floats(2.0, 4.5), beta=st.floats(2.5, 5))
def test_star_has_its_flux_its_place_and_its_profile(x, y, fwhm, beta):
    image = np.zeros((61, 61))
    add_stars(image, np.array([x]), np.array([y]), np.array([1.0]), fwhm, beta)
    rows, columns = np.mgrid[0:61, 0:61]

    assert image.sum() == pytest.approx(1, abs=1e-9)
    assert (image * columns).sum() == pytest.approx(x, abs=0.01)
    assert (image * rows).sum() == pytest.approx(y, abs=0.01)
    # What lies beyond 6 FWHM, 3e-3 at beta 2.5, is given to the pixels within.
    np.testing.assert_allclose(image, moffat_pixels(x, y, fwhm, beta, 61), rtol=5e-3, atol=1e-5)


@pytest.mark.parametrize("place", [(-200.0, 10.0), (10.0, 900.0), (-30.0, -30.0)])
def test_star_off_the_frame_leaves_it_dark(place):
    image = np.zeros((40, 50))
    add_stars(image, np.array([place[0]]), np.array([place[1]]), np.array([1e6]), 3.0, 3.0)

    assert not image.any()


def test_star_on_the_edge_shows_half_its_light():
    image = np.zeros((61, 61))
    add_stars(image, np.array([-0.5]), np.array([30.0]), np.array([1.0]), 3.0, 3.0)

    assert image.sum() == pytest.approx(0.5, abs=1e-4)


def test_photon_transfer_finds_the_gain(prepared: Scene):
    big = replace(prepared.night, size=(320, 240), n_frame=1, gain=1.7)
    detector = camera(big)
    made = scene.prepare(big)
    first, second = (scene.flat(made, index) - detector.bias for index in (0, 1))
    # Flats differ in level; made alike, the pattern of the pixels goes away in the difference.
    ratio = first.mean() / second.mean()
    read_noise = big.read_noise / big.gain
    variance = np.var(first - ratio * second) - read_noise**2 * (1 + ratio**2)

    gain = (first.mean() + ratio**2 * second.mean()) / variance

    # sqrt(2 / 76800 pixels) is 0.5 %.
    assert gain == pytest.approx(big.gain, rel=0.02)


def test_difference_of_biases_has_the_read_noise(prepared: Scene):
    one, two = (scene.bias(prepared, index).astype(float) for index in (0, 1))
    noise = np.std(one - two) / np.sqrt(2) * prepared.night.gain

    # Rounding to whole numbers adds gain / sqrt(12).
    expected = np.hypot(prepared.night.read_noise, prepared.night.gain / np.sqrt(12))
    assert noise == pytest.approx(expected, rel=0.02)


def test_pixels_are_cut_at_saturation():
    night = Night(saturation=5000.0)
    detector = camera(night)
    raw = read_out(np.full(detector.flat.shape, 1e6), night, detector, stream(night, Stream.LIGHT))

    assert raw.dtype == np.uint16
    assert np.all(raw == 5000)


def test_flat_has_vignetting_dust_and_pixel_response():
    plain = camera(Night(n_dust=0, pixel_response=0.0)).flat
    full = camera(Night()).flat
    bare = camera(Night(n_dust=0, pixel_response=0.008)).flat

    assert plain[0, 0] / plain[120, 160] == pytest.approx(0.88, abs=0.002)
    assert np.std(bare / plain) == pytest.approx(0.008, rel=0.03)
    assert np.min(full / plain) < 0.98
    assert np.median(full) == 1


def test_dark_frame_shows_the_hot_pixels():
    night = Night(hot_fraction=0.01, hot_current=20.0, n_frame=1)
    made = scene.prepare(night)
    hot = made.camera.dark > 5

    signal = (scene.dark(made, 0) - made.camera.bias) * night.gain

    assert 0.005 < hot.mean() < 0.01
    np.testing.assert_allclose(np.median(signal[~hot]), night.dark_current * night.exposure, atol=1.5)
    assert np.all(signal[hot] > 700)
