"""The light of other stars does not lift the level of the sky."""

from __future__ import annotations

import numpy as np
import pytest

from accretor.science import annuli, aperture
from accretor.science.annulus import annulus_sky

SHAPE, FWHM, SKY, NOISE = (240, 240), 3.5, 150.0, 14.0
ANNULUS = (4 * FWHM, 7 * FWHM)


def field(rng, n_star=30):
    """Return places and fluxes of a crowded field with a star alone by 12 pixels in its middle."""
    place = [np.array([120.0, 120.0])]
    while len(place) < n_star:
        one = rng.uniform(15, 225, 2)
        if min(np.hypot(*(one - other)) for other in place) > (12 if len(place) else 8):
            place.append(one)
    return *np.array(place).T, np.append(80_000.0, 10 ** rng.uniform(4.3, 5.7, n_star - 1))


def level(image, x, y, **extra):
    found = aperture.measure(
        image, image, x, y, radii=np.array([7.0]), annulus=ANNULUS, fwhm=FWHM, gain=1.0, read_noise=0.0,
        recentre=np.zeros(len(x), dtype=bool), saturation=np.inf, **extra,
    )  # fmt: skip
    return found.sky[0], found.n_sky[0]


def test_the_wings_of_bright_stars_lift_the_sky_of_a_star_less_than_a_third_of_what_small_discs_let_in(draw):
    wide, narrow = [], []
    for seed in range(8):
        rng = np.random.Generator(np.random.PCG64(seed))
        x, y, flux = field(rng)
        sky = SKY + NOISE * rng.standard_normal(SHAPE)
        image = draw(SHAPE, x, y, flux, FWHM) + sky
        alone = draw(SHAPE, x[:1], y[:1], flux[:1], FWHM) + sky
        reach = annuli.extent(flux, NOISE, FWHM)
        cap = annuli.caps(SHAPE, x, y, reach, ANNULUS, FWHM)
        truth = level(alone, x[:1], y[:1])[0]
        wide.append(level(image, x, y, reach=reach, cap=cap)[0] - truth)
        narrow.append(level(image, x, y)[0] - truth)

    assert np.mean(narrow) > 1.0
    assert abs(np.mean(wide)) < np.mean(narrow) / 3


def test_a_disc_ends_where_the_wing_is_a_tenth_of_the_noise():
    flux = np.array([np.nan, 0.0, 30_000.0, 300_000.0, 1e9])

    reach = annuli.extent(flux, NOISE, FWHM)

    alpha = FWHM / 2 / np.sqrt(2 ** (1 / 3) - 1)
    wing = 2 / (np.pi * alpha**2) * (1 + (reach / alpha) ** 2) ** -3.0
    assert flux[2:4] * wing[2:4] == pytest.approx(0.1 * NOISE)
    assert reach[[0, 1]] == pytest.approx(2 * FWHM)
    assert reach[4] == pytest.approx(5 * FWHM)


def test_a_star_in_a_crowd_keeps_half_of_its_annulus_and_its_sky_is_never_lost():
    rng = np.random.Generator(np.random.PCG64(9))
    x, y, flux = field(rng, n_star=150)
    reach = annuli.extent(1e7 * flux, NOISE, FWHM)

    cap = annuli.caps(SHAPE, x, y, reach, ANNULUS, FWHM)

    image = rng.normal(SKY, NOISE, SHAPE)
    n_least = annulus_sky(image, x, y, ANNULUS, annuli.cover(SHAPE, x, y, 0 * x + 2 * FWHM) > 0)[2]
    for most in np.unique(cap):
        radius = np.minimum(reach, most)
        covered = annuli.cover(SHAPE, x, y, radius)
        star = np.flatnonzero(cap == most)
        n = np.array([free_pixels(covered, x[i], y[i], radius[i]) for i in star])
        assert (n >= 0.45 * n_least[star]).all()  # less what the clipping takes
    assert len(np.unique(cap)) > 1


def free_pixels(covered, x, y, own):
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    distance = np.hypot(columns - x, rows - y)
    used = (distance >= ANNULUS[0]) & (distance <= ANNULUS[1])
    return int((used & (covered - ((distance <= own) & (distance > 2 * FWHM)) <= 0)).sum())


def test_discs_count_the_pixels_whose_centres_they_hold_also_beyond_the_rim():
    x, y = np.array([0.3, 50.0, np.nan, -500.0, 239.0]), np.array([0.0, 52.4, 10.0, 3.0, 400.0])
    radius = np.array([5.0, 8.0, 5.0, 5.0, 200.0])

    count = annuli.cover(SHAPE, x, y, radius)

    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    expected = sum((np.hypot(columns - x[i], rows - y[i]) <= radius[i]).astype(int) for i in (0, 1, 3, 4))
    np.testing.assert_array_equal(count, expected)
