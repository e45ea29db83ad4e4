"""Catalogues as they are kept, and files of the user's."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st

from accretor import catalogs
from accretor.core.catalog import Catalog
from accretor.core.errors import DumpError, Unusable
from tests.harness import SHARED


def sample(n_star: int = 5) -> Catalog:
    """Return a catalogue of made-up stars."""
    generator = np.random.Generator(np.random.PCG64(3))
    return Catalog(
        name="gaia_dr3",
        epoch=2016.0,
        identifier=np.array([str(4_000_000_000_000_000_000 + i) for i in range(n_star)], dtype=np.str_),
        ra=np.round(generator.uniform(0, 360, n_star), 9),
        dec=np.round(generator.uniform(-90, 90, n_star), 9),
        pm_ra=np.round(generator.normal(0, 20, n_star), 4),
        pm_dec=np.full(n_star, np.nan),
        magnitude={"G": np.round(generator.uniform(8, 20, n_star), 5)},
        magnitude_error={"G": np.full(n_star, 0.003)},
        system={"G": "Vega"},
        flag=np.array(["blend, variable", *[""] * (n_star - 1)][:n_star], dtype=np.str_),
    )


def assert_same(one: Catalog, other: Catalog) -> None:
    assert (one.name, one.epoch, dict(one.system)) == (other.name, other.epoch, dict(other.system))
    for name in ("identifier", "ra", "dec", "pm_ra", "pm_dec", "flag"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for band in one.magnitude:
        np.testing.assert_array_equal(one.magnitude[band], other.magnitude[band])
        np.testing.assert_array_equal(one.magnitude_error[band], other.magnitude_error[band])


@pytest.mark.parametrize("n_star", [0, 1, 5])
def test_catalogue_comes_back_as_it_was_kept(tmp_path, n_star):
    path = tmp_path / "catalogs" / "gaia_dr3.ecsv"
    meta = {"service": "https://somewhere", "radius": 0.2}

    assert catalogs.write(path, sample(n_star), meta)
    assert not catalogs.write(path, sample(n_star), meta)
    assert_same(catalogs.read(path), sample(n_star))
    assert catalogs.about(path) == meta
    assert catalogs.about(tmp_path / "none.ecsv") == {}


def test_kept_catalogue_is_a_table_with_units_to_astropy(tmp_path):
    path = tmp_path / "gaia_dr3.ecsv"
    catalogs.write(path, sample(), {})

    table = Table.read(path)

    assert [str(table[name].unit) for name in ("ra", "pm_ra", "G_error")] == ["deg", "mas / yr", "mag"]
    np.testing.assert_array_equal(table["ra"], sample().ra)


def test_what_is_no_kept_catalogue_is_not_read_as_one(tmp_path):
    path = tmp_path / "gaia_dr3.ecsv"
    with pytest.raises(FileNotFoundError):
        catalogs.read(path)
    catalogs.write(path, sample(), {})
    path.write_text(path.read_text()[:-10])
    with pytest.raises(DumpError, match="cut short"):
        catalogs.read(path)
    path.write_text("ra,dec\n1,2\n")
    with pytest.raises(DumpError):
        catalogs.read(path)


COLUMNS = {"identifier": "ID", "ra": "RAJ2000", "dec": "DEJ2000", "V": "Vmag", "V_error": "e_Vmag"}
ROWS = {
    "ID": ["1", "2", "3"],
    "RAJ2000": [10.5, 0.0, 359.999],
    "DEJ2000": [-45.25, 0.0, 89.9],
    "Vmag": [12.125, np.nan, 9.5],
    "e_Vmag": [0.01, np.nan, 0.02],
}


@pytest.mark.parametrize("kind", ["ascii.csv", "ascii.ecsv", "votable", "fits", "semicolon"])
def test_same_stars_come_from_every_kind_of_file(tmp_path, kind):
    path = tmp_path / "own.dat"
    table = Table(ROWS)
    if kind == "semicolon":
        table.write(path, format="ascii.csv", delimiter=";")
    else:
        table.write(path, format=kind)

    found = catalogs.local(path, "own", COLUMNS, epoch=2013.5)

    assert (found.name, found.epoch, found.system) == ("own", 2013.5, {"V": "Vega"})
    assert list(found.identifier) == ["1", "2", "3"]
    np.testing.assert_array_equal(found.ra, ROWS["RAJ2000"])
    np.testing.assert_array_equal(found.dec, ROWS["DEJ2000"])
    np.testing.assert_array_equal(found.magnitude["V"], ROWS["Vmag"])
    np.testing.assert_array_equal(found.magnitude_error["V"], ROWS["e_Vmag"])
    assert np.isnan(found.pm_ra).all()
    assert list(found.flag) == ["", "", ""]


def test_long_identifiers_keep_every_digit(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("source,ra,dec\n4657193600000000001,1,2\n,3,4\n")

    found = catalogs.local(path, "own", {"identifier": "source", "ra": "ra", "dec": "dec"})

    assert list(found.identifier) == ["4657193600000000001", ""]


def test_units_and_sexagesimal_angles_are_obeyed(tmp_path):
    path = tmp_path / "own.ecsv"
    table = Table({"a": ["12:00:00", "00:30:00"], "d": ["-30:30:00", "+10:00:00"], "m": [0.5, 0.1]})
    table["m"].unit = "arcsec / yr"
    table.write(path, format="ascii.ecsv")

    found = catalogs.local(path, "own", {"ra": "a", "dec": "d", "pm_ra": "m"})

    np.testing.assert_allclose(found.ra, [180, 7.5])
    np.testing.assert_allclose(found.dec, [-30.5, 10])
    np.testing.assert_allclose(found.pm_ra, [500, 100])


@pytest.mark.parametrize(
    ("content", "columns", "said"),
    [
        ("ra,dec\n1,2\n", {"ra": "RA", "dec": "dec"}, "has no column 'RA'; it has ra, dec"),
        ("ra,dec\n1,2\n", {"ra": "ra"}, "dec must be named"),
        ("ra,dec\n1,2\n", {}, "its columns must be named"),
        ("ra,dec\n", {"ra": "ra", "dec": "dec"}, "has no rows"),
        ("ra,dec\n,\n", {"ra": "ra", "dec": "dec"}, "none of its 1 rows has a position"),
        ("ra,dec\n1,95\n", {"ra": "ra", "dec": "dec"}, "row 1: .*95.* is no dec"),
        ("ra,dec,q\n1,2,3\n", {"ra": "ra", "dec": "dec", "Q": "q"}, "band Q: nothing tells"),
        (
            "ra,dec,q\n1,2,3\n",
            {"ra": "ra", "dec": "dec", "V_error": "q"},
            "error of a band that is not named",
        ),
        ("<html>", {"ra": "ra", "dec": "dec"}, "has no (rows|column)"),
        ("SIMPLE  = nonsense", {"ra": "ra", "dec": "dec"}, "cannot be read as FITS"),
        ("<VOTABLE><x>", {"ra": "ra", "dec": "dec"}, "cannot be read as VOTable"),
    ],
)
def test_file_that_is_not_what_the_settings_say_is_told_in_a_line(tmp_path, content, columns, said):
    path = tmp_path / "own.csv"
    path.write_text(content)

    with pytest.raises(Unusable, match=said) as raised:
        catalogs.local(path, "own", columns)
    assert "\n" not in str(raised.value)


def test_missing_file_is_told(tmp_path):
    with pytest.raises(Unusable, match="No such file"):
        catalogs.local(tmp_path / "none.csv", "own", {"ra": "a", "dec": "b"})


BEGINNINGS = (
    b"",
    b"SIMPLE  =                    T" + b" " * 50,
    b"<?xml version='1.0'?><VOTABLE>",
    b"# %ECSV 1.0\n# ---\n",
)


@given(st.tuples(st.sampled_from(BEGINNINGS), st.binary(max_size=400)).map(b"".join))
def test_no_file_makes_the_reader_fail_in_another_way(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.dat"
    path.write_bytes(content)
    with contextlib.suppress(Unusable):
        assert len(catalogs.local(path, "own", {"ra": "ra", "dec": "dec"})) > 0


@pytest.mark.skipif(not (SHARED / "catalog-tycho2").is_dir(), reason="no ../shared/data")
def test_real_tycho_cutout_is_read():
    path = SHARED / "catalog-tycho2" / "fields" / "tycho2_hatp32.csv"

    found = catalogs.local(path, "tycho2", {"ra": "ra_j2000_deg", "dec": "dec_j2000_deg", "VT": "vt_mag"})

    assert len(found) == 297
    assert found.magnitude["VT"].min() == 6.608
    assert found.ra[0] == 29.496822
