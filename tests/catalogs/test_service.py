"""Catalogues from services that work, and from services that fail."""

from __future__ import annotations

import dataclasses
from urllib.parse import urlsplit

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.catalogs import gaia_dr3, service, votable
from accretor.catalogs.registry import SOURCES
from accretor.catalogs.validate import Field, fewest, galactic_latitude
from accretor.core.errors import ServiceError, Unusable
from accretor.io.http import Client
from tests.catalogs.server import around, everything
from tests.catalogs.server import votable as made

FIELD = Field(ra=150.0, dec=20.0, radius=0.2, tmag=11.0)
GAIA = gaia_dr3.SOURCE
ESA, ARI = (urlsplit(table.address).path for table in GAIA.tables[:2])
N_STAR = 400
MEASURED = {
    "G": 12.5, "BP": 13.0, "RP": 11.8, "G_snr": 1000.0, "BP_snr": 500.0, "RP_snr": 500.0,
    "G_error": 0.003, "BP_error": 0.003, "RP_error": 0.003, "excess": 1.22, "ruwe": 1.0,
    "variable": "NOT_AVAILABLE",
}  # fmt: skip


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def fetch(services, pauses):
    """Return a function that fetches Gaia DR3 from the services of the test."""
    services.hold(GAIA, around(FIELD, N_STAR, **MEASURED))

    def visit(address):
        return Client(
            urlsplit(address).hostname, {services.place}, timeout=(5, 1.0), attempts=2, pause=pauses.append
        )

    def fetched(source=GAIA, field=FIELD, **options):
        servers = services.elsewhere_of(source)
        return service.fetch(source, field, servers=servers, visit=visit, **options)

    return fetched


def paths(services):
    return [path for path, _ in services.asked]


def test_whole_answer_becomes_a_catalogue(services, fetch):
    found = fetch()

    truth = around(FIELD, N_STAR, **MEASURED)
    assert (len(found.catalog), found.n_query, found.failures) == (N_STAR, 1, ())
    assert found.address == services.address + ESA
    assert found.query == services.asked[0][1]["QUERY"]
    assert list(found.catalog.identifier) == [str(number) for number in truth["identifier"]]
    np.testing.assert_array_equal(found.catalog.ra, truth["ra"])
    np.testing.assert_array_equal(found.catalog.dec, truth["dec"])
    assert set(found.catalog.flag) == {""}
    np.testing.assert_allclose(found.catalog.magnitude_error["G"], np.hypot(1.0857362e-3, 0.0028), rtol=1e-6)


@pytest.mark.parametrize("fault", ["500", "503", "429", "cut", "stall"])
def test_trouble_that_passes_is_waited_for(services, fetch, pauses, fault):
    services.faults[ESA] = [fault]

    found = fetch()

    assert (len(found.catalog), found.failures) == (N_STAR, ())
    assert paths(services) == [ESA, ESA]
    assert pauses == [7.0 if fault == "429" else 1.0]


BROKEN = {
    "500": "HTTP status 500",
    "429": "HTTP status 429",
    "html": "not a VOTable but a page: 'Maintenance'",
    "login": "not a VOTable but a page: 'Please log in'",
    "short": "was cut off after",
    "cut": "broke before the answer was whole",
    "stall": "broke before the answer was whole|did not answer",
    "error": "refused the query: Column 'nonsense' is unknown",
    "error400": "refused the query: Column 'nonsense' is unknown",
    "empty": "no star within 0.2 degrees",
    "wrong_sky": f"{N_STAR} of {N_STAR} stars are not in the field",
    "bad_gzip": "cannot be unpacked",
    "short_gzip": "cannot be unpacked",
    "redirect": "elsewhere.example:443 is not a server that accretor goes to",
    "no_status": "does not say that it is complete",
}


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_service_is_told_and_the_next_one_asked(services, fetch, fault):
    services.always[ESA] = fault

    found = fetch()

    assert len(found.catalog) == N_STAR
    assert found.address == services.address + ARI
    (said,) = found.failures
    assert any(words in said for words in BROKEN[fault].split("|")), said


@pytest.mark.parametrize("fault", BROKEN)
def test_no_service_that_works_is_an_error_and_no_empty_sky(services, fetch, fault):
    # The older interface of VizieR cannot say that an answer is complete; there, 'no_status' is none.
    fault = "html" if fault == "no_status" else fault
    for table in GAIA.tables:
        services.always[urlsplit(table.address).path] = fault

    with pytest.raises(ServiceError) as raised:
        fetch()

    assert any(words in str(raised.value) for words in BROKEN[fault].split("|"))
    assert "\n" not in str(raised.value)


def test_packed_answer_is_unpacked(services, fetch):
    services.always[ESA] = "gzip"

    assert len(fetch().catalog) == N_STAR


