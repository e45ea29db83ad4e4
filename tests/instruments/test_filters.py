from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.instruments import filters


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("Clear", "clear"),
        ("Open", "clear"),
        ("Lum", "clear"),
        ("Filter_L", "clear"),
        ("CV", "clear"),
        ("CBB", "CBB"),
        ("g", "gp"),
        ("g'", "gp"),
        ("SDSS-G", "gp"),
        ("sloan_g", "gp"),
        ("gp", "gp"),
        ("r", "rp"),
        ("R", "R"),
        ("Rc", "Rc"),
        ("Cousins R", "Rc"),
        ("i", "ip"),
        ("I", "I"),
        ("Ic", "Ic"),
        ("z_s", "zs"),
        ("PS-z", "zs"),
        ("zp", "zs"),
        ("SDSS i'", "ip"),
        ("Johnson V", "V"),
        ("I+z", "I+z"),
        ("TESS", "TESS"),
    ],
)
def test_filter_has_the_name_of_tfop(name, canonical):
    assert filters.canonical(name, {}) == (canonical, True)


def test_unknown_filter_stays_as_it_is():
    assert filters.canonical(" VR ", {}) == ("VR", False)


def test_own_names_go_first_and_need_not_keep_case():
    assert filters.canonical("Clear", {"clear": "TESS"}) == ("TESS", True)
    assert filters.canonical("", {"": "R"}) == ("R", True)


@given(
    st.sampled_from(
        ["clear", "CBB", "U", "B", "V", "R", "I", "Rc", "Ic", "up", "gp", "rp", "ip", "zs", "I+z", "TESS"]
    )
)
def test_canonical_name_is_its_own_canonical_name(name):
    assert filters.canonical(name, {}) == (name, True)
