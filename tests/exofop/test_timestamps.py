from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.core.errors import Unusable
from accretor.exofop import timestamps
from accretor.exofop.timestamps import BJD_TDB

EXACT = [
    f"24{day}.{fraction}" for day in (59066, 60738, 61364) for fraction in ("9", "123456", "0", "499999")
]


def columns(**values):
    return {name: np.array(value, dtype=float) for name, value in values.items()}


@pytest.mark.parametrize("text", EXACT)
@pytest.mark.parametrize("offset", [0, 2450000, 2457000])
@pytest.mark.parametrize("dated", [True, False])
def test_times_come_back_exact_whatever_was_taken_off(text, offset, dated):
    whole, _, fraction = text.partition(".")
    short = float(f"{int(whole) - offset}.{fraction}")
    jd = float(text)
    date = day_of(jd) if dated else ""
    found = timestamps.find(columns(BJD_TDB=[short, short + 0.1]), date)
    assert found.value[0] == jd
    assert found.system == BJD_TDB
    assert found.offset == offset


def day_of(jd):
    import datetime

    return datetime.date.fromordinal(int(jd - 1721424.5)).strftime("%Y%m%d")


@given(st.floats(2458400, 2464400), st.sampled_from([0.0, 2450000.0, 2457000.0]), st.booleans())
def test_no_time_is_ever_half_a_day_wrong(jd, offset, is_dated):
    times = jd + np.arange(5) / 100
    try:
        found = timestamps.find(columns(BJD_TDB=times - offset), day_of(jd) if is_dated else "")
    except Unusable:
        return
    np.testing.assert_allclose(found.value, times, rtol=0, atol=1e-8)


def test_a_date_that_is_wrong_moves_no_time_and_is_said():
    found = timestamps.find(columns(BJD_TDB=[2460738.7, 2460738.8]), "20250310")
    assert found.value[0] == 2460738.7
    assert "5.8 days from the date 20250310" in found.remarks[0]


@pytest.mark.parametrize(
    ("name", "value", "jd", "system"),
    [
        ("BJD_TDB-2459000", 1738.7, 2460738.7, BJD_TDB),
        ("BTJD", 3738.7, 2460738.7, BJD_TDB),
        ("BJD_TDB - 2450000", 10738.7, 2460738.7, BJD_TDB),
        ("MJD", 60738.2, 2460738.7, "JD_UTC"),
        ("JD-2400000", 60738.7, 2460738.7, "JD_UTC"),
        ("JD_UTC", 2460738.7, 2460738.7, "JD_UTC"),
        ("HJD", 2460738.7, 2460738.7, "HJD"),
        ("BJD_UTC", 2460738.7, 2460738.7, "BJD_UTC"),
        ("time", 2460738.7, 2460738.7, BJD_TDB),
    ],
)
def test_the_name_of_a_column_tells_the_offset_and_the_clock(name, value, jd, system):
    found = timestamps.find(columns(**{name: [value]}))
    assert found.value[0] == pytest.approx(jd, abs=1e-9)
    assert found.system == system
    assert (system == BJD_TDB) or found.remarks or system == "BJD_UTC"


@pytest.mark.parametrize(
    ("value", "date"),
    [(60738.7, ""), (60738.7, "20250304"), (0.3, "20250304"), (10738.7, "20250310"), (7800.0, "")],
)
def test_a_time_that_nothing_explains_is_refused(value, date):
    with pytest.raises(Unusable, match=r"nothing tells|no other"):
        timestamps.find(columns(BJD_TDB=[value, value + 0.01]), date)


def test_the_barycentric_time_is_taken_where_there_are_several():
    found = timestamps.find(columns(JD_UTC=[2460738.7], BJD_TDB=[2460738.703]))
    assert (found.column, found.remarks) == ("BJD_TDB", ())


@pytest.mark.parametrize("wrong", [0.5, -0.5, 0.02])
def test_a_barycentric_time_that_contradicts_the_clock_of_its_own_table_is_said(wrong):
    found = timestamps.find(columns(JD_UTC=[2460738.7], BJD_TDB=[2460738.703 + wrong]))
    assert "minutes from JD_UTC in the table" in found.remarks[0]


def test_a_time_that_was_never_computed_gives_way_to_the_next_best():
    found = timestamps.find(columns(BJD_TDB=[0.0, 0.0], JD_UTC=[2460738.7, 2460738.8]))
    assert (found.column, found.system) == ("JD_UTC", "JD_UTC")


def test_a_table_without_times_says_what_it_has():
    with pytest.raises(Unusable, match="no column is a time; there are flux"):
        timestamps.find(columns(flux=[1.0]))
