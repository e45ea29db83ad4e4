from __future__ import annotations

import math
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.core.frame import Exposure
from accretor.core.settings import Target
from accretor.io import matching

HATP32 = Target(name="HAT-P-32.01", tic=292152376, ra="02:04:10.28", dec="+46:41:16.2", aliases=("HATP-32",))
TOI = Target(name="TOI-1234.02", tic=987654321, ra=359.99, dec=-10.0)
FIRST = Target(name="TOI-1234.01", tic=987654321, ra=359.99, dec=-10.0)


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("HATP-32", HATP32),
        ("hat p 32", HATP32),
        ("HAT_P_32b", HATP32),
        ("HAT-P-32.01", HATP32),
        ("TIC292152376", HATP32),
        ("TIC 292152376-01", HATP32),
        ("TOI1234", FIRST),
        ("TOI-1234", FIRST),
        ("TOI 1234.02", TOI),
        ("TOI-1234-02_R", TOI),
        ("TOI-12345", None),
        ("TOI-123", None),
        ("TIC 98765432", None),
        ("HAT-P-3", None),
        ("HAT-P-320", None),
    ],
)
def test_target_is_known_by_any_spelling_of_its_name(name, target):
    found = matching.find_target(Exposure("light", object=name), [HATP32, FIRST, TOI])

    assert found.target == target
    assert bool(found.reason) == (target is None)


def test_target_of_a_foreign_name_is_known_by_its_coordinates():
    found = matching.find_target(Exposure("light", object="field 7", ra=0.04, dec=-10.05), [HATP32, TOI])

    assert found.target == TOI
    assert "target by coordinates" in found.remark


def test_nameless_frame_is_of_the_only_target_or_of_none():
    nameless = Exposure("light")

    assert matching.find_target(nameless, [TOI]).target == TOI
    assert matching.find_target(nameless, [TOI]).remark
    assert matching.find_target(nameless, [TOI, HATP32]).reason
    assert matching.find_target(Exposure("light", ra=10.0, dec=3.0), [TOI]).target is None


@given(
    hour=st.floats(0, 23.99),
    longitude=st.floats(-180, 180),
    day=st.dates(min_value=date(2018, 1, 2), max_value=date(2090, 1, 1)),
)
def test_night_lasts_from_local_noon_to_local_noon(hour, longitude, day):
    utc = datetime(day.year, day.month, day.day) + timedelta(hours=hour + 12 - longitude / 15)  # noqa: DTZ001

    night = matching.night(Exposure("light", mid=utc.isoformat(), longitude=longitude))

    assert night == day.strftime("%Y%m%d")


def test_night_without_longitude_is_an_error():
    with pytest.raises(ValueError, match="no longitude"):
        matching.night(Exposure("light", mid="2025-03-05T03:00:00", longitude=math.nan))
