from __future__ import annotations

import math
from datetime import datetime

import pytest
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from accretor.core import exclusions

JD, BJD = Time("2025-03-04T21:30:00", scale="utc").jd, 2460739.4021


def reason(names=(), times=(), name="TOI-1_0007.fits", bjd=BJD, jd=JD):
    return exclusions.reason(name, bjd, jd, names, times)


def test_frames_are_told_by_their_names():
    assert reason(["TOI-1_0007.fits"]) == "excluded by the configuration: TOI-1_0007.fits"
    assert reason(["*_000?.fits"]) == "excluded by the configuration: *_000?.fits"
    assert reason(["TOI-1_0008.fits", "toi-1_*"]) == ""


def test_brackets_in_a_name_are_brackets():
    assert reason(["a[1].fits"], name="a[1].fits")
    assert reason(["a[1]*"], name="a[1].fits")
    assert not reason(["a[1].fits"], name="a1.fits")


def test_a_time_is_bjd_as_a_number_and_utc_as_a_text():
    assert reason(times=[(BJD - 1e-4, BJD + 1e-4)])
    assert not reason(times=[(JD - 1e-4, JD + 1e-4)]), "light-time and clocks are 8 minutes apart"
    assert reason(times=[("2025-03-04T21:30:00", "2025-03-04T21:31:00")])
    assert reason(times=[("2025-03-04T21:29:59Z", "2025-03-04T22:30:01+01:00")])
    assert not reason(times=[("2025-03-04T21:31:00", "2025-03-04T21:32:00")])


@given(st.datetimes(datetime.fromisoformat("2017-01-02"), datetime.fromisoformat("2026-01-01")))
def test_utc_is_that_of_astropy(moment):
    text = moment.isoformat()  # days with a leap second are longer for astropy
    day = exclusions._day(text)

    assert day == pytest.approx(Time(text, scale="utc").jd, abs=1e-8)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([(2.0, 1.0)], "the earlier first"),
        ([(1.0, math.inf)], "the earlier first"),
        ([("2025-03-04", 2460739.0)], "both times as numbers"),
        ([("yesterday", "today")], "'yesterday' is no time; UTC is written"),
    ],
)
def test_what_is_no_interval_is_refused(times, words):
    with pytest.raises(ValueError, match=words):
        exclusions.check(times)


def test_a_name_of_no_frame_is_told():
    assert exclusions.idle(["a1.fits", "a2.fits"], ["a1*", "b*"]) == ["b*"]