@pytest.mark.parametrize("fault", ["", "silent"])
def test_field_with_more_rows_than_an_answer_may_have_comes_in_parts(services, fetch, fault):
    services.always[ESA] = fault

    found = fetch(at_once=60)

    truth = around(FIELD, N_STAR, **MEASURED)
    assert found.n_query > 8
    assert list(found.catalog.identifier) == [str(number) for number in truth["identifier"]]


def test_parts_come_from_the_older_interface_too(services, fetch):
    for path in (ESA, ARI, "/TAPVizieR/tap/sync"):
        services.always[path] = "html"

    found = fetch(at_once=100)

    assert found.address.endswith("/viz-bin/votable")
    assert len(found.catalog) == N_STAR
    assert len(found.failures) == 3


def test_service_that_cuts_off_everything_is_broken(services, fetch):
    with pytest.raises(ServiceError, match="cuts off its answers"):
        fetch(at_once=1)


def test_field_with_too_many_stars_is_refused_with_what_to_do(fetch):
    with pytest.raises(Unusable, match=r"more than 100 stars .* set faintest or a smaller radius"):
        fetch(most=100)


def test_faint_stars_are_left_out_where_that_is_asked_for(services, fetch):
    stars = around(FIELD, N_STAR, **MEASURED)
    stars["G"] = np.linspace(11, 19, N_STAR)
    services.hold(GAIA, stars)

    found = fetch(faintest=16.0)

    assert 0 < len(found.catalog) < N_STAR
    assert found.catalog.magnitude["G"].max() < 16
    assert "phot_g_mean_mag < 16" in found.query


def test_field_without_the_target_is_not_believed(services, fetch):
    stars = around(FIELD, N_STAR, **MEASURED)
    stars["dec"][0] += 5 / 3600
    services.hold(GAIA, stars)

    with pytest.raises(
        ServiceError, match=r"the target is not among its 400 stars; the nearest is 5\.0 arcsec"
    ):
        fetch()


@pytest.mark.parametrize("tmag", [2.0, 20.3])
def test_target_out_of_the_range_of_the_catalogue_need_not_be_in_it(services, fetch, tmag):
    stars = around(FIELD, N_STAR, **MEASURED)
    stars["dec"][0] += 5 / 3600
    services.hold(GAIA, stars)

    assert len(fetch(field=dataclasses.replace(FIELD, tmag=tmag)).catalog) == N_STAR


def test_target_is_looked_for_where_it_has_moved_to(services, fetch):
    moving = dataclasses.replace(FIELD, pm_ra=0.0, pm_dec=1000.0)
    stars = around(FIELD, N_STAR, **MEASURED)
    stars["dec"][0] += 16 / 3600  # at epoch 2016
    services.hold(GAIA, stars)

    assert len(fetch(field=moving).catalog) == N_STAR


def test_sparse_and_cut_fields_are_not_believed(services, fetch):
    services.hold(GAIA, around(FIELD, 20, **MEASURED))
    with pytest.raises(
        ServiceError, match=r"gives 20 stars where even a poor field at 5\d degrees .* has 8\d"
    ):
        fetch()
    inner = dataclasses.replace(FIELD, radius=0.1)
    services.hold(GAIA, around(inner, N_STAR, **MEASURED))
    with pytest.raises(ServiceError, match=r"end 0\.1\d* degrees from the centre, not 0\.2"):
        fetch()


POLE = dataclasses.replace(FIELD, ra=192.86, dec=27.13)
CLOUD = dataclasses.replace(FIELD, ra=68.0, dec=26.0)
"""The pole of the Galaxy, and the dark clouds of Taurus, 15 degrees off its plane."""


@pytest.mark.parametrize(
    ("field", "n_star", "is_believed"),
    [
        (POLE, 80, True),
        (POLE, 20, False),
        (CLOUD, 80, True),
        (CLOUD, 20, False),
        (dataclasses.replace(FIELD, ra=139.0), 80, True),
        (dataclasses.replace(FIELD, ra=125.0, dec=5.0), 60, False),
        (dataclasses.replace(POLE, radius=0.05), 4, True),
    ],
    ids=["pole", "pole, cut", "cloud", "cloud, cut", "43 degrees", "23 degrees, cut", "small and empty"],
)
def test_a_poor_field_is_believed_by_its_latitude_and_size_and_a_cut_one_is_not(
    services, fetch, field, n_star, is_believed
):
    services.hold(GAIA, around(field, n_star, **MEASURED))
    if is_believed:
        assert len(fetch(field=field).catalog) == n_star
        return
    with pytest.raises(ServiceError, match="not all of them"):
        fetch(field=field)


