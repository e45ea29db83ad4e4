from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from accretor.core.readout import Readout, Section
from accretor.science import calibrated, detector, geometry, sources
from accretor.science.calibrated import Calibrated
from accretor.science.detector import Masters

SHAPE = (150, 131)
RNG = np.random.Generator(np.random.PCG64(11))
RAW = RNG.integers(900, 60000, SHAPE).astype(np.uint16)
BIAS, DARK = RNG.normal(1000, 5, (2, *SHAPE)).astype(np.float32)
FLAT = RNG.normal(1, 0.05, SHAPE).astype(np.float32)
FLAT[3, 4] = 0.0
ALL = Masters(bias=BIAS, dark=DARK, dark_exposure=20.0, flat=FLAT)


def view(masters, raw=RAW, mended=None):
    flat = None if masters.flat is None else calibrated.response(masters.flat, 1.7)
    return Calibrated(raw, masters, 30.0, 1.7, flat, mended=mended)


@pytest.mark.parametrize("kind", ["u1", "i2", "u2", "i4", "f4", "f8"])
@pytest.mark.parametrize("left_out", [(), ("bias",), ("dark",), ("flat",), ("bias", "dark", "flat")], ids=str)
def test_pixels_are_those_of_a_whole_reduction(kind, left_out):
    masters = dataclasses.replace(ALL, **dict.fromkeys(left_out))
    raw = (RAW % 251).astype(kind)

    found = view(masters, raw).image()

    expected = detector.reduce(raw, masters, exposure=30.0, gain=1.7)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=2e-3)


def test_no_master_is_left_out_of_account():
    used = {"bias", "dark", "dark_exposure", "flat"}

    assert {field.name for field in dataclasses.fields(Masters)} == used | {"bad", "readout"}


def test_parts_are_parts_of_the_whole():
    image = view(ALL)
    whole = image.image()
    columns, rows = geometry.stamp_pixels(np.array([3.0, 60.2, 130.0]), np.array([75.0, 0.0, 149.9]), 6)

    np.testing.assert_array_equal(image.rows(37, 91), whole[37:91])
    np.testing.assert_array_equal(
        geometry.stamps(image, columns, rows)[0], geometry.blocks(whole, columns, rows)
    )
    some = np.array([5, 80, 149]), np.array([0, 130])
    np.testing.assert_array_equal(image.grid(*some), whole[np.ix_(*some)])
    for factor in (2, 3):
        np.testing.assert_array_equal(image.binned(factor), geometry.bin_image(whole, factor))


@pytest.mark.parametrize("left_out", [(), ("bias",), ("dark",)], ids=str)
def test_bias_and_dark_as_one_give_the_same_bits(left_out):
    masters = dataclasses.replace(ALL, **dict.fromkeys(left_out))
    image = view(masters)
    columns, rows = geometry.stamp_pixels(np.array([60.0]), np.array([40.0]), 6)

    at_once = dataclasses.replace(image, zero=calibrated.zero_level(masters, 30.0))

    np.testing.assert_array_equal(at_once.image(), image.image())
    np.testing.assert_array_equal(at_once.blocks(columns, rows), image.blocks(columns, rows))


def test_bad_pixels_take_the_mean_of_the_good_ones_beside_them_wherever_they_are_looked_at():
    bad = np.zeros(SHAPE, dtype=bool)
    bad[[0, 40, 40, 149], [0, 60, 61, 130]] = True
    image = view(ALL, mended=calibrated.repairs(bad))
    plain = view(ALL).image()

    whole = image.image()

    assert whole[40, 60] == whole[40, 61] == 0.5 * (plain[40, 59] + plain[40, 62])
    assert whole[0, 0] == plain[0, 1]
    assert whole[149, 130] == plain[149, 129]
    np.testing.assert_array_equal(whole[~bad], plain[~bad])
    columns, rows = geometry.stamp_pixels(np.array([60.0, 0.0, 130.0]), np.array([40.0, 0.0, 149.0]), 4)
    np.testing.assert_array_equal(
        geometry.stamps(image, columns, rows)[0], geometry.blocks(whole, columns, rows)
    )


def test_a_row_without_a_good_pixel_cannot_be_mended_along_it():
    bad = np.zeros(SHAPE, dtype=bool)
    bad[7] = True

    assert calibrated.repairs(bad) is None


@pytest.mark.parametrize("bad_row", [False, True])
def test_the_stars_are_those_of_the_whole_image(draw, expose, scattered, bad_row):
    xy = scattered(40, (400, 420), 18, seed=5)
    image = expose(draw((400, 420), *xy.T, np.geomspace(3e3, 2e5, 40), 3.2) + 300, seed=6)
    bad = RNG.random((400, 420)) < 1e-3
    bad[200] = bad_row
    raw = np.where(bad, 60000, np.clip(image, 0, 65535)).astype(np.float32)

    found = sources.detect(Calibrated(raw, Masters(), 1.0, 1.0), bad=bad, max_stars=40)
    expected = sources.detect(raw, bad=bad, max_stars=40)

    near = np.hypot(found.x[:, None] - expected.x, found.y[:, None] - expected.y).min(axis=1)
    assert abs(len(found) - len(expected)) <= 1
    assert np.quantile(near, 0.9) < 0.2


READOUT = Readout(
    overscan=Section(0, 9, 0, 150), trim=Section(11, 131, 2, 150), nonlinearity=(0.0, 1.0, 2e-6)
)


@pytest.mark.parametrize("is_filtered", [False, True])
def test_overscan_blind_rims_and_non_linearity_are_those_of_a_whole_reduction(is_filtered):
    readout = dataclasses.replace(READOUT, is_median_filtered=is_filtered)
    part = (slice(2, 150), slice(11, 131))
    masters = Masters(BIAS[part] - 1000, DARK[part], 20.0, FLAT[part], readout=readout)

    found = calibrated.look_at(RAW, masters, 30.0, 1.7, calibrated.response(FLAT[part], 1.7))

    expected = detector.reduce(RAW, masters, exposure=30.0, gain=1.7)
    np.testing.assert_allclose(found.image(), expected, rtol=1e-6, atol=2e-2)
    np.testing.assert_array_equal(found.raw, RAW[part])
    columns, rows = geometry.stamp_pixels(np.array([3.0, 60.2]), np.array([75.0, 0.0]), 6)
    of_whole = geometry.blocks(found.image(), columns, rows)
    np.testing.assert_array_equal(geometry.stamps(found, columns, rows)[0], of_whole)
