from __future__ import annotations

import pytest
from astropy.coordinates import FK5, Angle, SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from accretor.science import angles


@pytest.mark.parametrize(
    ("text", "degree"),
    [
        ("02:04:10.28", 31.042833333),
        ("02 04 10.28", 31.042833333),
        ("2h04m10.28s", 31.042833333),
        ("02:04", 31.0),
        ("31.0428", 31.0428),
        (31.0428, 31.0428),
        (-10, 350.0),
        ("24:00:00", 0.0),
        (360.0, 0.0),
    ],
)
def test_right_ascension_is_read_in_hours_or_degrees(text, degree):
    assert angles.right_ascension(text) == pytest.approx(degree)


@pytest.mark.parametrize(
    ("text", "degree"),
    [
        ("+46:41:16.2", 46.687833333),
        ("-00:30:00", -0.5),
        ("-0 30", -0.5),
        ("46d41m16.2s", 46.687833333),
        ("46°41'16.2\"", 46.687833333),
        ("-22:57:08:99", -22.952497222),
        ("-5.5", -5.5),
        (12, 12.0),
    ],
)
def test_declination_is_read_with_its_sign(text, degree):
    assert angles.declination(text) == pytest.approx(degree)


@pytest.mark.parametrize(
    "text", ["", "x", "25:00:00", "12:60:00", "12:00:60", "1:2:3:4:5", "nan", "inf", 361, float("nan")]
)
def test_what_is_no_right_ascension_is_refused(text):
    with pytest.raises(ValueError, match=r"not a"):
        angles.right_ascension(text)


@pytest.mark.parametrize("text", ["", "91", "-90:00:01", "12:61", "nan", 90.5])
def test_what_is_no_declination_is_refused(text):
    with pytest.raises(ValueError, match=r"not a"):
        angles.declination(text)


@given(st.floats(0, 359.9999999), st.integers(0, 5))
def test_right_ascension_survives_being_written(degree, digits):
    text = angles.format_right_ascension(degree, digits)

    error = abs(angles.right_ascension(text) - degree)
    assert min(error, 360 - error) * 240 <= 0.51 * 10**-digits
    assert text < "24"
    assert text == Angle(angles.right_ascension(text) / 15, "hour").to_string(
        "hour", sep=":", pad=True, precision=digits
    )


@given(st.floats(-90, 90), st.integers(0, 5))
def test_declination_survives_being_written(degree, digits):
    text = angles.format_declination(degree, digits)

    assert abs(angles.declination(text) - degree) * 3600 <= 0.51 * 10**-digits
    assert text[0] in "+-"


def test_zero_has_no_minus():
    assert angles.format_declination(-1e-9) == "+00:00:00.0"


POINTS = st.tuples(st.floats(0, 359.99), st.floats(-89.9, 89.9))


@settings(deadline=None)
@given(POINTS, POINTS)
def test_separation_is_that_of_astropy(one, other):
    truth = SkyCoord(*one, unit="deg").separation(SkyCoord(*other, unit="deg")).deg

    assert angles.separation(*one, *other) == pytest.approx(truth, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(POINTS, st.floats(1990, 2050))
def test_precession_is_that_of_astropy(point, year):
    truth = SkyCoord(*point, unit="deg", frame=FK5(equinox=f"J{year}")).transform_to(FK5(equinox="J2000"))

    ra, dec = angles.precess(*point, year)

    assert angles.separation(ra, dec, truth.ra.deg, truth.dec.deg) * 3600 < 0.25
