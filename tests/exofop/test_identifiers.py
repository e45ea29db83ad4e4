from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.core.errors import ServiceError, Unusable
from accretor.exofop import identifiers
from accretor.exofop.identifiers import Toi
from accretor.io.http import Client
from tests.exofop.archive_server import Archive, serve

TABLE = [
    {"ticid": "267263253", "toi": "1130.10", "epoch": "2458658.7", "period": 4.07, "duration": 2.0},
    {"ticid": "267263253", "toi": "1130.01", "epoch": "2458658.7", "period": 8.35, "duration": 2.3},
    {"ticid": 1234567890123, "toi": "7001.01", "epoch": "", "period": None, "depth_ppm": "12000"},
]
PIPE = (
    b"TIC ID|TOI|Transit Epoch (BJD)|Period (days)|Duration (hours)|Depth (ppm)\n"
    b"267263253|1130.01|2458658.7|8.35|2.3|17000\n267263253|1130.1|2458658.7|4.07|2.0|1000\n"
)


@pytest.fixture
def archive():
    with serve(Archive()) as held:
        yield held


def client(archive):
    return Client("ExoFOP", {archive.place}, backoff=0, attempts=2)


@given(st.integers(1, 10**18), st.sampled_from(["{}", "TIC {}", "tic-{}", "TIC{}", "TIC_{}", " {} "]))
def test_a_tic_number_of_any_length_and_spelling_is_read(number, spelling):
    assert identifiers.tic(spelling.format(number)) == number


def test_ten_digits_of_a_tic_number_are_taken():
    assert identifiers.tic("TIC 1234567890") == 1234567890


@given(st.integers(1, 99999), st.integers(0, 99), st.sampled_from(["TOI-{}", "toi {}", "TOI{}", "{}"]))
def test_a_planet_keeps_both_its_digits(system, planet, spelling):
    found = identifiers.toi(spelling.format(f"{system}.{planet:02d}"))
    assert found == Toi(system, f"{planet:02d}")
    assert str(found) == f"TOI-{system}.{planet:02d}"


@pytest.mark.parametrize("text", ["1130.1", "TOI-1130.100", "WASP-12", "", "TOI", "TOI-0.01", 1130.10])
def test_what_is_not_a_toi_is_refused_with_a_sentence(text):
    with pytest.raises(Unusable, match=r"TOI"):
        identifiers.toi(text)


@pytest.mark.parametrize("text", ["", "TIC", "12a", "-5", "TIC 0", "1e9"])
def test_what_is_not_a_tic_number_is_refused_with_a_sentence(text):
    with pytest.raises(Unusable, match="is not a TIC number"):
        identifiers.tic(text)


def test_the_zero_of_a_planet_survives_both_forms_of_the_table():
    # In JSON and pipe a number may have lost it; no planet is called .1.
    as_number = json.dumps(TABLE).replace('"1130.10"', "1130.10").encode()
    for rows in (
        identifiers.parse(json.dumps(TABLE).encode(), "json"),
        identifiers.parse(as_number, "json"),
        identifiers.parse(PIPE, "pipe"),
    ):
        assert [row["toi"] for row in rows][:2] == ["TOI-1130.01", "TOI-1130.10"]


def test_star_and_candidates_are_found_from_each_other():
    rows = identifiers.parse(json.dumps(TABLE).encode(), "json")
    assert identifiers.tic_of(identifiers.toi("TOI-1130.10"), rows) == 267263253
    assert identifiers.tic_of(identifiers.toi("TOI-7001"), rows) == 1234567890123
    assert identifiers.tois_of(267263253, rows) == [Toi(1130, "01"), Toi(1130, "10")]
    assert identifiers.tois_of(5, rows) == []
    assert "not in the kept table of TOIs" in identifiers.disagreement("TOI-1131.01", 5, rows)
    assert "TIC 267263253 on ExoFOP, of TIC 5 here" in identifiers.disagreement("TOI-1130.01", 5, rows)
    assert identifiers.disagreement("WASP-12 b", 5, rows) == ""


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"No TIC object found", "json"),
        (b"<html><title>Maintenance</title></html>", "json"),
        (json.dumps(TABLE).encode()[:-30], "json"),
        (b"{}", "json"),
        (b"[]", "json"),
        (b'[{"a": 1}]', "json"),
        (b"No TIC object found", "pipe"),
        (PIPE[:-20], "pipe"),
    ],
)
def test_no_page_or_torn_table_is_a_table_without_tois(content, kind):
    with pytest.raises(ServiceError):
        identifiers.parse(content, kind)


def test_the_table_answers_without_a_network_once_it_was_fetched(archive, tmp_path):
    path = tmp_path / "tois.ecsv"
    archive.pages["json/tois.json"] = json.dumps(TABLE).encode()
    with client(archive) as visitor:
        fetched = identifiers.refresh(path, visitor, archive.address)
    assert repr(identifiers.cached(path)) == repr(fetched)
    assert identifiers.tic_of(Toi(1130, "10"), identifiers.cached(path)) == 267263253
    assert identifiers.cached(tmp_path / "none.ecsv") == []


@pytest.mark.parametrize("fault", ["html", "500", "short"])
def test_the_slow_form_is_asked_for_where_the_fast_one_fails(archive, tmp_path, fault):
    archive.pages = {"json/tois.json": json.dumps(TABLE).encode(), "download_toi.php": PIPE}
    archive.faults["json/tois.json"] = [fault] * 2
    with client(archive) as visitor:
        assert len(identifiers.refresh(tmp_path / "tois.ecsv", visitor, archive.address)) == 2


def test_a_shrunken_table_does_not_replace_the_one_that_is_kept(archive, tmp_path):
    path = tmp_path / "tois.ecsv"
    many = [{"ticid": n, "toi": f"{n}.01"} for n in range(1, 40)]
    archive.pages["json/tois.json"] = json.dumps(many).encode()
    with client(archive) as visitor:
        identifiers.refresh(path, visitor, archive.address)
        archive.pages["json/tois.json"] = json.dumps(many[:3]).encode()
        with pytest.raises(ServiceError, match="3 rows, the one kept here 39"):
            identifiers.refresh(path, visitor, archive.address)
    assert len(identifiers.cached(path)) == 39
