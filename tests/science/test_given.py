"""Masters of other programs: what was done to them before is found out of their level, and said."""

from __future__ import annotations

import numpy as np
import pytest

from accretor.core.errors import Unusable
from accretor.science import given

RNG = np.random.default_rng(3)
BIAS = (1000 + RNG.normal(0, 2, (40, 50))).astype(np.float32)
CURRENT = (8 + RNG.normal(0, 1.0, (40, 50))).astype(np.float32)
CURRENT[5, 7] = 900
RESPONSE = (1 + RNG.normal(0, 0.01, (40, 50))).astype(np.float32)
RESPONSE /= np.median(RESPONSE)


def test_master_from_0_to_1_becomes_adu():
    image, said = given.bias(BIAS / np.float32(65535), is_levelled=False)

    np.testing.assert_allclose(image, BIAS, rtol=1e-5)
    assert said == "from 0 to 1, multiplied by 65535 to 1000 ADU"


def test_master_in_adu_stays_as_it_is_even_if_it_is_near_to_0():
    low = RNG.normal(0, 1.5, (40, 50)).astype(np.float32).clip(max=0.9)

    for image in (BIAS, low):
        found, said = given.bias(image, is_levelled=False)
        np.testing.assert_array_equal(found, image)
        assert said == ""


@pytest.mark.parametrize(
    ("image", "is_off", "said"),
    [
        (CURRENT, True, "its bias is off, by its header"),
        (CURRENT, False, "its bias is off, for its level is 8.001 ADU, that of the bias 1000"),
        (CURRENT - 8, False, "its bias is off, for 50 % of its pixels are below 0"),
        (CURRENT + BIAS, False, "its bias was in it and is taken off, for its level is 1008 ADU"),
        ((CURRENT + BIAS) / 65535, False, "multiplied by 65535 to 1008 ADU; its bias was in it"),
    ],
)
def test_dark_has_its_bias_off_whether_or_not_it_was(image, is_off, said):
    found, sentence = given.dark(image.astype(np.float32), BIAS, is_off=is_off, is_levelled=False)

    uniform = np.median(found - CURRENT)  # the third lacks a level that is the same everywhere
    np.testing.assert_allclose(found - uniform, CURRENT, atol=0.01)
    assert uniform == pytest.approx(-8 if "50 %" in said else 0, abs=0.01)
    assert said in sentence


def test_dark_whose_level_tells_nothing_is_refused_with_both_levels():
    with pytest.raises(Unusable, match="its level is 708 ADU, that of the bias 1000: is the bias off or not"):
        given.dark(CURRENT + 700, BIAS, is_off=False, is_levelled=False)


def test_dark_without_its_bias_is_refused_where_frames_keep_theirs():
    with pytest.raises(Unusable, match="50 % of its pixels are below 0, and there is no bias"):
        given.dark(CURRENT - 8, None, is_off=False, is_levelled=False)


def test_level_of_masters_goes_where_that_of_the_frames_does():
    pattern = BIAS - np.median(BIAS)

    bias, said = given.bias(BIAS, is_levelled=True)
    dark, said_of_dark = given.dark(CURRENT + BIAS, bias, is_off=False, is_levelled=True)

    np.testing.assert_allclose(bias, pattern, atol=1e-3)
    np.testing.assert_allclose(dark - np.median(dark), CURRENT - np.median(CURRENT), atol=0.2)
    assert "its level of 1000 ADU is taken off, as the overscan" in said
    assert "its level of 1008 ADU is taken off" in said_of_dark


@pytest.mark.parametrize(
    ("image", "is_off", "said"),
    [
        (RESPONSE, False, "a response of median 1: its bias is taken as off"),
        (RESPONSE * 0.4, False, "a response of median 0.4"),
        (RESPONSE * 20000, True, "its bias is off, by its header"),
        (RESPONSE * 20000, False, "wrong by up to 5.0 %"),
    ],
)
def test_flat_becomes_a_response_of_median_1(image, is_off, said):
    found, sentence = given.flat(image, BIAS, is_off=is_off)

    np.testing.assert_allclose(found, RESPONSE, rtol=1e-5)
    assert said in sentence


def test_pixels_of_a_flat_darker_than_the_bias_prove_that_the_bias_is_off():
    image = RESPONSE * 20000
    image[3, 3] = 120
    image[4, 4] = np.nan

    found, sentence = given.flat(image, BIAS, is_off=False)

    assert "its bias is off, for its darkest pixels are below that" in sentence
    assert found[4, 4] == 0


def test_flat_without_light_is_refused():
    with pytest.raises(Unusable, match="no light"):
        given.flat(np.zeros((4, 4), np.float32), None, is_off=True)
