"""Stars out of focus, made here as rings of known centres, among stars in focus, dust and noise."""

from __future__ import annotations

import numpy as np
import pytest

from accretor.science import rings, sources

SIZE = (400, 600)
OUTER, INNER = 13.0, 5.0
RNG_SEED = 8


def places(n, seed=RNG_SEED):
    rng = np.random.default_rng(seed)
    found = []
    while len(found) < n:
        place = rng.uniform((50, 50), (SIZE[1] - 51, SIZE[0] - 51))
        if all(np.hypot(*(place - other)) > 70 for other in found):
            found.append(place)
    return np.array(found)


def field(xy, flux, *, outer=OUTER, inner=INNER, sky=400.0, seed=RNG_SEED):
    """Return a noisy image of discs with holes, on a sky with a slope and the shadow of a speck of dust."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float64)
    image = np.full(SIZE, sky) + 0.1 * columns
    for (x, y), light in zip(xy, flux, strict=True):
        distance = np.hypot(columns - x, rows - y)
        disc = np.clip(outer + 0.5 - distance, 0, 1) * np.clip(distance - inner + 0.5, 0, 1)
        image += light * disc / disc.sum()
    # A shadow of dust is a ring too, but a dark one.
    image *= 1 - 0.1 * (np.abs(np.hypot(columns - 300, rows - 200) - 9) < 3)
    return (image + rng.normal(0, np.sqrt(image))).astype(np.float32)


def test_rings_are_found_at_their_centres_and_with_their_width():
    xy, flux = places(9), np.geomspace(2e6, 6e4, 9)

    found = rings.find(field(xy, flux))

    assert found is not None
    assert len(found.x) == 9
    np.testing.assert_allclose(np.column_stack([found.x, found.y]), xy, atol=0.4)
    np.testing.assert_allclose(found.width, 2 * OUTER + 1, atol=1.5)
    np.testing.assert_allclose(found.flux, flux, rtol=0.05)


@pytest.mark.parametrize("fwhm", [3.0, 9.0, 20.0])
def test_stars_without_a_hole_are_no_rings(fwhm):
    xy, flux = places(9), np.geomspace(2e6, 6e4, 9)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    image = np.full(SIZE, 400.0)
    for (x, y), light in zip(xy, flux, strict=True):
        image += light / (1.1331 * fwhm**2) * np.exp2(-4 * ((columns - x) ** 2 + (rows - y) ** 2) / fwhm**2)
    image += np.random.default_rng(1).normal(0, np.sqrt(image))

    assert rings.find(image.astype(np.float32)) is None


def test_field_without_stars_has_no_rings():
    assert rings.find(field(np.zeros((0, 2)), [])) is None


def test_frame_out_of_focus_gives_its_stars_and_their_width():
    xy, flux = places(9), np.geomspace(2e6, 6e4, 9)
    image = field(xy, flux)

    stars = sources.detect(image)
    quality = sources.frame_quality(image, stars)

    np.testing.assert_allclose(stars.xy, xy, atol=0.4)
    assert quality.n_star == 9
    assert quality.fwhm == pytest.approx(2 * OUTER + 1, abs=1.5)


def test_stars_in_focus_are_found_as_before_though_there_are_few():
    xy, flux = places(9), np.geomspace(2e6, 6e4, 9)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    image = np.full(SIZE, 400.0)
    for (x, y), light in zip(xy, flux, strict=True):
        image += light / 10.2 * np.exp2(-4 * ((columns - x) ** 2 + (rows - y) ** 2) / 9)
    image += np.random.default_rng(1).normal(0, np.sqrt(image))

    stars = sources.detect(image.astype(np.float32))

    np.testing.assert_allclose(stars.xy, xy, atol=0.1)
    assert np.median(stars.fwhm) == pytest.approx(3, abs=0.5)


@pytest.mark.parametrize("seed", range(12))
def test_sharp_stars_that_stand_together_are_no_rings(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(10, 28))
    xy, flux = rng.uniform((8, 8), (191, 151), (n, 2)), np.geomspace(3e5, 1e4, n)
    rows, columns = np.mgrid[:160, :200]
    image = np.full((160, 200), 90.0)
    for (x, y), light in zip(xy, flux, strict=True):
        image += light / (1.1331 * 16) * np.exp2(-4 * ((columns - x) ** 2 + (rows - y) ** 2) / 16)
    image += rng.normal(0, np.sqrt(image))

    assert rings.find(image.astype(np.float32)) is None
    assert np.median(sources.detect(image.astype(np.float32)).fwhm) == pytest.approx(4, abs=0.8)
