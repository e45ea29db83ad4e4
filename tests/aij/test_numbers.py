from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.aij import numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (28.0, "28"),
        (28, "28"),
        (0.0, "0"),
        (-0.5, "-0.5"),
        (16.3159, "16.3159"),
        (60729.87437731493, "60729.87437731493"),
        (2460729.874377315, "2460729.874377315"),
        (0.0562847869839679, "0.0562847869839679"),
        (0.05628478698396785, "0.0562847869839678"),  # half goes to the even digit
        (1e-16, "0.0000000000000001"),
        (1.23456e-17, "1.235E-17"),
        (9.9996e-20, "1E-19"),
        (999_999_999_999.0, "999999999999"),
        (1_234_567_890_123.0, "1.235E12"),
        (-2e15, "-2E15"),
        (math.nan, "NaN"),
        (math.inf, "NaN"),
    ],
)
def test_numbers_are_written_as_java_does(value, text):
    assert numbers.write(value) == text


@given(st.floats(1e-3, 1e11) | st.floats(-1e11, -1e-3))
def test_numbers_come_back_to_sixteen_decimals(value):
    assert numbers.read(numbers.write(value)) == pytest.approx(value, rel=1e-15, abs=1e-16)


@given(st.floats(-1e11, 1e11))
def test_writing_agrees_with_numpys_positional_format(value):
    if 0 < abs(value) < 1e-15 or str(value).startswith("-0.0"):
        return
    expected = np.format_float_positional(value, precision=16, unique=True, trim="-")
    assert float(numbers.write(value)) == pytest.approx(float(expected), abs=1.01e-16, rel=0)


@given(st.floats(-1e300, 1e300))
def test_what_is_written_once_is_written_so_again(value):
    once = numbers.write(value)
    assert numbers.write(numbers.read(once)) == once


@pytest.mark.parametrize(
    ("text", "value"),
    [("12:30:00", 12.5), ("-00:30:00.0", -0.5), ("+1:30", 1.5), (" 7 ", 7), ("1.5E3", 1500)],
)
def test_cells_are_read_as_astroimagej_reads_them(text, value):
    assert numbers.read(text) == value


@pytest.mark.parametrize("text", ["", "-", " ", "NaN", "nan"])
def test_missing_cells_are_not_a_number(text):
    assert math.isnan(numbers.read(text))


@pytest.mark.parametrize("text", ["frame.fits", "1_000", "1:2:3:4", "1:-2", "12:xx"])
def test_texts_are_no_numbers(text):
    with pytest.raises(ValueError, match=r"number|convert"):
        numbers.read(text)
