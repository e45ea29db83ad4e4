from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.core.readout import Readout, Section, parse

EDGE = st.integers(1, 9000)


@given(left=EDGE, right=EDGE, low=EDGE, high=EDGE)
def test_section_comes_back_from_its_text(left, right, low, high):
    text = f"[{min(left, right)}:{max(left, right)},{min(low, high)}:{max(low, high)}]"

    found = parse(text)

    assert str(found) == text
    assert (found.width, found.height) == (abs(right - left) + 1, abs(high - low) + 1)


def test_ends_count_and_the_first_pixel_is_one():
    assert parse(" [1:2048, 5:6] ") == Section(0, 2048, 4, 6)
    assert Readout(trim=parse("[11:20,4:9]")).origin == (10, 3)
    assert Readout().origin == (0, 0)


@pytest.mark.parametrize("text", ["", "[1:2]", "[0:5,1:5]", "[5:1,1:5]", "1:5,1:5", "[a:b,1:2]", "UNKNOWN"])
def test_what_is_no_section_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a section|holds no pixel"):
        parse(text)
