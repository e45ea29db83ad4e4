"""What a time stamp is taken for, and what the other clocks of a header say of it."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from accretor import instruments
from accretor.core.settings import InstrumentSettings
from accretor.instruments import clock
from accretor.io import header

STAMP = "2025-03-04T21:00:00.000"
MOMENT = clock.parse(STAMP)[0]
SITE = {"SITELAT": (28.3, ""), "SITELONG": (-16.5, "")}


def cards(comment="", **more):
    """Return a header as bytes would give it."""
    given = {
        "IMAGETYP": ("LIGHT", ""),
        "DATE-OBS": (STAMP, comment),
        "EXPTIME": (120.0, "[s]"),
        "FILTER": ("ip", ""),
        **SITE,
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    lines = []
    for keyword, (value, text) in given.items():
        shown = f"'{value}'" if isinstance(value, str) else f"{value!r:>20}"
        lines.append(f"{keyword:<8}= {shown} / {text}"[:80].ljust(80))
    return header.parse("".join(lines).encode("ascii"))


def seen(values, **settings):
    found, printed = values
    return instruments.exposure(found, "a.fits", InstrumentSettings(name="X-1m0", **settings), printed)


def mid(exposure):
    return (clock.parse(exposure.mid)[0] - MOMENT) / timedelta(seconds=1)


@pytest.mark.parametrize(
    ("comment", "more", "settings", "after", "rule"),
    [
        ("", {}, {}, 60.0, "DATE-OBS is the start of the exposure: assumed"),
        (
            "UTC at the start of exposure",
            {},
            {},
            60.0,
            "DATE-OBS is the start of the exposure: by its comment",
        ),
        ("UTC mid-exposure", {}, {}, 0.0, "DATE-OBS is the middle of the exposure: by its comment"),
        ("end of exposure", {}, {}, -60.0, "DATE-OBS is the end of the exposure: by its comment"),
        ("start or end", {}, {}, 60.0, "DATE-OBS is the start of the exposure: assumed"),
        (
            "",
            {"DATE_END": ("2025-03-04T21:02:00.3", "")},
            {},
            60.0,
            "DATE-OBS is the start of the exposure: DATE-END is its end",
        ),
        ("", {"DATE_BEG": (STAMP, "")}, {}, 60.0, "DATE-BEG is the start of the exposure: by its name"),
        (
            "",
            {"DATE_AVG": ("2025-03-04T21:01:00.5", "")},
            {},
            60.5,
            "DATE-AVG is the middle of the exposure",
        ),
        (
            "start",
            {},
            {"time_stamp": "end"},
            -60.0,
            "DATE-OBS is the end of the exposure: by the settings",
        ),
        ("", {}, {"time_stamp": "middle"}, 0.0, "DATE-OBS is the middle of the exposure: by the settings"),
    ],
)
def test_time_stamp_is_what_settings_name_comment_or_end_say_it_is(comment, more, settings, after, rule):
    found = seen(cards(comment, **more), **settings)

    assert mid(found) == pytest.approx(after)
    assert found.time_rule == rule


@pytest.mark.parametrize(
    ("moment", "expected"), [(0, 0.0), (60, 0.0), (120, 0.0), (125.5, 5.5), (-3600, -3600.0)]
)
def test_julian_date_is_compared_with_start_middle_and_end(moment, expected):
    # 9 ms more, so that enough decimals are printed.
    days = 2451545.0000001 + (MOMENT + timedelta(seconds=moment) - clock.J2000) / timedelta(days=1)

    assert seen(cards(JD=(days, ""))).julian_offset == pytest.approx(expected, abs=0.05)


def test_julian_date_that_is_coarse_is_no_clock():
    assert math.isnan(seen(cards(JD=(2460739.375, ""))).julian_offset)
    assert math.isnan(seen(cards()).julian_offset)
    assert math.isnan(seen(cards()).sidereal_offset)


@pytest.mark.parametrize(("seconds", "expected"), [(0, 0.0), (100, 0.0), (150, 30.0), (-40, -40.0)])
def test_sidereal_time_may_be_of_any_moment_of_the_exposure(seconds, expected):
    hours = (clock.sidereal(MOMENT + timedelta(seconds=seconds)) - 16.5 / 15) % 24
    whole = round(hours * 3600)
    text = f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"

    assert seen(cards(LST=(text, ""))).sidereal_offset == pytest.approx(expected, abs=1.2)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ("[1:32,1:4094]", "[33:4096,1:4094]")),
        ({"L1STATOV": (1, ""), "L1STATTR": (1, "")}, ("", "")),
        ({"L1STATOV": (0, "")}, ("[1:32,1:4094]", "[33:4096,1:4094]")),
        ({"TRIMSEC": ("[1:5000,1:9]", "")}, ("[1:32,1:4094]", "")),
        ({"BIASSEC": ("UNKNOWN", "")}, ("", "[33:4096,1:4094]")),
    ],
)
def test_sections_of_an_lco_header_are_used_unless_banzai_has_used_them(more, expected):
    given = {
        "ORIGIN": ("LCOGT", ""),
        "SITEID": ("lsc", ""),
        "TELID": ("1m0a", ""),
        "OBSTYPE": ("EXPOSE", ""),
        "NAXIS1": (4096, ""),
        "NAXIS2": (4094, ""),
        "BIASSEC": ("[1:32,1:4094]", ""),
        "TRIMSEC": ("[33:4096,1:4094]", ""),
    }
    found = seen(cards(**{**given, **more}))

    assert (found.overscan, found.trim) == expected


def test_sections_of_unknown_programs_are_not_believed_and_those_of_the_settings_are():
    given = cards(NAXIS1=(300, ""), NAXIS2=(200, ""), BIASSEC=("[1:9,1:200]", ""))

    assert seen(given).overscan == ""
    assert seen(given, overscan="[1:9,1:200]").overscan == "[1:9,1:200]"
