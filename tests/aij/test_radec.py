from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.aij import radec
from accretor.aij.radec import Aperture
from accretor.core.errors import Unusable

apertures = st.builds(
    Aperture,
    ra=st.floats(0, 360),
    dec=st.floats(-90, 90),
    is_comparison=st.booleans(),
    recentre=st.booleans(),
    magnitude=st.floats(-2, 25) | st.just(math.nan),
)


@given(st.lists(apertures, max_size=6))
def test_apertures_come_back_to_the_digits_of_the_format(written):
    back = radec.parse(radec.write(written).decode())

    assert len(back) == len(written)
    for one, other in zip(back, written, strict=True):
        # 0.5 ms of right ascension is 7.5 mas, 5 mas of declination.
        assert abs((one.ra - other.ra + 180) % 360 - 180) < 0.0076 / 3600
        assert abs(one.dec - other.dec) < 0.0051 / 3600
        assert (one.is_comparison, one.recentre) == (other.is_comparison, other.recentre)
        assert one.magnitude == pytest.approx(other.magnitude, abs=6e-4, nan_ok=True)


@given(st.lists(apertures, max_size=3))
def test_writing_twice_gives_the_same_bytes(written):
    once = radec.write(written)
    assert radec.write(radec.parse(once.decode())) == once


def test_a_line_looks_as_astroimagej_writes_it():
    stars = [
        Aperture(303.381370833, 65.16290833, is_comparison=False),
        Aperture(303.7038125, 65.1820667, is_comparison=True, recentre=False, magnitude=12.345),
    ]

    lines = [line for line in radec.write(stars).decode().splitlines() if not line.startswith("#")]

    assert lines == [
        "20:13:31.529, +65:09:46.47, 0, 1, 99.999",
        "20:14:48.915, +65:10:55.44, 1, 0, 12.345",
    ]


def test_seconds_carry_into_minutes_and_hours():
    line = radec.write([Aperture(359.9999999, -0.9999999, is_comparison=False)]).decode().splitlines()[-1]

    assert line.startswith("00:00:00.000, -01:00:00.00")


def test_declinations_just_below_the_equator_keep_their_sign():
    (back,) = radec.parse("1:00:00, -00:00:30.0")
    assert back.dec == pytest.approx(-30 / 3600)


def test_missing_flags_mean_first_target_then_comparison_stars():
    found = radec.parse("# comment\n1.5, 2\n\n2:30:00, -3:00:00,,0\n3,4,0,1,99.999\n")

    assert radec.names(found) == ("T1", "C2", "T3")
    assert [star.recentre for star in found] == [True, False, True]
    assert found[0].ra == 22.5
    assert math.isnan(found[2].magnitude)


@pytest.mark.parametrize("line", ["nonsense", "1,2x", "25:00:00, 1", "1, 91", "1"])
def test_a_line_that_is_no_position_is_named(line):
    with pytest.raises(Unusable, match="line 2"):
        radec.parse(f"#head\n{line}\n")


@pytest.mark.parametrize(("ra", "dec"), [(math.nan, 0), (0, 90.1), (math.inf, 0)])
def test_what_is_no_position_is_not_written(ra, dec):
    with pytest.raises(ValueError, match="position"):
        radec.write([Aperture(ra, dec, is_comparison=False)])
