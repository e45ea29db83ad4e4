from __future__ import annotations

import math

import numpy as np
import pytest

from accretor.core.errors import Unusable
from accretor.science import aperture, circles, optimal

RADII = np.array([3.0, 7.0])
X, Y = (grid.ravel() for grid in np.meshgrid(25.0 + 37.3 * np.arange(5), 25.0 + 37.7 * np.arange(5)))
ALL = np.ones(25, dtype=bool)


def measure(image, **weights):
    return aperture.measure(
        image, image, X, Y, radii=RADII, annulus=(13.0, 18.0), fwhm=4.0, gain=1.0, read_noise=8.0,
        recentre=~ALL, saturation=math.inf, **weights,
    )  # fmt: skip


def field(draw, flux, fwhm=4.0):
    width = np.broadcast_to(fwhm, 25)
    return sum(draw((200, 200), X[[i]], Y[[i]], flux[[i]], width[i]) for i in range(25)) + 400


def chosen(draw, expose, flux, fwhm=4.0):
    image = expose(field(draw, flux, fwhm), seed=1)
    profile = optimal.fitted(image, X[:15], Y[:15], 4.0)
    found = [measure(image, profile=profile, turn=np.full(25, turn)) for turn in optimal.TURNS]
    return optimal.choose(
        np.array([one.flux[:, 1] for one in found]),
        np.array([one.flux_error[:, 1] for one in found]),
        X,
        Y,
        ALL,
    )


def bright_and_faint():
    return np.where(np.arange(25) < 15, 4e6, 4e3)


def test_faint_stars_are_weighted_by_the_profile_and_bright_ones_hardly(draw, expose):
    found = chosen(draw, expose, bright_and_faint())

    assert found.misfit < 0.003
    assert (found.turn[15:] >= 1).all()
    assert (found.turn[:15] < 0.05).all()


def test_where_stars_differ_from_the_profile_none_is_weighted_that_would_lose(draw, expose):
    # 4e5 electrons: noise of 2 ppt, beside which the profile would put 5 per cent.
    flux = np.where(np.arange(25) < 15, 4e6, 4e5)
    fwhm = np.random.Generator(np.random.PCG64(2)).uniform(3.6, 4.4, 25)

    found = chosen(draw, expose, flux, fwhm)

    assert found.misfit > 0.02
    assert (found.turn == 0).all()


def test_without_a_bright_star_nothing_is_weighted(draw, expose):
    found = chosen(draw, expose, np.full(25, 1e3))

    assert (found.turn == 0).all()
    assert found.misfit == math.inf


def test_the_profile_of_a_frame_is_that_of_its_stars_as_pixels_see_them(draw):
    found = optimal.fitted(field(draw, np.full(25, 1e5)), X, np.where(X < 30, np.nan, Y), 5.0)
    expected = draw((41, 41), [20.0], [20.0], [1.0], 4.0)

    rows, columns = np.mgrid[-20:21, -20:21].astype(np.float64)
    np.testing.assert_allclose(found.at(columns, rows), expected, atol=5e-3 * expected.max())


def test_weights_of_a_wrong_profile_give_the_light_of_plain_sums(draw):
    image = field(draw, bright_and_faint())
    image += 0.05 * (image - 400) * np.linspace(-1, 1, 200)[:, np.newaxis]
    profile, turn = circles.Profile(4.6, 3.0), np.where(np.arange(25) < 15, 0.0, 16.0)

    plain = measure(image)
    found = measure(image, profile=profile, turn=turn)
    gauged = optimal.gauged(found, image, ALL, RADII, profile, turn)

    off = found.flux / plain.flux - 1
    assert np.abs(off[15:]).min() > 0.02
    # What the star's place in the pixel does with a wrong profile is left.
    np.testing.assert_allclose(gauged.flux, plain.flux, rtol=0.01)
    np.testing.assert_allclose(gauged.flux_error / found.flux_error, gauged.flux / found.flux)
    np.testing.assert_allclose(gauged.flux[:15], plain.flux[:15], rtol=1e-12)


def test_seeing_that_changes_does_not_move_weighted_stars_against_plain_ones(draw):
    turn = np.where(np.arange(25) < 15, 0.0, 16.0)
    ratio = []
    for fwhm in (3.5, 4.5):
        image = field(draw, bright_and_faint(), fwhm)
        found = measure(image, profile=circles.Profile(4.0), turn=turn)
        flux = optimal.gauged(found, image, ALL, RADII, circles.Profile(4.0), turn).flux
        ratio.append(np.median(flux[15:], axis=0) / np.median(flux[:15], axis=0))

    np.testing.assert_allclose(ratio[0], ratio[1], rtol=0.004)


def test_a_frame_without_a_bright_star_alone_cannot_be_gauged(draw):
    image = field(draw, bright_and_faint())
    profile, turn = circles.Profile(4.1), np.full(25, 16.0)

    with pytest.raises(Unusable, match="no bright star"):
        optimal.gauged(measure(image, profile=profile, turn=turn), image, ~ALL, RADII, profile, turn)


def test_places_off_the_frame_are_no_gauge(draw):
    image = field(draw, bright_and_faint())
    place = np.array([[X[0], Y[0]], [-40.0, 30.0], [30.0, 900.0]])

    x, y, sky = optimal.with_sky(image, place, (13.0, 18.0), np.zeros(image.shape, dtype=bool))

    assert (x.tolist(), y.tolist()) == ([X[0]], [Y[0]])
    assert sky[0] == pytest.approx(measure(image).sky[0], rel=1e-3)
