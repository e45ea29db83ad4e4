"""What each catalogue holds against its stars."""

from __future__ import annotations

import numpy as np
import pytest

from accretor.catalogs import gaia_dr3
from accretor.catalogs.registry import SOURCES, chosen
from accretor.catalogs.validate import Field
from tests.catalogs.server import everything

FIELD = Field(ra=10.0, dec=-20.0, radius=0.2)

CASES = [
    ("gaia_dr3", {}, ""),
    ("gaia_dr3", {"ruwe": 1.41}, "ruwe"),
    ("gaia_dr3", {"variable": "VARIABLE"}, "variable"),
    ("gaia_dr3", {"excess": 1.8}, "blend"),
    ("gaia_dr3", {"ruwe": np.nan, "excess": np.nan}, ""),
    ("gaia_dr3", {"ruwe": 3.0, "excess": 1.8, "variable": "VARIABLE"}, "ruwe, blend, variable"),
    ("tic", {"disposition": "ARTIFACT"}, "artifact"),
    ("tic", {"disposition": "DUPLICATE"}, "duplicate"),
    ("tic", {"disposition": "SPLIT"}, "duplicate"),
    ("tic", {"kind": "EXTENDED"}, "extended"),
    ("refcat2", {"dupvar": 0.0}, ""),
    ("refcat2", {"dupvar": 1.0}, "variable"),
    ("refcat2", {"dupvar": 2.0}, ""),
    ("refcat2", {"dupvar": 4.0}, "duplicate"),
    ("refcat2", {"dupvar": 5.0}, "variable, duplicate"),
    ("refcat2", {"dupvar": 6.0}, "duplicate"),
    ("refcat2", {"tenth": 3.0}, "blend"),
    ("gaia_synthetic", {"c_star": 0.5}, "blend"),
    ("gaia_synthetic", {"c_star": -0.5}, "blend"),
    ("apass_dr9", {"n": 1.0}, "single"),
    ("apass_dr9", {"V": 9.0}, "saturated"),
    ("ps1", {"quality": 64.0 + 52}, "poor"),
    ("ps1", {"quality": 128.0}, "poor"),
    ("ps1", {"i_kron": 14.96}, ""),
    ("ps1", {"i": 17.0, "i_kron": 16.9}, "extended"),
    ("ps1", {"g": 14.4}, "saturated"),
    ("skymapper_dr4", {"flags": 4.0}, "saturated"),
    ("skymapper_dr4", {"flags": 2.0}, "blend"),
    ("skymapper_dr4", {"star": 0.1}, "extended"),
    ("tycho2", {"photocentre": "P"}, "blend"),
]


@pytest.mark.parametrize(("name", "values", "flag"), CASES)
def test_a_star_is_flagged_by_the_rules_of_its_catalogue(name, values, flag):
    source = SOURCES[name]
    stars = everything(source, FIELD, 3)
    for column, value in values.items():
        assert column in stars
        stars[column] = np.full(3, value)

    found = source.catalog({key: np.asarray(column) for key, column in stars.items()})

    assert set(found.flag) == {flag}


def test_synthetic_magnitudes_of_little_signal_or_outside_the_range_are_none():
    source = SOURCES["gaia_synthetic"]
    stars = everything(source, FIELD, 3)
    stars["V_flux_error"] = np.array([1.0, 1000 / 29.0, 1.0])
    stars["V_flag"] = np.array([1.0, 1.0, 0.0])

    found = source.catalog(stars)

    np.testing.assert_array_equal(found.magnitude["V"], [15.0, np.nan, np.nan])
    np.testing.assert_allclose(found.magnitude_error["V"], [1.0857e-3, np.nan, np.nan], rtol=1e-3)
    np.testing.assert_array_equal(found.magnitude["B"], [15.0] * 3)


def test_error_of_zero_is_no_error_in_apass():
    stars = everything(SOURCES["apass_dr9"], FIELD, 2)
    stars["V_error"] = np.array([0.0, 0.02])

    np.testing.assert_array_equal(SOURCES["apass_dr9"].catalog(stars).magnitude_error["V"], [np.nan, 0.02])


@pytest.mark.parametrize(("colour", "factor"), [(0.0, 1.15436), (0.5 - 1e-9, 1.17931), (1.0, 1.216842)])
def test_single_stars_have_no_flux_excess(colour, factor):
    # The polynomials of Riello et al. (2021), added up by hand.
    assert gaia_dr3.excess(np.array([factor]), np.array([colour]))[0] == pytest.approx(0, abs=1e-5)


def test_flux_excess_of_single_stars_has_no_step_at_the_seams():
    for seam in (0.5, 4.0):
        low, high = gaia_dr3.excess(np.ones(2), np.array([seam - 1e-6, seam + 1e-6]))
        assert low == pytest.approx(high, abs=0.01)


def test_scatter_of_the_flux_excess_grows_with_magnitude():
    # sigma of C* at G = 11 and 18: 0.0067 and 0.038 (figure 20 of Riello et al. 2021, to a tenth).
    bright, faint = gaia_dr3.excess_scatter(np.array([11.0, 18.0]))
    assert bright == pytest.approx(0.0067, rel=0.1)
    assert faint == pytest.approx(0.038, rel=0.1)


def test_tycho_is_fetched_for_wide_fields_only_unless_named():
    assert "tycho2" not in chosen((), 0.3)
    assert "tycho2" in chosen((), 1.0)
    assert chosen(("tycho2",), 0.1) == ("tycho2",)


@pytest.mark.parametrize("name", SOURCES)
def test_every_catalogue_says_what_it_is(name):
    source = SOURCES[name]

    assert source.name == name
    assert source.main in source.system
    assert source.bright < source.faint
    assert any(str(year) in source.title for year in range(1990, 2030))
    for table in source.tables:
        assert table.address.startswith("https://")
        assert source.main in table.columns
        assert {"ra", "dec"} <= set(table.columns)
