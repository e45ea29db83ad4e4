from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.science import times
from accretor.science.clockcheck import Clocks, check

N = 40
CADENCE = 240.0
START = 2460738.40
NAMES = tuple(f"raw/TOI-1-{i + 1:04d}.fits" for i in range(N))


def altitude(mid):
    """Return the altitude of a star in the west, degree."""
    iso = [
        np.datetime_as_string(np.datetime64("2000-01-01T12:00") + np.timedelta64(round(s * 1e6), "us"))
        for s in (mid - 2451545.0) * 86400
    ]
    return times.altitudes(iso, times.Direction(80.0, 24.8), times.Site(28.3, -16.5, 2390.0))


def night(true=None, shown=None, **changes):
    """Return the clocks of a night whose exposures were at *true* times and carry *shown* ones."""
    true = START + np.arange(N) * CADENCE / 86400 if true is None else true
    shown = true if shown is None else shown
    unknown = np.full(N, np.nan)
    clocks = Clocks(
        name=NAMES,
        mid=shown,
        exposure=np.full(N, 180.0),
        julian_offset=unknown,
        sidereal_offset=unknown,
        altitude_header=altitude(true) + 0.2,
        altitude=altitude(shown),
    )
    clocks = dataclasses.replace(clocks, **changes)
    order = np.argsort(shown, kind="stable")
    return Clocks(
        tuple(clocks.name[i] for i in order),
        *(getattr(clocks, field.name)[order] for field in dataclasses.fields(Clocks)[1:]),
    )


def test_night_in_which_all_clocks_agree_is_nothing_to_say():
    quiet = night(julian_offset=np.full(N, 0.4), sidereal_offset=np.linspace(-3, 3, N))

    assert check(quiet).remarks == check(quiet).problems == ()
    assert check(night(altitude_header=np.full(N, np.nan))).problems == ()


@pytest.mark.parametrize(
    ("seconds", "is_problem"), [(1.5, None), (5.0, False), (-59.0, False), (3600.0, True)]
)
def test_julian_date_is_said_above_two_seconds_and_blocks_above_sixty(seconds, is_problem):
    found = check(night(julian_offset=np.where(np.arange(N) == 7, seconds, 0.1)))

    assert len(found.remarks) == (is_problem is False)
    assert len(found.problems) == (is_problem is True)
    if is_problem is not None:
        assert f"{seconds:+.1f} s" in (found.remarks + found.problems)[0]


def test_sidereal_time_tells_a_wrong_clock_and_a_jump():
    assert "longitude" in check(night(sidereal_offset=np.full(N, 40.0))).remarks[0]
    assert "longitude" in check(night(sidereal_offset=np.full(N, -3600.0))).problems[0]
    jump = np.where(np.arange(N) < 22, 5.0, 17.0)
    assert "jumped" in check(night(sidereal_offset=jump)).remarks[0]


@pytest.mark.parametrize("seconds", [400.0, -300.0])
def test_clock_that_steps_in_the_night_is_found_by_the_altitude(seconds):
    true = START + np.arange(N) * CADENCE / 86400
    shown = true + np.where(np.arange(N) < 25, 0, seconds) / 86400

    found = check(night(true, shown))

    said = [text for text in found.problems if "altitude" in text]
    assert len(said) == 1
    assert "0026.fits" in said[0] or "0027.fits" in said[0] or "0025.fits" in said[0]
    size = float(said[0].split("jumped by ")[1].split(" s")[0])
    assert size == pytest.approx(seconds, rel=0.1)


def test_pointing_that_wanders_is_no_clock():
    wander = 0.25 * np.sin(np.linspace(0, 3, N))
    clocks = night()
    clocks = dataclasses.replace(clocks, altitude_header=clocks.altitude_header + wander)

    assert check(clocks).problems == ()


def test_clock_that_is_set_back_contradicts_the_numbers_of_the_files():
    true = START + np.arange(N) * CADENCE / 86400
    shown = true - np.where(np.arange(N) < 30, 0, 3600) / 86400
    clocks = night(true, shown, altitude_header=np.full(N, np.nan))

    found = check(clocks)

    assert any("lower number" in text and "0031.fits" in text for text in found.problems)


def test_numbers_that_are_in_no_order_of_time_are_not_believed():
    order = np.random.Generator(np.random.PCG64(2)).permutation(N)

    assert check(night(name=tuple(NAMES[i] for i in order))).problems == ()


def test_exposures_cannot_overlap():
    true = START + np.arange(N) * CADENCE / 86400
    found = check(night(true + np.where(np.arange(N) == 9, -90, 0) / 86400))

    assert "TOI-1-0010.fits by 30 s" in found.remarks[0]


@given(st.floats(-30, 30), st.integers(2, 30))
def test_frames_of_any_cadence_have_no_overlap_as_long_as_they_follow_each_other(offset, n):
    mid = START + offset + np.arange(n) * 200 / 86400
    unknown = np.full(n, np.nan)
    clocks = Clocks(NAMES[:n], mid, np.full(n, 199.0), unknown, unknown, unknown, unknown)

    assert check(clocks).remarks == check(clocks).problems == ()
