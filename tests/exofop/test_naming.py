from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.core.errors import Unusable
from accretor.exofop import naming
from accretor.exofop.naming import TAILS, FileName

# The rule of the SG1 upload tool, written down from its description.
SG1_NAME = re.compile(r"^TIC\d+-\d{2}_\d{8}_[A-Za-z0-9-]+_[A-Za-z0-9+-]+(?:_\d+px)?_.+$")

valid = st.builds(
    FileName,
    tic=st.integers(1, 10**10),
    planet=st.from_regex(r"[0-9]{2}", fullmatch=True),
    date=st.dates().map(lambda day: day.strftime("%Y").zfill(4) + day.strftime("%m%d")),
    observatory=st.from_regex(r"[A-Za-z0-9-]{1,20}", fullmatch=True),
    filter=st.from_regex(r"[A-Za-z0-9+-]{1,5}", fullmatch=True),
    tail=st.sampled_from([tail.name for tail in TAILS]),
    n_pixel=st.none() | st.integers(0, 99),
)


@given(valid)
def test_names_come_apart_as_they_were_put_together(parts):
    name = naming.file_name(
        parts.tic, parts.planet, parts.date, parts.observatory, parts.filter, parts.tail, parts.n_pixel
    )

    assert naming.parse(name) == parts
    assert SG1_NAME.match(name)


@given(st.text(max_size=80))
def test_any_other_name_is_refused_with_a_sentence(name):
    with pytest.raises(Unusable) as caught:
        naming.parse(name)
    assert caught.value.reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("TIC123-01_20250304_OAN-SPM-2.1m_gp_field.png", "the name is not TIC"),
        ("TIC123-01_20250304_Hill_r'_field.png", "the name is not TIC"),
        ("TIC123.01_20250304_Hill_gp_field.png", "the name is not TIC"),
        ("TOI-123-01_20250304_Hill_gp_field.png", "the name is not TIC"),
        ("TIC123-01_20250304_Hill_gp_6.5px_field.png", "'6.5px_field.png' is not a file"),
        ("TIC123-01_20250230_Hill_gp_field.png", "20250230 is not a date"),
        ("TIC123-01_20250304_Hill_gp_measurements.apertures", "is not a file of a package"),
        ("TIC123-01_20250304_Hill_gp_Measurements.tbl", "measurements.tbl is meant"),
        ("TIC123-01_20250304_Hill_gp_wcs.fits", "WCS.fits is meant"),
        ("TIC123-01_20250304_Hill_gp_measurements_NEB_table.txt", "is not a file of a package"),
        ("TIC123-01_20250304_Hill_gp_WCS.fits.gz", "is not a file of a package"),
        ("TIC123-01_20250304_Hill_notes.txt", "the name is not TIC"),
        ("anything-seeing-profile.gif", "stop the upload"),
        ("TIC123-01_20250304_Hill_gp_bjd-flux-err.txt", "stop the upload"),
        (".DS_Store", "the name is not TIC"),
    ],
)
def test_each_rule_of_the_sg1_tool_has_its_refusal(name, reason):
    with pytest.raises(Unusable, match=re.escape(reason)):
        naming.parse(name)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"observatory": "OAN-SPM-2.1m"}, "letters, digits and hyphens"),
        ({"observatory": ""}, "observatory ''"),
        ({"filter_name": "r'"}, 'filter "r\'"'),
        ({"filter_name": "g_p"}, "filter 'g_p'"),
        ({"planet": "1"}, "two digits"),
        ({"date": "20251301"}, "is not a date"),
        ({"date": "2025-03-04"}, "YYYYMMDD"),
        ({"tail": "field.pdf"}, "is not a file of a package"),
        ({"tic": 0}, "is not a TIC number"),
        ({"n_pixel": -1}, "cannot be"),
        ({"date": "２０２５０３０４"}, "YYYYMMDD"),
    ],
)
def test_bad_tokens_are_refused_before_a_file_is_made(change, reason):
    parts = {
        "tic": 123,
        "planet": "01",
        "date": "20250304",
        "observatory": "Hilltop-0m5",
        "filter_name": "gp",
        "tail": "field.png",
    }
    with pytest.raises(Unusable, match=re.escape(reason)):
        naming.file_name(**(parts | change))


def test_fourteen_kinds_of_file_eight_required_for_each_filter():
    assert len(TAILS) == 14
    assert sum(tail.is_required and not tail.is_global for tail in TAILS) == 8
    assert [tail.name for tail in TAILS if tail.is_global] == ["notes.txt"]
    assert naming.parse("TIC1-01_20250304_H_gp_WCS.fits").label == "Plate-Solved Image"


@pytest.mark.parametrize(
    ("name", "toi"),
    [
        ("TOI-1234.01", "TOI1234.01"),
        ("toi 1234.02", "TOI1234.02"),
        ("TOI1130.10", "TOI1130.10"),
        ("HAT-P-32.01", ""),
        ("TOI-1234", ""),
    ],
)
def test_every_spelling_of_a_toi_becomes_exofops(name, toi):
    assert naming.planet_name(name) == toi


def test_tokens_that_other_readers_stumble_over_are_named():
    assert naming.cautions("Hilltop-0m5", "gp") == []
    assert len(naming.cautions("Budapest", "Clear")) == 2