def test_a_bright_limit_makes_few_stars_enough():
    deep, bright = (fewest(GAIA, 60.0, faintest) for faintest in (None, 14.0))

    assert bright == pytest.approx(deep * 0.6 ** (GAIA.faint - 14.0))


@pytest.mark.parametrize(
    ("ra", "dec", "latitude"), [(266.405, -28.936, 0.0), (192.86, 27.13, 90.0), (83.63, 22.01, -5.78)]
)
def test_galactic_latitudes_are_those_of_astropy(ra, dec, latitude):
    from astropy.coordinates import SkyCoord

    assert galactic_latitude(ra, dec) == pytest.approx(latitude, abs=0.02)
    assert galactic_latitude(ra, dec) == pytest.approx(
        SkyCoord(ra, dec, unit="deg").galactic.b.degree, abs=1e-4
    )


def test_an_answer_that_lacks_a_quarter_of_the_field_is_not_believed(services, fetch):
    stars = around(FIELD, N_STAR, **MEASURED)
    kept = ~((stars["ra"] > FIELD.ra) & (stars["dec"] > FIELD.dec))
    kept[0] = True  # the target
    stars["ra"][0] -= 1e-6
    services.hold(GAIA, {name: values[kept] for name, values in stars.items()})

    with pytest.raises(ServiceError, match=r"none of its \d+ stars is in the NE quarter of the field"):
        fetch()


def test_tic_is_known_by_its_number_of_ten_digits(services, fetch):
    tic = SOURCES["tic"]
    stars = around(FIELD, N_STAR, Tmag=12.0, Tmag_error=0.01, B=13.0, B_error=0.1, V=12.5, V_error=0.1)
    stars |= {"disposition": np.full(N_STAR, ""), "kind": np.full(N_STAR, "STAR")}
    stars["identifier"] = np.arange(N_STAR) + 1_234_567_890
    services.hold(tic, stars)

    found = fetch(tic, dataclasses.replace(FIELD, tic=1_234_567_890))
    assert found.catalog.identifier[0] == "1234567890"
    with pytest.raises(ServiceError, match="TIC 99 is not among the 400 stars"):
        fetch(tic, dataclasses.replace(FIELD, tic=99))


@pytest.mark.parametrize(
    ("ra", "dec"), [(0.01, 0.0), (359.95, -45.0), (12.0, 89.95), (300.0, -89.9), (180.0, -0.05)]
)
def test_fields_at_the_seams_of_the_sky_come_whole_and_in_parts(services, fetch, ra, dec):
    field = dataclasses.replace(FIELD, ra=ra, dec=dec)
    services.hold(GAIA, around(field, N_STAR, **MEASURED))

    assert len(fetch(field=field).catalog) == N_STAR
    assert len(fetch(field=field, at_once=100).catalog) == N_STAR


@pytest.mark.parametrize("name", SOURCES)
def test_every_catalogue_is_read_from_every_service_of_its(services, fetch, name):
    source = SOURCES[name]
    field = dataclasses.replace(FIELD, radius=1.0 if name == "tycho2" else 0.2, dec=-20.0, tmag=25.0)
    stars = everything(source, field, N_STAR)
    for table in source.tables:
        one = dataclasses.replace(source, tables=(table,))
        services.hold(one, stars)

        catalog = fetch(one, field).catalog

        assert (catalog.name, len(catalog)) == (name, N_STAR)
        assert set(catalog.system) == set(catalog.magnitude) == set(catalog.magnitude_error)
        assert len(set(catalog.identifier)) == N_STAR
        assert set(catalog.flag) == {""}
        for band in catalog.system:
            np.testing.assert_allclose(catalog.magnitude[band], 15.0)
        np.testing.assert_array_equal(np.sort(catalog.ra), np.sort(stars["ra"]))


@given(st.binary(max_size=300), st.integers(0, 2**32))
def test_no_answer_makes_the_reader_fail_in_another_way(noise, seed):
    whole = SAMPLE
    generator = np.random.Generator(np.random.PCG64(seed))
    at = int(generator.integers(0, len(whole)))
    for content in (
        noise,
        whole[:at] + noise + whole[at:],
        whole[:at],
        whole[:at] + whole[at + len(noise) :],
    ):
        try:
            rows = votable.parse(content, "TAP", needs_status=True)
        except ServiceError:
            continue
        assert set(map(len, rows.columns.values())) == {rows.n_row}


def _sample() -> bytes:
    from astropy.table import Table

    return made(Table({"source_id": [1, 2], "ra": [1.5, 2.5], "name": ["a", "b"]}))


SAMPLE = _sample()


def test_entities_that_grow_are_refused():
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><VOTABLE>&a;</VOTABLE>'

    with pytest.raises(ServiceError, match="defines entities"):
        votable.parse(bomb, "TAP", needs_status=True)
