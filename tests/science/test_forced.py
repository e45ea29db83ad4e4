"""Forced photometry against the photometry of stars, and limits against known noise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from accretor.science import aperture, forced
from accretor.science.forced import BlankRule, Noise
from accretor.synthetic.camera import add_stars

RADII = np.array([3.0, 4.5, 6.0])
ANNULUS = (12.0, 20.0)
FWHM = 3.0
RULE = BlankRule(n_sample=300, n_draw=20, edge=25, dilate=5, is_robust=True, seed=7)


def sky_image(size: int = 200, noise: float = 10.0, level: float = 300.0, seed: int = 1):
    return level + noise * np.random.Generator(np.random.PCG64(seed)).standard_normal((size, size))


def nothing(image):
    return np.zeros(image.shape, dtype=bool)


def measure(image, x, y, dirt=None, read_noise=math.nan):
    return forced.measure(
        image, image, np.array(x, dtype=float), np.array(y, dtype=float),
        radii=RADII, annulus=ANNULUS, fwhm=FWHM, dirt=nothing(image) if dirt is None else dirt,
        noise=Noise(gain=1.5, read_noise=read_noise, dark_variance=9.0),
    )  # fmt: skip


def blank(image, dirt=None, rule=RULE, centre=(100.0, 100.0)):
    return forced.blank_noise(
        image, centre, radii=RADII, annulus=ANNULUS, fwhm=FWHM,
        dirt=nothing(image) if dirt is None else dirt, is_saturated=nothing(image), rule=rule,
    )  # fmt: skip


def test_a_star_alone_has_the_flux_and_error_that_the_photometry_gives_it():
    image = sky_image()
    add_stars(image, np.array([90.3]), np.array([101.7]), np.array([50_000.0]), FWHM, 3.0)
    star = aperture.measure(
        image, image, np.array([90.3]), np.array([101.7]), radii=RADII, annulus=ANNULUS, fwhm=FWHM,
        gain=1.5, read_noise=8.0, recentre=np.array([False]), saturation=math.inf, dark_variance=9.0,
    )  # fmt: skip

    found = measure(
        image, [90.3], [101.7], forced.discs(image.shape, np.array([90.3]), np.array([101.7]), 6.0), 8.0
    )

    np.testing.assert_array_equal(found.flux, star.flux)
    np.testing.assert_array_equal(found.flux_error, star.flux_error)
    np.testing.assert_array_equal(found.peak, star.peak)


def test_what_is_measured_at_a_place_does_not_depend_on_the_other_places():
    image = sky_image()
    x, y = np.random.Generator(np.random.PCG64(2)).uniform(-20, 220, (2, 900))

    together, alone = measure(image, x, y), measure(image, x[850:851], y[850:851])

    np.testing.assert_array_equal(together.flux[850:851], alone.flux)
    np.testing.assert_array_equal(together.sky[850:851], alone.sky)


def test_places_off_the_frame_are_not_measured_and_those_at_the_rim_say_so():
    found = measure(sky_image(), [-30.0, 100.0, 4.0, 500.0], [50.0, 100.0, 60.0, 1e7])

    assert np.isnan(found.flux[[0, 3]]).all()
    assert np.isnan(found.peak[[0, 3]]).all()
    assert found.is_near_edge.tolist() == [True, False, True, True]
    assert np.isfinite(found.flux[2]).tolist() == [True, True, False]


def test_empty_sky_has_no_flux_within_its_error_and_the_error_is_that_of_sky_alone():
    image = sky_image(noise=12.0, size=400)
    grid = np.arange(40, 360, 20.0)
    x, y = (axis.ravel() for axis in np.meshgrid(grid, grid))

    found = measure(image, x, y)

    pull = found.flux / found.flux_error
    np.testing.assert_allclose(pull.std(axis=0), 1, atol=0.15)
    area = math.pi * RADII**2
    expected = np.sqrt(area * 144 * (1 + math.pi / 2 * area / np.median(found.n_sky)))
    np.testing.assert_allclose(np.median(found.background_error, axis=0), expected, rtol=0.05)


@pytest.mark.parametrize("is_robust", [True, False])
def test_blank_apertures_scatter_by_the_known_noise_within_a_tenth_of_a_magnitude(is_robust):
    import dataclasses

    noise = 15.0
    rule = dataclasses.replace(RULE, is_robust=is_robust)
    found, n_blank = blank(sky_image(noise=noise, size=500), rule=rule, centre=(250.0, 250.0))

    area = math.pi * RADII**2
    n_sky = math.pi * (ANNULUS[1] ** 2 - ANNULUS[0] ** 2)
    expected = noise * np.sqrt(area * (1 + math.pi / 2 * area / n_sky))
    assert n_blank == 300
    np.testing.assert_allclose(2.5 * np.log10(found / expected), 0, atol=0.15)


def test_the_same_seed_gives_the_same_number_and_another_one_another():
    import dataclasses

    image = sky_image(size=300)

    assert blank(image)[0].tolist() == blank(image)[0].tolist()
    assert blank(image)[0].tolist() != blank(image, rule=dataclasses.replace(RULE, seed=8))[0].tolist()


def test_stars_known_or_not_are_kept_out_of_blank_apertures():
    empty = sky_image(size=400)
    image = empty.copy()
    generator = np.random.Generator(np.random.PCG64(3))
    x, y = generator.uniform(20, 380, (2, 40))
    add_stars(image, x, y, generator.uniform(3e3, 1e6, 40), FWHM, 3.0)

    crowded, n_blank = blank(image, forced.discs(image.shape, x[:20], y[:20], 6.0), centre=(200.0, 200.0))

    assert n_blank == 300
    np.testing.assert_allclose(crowded, blank(empty, centre=(200.0, 200.0))[0], rtol=0.35)


def test_where_there_is_no_room_there_is_no_number():
    small = sky_image(size=70)
    noise, n_blank = blank(small, centre=(35.0, 35.0))
    assert np.isnan(noise).all()
    assert n_blank < forced.FEWEST_BLANK

    full = sky_image()
    noise, n_blank = blank(full, dirt=np.ones(full.shape, dtype=bool))
    assert np.isnan(noise).all()
    assert n_blank == 0


def test_a_limit_is_a_magnitude_below_the_zero_point():
    found = forced.limiting_magnitude(np.array([100.0, 0.0, -5.0, np.nan]), 25.0)

    assert found[0] == pytest.approx(20.0)
    assert np.isnan(found[1:]).all()
