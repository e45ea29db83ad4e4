"""What other photometry programs get wrong about errors and widths, and this one must not."""

from __future__ import annotations

import time

import numpy as np
import pytest

from accretor.core.dumps import Column
from accretor.io import exports
from accretor.science import aperture, sources

SHAPE = (300, 400)
FWHM = 4.0


def measured(electrons, gain, x, y, radius=6.0, read_noise=8.0):
    """Measure stars in a scene of expected *electrons*, read out with *gain*."""
    raw = np.round(electrons / gain)
    found = aperture.measure(
        (raw * gain).astype(np.float64),
        raw,
        np.array(x),
        np.array(y),
        radii=np.array([radius]),
        annulus=(16.0, 26.0),
        fwhm=FWHM,
        gain=gain,
        read_noise=read_noise,
        recentre=np.zeros(len(x), dtype=bool),
        saturation=1e9,
    )
    return found.flux[:, 0], found.flux_error[:, 0]


def test_the_error_of_a_star_does_not_depend_on_the_unit_in_which_the_camera_counts(draw):
    rng = np.random.Generator(np.random.PCG64(1))
    scene = rng.poisson(draw(SHAPE, [200.0], [150.0], [30_000.0], FWHM) + 300.0) + rng.normal(0, 8, SHAPE)
    results = [measured(scene, gain, [200.0], [150.0]) for gain in (0.25, 0.5, 1.0)]

    for flux, error in results[1:]:
        assert flux[0] == pytest.approx(results[0][0][0], rel=2e-3)
        assert error[0] == pytest.approx(results[0][1][0], rel=0.02)


def test_errors_are_larger_where_the_sky_is_brighter(draw):
    rng = np.random.Generator(np.random.PCG64(2))
    x = [60.0, 340.0]
    sky = np.linspace(100, 3000, SHAPE[1])[np.newaxis] * np.ones(SHAPE)
    scene = rng.poisson(draw(SHAPE, x, [150.0, 150.0], [8000.0, 8000.0], FWHM) + sky).astype(np.float64)
    _, error = measured(scene, 1.0, x, [150.0, 150.0], read_noise=0.0)
    area = np.pi * 6.0**2
    expected = [np.sqrt(8000 * 0.9 + area * level) for level in (sky[0, 60], sky[0, 340])]

    np.testing.assert_allclose(error, expected, rtol=0.08)
    assert error[1] > 1.7 * error[0]


def test_errors_are_what_repeated_exposures_scatter_by(draw):
    rng = np.random.Generator(np.random.PCG64(3))
    scene = draw(SHAPE, [200.0], [150.0], [20_000.0], FWHM) + 500.0
    found = [
        measured(rng.poisson(scene) + rng.normal(0, 8, SHAPE), 1.0, [200.0], [150.0]) for _ in range(150)
    ]
    flux, error = (np.array([item[k][0] for item in found]) for k in (0, 1))

    assert np.std(flux) == pytest.approx(np.median(error), rel=0.18)


@pytest.mark.parametrize("fwhm", [3.0, 5.0, 7.06])
def test_the_width_of_the_stars_is_not_told_14_percent_too_small(draw, expose, scattered, fwhm):
    place = scattered(25, SHAPE, 24, 5)
    image = expose(draw(SHAPE, place[:, 0], place[:, 1], np.full(25, 60_000.0), fwhm) + 200.0, 6)
    quality = sources.frame_quality(image, sources.detect(image))

    assert quality.fwhm == pytest.approx(np.hypot(fwhm, 2.3548 / np.sqrt(12)), rel=0.04)


def test_the_time_of_an_export_grows_with_the_rows_and_not_with_their_square():
    columns = (Column("star", "int64", ""), Column("flux", "float64", "", "", 4))

    def seconds(n_row):
        rows = [{"star": i, "flux": i / 7} for i in range(n_row)]
        begun = time.process_time()
        exports.to_csv(columns, rows)
        exports.to_json(columns, rows, {})
        return time.process_time() - begun

    seconds(1000)
    few = min(seconds(8_000) for _ in range(3))
    assert min(seconds(32_000) for _ in range(3)) < 8 * few  # 4 if it is linear, 16 if it is not
