"""Real shapes of headers, a dozen cards each, and the exposures they describe."""

from __future__ import annotations

import math
import re
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accretor import instruments
from accretor.core.errors import HeaderError
from accretor.core.frame import Exposure
from accretor.core.settings import InstrumentSettings
from accretor.io import header

HEADERS = Path(__file__).resolve().parents[1] / "headers"
ANY = InstrumentSettings(name="")

EXPECTED = {
    "microobservatory": {
        "kind": "light",
        "object": "HATP-32",
        "filter": "clear",
        "exposure": 60.0,
        "mid": "2017-12-20T01:34:13.317000",
        "instrument": "MicroObs-Cecilia",
        "width": 650,
        "height": 500,
        "temperature": -2.15,
        "ra": pytest.approx(31.0428, abs=0.03),  # HAT-P-32 of J2000, after precession
        "dec": pytest.approx(46.6878, abs=0.03),
        "latitude": 31.68,
        "longitude": -110.88,
        "elevation": 1268.0,
        "altitude": 62.592,
        "pixel_scale": 5.21,
        "has_wcs": False,
        "remark": "61.96 s between the time stamps of an exposure of 60 s: the middle may be off by 0.98 s",
    },
    "maximdl": {
        "kind": "flat",
        "filter": "gp",
        "mid": "2025-05-30T03:00:09.964000",
        "instrument": "Hilltop-0-5-m",
        "temperature": pytest.approx(-24.963692),
        "ra": pytest.approx(124.2541667),
        "dec": pytest.approx(31.884722),
        "latitude": pytest.approx(32.780278),
        "longitude": pytest.approx(-105.820278),
        "altitude": 37.9546,
        "pixel_scale": pytest.approx(206264.806 * 0.013 / 4014),
        "remark": "",
    },
    "theskyx": {
        "object": "2713 Luxembourg",
        "filter": "clear",
        "mid": "2018-10-13T02:04:40.984000",
        "longitude": pytest.approx(-71.485),
        "gain": 2.07,
        "altitude": pytest.approx(20.66982),
        "remark": "",
    },
    "lois": {
        "kind": "light",
        "mid": "2019-03-26T02:30:01.130000",
        "instrument": "hall",
        "filter": "V",
        "binning": "3x3",
        "gain": 4.95,
        "read_noise": 9.3,
        "temperature": -102.25,
        "ra": 124.625,
        "elevation": 2206.0,
        "altitude": math.nan,
        "has_wcs": False,
    },
    "nina": {
        "object": "TOI-1234.01",
        "filter": "rp",
        "mid": "2019-11-19T20:42:03.288000",
        "binning": "2x2",
        "gain": 1.00224268436432,
        "elevation": 120.0,
        "longitude": 13.4,
        "ra": pytest.approx(31.0417, abs=1e-3),
    },
    "lco": {
        "kind": "light",
        "object": "TIC 290348383",
        "filter": "zs",
        "exposure": 120.0,
        "mid": "2021-03-06T00:00:10.250000",
        "instrument": "LCO-CTIO-1m0",
        "temperature": -109.97,
        "gain": 2.3,
        "read_noise": 6.8,
        "saturation": 61543.0,
        "elevation": 2198.0,
        "altitude": 55.1234,
        "pixel_scale": 0.389,
        "remark": "",
    },
    "prism": {
        "filter": "clear",
        "mid": "2022-07-26T01:36:23.232000",
        "instrument": "OPSPA",
        "gain": 5.0,
        "latitude": pytest.approx(-(22 + 57 / 60 + 8.99 / 3600)),
        "longitude": pytest.approx(-68.18),
    },
    "sparse": {
        "object": "",
        "filter": "",
        "mid": "2022-09-21T01:46:05.500000",
        "instrument": "Andor-Tech",
        "temperature": math.nan,
        "gain": math.nan,
        "latitude": math.nan,
        "longitude": math.nan,
        "ra": math.nan,
        "pixel_scale": math.nan,
        "remark": "the clock shows whole seconds only",
    },
    "acp": {
        "object": "wasp 10 b",
        "filter": "rp",
        "mid": "2018-08-23T05:56:24.000000",
        "elevation": pytest.approx(311.8),
        "altitude": pytest.approx(65.33253),
        "has_wcs": True,
        "ra": 348.885349862,
        "pixel_scale": pytest.approx(0.5629, abs=2e-4),
    },
    "milliseconds": {
        "kind": "light",
        "exposure": 90.0,
        "mid": "2021-07-13T06:05:26.500000",
        "filter": "zs",
        "gain": 1.73,
        "elevation": 2790.0,
        "altitude": math.nan,
        "remark": "EXPTIME taken as milliseconds",
    },
}


