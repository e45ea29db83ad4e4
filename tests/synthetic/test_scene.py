from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from photutils.aperture import CircularAperture, aperture_photometry

from accretor.synthetic import scene
from accretor.synthetic.night import BadFrame, Cloud, Night, Transit
from accretor.synthetic.scene import Scene


def aperture_sum(image, position, radius):
    return aperture_photometry(image, CircularAperture(position, radius))["aperture_sum"][0]


def test_stars_without_noise_have_their_fluxes():
    night = Night(n_star=4, isolation=90.0, n_frame=3, seed=3, size=(420, 340))
    made = scene.prepare(night)
    seen = 0
    for index in range(night.n_frame):
        image = scene.starlight(made, index)
        room = 6.5 * made.fwhm[index]
        for position, flux in zip(scene.positions(made, index), scene.fluxes(made, index), strict=True):
            if np.all(position > room) and np.all(position < np.array(night.size) - 1 - room):
                assert aperture_sum(image, position, room) == pytest.approx(flux, rel=1e-3)
                seen += 1
    assert seen >= 6


def test_transit_without_limb_darkening_is_as_deep_as_the_planet_is_wide():
    night = Night(
        transit=Transit(limb_darkening=(0.0, 1.0)),
        extinction=0.0,
        scintillation=0.0,
        seeing_scatter=0.0,
        n_star=1,
        size=(100, 80),
        drift=(3.0, 2.0),
    )
    made = scene.prepare(night)
    indices = [0, 1, 27, 28, 29, 54, 55]
    flux = np.array([scene.starlight(made, index).sum() for index in indices])

    assert 1 - flux[2:5].mean() / flux[[0, 1, 5, 6]].mean() == pytest.approx(0.105**2, rel=2e-3)
    np.testing.assert_allclose(made.transit[27:30], 1 - 0.105**2, rtol=0, atol=1e-7)


def test_cloud_takes_the_same_part_of_all_stars(prepared: Scene):
    clear = scene.prepare(replace(prepared.night, cloud=None))
    for index in range(prepared.night.n_frame):
        ratio = scene.fluxes(prepared, index) / scene.fluxes(clear, index)
        np.testing.assert_allclose(ratio, prepared.transparency[index], rtol=1e-12)

    # The cloud is thickest one hour after the start: 90 s into the fourth frame's exposure is 1.025 h.
    assert prepared.transparency[3] == pytest.approx(1 - 0.5 * np.exp(-0.5 * (1.5 / 15) ** 2))
    assert np.argmin(prepared.transparency) == 3


def test_extinction_follows_airmass_and_second_order_the_colour():
    quiet = Night(n_frame=5, cadence=3600.0, scintillation=0.0, transit=Transit(rp_rs=0.0), n_star=10)
    plain = scene.prepare(quiet)
    coloured = scene.prepare(replace(quiet, colour_extinction=-0.03))
    for index in range(5):
        above = plain.airmass[index] - 1
        magnitude = -2.5 * np.log10(scene.fluxes(plain, index) / plain.flux)
        second = -2.5 * np.log10(scene.fluxes(coloured, index) / scene.fluxes(plain, index))
        np.testing.assert_allclose(magnitude, 0.10 * above, atol=1e-12)
        np.testing.assert_allclose(second, -0.03 * plain.colour * above, atol=1e-12)
    assert plain.colour[0] == 0


def test_field_drifts_from_frame_to_frame():
    made = scene.prepare(Night(n_frame=9, drift=(16.0, -8.0), jitter=0.0, n_star=8))
    first, last = scene.positions(made, 0), scene.positions(made, 8)

    np.testing.assert_allclose(last - first, np.tile([16.0, -8.0], (8, 1)))
    for index in (0, 8):
        image = scene.starlight(made, index)
        x, y = scene.positions(made, index)[0]
        assert (
            image[round(y), round(x)] == image[round(y) - 4 : round(y) + 5, round(x) - 4 : round(x) + 5].max()
        )


