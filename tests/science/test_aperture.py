from __future__ import annotations

import math

import numpy as np
import pytest

from accretor.science import aperture, circles
from accretor.science.annulus import SKY_VARIANCE, annulus_sky

RADII = np.array([2.0, 3.0, 4.5, 6.0, 9.0])
PIXEL_FWHM = 4.09
"""Of a star of FWHM 4 and exponent 3.2, averaged over pixels."""


def measure(image, x, y, *, fwhm=3.0, **changes):
    x = np.atleast_1d(x)
    settings = {
        "raw": image,
        "radii": RADII,
        "annulus": (13.0, 20.0),
        "fwhm": fwhm,
        "gain": 1.0,
        "read_noise": 8.0,
        "recentre": np.zeros(len(x), dtype=bool),
        "saturation": math.inf,
    }
    return aperture.measure(image, x=x, y=np.atleast_1d(y), **(settings | changes))


def crowd(draw, expose, scattered, n_star=25):
    xy = scattered(n_star, (180, 200), 14, seed=3)
    flux = np.random.Generator(np.random.PCG64(4)).uniform(2e3, 2e5, n_star)
    return expose(draw((180, 200), *xy.T, flux, 3.0) + 300, seed=5), xy, flux


def test_sums_are_those_of_photutils(draw, expose, scattered):
    from photutils.aperture import CircularAperture, aperture_photometry

    image, xy, _ = crowd(draw, expose, scattered)
    image = image.astype(np.float64)

    sums = circles.aperture_sums(image, *xy.T, np.zeros(len(xy)), RADII)

    for index, radius in enumerate(RADII):
        expected = aperture_photometry(image, CircularAperture(xy, radius), method="exact")["aperture_sum"]
        np.testing.assert_allclose(sums[:, index], np.asarray(expected), rtol=1e-10)


def test_sky_is_that_of_photutils_and_astropy(draw, expose, scattered):
    from astropy.stats import SigmaClip
    from photutils.aperture import ApertureStats, CircularAnnulus

    image, xy, _ = crowd(draw, expose, scattered)

    level, noise, n_sky = annulus_sky(image, *xy.T, (13.0, 20.0), np.zeros(image.shape, dtype=bool))

    clip = SigmaClip(sigma=3, maxiters=10, cenfunc="median", stdfunc="std")
    expected = ApertureStats(
        image.astype(np.float64), CircularAnnulus(xy, 13, 20), sum_method="center", sigma_clip=clip
    )
    np.testing.assert_allclose(level, expected.median, rtol=1e-12)
    np.testing.assert_allclose(noise, expected.std, rtol=1e-9)
    np.testing.assert_array_equal(n_sky, np.rint(expected.center_aper_area.value))


@pytest.mark.parametrize("fwhm", [3.0, 5.0])
def test_light_of_a_star_does_not_depend_on_its_place_in_the_pixel(draw, fwhm):
    phase = np.linspace(-0.5, 0.5, 6)
    x, y = (phase_.ravel() for phase_ in np.meshgrid(phase, phase))
    radius = 4 * fwhm
    alpha = fwhm / 2 / math.sqrt(2 ** (1 / 3.2) - 1)
    expected = 1e5 * (1 - (1 + (radius / alpha) ** 2) ** (1 - 3.2))

    found = [
        circles.aperture_sums(
            draw((81, 81), [40 + dx], [40 + dy], [1e5], fwhm, n_sub=9),
            np.array([40 + dx]),
            np.array([40 + dy]),
            np.zeros(1),
            np.array([radius]),
        )[0, 0]
        for dx, dy in zip(x, y, strict=True)
    ]

    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert np.ptp(found) < 2e-5 * expected


def test_centres_are_found_in_all_places_of_a_pixel(draw):
    phase = np.linspace(-0.5, 0.5, 5)
    x, y = (20 + 30 * np.arange(5) + phase for _ in "xy")
    x, y = (grid.ravel() for grid in np.meshgrid(x, y))
    image = draw((160, 160), x, y, np.full(25, 1e5), 3.0) + 100

    found = measure(image, x + 0.4, y - 0.5, recentre=np.ones(25, dtype=bool))

    assert found.is_recentred.all()
    np.testing.assert_allclose(found.x, x, atol=2e-3)
    np.testing.assert_allclose(found.y, y, atol=2e-3)


