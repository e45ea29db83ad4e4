from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.science import plate
from accretor.science.plate import Plate

SHAPE = (800, 1000)
SIP = np.array(
    [[3e-6, -2e-6], [1e-6, 2e-6], [-4e-6, 1e-6], [2e-9, 0.0], [0.0, 1e-9], [1e-9, 2e-9], [0.0, -3e-9]]
)


def make(ra=200.0, dec=-40.0, angle=30.0, sign=-1.0, **changes):
    turn = np.radians(angle)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return Plate((ra, dec), (499.5, 399.5), rotation @ np.diag([sign, 1.0]) * 0.7 / 3600, **changes)


def astropy_wcs(found):
    from astropy.io.fits import Header
    from astropy.wcs import WCS

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return WCS(Header(found.cards(SHAPE)))


def grid():
    x, y = np.meshgrid(np.linspace(0, 999, 7), np.linspace(0, 799, 7))
    return np.column_stack((x.ravel(), y.ravel()))


@pytest.mark.parametrize("bend", [np.zeros((0, 2)), SIP[:3], SIP], ids=["plain", "order 2", "order 3"])
def test_astropy_finds_the_same_directions_and_pixels_from_the_cards(bend):
    found = make(bend=bend, order={0: 1, 3: 2, 7: 3}[len(bend)])
    wcs = astropy_wcs(found)
    sky = wcs.all_pix2world(grid(), 0)

    np.testing.assert_allclose(found.to_sky(grid()), sky, atol=1e-9)
    np.testing.assert_allclose(found.to_pixel(sky), grid(), atol=1e-4)


def test_the_cards_hold_the_way_back_that_other_programs_use():
    found = make(bend=SIP, order=3)
    wcs = astropy_wcs(found)
    straight = wcs.wcs_world2pix(found.to_sky(grid()), 1) - wcs.wcs.crpix  # as if there were no distortion

    np.testing.assert_allclose(wcs.sip_foc2pix(straight, 1) - 1, grid(), atol=0.01)
    assert np.abs(straight + wcs.wcs.crpix - 1 - grid()).max() > 0.3


@given(ra=st.floats(0, 359.999), dec=st.floats(-89.5, 89.5), x=st.floats(0, 999), y=st.floats(0, 799))
def test_to_the_sky_and_back_is_where_one_began_even_at_the_poles(ra, dec, x, y):
    found = make(ra, dec)
    there = found.to_sky(np.array([[x, y]]))

    np.testing.assert_allclose(found.to_pixel(there), [[x, y]], atol=1e-6)
    assert 0 <= there[0, 0] < 360


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_scale_rotation_and_parity_are_told(sign):
    found = make(angle=20.0, sign=sign)

    assert found.scale == pytest.approx(0.7)
    assert found.rotation == pytest.approx(-20.0)
    assert found.is_mirrored == (sign > 0)


@pytest.mark.parametrize("is_affine", [True, False])
def test_a_fit_to_exact_pairs_gives_the_solution_back(is_affine):
    truth = make()
    rough = dataclasses.replace(truth, sky=(200.01, -40.01), cd=truth.cd * 1.01)

    found = plate.fit(grid(), truth.to_sky(grid()), rough, is_affine=is_affine)

    np.testing.assert_allclose(found.to_pixel(truth.to_sky(grid())), grid(), atol=1e-5)
    np.testing.assert_allclose(found.cd, truth.cd, rtol=1e-7, atol=1e-12)


def test_the_reference_point_can_be_moved_without_moving_the_sky():
    truth = make(dec=80.0)
    moved = truth.centred(np.array([100.0, 700.0]))

    assert moved.pixel == (100.0, 700.0)
    np.testing.assert_allclose(moved.to_pixel(truth.to_sky(grid())), grid(), atol=0.01)


def test_the_other_half_of_the_sky_has_no_pixel():
    assert np.isnan(make().to_pixel(np.array([[20.0, 40.0]]))).all()


@pytest.mark.parametrize("bend", [np.zeros((0, 2)), SIP[:3]], ids=["plain", "bent"])
def test_a_solution_goes_through_the_pairs_of_another(bend):
    truth = make(bend=bend, order=2 if len(bend) else 1)
    found = plate.through(grid(), truth.to_sky(grid()), (499.5, 399.5))

    assert found.order == truth.order
    np.testing.assert_allclose(found.to_pixel(truth.to_sky(grid())), grid(), atol=2e-3)


@pytest.mark.parametrize("bend", [np.zeros((0, 2)), SIP[:3], SIP], ids=["plain", "order 2", "order 3"])
@pytest.mark.parametrize("sign", [-1.0, 1.0], ids=["as on the sky", "mirrored"])
def test_a_solution_is_carried_to_a_turned_and_stretched_frame_with_its_distortion(bend, sign):
    found = make(bend=bend, order={0: 1, 3: 2, 7: 3}[len(bend)])
    turn = np.radians(173.0)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [
        [1.002, 0.001],
        [0, sign],
    ]
    shift = np.array([980.0, 770.0])

    carried = found.moved(matrix, shift)

    np.testing.assert_allclose(carried.to_sky(grid()), found.to_sky(grid() @ matrix.T + shift), atol=1e-9)


@pytest.mark.parametrize("bend", [np.zeros((0, 2)), SIP[:3], SIP], ids=["plain", "order 2", "order 3"])
def test_a_solution_is_read_from_its_own_cards(bend):
    found = make(bend=bend, order={0: 1, 3: 2, 7: 3}[len(bend)])

    again = plate.from_cards(found.cards(SHAPE))

    assert again is not None
    np.testing.assert_allclose(again.to_sky(grid()), found.to_sky(grid()), atol=1e-9)


@pytest.mark.parametrize("card", ["PV1_1", "PC1_2", "CDELT1", "LONPOLE"])
def test_a_solution_of_another_kind_is_not_read_as_one_of_ours(card):
    assert plate.from_cards(make().cards(SHAPE) | {card: 0.1}) is None
    assert plate.from_cards(make().cards(SHAPE) | {"CTYPE1": "RA---TPV"}) is None