def test_field_is_turned_after_the_meridian(prepared: Scene):
    before = scene.positions(prepared, 8) - prepared.shift[8]
    after = scene.positions(prepared, 9) - prepared.shift[9]

    np.testing.assert_allclose(before + after, np.tile([199.0, 149.0], (15, 1)))


def test_stars_stay_on_the_frame_and_away_from_the_target(prepared: Scene):
    apart = np.hypot(*(prepared.position[1:] - prepared.position[0]).T)
    assert apart.min() >= prepared.night.isolation
    for index in range(prepared.night.n_frame):
        place = scene.positions(prepared, index)
        assert place.min() > 6
        assert np.all(place < np.array(prepared.night.size) - 7)


def test_stars_twinkle_each_for_itself_as_much_as_osborn_says():
    night = Night(n_frame=60, cadence=60.0, exposure=20.0, n_star=40)
    made = scene.prepare(night)
    # 1e-5 1.56^2 0.4^(-4/3) / 20 exp(-2 2390 / 8000), at airmass 1 and then by its 1.5th power.
    zenith = np.sqrt(1e-5 * 2.4336 * 3.393 / 20 * 0.5502)
    twinkle = (made.scintillation - 1) / made.airmass[:, np.newaxis] ** 1.5

    assert np.std(twinkle) == pytest.approx(zenith, rel=0.05)
    correlation = np.corrcoef(twinkle.T)
    assert abs(correlation[np.triu_indices(40, 1)].mean()) < 0.02


def test_trailed_frame_has_long_stars_of_the_same_flux():
    night = Night(n_frame=2, n_star=1, size=(200, 160), bad_frame=BadFrame(1), scintillation=0.0)
    made = scene.prepare(night)
    good, bad = scene.starlight(made, 0), scene.starlight(made, 1)

    assert bad.sum() == pytest.approx(good.sum(), rel=5e-3)
    assert bad.max() < 0.3 * good.max()
    columns = np.arange(200.0)
    spread = [np.sqrt(np.average((columns - 100) ** 2, weights=i.sum(axis=0))) for i in (good, bad)]
    assert spread[1] > 2 * min(spread[0], 6)


def test_closed_shutter_gives_a_dark_frame():
    night = Night(n_frame=2, bad_frame=BadFrame(0, "shutter"))
    made = scene.prepare(night)

    assert not scene.starlight(made, 0).any()
    assert np.median(scene.light(made, 0)) < np.median(scene.light(made, 1)) - 50


def test_frame_does_not_depend_on_how_it_was_come_to(prepared: Scene):
    alone = scene.light(prepared, 4)
    for other in (0, 7, 3):
        scene.light(prepared, other)

    np.testing.assert_array_equal(scene.light(scene.prepare(prepared.night), 4), alone)


def test_other_seed_makes_another_field_and_another_noise(prepared: Scene):
    other = scene.prepare(replace(prepared.night, seed=6))

    assert not np.allclose(other.position[1:], prepared.position[1:])
    np.testing.assert_array_equal(other.position[0], prepared.position[0])
    assert not np.array_equal(scene.bias(other, 0), scene.bias(prepared, 0))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"n_star": 400}, "has room for"),
        ({"drift": (900.0, 0.0)}, "is not on a frame"),
        ({"n_frame": 0}, "needs a light frame"),
    ],
)
def test_night_that_cannot_be_is_refused(change, reason):
    with pytest.raises(ValueError, match=reason):
        scene.prepare(replace(Night(size=(160, 120)), **change))


def test_clear_night_lets_all_light_through():
    made = scene.prepare(Night(n_frame=3, cloud=None, n_star=5))

    np.testing.assert_array_equal(made.transparency, 1.0)
    assert scene.prepare(Night(n_frame=3, n_star=5, cloud=Cloud(hour=0.0))).transparency[0] < 0.7
