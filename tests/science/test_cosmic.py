from __future__ import annotations

import numpy as np
import pytest

from accretor.science import cosmic

N_FRAME, N_STAR = 80, 25
RADII = np.array([2.5, 4.5, 9.0])
SKY = 60.0
"""Variance of a pixel, electron^2."""


def night(seed=1, seeing=0.05):
    """Return flux, error and peak of a night of Gaussian stars in a changing seeing, with clouds."""
    rng = np.random.Generator(np.random.PCG64(seed))
    level = np.geomspace(3e4, 6e5, N_STAR)
    sigma = 1.6 * np.exp(seeing * np.cumsum(rng.standard_normal(N_FRAME)) / 3)[:, np.newaxis]
    light = level * rng.uniform(0.6, 1.0, N_FRAME)[:, np.newaxis]
    part = 1 - np.exp(-((RADII / sigma[..., np.newaxis]) ** 2) / 2)
    expected = light[:, :, np.newaxis] * part
    # The ring between the apertures has light and noise of its own.
    ring = np.diff(expected, axis=2, prepend=0.0)
    area = np.pi * np.diff(RADII**2, prepend=0.0)
    noise = np.sqrt(ring + area * SKY)
    flux = np.cumsum(ring + noise * rng.standard_normal(ring.shape), axis=2)
    error = np.sqrt(np.cumsum(noise**2, axis=2))
    core = light / (2 * np.pi * sigma**2)
    peak = core * (1 + 0.02 * rng.standard_normal(core.shape)) + np.sqrt(SKY) * rng.standard_normal(
        core.shape
    )
    return flux, error, peak


def struck(flux, peak, frame, star, electrons, ring):
    """Add light to the core (ring 0), or between two apertures, or outside of the chosen one."""
    flux[frame, star, ring:] += electrons
    if ring == 0:
        peak[frame, star] += 0.7 * electrons
    return flux, peak


def test_quiet_nights_have_no_hits():
    n_found = sum(cosmic.hits(*night(seed), chosen=1).sum() for seed in range(10))

    # 20,000 points; 3.5 and 4.5 sigma together by chance are far rarer.
    assert n_found <= 4


@pytest.mark.parametrize("ring", [0, 1])
def test_hits_that_matter_are_found(ring):
    rng = np.random.Generator(np.random.PCG64(9))
    n_found = n_false = 0
    for seed in range(12):
        flux, error, peak = night(seed)
        places = {(int(rng.integers(1, N_FRAME - 1)), int(rng.integers(5, N_STAR))) for _ in range(6)}
        for frame, star in places:
            electrons = 8 * max(error[frame, star, 1], 0.003 * flux[frame, star, 0])
            struck(flux, peak, frame, star, electrons, ring)
        found = cosmic.hits(flux, error, peak, chosen=1)
        n_found += sum(found[place] for place in places) / len(places) / 12
        n_false += found.sum() - sum(found[place] for place in places)

    assert n_found > 0.95
    assert n_false <= 4


def test_hits_outside_of_the_aperture_cost_no_point():
    flux, error, peak = night(5)
    struck(flux, peak, 40, 15, 0.05 * flux[40, 15, 2], 2)

    assert not cosmic.hits(flux, error, peak, chosen=1)[40, 15]


def test_transit_flare_and_cloud_are_no_hits():
    flux, error, peak = night(3)
    dip = np.where((np.arange(N_FRAME) > 30) & (np.arange(N_FRAME) < 50), 0.97, 1.0)
    flux[:, 20] *= dip[:, np.newaxis]
    peak[:, 20] *= dip
    flux[60, 22] *= 1.05  # brighter, and of the same shape
    peak[60, 22] *= 1.05

    assert cosmic.hits(flux, error, peak, chosen=1)[:, [20, 22]].sum() == 0


def test_stars_that_were_not_measured_are_not_hit():
    flux, error, peak = night(4)
    flux[10:20, 3] = np.nan
    peak[:, 5] = np.nan
    flux[:, 6] = np.nan

    found = cosmic.hits(flux, error, peak, chosen=1)

    assert not found[10:20, 3].any()
    assert not found[:, 6].any()
    assert found.shape == (N_FRAME, N_STAR)
