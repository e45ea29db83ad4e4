from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from accretor.science import peaks, sources
from accretor.science.sources import detect, frame_quality
from accretor.synthetic import camera

SHAPE = (300, 360)
SKY = 200.0


def field(draw, scattered, fwhm, *, n_star=30, seed=1, faintest=3e3, **kind):
    xy = scattered(n_star, SHAPE, 4 * fwhm if fwhm < 8 else 3 * fwhm, seed)
    flux = faintest * max(1, fwhm / 4) ** 2 * np.geomspace(1, 60, n_star)[::-1]
    return draw(SHAPE, *xy.T, flux, fwhm, **kind) + SKY, xy


def distances(sources, xy):
    return np.hypot(sources.x[:, None] - xy[:, 0], sources.y[:, None] - xy[:, 1])


def width_on_pixels(fwhm, beta=3.2):
    """Return the FWHM of a Moffat profile as square pixels see it."""
    alpha = fwhm / 2 / np.sqrt(2 ** (1 / beta) - 1)
    sub = (np.arange(101) - 50) / 101

    def seen(x):
        return np.mean((1 + ((x + sub) ** 2 + sub[:, None] ** 2) / alpha**2) ** -beta)

    return 2 * brentq(lambda x: seen(x) - 0.5 * seen(0), 0, 2 * fwhm)


@pytest.mark.parametrize("fwhm", [1.8, 2.5, 3.6, 5.0, 7.0, 10.0, 14.0])
def test_stars_are_found_at_their_places_with_their_width(draw, expose, scattered, fwhm):
    scene, xy = field(draw, scattered, fwhm, n_star=30 if fwhm < 8 else 14)
    image = expose(scene, seed=2)

    found = detect(image)
    quality = frame_quality(image, found)

    apart = distances(found, xy)
    assert apart.min(axis=1).max() < 0.25 * fwhm  # nothing else
    assert len(found) >= 0.92 * len(xy)
    assert np.median(apart.min(axis=1)[:10]) < 0.01 * fwhm
    assert quality.fwhm == pytest.approx(width_on_pixels(fwhm), rel=0.03)
    assert quality.elongation < 1.05
    assert quality.sky == pytest.approx(SKY, abs=0.4 * quality.sky_noise)
    assert quality.sky_noise == pytest.approx(np.sqrt(SKY + 64), rel=0.06)


def test_stars_come_brightest_first_and_no_more_than_asked_for(draw, expose, scattered):
    scene, xy = field(draw, scattered, 3.0)

    found = detect(expose(scene, seed=2), max_stars=12)

    assert len(found) == 12
    assert np.all(np.diff(found.flux) <= 0)
    assert set(distances(found, xy).argmin(axis=1)) <= set(range(14))


@pytest.mark.parametrize("fwhm", [2.0, 3.5, 7.0])
def test_a_trail_is_not_a_star(draw, expose, scattered, fwhm):
    scene, xy = field(draw, scattered, fwhm)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    across = (y - 0.6 * x - 40.3) / np.hypot(1, 0.6)
    image = expose(scene + 1000 * np.exp(-0.5 * (across / (fwhm / 2.35)) ** 2), seed=3)

    found = detect(image)

    assert distances(found, xy).min(axis=1).max() < 0.5 * fwhm
    assert len(found) >= 0.7 * len(xy)
    assert frame_quality(image, found).fwhm == pytest.approx(width_on_pixels(fwhm), rel=0.05)


@pytest.mark.parametrize("fwhm", [2.0, 3.5])
def test_hot_pixels_and_cosmic_rays_are_not_stars(draw, expose, scattered, fwhm):
    scene, xy = field(draw, scattered, fwhm)
    image = expose(scene, seed=4)
    rng = np.random.Generator(np.random.PCG64(5))
    for _ in range(150):
        image[rng.integers(SHAPE[0]), rng.integers(SHAPE[1])] += 10 ** rng.uniform(2, 4.7)
    for _ in range(15):
        column, row = rng.integers(5, 290, 2)
        image[row, column : column + 3] += rng.uniform(800, 4000, 3)

    found = detect(image)

    far = distances(found, xy).min(axis=1) > 0.5 * fwhm
    assert far.sum() <= 1
    assert len(found) >= 0.8 * len(xy)


