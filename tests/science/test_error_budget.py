"""Each part of the predicted error is what repeated exposures scatter by where that part is the largest."""

from __future__ import annotations

import numpy as np
import pytest

from accretor.core.settings import CalibrationSettings
from accretor.science import aperture, differential, noise
from accretor.science.annulus import annulus_sky
from accretor.science.lightcurve import Photometry

SIZE, FWHM, RADIUS = 200, 3.0, 6.0
N_FRAME, ANNULUS = 60, (12.0, 16.0)
PLACE = 25.0 + 37.3 * np.arange(5)
X, Y = (grid.ravel() for grid in np.meshgrid(PLACE, PLACE))

TERMS = {
    # flux, sky, dark (electron per pixel), read noise (electron), gain (electron per ADU), annulus
    "photons": (1e6, 0.0, 0.0, 1.0, 1.0, ANNULUS),
    "sky": (5e3, 4000.0, 0.0, 1.0, 1.0, ANNULUS),
    "dark current": (5e3, 0.0, 900.0, 1.0, 1.0, ANNULUS),
    "read-out": (5e3, 0.0, 0.0, 30.0, 1.0, ANNULUS),
    # A step of 45 electron, and only so much other noise as lets the steps average; without the term, 1.11.
    "digitisation": (5e3, 510.0, 0.0, 15.0, 45.0, (10.0, 18.0)),
    # As many pixels of sky as of star: its level costs pi / 2 times what the aperture does.
    "level of the sky": (5e3, 400.0, 0.0, 5.0, 1.0, (10.0, 11.7)),
}


def exposures(draw, flux, sky, dark, read_noise, gain, annulus):
    """Measure 60 exposures of 25 stars; only noise makes them differ."""
    rng = np.random.Generator(np.random.PCG64(len(draw.__name__) + int(read_noise + sky + dark)))
    light = draw((SIZE, SIZE), X, Y, np.full(X.size, flux), FWHM) + sky
    found = []
    for _ in range(N_FRAME):
        electrons = rng.poisson(light + dark) + read_noise * rng.standard_normal(light.shape)
        image = gain * np.round(electrons / gain) - dark
        found.append(
            aperture.measure(
                image, image, X, Y, radii=np.array([RADIUS]), annulus=annulus, fwhm=FWHM, gain=gain,
                read_noise=read_noise, dark_variance=dark, recentre=np.zeros(X.size, dtype=bool),
                saturation=np.inf,
            )
        )  # fmt: skip
    return np.array([one.flux[:, 0] for one in found]), np.array([one.flux_error[:, 0] for one in found])


@pytest.mark.parametrize("term", TERMS)
def test_the_scatter_is_the_predicted_one_where_one_term_rules(draw, term):
    flux, error = exposures(draw, *TERMS[term])

    ratio = flux.std(axis=0, ddof=1) / error.mean(axis=0)

    # 1475 degrees of freedom have 1.8 %; the rim's pixels, which count by the square of their part, and are
    # as whole ones in the CCD equation, leave it up to 3 % on the safe side.
    assert np.sqrt(np.mean(ratio**2)) == pytest.approx(0.985, abs=0.055)


def test_each_term_rules_where_it_is_said_to():
    def variance(flux=5e3, sky=0.0, dark=0.0, read_noise=1.0, gain=1.0, n_sky=300):
        return aperture.flux_error(
            np.full((1, 1), flux), np.array([RADIUS]), np.array([sky]), np.ones(1), np.array([n_sky]),
            gain=gain, read_noise=read_noise, dark_variance=dark,
        )[0, 0] ** 2  # fmt: skip

    area = np.pi * RADIUS**2
    level = 1 + area * np.pi / 2 / 300
    assert variance(flux=1e6) == pytest.approx(1e6, rel=0.01)
    assert variance(sky=4000) - variance() == pytest.approx(4000 * area * level)
    assert variance(dark=900) - variance() == pytest.approx(900 * area * level)
    assert variance(read_noise=30) - variance() == pytest.approx(899 * area * level)
    assert variance(gain=45) - variance() == pytest.approx((45**2 - 1) / 12 * area * level)
    assert variance(sky=400, n_sky=113) / variance(sky=400, n_sky=10**9) == pytest.approx(2.42, abs=0.05)


@pytest.mark.parametrize(("twinkle", "n_star"), [(0.004, 40), (0.0, 40), (0.0, 3)])
def test_scatter_of_target_over_ensemble_is_predicted_by_scintillation_and_by_few_comparison_stars(
    twinkle, n_star
):
    """Photons alone, scintillation above them, and an ensemble that is noisier than the target."""
    rng = np.random.Generator(np.random.PCG64(5))
    ratio = []
    for _ in range(12):
        mean = np.append(1e6, np.full(n_star, 1e6 if n_star > 3 else 3e5))
        airmass = np.linspace(1.0, 2.0, 80)
        # The coefficient that gives *twinkle* in the zenith, by the formula itself.
        unit = noise.scintillation(airmass, np.full(80, 60.0), diameter=0.4, height=0.0, coefficient=1.0)
        sigma = unit * twinkle / unit[0]
        flux = rng.poisson(mean * (1 + sigma[:, np.newaxis] * rng.standard_normal((80, n_star + 1))))
        found = differential.measure(_night(flux.astype(float), airmass), sigma, CalibrationSettings())
        ratio.append(np.std((found.flux - 1) / found.error, ddof=1))

    # 12 nights of 80 points: 2.3 %.
    assert np.sqrt(np.mean(np.square(ratio))) == pytest.approx(1, abs=0.07)


def _night(flux, airmass):
    n, n_star = flux.shape
    nothing = np.zeros((n, n_star))
    return Photometry(
        time=2460000 + np.arange(n) / 1440, exposure=np.full(n, 60.0), airmass=airmass, fwhm=np.full(n, 3.0),
        flip=np.ones(n), flux=flux[:, :, np.newaxis], flux_error=np.sqrt(flux)[:, :, np.newaxis],
        sky=nothing, x=nothing, y=nothing, is_saturated=nothing > 0, is_near_edge=nothing > 0,
        radii=np.array([6.0]), template_fwhm=3.0, position=np.zeros((n_star, 2)), target=0,
        neighbour_contrast=np.zeros(n_star),
    )  # fmt: skip


def test_the_level_of_a_sky_in_whole_numbers_is_known_to_a_fraction_of_a_step(draw):
    rng = np.random.Generator(np.random.PCG64(8))
    levels = np.linspace(100, 102, 21)
    found = []
    for sky in levels:
        image = np.round(rng.normal(sky, 1.2, (SIZE, SIZE)))
        found.append(annulus_sky(image, X, Y, ANNULUS, np.zeros(image.shape, dtype=bool))[0] - sky)

    # A median of 350 pixels has an error of 0.08, its mean over 25 stars of 0.016; a plain median is off by
    # up to a half.
    assert np.abs(np.mean(found, axis=1)).max() < 0.06
    assert np.std(found) < 0.1
