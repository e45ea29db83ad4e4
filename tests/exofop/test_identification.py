"""What ExoFOP tells of a target, and how it differs from what the user wrote."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.core.errors import ServiceError
from accretor.core.settings import Ephemeris, Target
from accretor.exofop import identification, identifiers
from accretor.exofop.identification import Quantity
from accretor.exofop.identifiers import Toi

TIC = 1234567890
EPHEMERIS = Ephemeris(t0=2460000.5, period=3.0, duration=2.0, depth=10.0, t0_error=0.001, period_error=1e-5)
TARGET = Target(name="TOI-7001.01", tic=TIC, ra=100.0, dec=-30.0, ephemeris=EPHEMERIS, teff=5000.0)
PAGE = {
    "basic_info": {"tic_id": str(TIC)},
    "coordinates": {"ra": "100.0", "dec": "-30.0"},
    "magnitudes": [{"band": "B", "value": "14"}, {"band": "TESS", "value": "12.5", "value_e": "0.01"}],
    "stellar_parameters": [{"teff": None}, {"teff": "5100", "teff_e": "50"}, {"teff": "4000"}],
    "planet_parameters": [
        {"toi": "7001.02", "epoch": "2460001.1", "per": "7"},
        {"toi": "TOI 7001.10", "epoch": "2460002.1", "per": "9", "dep_p": "500", "dep_p_e": "50"},
        {"toi": "TOI 7001.01", "epoch": "0", "per": "5"},
        {"toi": "TOI 7001.01", "epoch": "2460000.5", "epoch_e": "0.002", "per": "3", "per_e": "0.00001"},
        {"toi": "TOI 7001.01", "epoch": "2460000.9", "per": "4"},
    ],
}


def page(name="7001.01", **changes):
    content = json.dumps({**PAGE, **changes}).encode()
    return identification.from_page(content, TIC, identifiers.toi(name) if name else None)


def test_page_of_a_star_tells_star_and_candidate():
    found, tois = page()

    assert tois == [Toi(7001, "01"), Toi(7001, "02"), Toi(7001, "10")]
    assert found["tmag"] == Quantity(12.5, 0.01, "target page")
    assert found["teff"] == Quantity(5100, 50, "target page")
    assert (found["t0"].value, found["period"].value) == (2460000.5, 3)
    assert "depth" not in found


@pytest.mark.parametrize(("name", "period"), [("7001.02", 7), ("7001.10", 9), ("", 3)])
def test_every_candidate_has_its_own_ephemeris(name, period):
    assert page(name)[0]["period"].value == period


def test_number_of_a_candidate_keeps_the_zero_that_json_would_take():
    content = json.dumps({**PAGE, "planet_parameters": [{"toi": 0, "epoch": 2460002.1, "per": 9}]})
    content = content.replace('"toi": 0', '"toi": 7001.10')

    found, tois = identification.from_page(content.encode(), TIC, Toi(7001, "10"))

    assert (tois, found["period"].value) == ([Toi(7001, "10")], 9)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"No TIC object found", "is not JSON but 'No TIC object found'"),
        (b"<html><title>Maintenance</title></html>", "a page: 'Maintenance'"),
        (b"[]", "is not the page of TIC 1234567890"),
        (b"null", "is not the page of TIC 1234567890"),
        (json.dumps({**PAGE, "basic_info": {"tic_id": "5"}}).encode(), "is not the page of TIC 1234567890"),
        (json.dumps(PAGE).encode()[:-9], "is not JSON"),
        (b"", "is not JSON but nothing"),
    ],
)
def test_nothing_else_passes_for_the_page_of_a_star(content, said):
    with pytest.raises(ServiceError, match=said):
        identification.from_page(content, TIC, None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["toi", "per", "ra"]), inner),
    max_leaves=5,
)


@given(st.fixed_dictionaries(dict.fromkeys([key for key in PAGE if key != "basic_info"], JSON)))
def test_page_of_any_form_is_read_or_told(changes):
    found, tois = page(**changes)

    assert all(math.isfinite(quantity.value) for quantity in found.values())
    assert all(isinstance(toi, Toi) for toi in tois)


def exofop(**values):
    given_values = {
        "t0": (2460000.5, 0.002),
        "period": (3.0, 1e-5),
        "ra": (100.0, math.nan),
        "dec": (-30.0, math.nan),
    }
    return {name: Quantity(*value, "TOI table") for name, value in (given_values | values).items()}


def said(**values):
    return identification.differences(TARGET, exofop(**values))


def test_values_that_agree_within_their_errors_are_not_spoken_of():
    assert said(teff=(5100, 50), depth=(10.5, 0.3), duration=(2.1, 0.1)) == {}


@pytest.mark.parametrize(
    ("quantity", "value", "words"),
    [
        ("t0", (2460000.51, 0.002), "the configured transit is -14.4 min from ExoFOP's (4.5 sigma"),
        ("period", (3.0001, 1e-5), "differs by -0.0001 d (7.1 sigma)"),
        ("period", (6.0, 1e-5), "the configured period is 1/2 of that of ExoFOP"),
        ("period", (1.0, 1e-5), "the configured period is 3 times that of ExoFOP"),
        ("depth", (12.0, 0.5), "differs by -2 ppt (4.0 sigma)"),
        ("depth", (30.0, math.nan), "differs by -20 ppt (3.3 sigma)"),
        ("teff", (5200, 50), "differs by -200 K (4.0 sigma)"),
        ("dec", (-30.001, math.nan), "3.6 arcsec from the configured position"),
    ],
)
def test_values_that_differ_beyond_their_errors_are_told(quantity, value, words):
    found = said(**{quantity: value})

    assert list(found) == ["ra" if quantity == "dec" else quantity]
    assert next(iter(found.values())).startswith(words)


def test_errors_grow_with_the_periods_between_two_transit_times():
    far = {"t0": (2460000.5 - 1000 * 3.0 + 0.02, 0.001)}

    assert said(**far) == {}  # a thousand periods of 1e-5 d of error
    assert list(said(**far, period=(3.0, 1e-7))) == ["t0"]


def test_fast_star_may_be_where_it_is_in_another_year():
    moved = {"dec": (-30.0 + 10 / 3600, math.nan)}

    assert "ra" in said(**moved)
    assert "ra" not in said(**moved, pm_ra=(0.0, math.nan), pm_dec=(800.0, math.nan))


def test_table_holds_both_values_and_leaves_the_users_alone():
    rows = {row["quantity"]: row for row in identification.rows(TARGET, exofop(tmag=(12.0, 0.01)))}

    assert list(rows) == list(identification.UNITS)
    assert (rows["period"]["value"], rows["period"]["configured"]) == (3.0, 3.0)
    assert (rows["tmag"]["value"], rows["tmag"]["error"]) == (12.0, 0.01)
    assert math.isnan(rows["tmag"]["configured"])
    assert math.isnan(rows["teff"]["value"])
    assert rows["teff"]["configured"] == 5000
    kept = identification.from_kept(list(rows.values()))
    assert kept["tmag"] == Quantity(12.0, 0.01, "TOI table")
    assert "teff" not in kept


def test_row_of_the_toi_table_tells_coordinates_in_degrees():
    table = (
        b"TIC ID|TOI|RA|Dec|TESS Mag|Transit Epoch (BJD)|Period (days)|Depth (ppm)|Depth (ppm) err\n"
        b"1234567890|7001.01|06:40:00|-30:00:00|12.5|2460000.5|3.0|10000|250\n"
    )
    (row,) = identifiers.parse(table, "pipe")

    found = identification.from_row(row)

    assert (found["ra"].value, found["dec"].value) == (100.0, -30.0)
    assert found["depth"] == Quantity(10.0, 0.25, "TOI table")
    assert "teff" not in found