def cards(text: str) -> bytes:
    return b"".join(line.encode().ljust(80) for line in text.splitlines() if line != "END")


def exposure(text: str, settings: InstrumentSettings = ANY, name: str = "frame.fits") -> Exposure:
    values, printed = header.parse(cards(text))
    return instruments.exposure(values, name, settings, printed)


def golden(name: str) -> str:
    return (HEADERS / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_header_of_each_dialect_gives_its_exposure(name):
    found = exposure(golden(name))

    for key, value in EXPECTED[name].items():
        assert (
            getattr(found, key) == pytest.approx(value, nan_ok=True)
            if value != value
            else (getattr(found, key) == value)
        ), key


def test_every_golden_header_has_its_expectation():
    assert {path.stem for path in HEADERS.glob("*.txt")} == set(EXPECTED)


@pytest.mark.parametrize(
    ("name", "dialect"),
    [("microobservatory", "microobservatory"), ("lco", "lco"), ("theskyx", "theskyx"), ("nina", "generic")],
)
def test_dialect_is_recognised_by_its_cards(name, dialect):
    values, _ = header.parse(cards(golden(name)))

    assert instruments.detect(values).name == dialect
    assert instruments.by_name(dialect).name == dialect


def test_unknown_dialect_is_told_with_the_nearest_name():
    with pytest.raises(ValueError, match="did you mean microobservatory"):
        instruments.by_name("microobservatry")
    with pytest.raises(ValueError, match="there are auto, generic"):
        instruments.by_name("zzz")


def test_settings_go_before_the_header():
    settings = InstrumentSettings(
        name="Mine-0m4",
        gain=1.5,
        read_noise=3.0,
        saturation=50000,
        pixel_scale=0.9,
        latitude=42.61,
        longitude=-71.485,
        height=107,
        filters={"open": "CBB"},
    )

    found = exposure(golden("theskyx"), settings)

    assert found.instrument == "Mine-0m4"
    assert (found.gain, found.read_noise, found.saturation, found.pixel_scale) == (1.5, 3.0, 50000, 0.9)
    assert (found.latitude, found.longitude, found.elevation) == (42.61, -71.485, 107)
    assert found.filter == "CBB"
    assert found.remark == ""


def test_settings_that_contradict_the_header_are_remarked():
    settings = InstrumentSettings(name="Mine", latitude=42.61, longitude=71.485)

    found = exposure(golden("theskyx"), settings)

    assert found.longitude == 71.485
    assert "longitude 71.485 of the settings is used, the header has -71.485" in found.remark


def test_sidereal_time_proves_the_sign_of_a_longitude():
    west = golden("theskyx").replace("TheSkyX", "Another")

    found = exposure(west)

    assert found.longitude == pytest.approx(-71.485)
    assert "sidereal" in found.remark


def test_clock_on_local_time_contradicts_the_sidereal_time():
    local = golden("theskyx").replace("2018-10-13T02:03", "2018-10-12T22:03")

    assert "the sidereal time of the header is +4.01 h off" in exposure(local).remark


START = """SIMPLE  =                    T
NAXIS1  =                  100
NAXIS2  =                  100
EXPTIME =                 60.0
"""


def test_modified_julian_date_of_three_decimals_is_no_clock():
    found = exposure(START + "MJD-OBS = 58107.065 / start")

    assert found.mid == ""
    assert found.remark.startswith("no time of observation: MJD-OBS: 58107.065 has 3 decimals")


def test_julian_date_is_a_clock_where_there_is_no_other():
    found = exposure(START + "JD      =   2459843.5736689814 / start")

    error = datetime.fromisoformat(found.mid) - datetime(2022, 9, 21, 1, 46, 35)  # noqa: DTZ001
    assert abs(error.total_seconds()) < 0.01


def test_trailing_zeros_of_a_date_count_as_printed():
    assert exposure(START + "MJD-OBS =    58107.2500000").mid == "2017-12-20T06:00:30.000000"


def test_header_without_any_time_says_so():
    assert exposure(START).remark == "no time of observation: no DATE-OBS nor any other"


def test_date_without_time_is_no_time():
    found = exposure(START + "DATE-OBS= '2019-03-26'")

    assert found.mid == ""
    assert "'2019-03-26' has no time of day" in found.remark


def test_time_card_with_its_own_date_needs_no_other():
    assert exposure(START + "UT-OBS  = '2019-03-26T02:27:31.5'").mid == "2019-03-26T02:28:01.500000"
    assert "UT: '02:27:31' without a date" in exposure(START + "UT      = '02:27:31'").remark


def test_american_date_is_refused_rather_than_guessed():
    assert exposure(START + "DATE-OBS= '03/26/2019'\nUT      = '02:27:31'").mid == ""


def test_local_time_scale_is_refused():
    found = exposure(START + "DATE-OBS= '2019-03-26T02:27:31'\nTIMESYS = 'LOCAL   '")

    assert found.mid == ""
    assert "LOCAL" in found.remark


@pytest.mark.parametrize(
    ("system", "mid"),
    [("UTC", "02:28:01.000"), ("TAI", "02:27:24.000"), ("TT", "02:26:51.816"), ("GPS", "02:27:43.000")],
)
def test_time_scale_is_led_back_to_utc(system, mid):
    found = exposure(START + f"DATE-OBS= '2019-03-26T02:27:31'\nTIMESYS = '{system}'")

    assert found.mid == f"2019-03-26T{mid}000"


def test_explicit_middle_is_used_if_it_agrees_with_the_start():
    start = START + "DATE-OBS= '2019-03-26T02:00:00.5'\n"

    assert exposure(start + "DATE-AVG= '2019-03-26T02:00:31.25'").mid == "2019-03-26T02:00:31.250000"
    other = exposure(start + "DATE-AVG= '2019-03-26T02:05:00'")
    assert other.mid == "2019-03-26T02:00:30.500000"
    assert "middle" in other.remark


def test_end_serves_where_there_is_no_start():
    found = exposure(START + "DATE-END= '2019-03-26T02:01:00'")

    assert found.mid == "2019-03-26T02:00:30.000000"
    assert found.remark == "time from the end of the exposure"


def test_frame_without_exposure_time_has_no_middle():
    found = exposure(START.replace("60.0", "'abc'") + "DATE-OBS= '2019-03-26T02:00:00.5'")

    assert found.mid == ""
    assert math.isnan(found.exposure)


@pytest.mark.parametrize(
    ("card", "kind"),
    [
        ("IMAGETYP= 'Light Frame'", "light"),
        ("IMAGETYP= 'OBJECT  '", "light"),
        ("IMAGETYP= 'Bias Frame'", "bias"),
        ("IMAGETYP= 'zero    '", "bias"),
        ("IMAGETYP= 'DARK    '", "dark"),
        ("IMAGETYP= 'DARKFLAT'", "dark"),
        ("IMAGETYP= 'Flat Field'", "flat"),
        ("OBSTYPE = 'SKYFLAT '", "flat"),
        ("IMGTYPE = 'domeflat'", "flat"),
        ("PICTTYPE=                    3", "dark"),
        ("IMAGETYP= '        '\nOBJECT  = 'Bias    '", "bias"),
        ("OBJECT  = 'sky flat V'", "flat"),
        ("OBJECT  = 'Dark Nebula'", "light"),
        ("OBJECT  = 'HATP-32 '", "light"),
        ("OBSERVER= 'nobody  '", "light"),
    ],
)
def test_kind_of_image_is_told_by_its_words(card, kind):
    assert exposure(START + card).kind == kind


def test_name_of_the_file_tells_the_kind_of_a_silent_header():
    assert exposure(START, name="Dark_001.fits").kind == "dark"
    assert exposure(START, name="darkstar.fits").kind == "light"


@pytest.mark.parametrize("word", ["FOCUS", "Master Dark", "GUIDE"])
def test_image_of_no_use_is_refused_with_its_word(word):
    with pytest.raises(HeaderError, match=word):
        exposure(START + f"IMAGETYP= '{word}'")


@pytest.mark.parametrize(
    ("cards_", "gain"),
    [
        ("GAIN    =                  0.9", 0.9),
        ("GAIN    =                    0", math.nan),
        ("GAIN    =                  100", math.nan),
        ("GAIN    =                120.0", math.nan),
        ("GAIN    =                  120\nEGAIN   =                0.25", 0.25),
        ("CVF     =                  5.0\nGAIN    =                  2.0", 5.0),
        ("EGAIN   =                 -1.0", math.nan),
        ("EGAIN   =                  NaN", math.nan),
    ],
)
def test_setting_of_a_camera_is_not_taken_for_electrons_per_adu(cards_, gain):
    assert exposure(START + cards_).gain == pytest.approx(gain, nan_ok=True)


def test_bias_and_dark_have_no_filter():
    assert exposure(START + "IMAGETYP= 'BIAS    '\nFILTER  = 'R       '").filter == ""


def test_longitudes_that_differ_are_remarked():
    site = START + "LATITUDE= 46.867\nLONGITUD= -96.453\nLONG-OBS= "

    assert "several longitudes" in exposure(site + "-98.453").remark
    assert "several longitudes" not in exposure(site + "263.547").remark


def test_zero_zero_is_no_site():
    found = exposure(START + "SITELAT = '00 00 00'\nSITELONG= '00 00 00'")

    assert math.isnan(found.latitude)
    assert math.isnan(found.longitude)


def test_plate_solution_in_texts_is_none_and_said():
    found = exposure(golden("lois"))

    assert not found.has_wcs
    assert "not in numbers" in found.remark


def test_colour_camera_is_remarked():
    assert "colour camera" in exposure(START + "BAYERPAT= 'RGGB    '").remark


def test_hostile_values_do_not_raise():
    hostile = START + "\n".join(
        [
            "DATE-OBS= '9999-99-99T99:99:99'",
            "MJD-OBS =              1E400",
            "JD      =               -Inf",
            "EXPOSURE=                  T",
            "SITELAT = '99 99 99'",
            "RA      = '../../x'",
            "DEC     =                  T",
            "XBINNING=              1E308",
            "CCDSUM  =                  7",
            "OBJECT  =               3.14",
            "TELESCOP= '../../etc/passwd'",
            "FILTER  =                  F",
            "CD1_1   = 'x'",
        ]
    )

    found = exposure(hostile)

    assert found.mid == ""
    assert found.instrument == "etc-passwd"
    assert found.object == "3.14"


KEYWORDS = sorted(
    {
        keyword
        for dialect in instruments.DIALECTS
        for cards_ in (
            *(dialect.mid, dialect.start, dialect.end, dialect.exposure, dialect.filter, dialect.object),
            *(dialect.kind, dialect.temperature, dialect.gain, dialect.read_noise, dialect.saturation),
            *(
                dialect.pixel_scale,
                dialect.ra,
                dialect.dec,
                dialect.altitude,
                dialect.sidereal,
                dialect.is_mine,
            ),
            *(dialect.latitude, dialect.longitude, dialect.elevation, dialect.telescope_words),
            ("CTYPE1", "CTYPE2", "CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2", "CD1_1", "CDELT1", "PC1_1"),
            (
                "TIMESYS",
                "XBINNING",
                "YBINNING",
                "CCDSUM",
                "XPIXSZ",
                "FOCALLEN",
                "TELESCOP",
                "NAXIS1",
                "NAXIS2",
            ),
        )
        for card in cards_
        for keyword in card.split("+")
    }
)
VALUES = st.one_of(
    st.text(max_size=30),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.sampled_from(
        [
            *("2025-03-05", "2025-03-05T03:00:00.5", "03:00:00", "31/12/69", "0001-01-01T00:00:00+14:00"),
            *("9999-12-31T23:59:60", "2459843.57366898", "LCOGT", "MicroObservatory", "TheSkyX", "RA---TAN"),
            *("DEC--TAN", "-00:30:00", "12 34 56.7", "light", "Flat", "TAI", "2x2", "../..", "", "None"),
            *(60.0, 1e300, -1.0, 58107.0655555, 2459843.57366898, 90.0),
        ]
    ),
)


@settings(max_examples=600, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYWORDS), VALUES, max_size=25))
def test_no_header_makes_the_dialects_fail(values):
    try:
        found = instruments.exposure(values, "frame.fits", ANY)
    except HeaderError:
        return

    assert found.mid == "" or datetime.fromisoformat(found.mid)
    assert found.mid or found.remark
    assert math.isnan(found.ra) or 0 <= found.ra < 360
    assert math.isnan(found.longitude) or -180 < found.longitude <= 180
    assert re.fullmatch(r"[A-Za-z0-9-]+", found.instrument)