def test_specks_more_than_stars_do_not_tell_how_wide_stars_are(draw, expose, scattered):
    scene, _ = field(draw, scattered, 4.7, n_star=14)
    image = expose(scene, seed=4)
    # With their neighbours, as cosmic rays and what is left of them in a dark: wide enough for a star.
    rng = np.random.Generator(np.random.PCG64(6))
    for row, column in rng.integers(5, 290, (20, 2)):
        image[row - 1 : row + 2, column - 1 : column + 2] += 0.6 * 3000
        image[row, column] += 0.4 * 3000

    first_look = sources._rough_fwhm(peaks.field_of(image, None), 5.0, np.inf)

    assert first_look == pytest.approx(width_on_pixels(4.7), rel=0.33)


def test_bad_pixels_that_are_known_do_no_harm(draw, expose, scattered):
    scene, xy = field(draw, scattered, 3.0)
    image = expose(scene, seed=4)
    bad = np.random.Generator(np.random.PCG64(5)).uniform(size=SHAPE) < 0.01
    image[bad] = np.where(np.arange(bad.sum()) % 2, 60000, np.nan)

    found = detect(image, bad=bad)

    assert distances(found, xy).min(axis=1).max() < 0.5
    assert len(found) >= 0.9 * len(xy)


def test_saturated_stars_are_flagged_and_not_lost(draw, expose, scattered):
    scene, xy = field(draw, scattered, 3.0)
    image = np.minimum(expose(scene, seed=6), 4000)
    full = (scene[np.rint(xy[:, 1]).astype(int), np.rint(xy[:, 0]).astype(int)] > 4200).sum()

    found = detect(image, saturation=3999)

    assert found.is_saturated.sum() >= full > 3
    assert found.is_saturated[: full - 1].all()
    assert len(found) >= 0.95 * len(xy)


def test_stars_drawn_out_by_the_wind_are_stars(draw, expose, scattered):
    scene, _ = field(draw, scattered, 3.5, elongation=2.5)
    image = expose(scene, seed=7)

    found = detect(image)

    assert len(found) >= 28
    assert frame_quality(image, found).elongation == pytest.approx(2.4, abs=0.3)


@pytest.mark.parametrize("shape", [(100, 120), (12, 9), (3, 3)])
def test_there_are_no_stars_in_noise(shape):
    noise = np.random.Generator(np.random.PCG64(8)).normal(100, 5, shape).astype(np.float32)

    quality = frame_quality(noise, detect(noise))

    assert quality.n_star <= 1
    assert np.isnan(quality.fwhm) or quality.n_star


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_an_image_of_nothing_has_no_stars(value):
    image = np.full((50, 60), value)

    found = detect(image)

    assert len(found) == 0
    assert frame_quality(image, found).n_fwhm == 0
    assert found.xy.shape == (0, 2)


@pytest.mark.parametrize("beta", [2.5, 3.2, 8.0])
@pytest.mark.parametrize("fwhm", [1.5, 1.8, 3.6, 10.0, 18.0])
def test_fwhm_is_that_of_the_profile_on_pixels_to_two_per_cent(fwhm, beta):
    rng = np.random.Generator(np.random.PCG64(round(10 * fwhm + beta)))
    n_side, step = (6, 65) if fwhm < 8 else (4, 175)
    grid = (np.stack(np.meshgrid(*[np.arange(n_side)] * 2), axis=-1).reshape(-1, 2) + 0.5) * step
    xy = grid + rng.uniform(-2, 2, grid.shape)
    scene = np.zeros((n_side * step, n_side * step))
    camera.add_stars(scene, *xy.T, fwhm**2 * 10 ** rng.uniform(3.2, 4.5, len(xy)), fwhm, beta)
    image = (rng.poisson(scene + 300) + rng.normal(0, 8, scene.shape)).astype(np.float32)

    found = frame_quality(image, detect(image)).fwhm

    alpha, radius = fwhm / 2 / np.sqrt(2 ** (1 / beta) - 1), np.linspace(0, 2 * fwhm, 2001)
    sub = (np.arange(21) - 10) / 21
    profile = [np.mean((1 + ((r + sub[:, None]) ** 2 + sub**2) / alpha**2) ** -beta) for r in radius]
    assert found == pytest.approx(2 * np.interp(-profile[0] / 2, -np.array(profile), radius), rel=0.02)
