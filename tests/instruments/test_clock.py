from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.instruments import clock

MOMENTS = st.datetimes(datetime(1999, 1, 3), datetime(2099, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
ZONES = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(moment=MOMENTS, zone=ZONES, separator=st.sampled_from("T "), colon=st.booleans())
def test_moment_does_not_depend_on_the_zone_it_is_written_in(moment, zone, separator, colon):
    local = moment.astimezone(zone)
    offset = local.strftime("%z")
    text = local.strftime(f"%Y-%m-%d{separator}%H:%M:%S.%f") + (
        f"{offset[:3]}:{offset[3:]}" if colon else offset
    )

    assert clock.parse(text) == (moment, True)


@given(moment=MOMENTS, end=st.sampled_from(["", "Z", "z", " UTC", "-0000", "+00:00", "+00"]))
def test_moment_without_zone_or_in_utc_is_utc(moment, end):
    found, has_zone = clock.parse(moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + end)

    assert found == moment
    assert has_zone == bool(end)


@given(moment=MOMENTS)
def test_date_and_time_in_two_cards_are_one_moment(moment):
    assert clock.join(moment.strftime("%Y-%m-%d"), moment.strftime("%H:%M:%S.%f")) == moment


@given(day=st.dates(date(1970, 1, 1), date(2069, 12, 31)))
def test_old_dates_are_day_month_year(day):
    assert clock.parse_date(day.strftime("%d/%m/%y")) == day
    assert clock.parse_date(day.strftime("%d/%m/%Y")) == day
    assert clock.parse_date(day.strftime("%Y%m%d")) == day


@given(moment=MOMENTS)
def test_day_numbers_keep_the_moment_to_a_millisecond(moment):
    days = (moment - datetime(2000, 1, 1, 12, tzinfo=UTC)) / timedelta(days=1)

    found = clock.from_day_number(51544.5 + days, f"{51544.5 + days:.10f} ")

    assert abs(found - moment) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2019-03-26",
        "02:27:31",
        "2019-13-01T00:00:00",
        "2019-03-26T25:00:00",
        "2019-03-26T02:27",
        "x" * 4000,
    ],
)
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(ValueError, match=r"is not|has no"):
        clock.parse(text)


def test_leap_second_is_survived():
    assert clock.parse("2016-12-31T23:59:60.5")[0] == datetime(2017, 1, 1, 0, 0, 0, 500000, tzinfo=UTC)


def test_leap_seconds_are_those_of_the_date():
    before = clock.to_utc(datetime(2017, 1, 1, 0, 0, 30, tzinfo=UTC), "TAI")
    after = clock.to_utc(datetime(2017, 1, 1, 0, 0, 37, tzinfo=UTC), "TAI")

    assert before == datetime(2016, 12, 31, 23, 59, 54, tzinfo=UTC)
    assert after == datetime(2017, 1, 1, tzinfo=UTC)


def test_sidereal_time_of_the_textbook():
    # Meeus 1998, example 12.b: 1987 April 10, 19:21:00 UT is 8h 34m 57.0896s.
    found = clock.sidereal(datetime(1987, 4, 10, 19, 21, tzinfo=UTC))

    assert found == pytest.approx(8 + 34 / 60 + 57.0896 / 3600, abs=1e-6)


@pytest.mark.parametrize(("printed", "decimals"), [("58107.065", 3), ("5.8107065E+04", 2)])
def test_few_decimals_are_refused_however_printed(printed, decimals):
    with pytest.raises(ValueError, match=f"has {decimals} decimals" if "E" not in printed else "decimals"):
        clock.from_day_number(float(printed), printed)
