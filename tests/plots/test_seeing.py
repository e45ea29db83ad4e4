from __future__ import annotations

import numpy as np
import pytest

from accretor.plots import style
from accretor.plots.seeing import radial_profile, seeing_profile

FWHM, PEAK, SKY = 4.0, 5000.0, 320.0


def cutout(size=81, centre=(40.3, 39.6), seed=2):
    rows, columns = np.indices((size, size))
    distance = np.hypot(columns - centre[0], rows - centre[1])
    noise = 18 * np.random.Generator(np.random.PCG64(seed)).standard_normal((size, size))
    return SKY + PEAK * 2.0 ** (-((2 * distance / FWHM) ** 2)) + noise


def draw(**changes):
    arguments = {
        "x": 40.3, "y": 39.6, "radius": 6.0, "sky_inner": 14.0, "sky_outer": 30.0, "fwhm_px": FWHM,
        "pixel_scale": 0.86, "title": "TIC 1.01 seeing profile", "centre": (425.3, 287.1), **changes,
    }  # fmt: skip
    return seeing_profile(
        changes.pop("image", cutout()), **{k: v for k, v in arguments.items() if k != "image"}
    )


def test_two_renders_give_the_same_bytes():
    assert style.save(draw()) == style.save(draw())


def test_numbers_and_units_are_shown(words_of):
    words = words_of(draw())

    for text in (
        "FITS Center: (425.30, 287.10)", "FWHM: 4.00 [pixels] : 3.44 [arcsec]", "HWHM\n2.00 px",
        "Radius\n6.0 px", "Back>\n14.0 px", "<Back\n30.0 px", "SOURCE", "BACKGROUND", "Radius (pixel)",
    ):  # fmt: skip
        assert text in words


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"radius": 2.0, "sky_inner": 30.0, "sky_outer": 36.0},
        {"radius": 5.0, "sky_inner": 5.5, "sky_outer": 36.0},
        {"fwhm_px": None, "pixel_scale": None, "centre": None},
        {"title": "TIC 292152376.01 " * 12},
    ],
)
def test_no_text_touches_another_or_leaves_the_page(is_legible, changes):
    is_legible(draw(**changes))


def test_without_a_fwhm_none_is_claimed(words_of):
    words = words_of(draw(fwhm_px=float("nan")))

    assert "FWHM: not measured" in words
    assert "HWHM" not in words
    assert "nan" not in words


def test_half_maximum_meets_the_profile_at_half_the_fwhm():
    _, _, radius, mean, peak = radial_profile(cutout(), 40.3, 39.6, sky_inner=14, sky_outer=30)

    assert 2 * np.interp(-0.5, -mean[:6] * peak / PEAK, radius[:6]) == pytest.approx(FWHM, abs=0.15)
    assert mean.max() == 1


def test_profile_is_free_of_the_sky_and_falls_to_zero():
    radius, value, ring_radius, mean, _ = radial_profile(cutout(), 40.3, 39.6, sky_inner=14, sky_outer=30)

    assert abs(value[radius > 14].mean()) < 3 * 18 / PEAK / np.sqrt(np.sum(radius > 14)) + 0.001
    np.testing.assert_allclose(mean[ring_radius > 8], 0, atol=5 * 18 / PEAK / np.sqrt(50))
    assert ring_radius.max() <= 33


def test_a_star_with_bad_pixels_is_drawn(is_legible):
    image = cutout()
    image[40, 38:45] = np.nan

    is_legible(draw(image=image))


def test_an_image_without_a_number_is_refused():
    with pytest.raises(ValueError, match="finite pixel"):
        draw(image=np.full((81, 81), np.nan))