def test_a_star_that_is_not_there_keeps_the_position_it_was_given(draw):
    image = draw((100, 100), [30.0], [30.0], [1e5], 3.0) + 100.0

    found = measure(image, [32.5, 70.0], [30.0, 70.0], recentre=np.ones(2, dtype=bool))

    assert not found.is_recentred.any()
    assert found.x.tolist() == [32.5, 70.0]


@pytest.mark.parametrize("read_noise", [8.0, math.nan])
def test_scatter_of_constant_stars_is_what_the_errors_say(draw, expose, read_noise):
    x, y = (grid.ravel() for grid in np.meshgrid(25.0 + 37 * np.arange(4), 25.0 + 37 * np.arange(4)))
    scene = draw((160, 160), x, y, np.geomspace(500, 2e5, 16), 3.0) + 200
    nights = [
        measure(expose(scene, seed), x, y, annulus=(9.0, 12.0), read_noise=read_noise) for seed in range(50)
    ]
    flux = np.array([night.flux for night in nights])
    error = np.array([night.flux_error for night in nights])

    chi2 = (((flux - flux.mean(axis=0)) / error) ** 2).sum(axis=(0, 1)) / (16 * 49)

    # Pixels that the rim cuts count by the square of their part, which the CCD equation leaves out: it
    # is on the safe side by a tenth at the smallest radii. Chi2 of 784 degrees has a scatter of 0.05.
    np.testing.assert_allclose(chi2[2:], 1, atol=0.13)
    assert chi2.mean() == pytest.approx(1, abs=0.1)


def test_what_is_measured_of_a_star_does_not_depend_on_the_company(draw, expose, scattered):
    image, xy, _ = crowd(draw, expose, scattered)
    recentre = np.ones(len(xy), dtype=bool)
    dirt = np.zeros(image.shape, dtype=bool)

    together = measure(image, *xy.T, recentre=recentre)
    order = np.array([7, 3, 19, 0])
    sums = circles.aperture_sums(image, *xy.T, together.sky, RADII)
    sky = annulus_sky(image, *xy.T, (13.0, 20.0), dirt)

    for index in order:
        one = slice(index, index + 1)
        np.testing.assert_array_equal(
            circles.aperture_sums(image, *xy[one].T, together.sky[one], RADII), sums[one]
        )
        for alone, all_ in zip(annulus_sky(image, *xy[one].T, (13.0, 20.0), dirt), sky, strict=True):
            np.testing.assert_array_equal(alone, all_[one])
    shuffled = measure(image, *xy[::-1].T, recentre=recentre)
    for name in together.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(shuffled, name)[::-1], getattr(together, name))


def test_work_in_chunks_changes_no_bit(draw, expose, scattered, monkeypatch):
    image, xy, _ = crowd(draw, expose, scattered)
    whole = measure(image, *xy.T, recentre=np.ones(len(xy), dtype=bool))

    monkeypatch.setattr(aperture, "CHUNK", 4000)
    parts = measure(image, *xy.T, recentre=np.ones(len(xy), dtype=bool))

    for name in whole.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))


def test_neighbours_are_kept_out_of_the_sky(draw):
    image = draw((120, 120), [60.0, 76.0, 60.0], [60.0, 60.0, 44.0], [1e4, 1e6, 1e6], 3.0) + 100

    alone, listed = measure(image, 60.0, 60.0), measure(image, [60.0, 76.0, 60.0], [60.0, 60.0, 44.0])

    assert listed.n_sky[0] < alone.n_sky[0]
    assert abs(listed.sky[0] - 100) < abs(alone.sky[0] - 100)


def test_stars_off_the_frame_are_not_measured():
    found = measure(np.full((60, 60), 100.0), [-50.0, 1.0, 30.0, math.nan], [20.0, 30.0, 30.0, 5.0])

    assert found.is_near_edge.tolist() == [True, True, False, True]
    assert np.isnan(found.flux[[0, 1, 3]]).all()
    assert np.isfinite(found.flux[2]).all()
    assert np.isnan(found.sky[[0, 3]]).all()


def test_an_aperture_that_stays_in_the_frame_is_measured_where_a_larger_one_leaves_it():
    found = measure(np.full((60, 60), 100.0), [3.0], [30.0])

    assert np.isfinite(found.flux[0]).tolist() == [True, True, False, False, False]


