from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.core import part
from accretor.core.errors import HeaderError
from accretor.core.mosaic import lay_out
from accretor.core.readout import Section

SIZE = {"NAXIS1": 40, "NAXIS2": 20}


def cards(place, data="[1:32,1:20]", **more):
    return {**SIZE, "DETSEC": place, "DATASEC": data, "BIASSEC": "[35:40,1:20]", "GAIN": 2.0, **more}


FOUR = [
    (1, 0, cards("[1:32,1:20]")),
    (2, 0, cards("[64:33,1:20]", GAIN=2.5, RDNOISE=9.0)),
    (3, 0, cards("[64:33,40:21]")),
    (4, 0, cards("[1:32,40:21]")),
]


def test_four_amplifiers_meet_in_the_middle_and_are_mirrored_towards_it():
    found = lay_out({"RDNOISE": 7.0, "SATURATE": 40_000}, FOUR)

    assert (found.width, found.height) == (64, 40)
    assert [item.place for item in found.amplifiers] == [
        Section(0, 32, 0, 20),
        Section(32, 64, 0, 20),
        Section(32, 64, 20, 40),
        Section(0, 32, 20, 40),
    ]
    assert [item.is_mirrored for item in found.amplifiers] == [
        (False, False),
        (True, False),
        (True, True),
        (False, True),
    ]
    assert [item.gain for item in found.amplifiers] == [2.0, 2.5, 2.0, 2.0]
    assert found.read_noise == pytest.approx(math.sqrt((3 * 49 + 81) / 4))
    assert found.saturation == 80_000
    assert found.is_levelled


def test_what_trimsec_takes_off_leaves_the_rest_in_its_place():
    # Two columns at the reading end and one row at the top are cut; the mirrored piece keeps its middle edge.
    trimmed = [(hdu, plane, {**one, "TRIMSEC": "[3:32,1:19]"}) for hdu, plane, one in FOUR[:2]]

    found = lay_out({}, trimmed)

    assert [item.data for item in found.amplifiers] == [Section(2, 32, 0, 19)] * 2
    assert [item.place for item in found.amplifiers] == [Section(0, 30, 0, 19), Section(30, 60, 0, 19)]


def test_middle_of_the_detector_binned_by_two_begins_at_its_own_first_pixel():
    one = cards("[1025:1088,2001:2040]", CCDSUM="2 2")
    other = cards("[1152:1089,2001:2040]", CCDSUM="2 2")

    found = lay_out({}, [(1, 0, one), (2, 0, other)])

    assert (found.width, found.height) == (64, 20)
    assert found.amplifiers[1].place == Section(32, 64, 0, 20)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"DETSEC": ""}, "HDU 2 does not say where on the detector"),
        ({"DETSEC": "[1:32,1:20]"}, "overlap"),
        ({"DETSEC": "[33:65,1:20]"}, "33 pixels of the detector for 32"),
        ({"DETSEC": "[9064:9033,1:20]"}, "cover 1280 of"),
        ({"DETSEC": "somewhere"}, "'somewhere' is not a section"),
        ({"GAIN": 0}, "GAIN: HDU 2 has none"),
    ],
)
def test_amplifiers_that_do_not_fit_are_told(changed, words):
    with pytest.raises(HeaderError, match=words):
        lay_out({}, [FOUR[0], (2, 0, {**FOUR[1][2], **changed})])


def test_overscan_that_is_not_there_is_no_level():
    found = lay_out({}, [(1, 0, cards("[1:32,1:20]", BIASSEC="UNKNOWN"))])

    assert not found.is_levelled
    assert math.isnan(found.saturation)


@given(
    st.lists(st.tuples(st.integers(0, 19), st.integers(0, 9)), min_size=1, max_size=6).map(tuple),
    st.booleans(),
)
def test_text_of_the_amplifiers_is_read_as_it_was_written(pairs, is_levelled):
    written = part.Part(amplifiers=pairs, is_levelled=is_levelled)

    assert part.parse(str(written)) == written