def test_peak_and_saturation_are_those_of_the_raw_frame(draw):
    image = draw((80, 80), [40.0], [40.0], [1e5], 3.0) + 100
    raw = np.minimum(image / 2 + 500, 3000).astype(np.uint16)

    found = measure(image, [40.0, 15.0], [40.0, 15.0], raw=raw, saturation=2900.0)

    assert found.peak[0] == 3000
    assert found.is_saturated.tolist() == [True, False]


def test_bad_pixels_near_the_centre_are_counted_and_kept_out_of_the_sky():
    image = np.full((80, 80), 100.0)
    bad = np.zeros(image.shape, dtype=bool)
    bad[[40, 41, 57], [40, 42, 40]] = True
    image[bad] = 1e5

    found = measure(image, [40.0], [40.0], bad=bad)

    assert found.n_bad.tolist() == [2]
    assert found.sky[0] == 100
    assert found.sky_noise[0] == 0


def test_an_undefined_pixel_spoils_only_the_apertures_that_hold_it():
    image = np.full((80, 80), 100.0)
    image[40, 44] = np.nan

    found = measure(image, [40.0], [40.0])

    assert np.isfinite(found.flux[0]).tolist() == [True, True, False, False, False]


def test_no_stars_give_no_rows():
    found = measure(np.full((30, 30), 1.0), np.zeros(0), np.zeros(0))

    assert found.flux.shape == (0, len(RADII))


@pytest.mark.parametrize("estimator", ["median", "mean", "mode"])
def test_scatter_of_the_sky_is_what_its_estimator_costs(estimator):
    rng = np.random.Generator(np.random.PCG64(8))
    image = rng.normal(100, 10, (1200, 1200))
    x, y = (grid.ravel() for grid in np.meshgrid(30.0 + 60 * np.arange(20), 30.0 + 60 * np.arange(20)))

    level, _, n_sky = annulus_sky(
        image, x, y, (12.0, 20.0), np.zeros(image.shape, dtype=bool), estimator=estimator
    )

    expected = 10 * np.sqrt(SKY_VARIANCE[estimator] / n_sky.mean())
    assert level.mean() == pytest.approx(100, abs=4 * expected / 20)
    assert level.std() == pytest.approx(expected, rel=0.12)  # 400 levels: 3.5 %; clipping costs some


def test_mode_sees_less_of_faint_neighbours_than_the_median():
    rng = np.random.Generator(np.random.PCG64(9))
    image = rng.normal(100, 10, (400, 400)) + (rng.random((400, 400)) < 0.15) * rng.exponential(
        25, (400, 400)
    )
    where = np.array([200.0]), np.array([200.0]), (20.0, 150.0), np.zeros(image.shape, dtype=bool)

    mode, median, mean = (
        annulus_sky(image, *where[:2], where[2], where[3], estimator=name)[0][0]
        for name in ("mode", "median", "mean")
    )

    assert 100 < mode < median < mean


@pytest.mark.parametrize(("flux", "turn"), [(3e3, 16.0), (3e3, 1.0), (2e5, 1 / 64), (2e5, 0.0)])
def test_weighted_sums_are_the_light_with_less_noise_for_faint_stars_and_true_errors(
    draw, expose, flux, turn
):
    x, y = (grid.ravel() for grid in np.meshgrid(25.0 + 37.3 * np.arange(5), 25.0 + 37.7 * np.arange(5)))
    scene = draw((200, 200), x, y, np.full(25, flux), 4.0) + 400
    settings = {"fwhm": 4.0, "annulus": (13.0, 18.0), "radii": np.array([4.0, 8.0]), "read_noise": 8.0}
    weights = {"profile": circles.Profile(PIXEL_FWHM, 3.2), "turn": np.full(25, turn)}
    plain, weighted = (
        [measure(expose(scene, seed), x, y, **settings, **more) for seed in range(40)]
        for more in ({}, weights)
    )

    light, found = (np.array([night.flux for night in nights]) for nights in (plain, weighted))
    error = np.array([night.flux_error for night in weighted])
    scatter = found.std(axis=0, ddof=1).mean(axis=0)

    np.testing.assert_allclose(found.mean(axis=(0, 1)), light.mean(axis=(0, 1)), rtol=0.01)
    np.testing.assert_allclose(scatter, error.mean(axis=(0, 1)), rtol=0.08)
    if flux < 1e4:
        assert scatter[1] < 0.8 * light.std(axis=0, ddof=1).mean(axis=0)[1]
    if turn == 0:
        np.testing.assert_allclose(found, light, rtol=1e-12)
