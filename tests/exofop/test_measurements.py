from __future__ import annotations

import numpy as np
import pytest

from accretor.aij import table as aij_table
from accretor.core.errors import Unusable
from accretor.exofop import measurements

TIME = 2460738.7 + np.arange(30) * 60 / 86400
FLUX = 1 + 0.001 * np.sin(np.arange(30))
ERROR = np.full(30, 0.002)


def text(separator, header, *columns):
    lines = [] if header is None else [separator.join(header)]
    return "\n".join(
        [*lines, *(separator.join(map(repr, map(float, row))) for row in zip(*columns, strict=True))]
    )


@pytest.mark.parametrize("separator", ["\t", ",", ";", "|", " ", "   "])
@pytest.mark.parametrize("header", [["BJD_TDB", "flux", "flux_err"], ["#BJD_TDB", "flux", "flux_err"], None])
def test_any_separator_is_understood_with_and_without_a_header(tmp_path, separator, header):
    path = tmp_path / "a.dat"
    path.write_text(text(separator, header, TIME, FLUX, ERROR))
    found = measurements.read(path)
    np.testing.assert_array_equal(found.times.value, TIME)
    np.testing.assert_allclose(found.columns["relative_flux"] * found.level, FLUX, rtol=1e-15)
    np.testing.assert_allclose(found.columns["relative_flux_error"] * found.level, ERROR, rtol=1e-15)


@pytest.mark.parametrize(("name", "errors"), measurements.FLUXES)
def test_every_synonym_is_known(name, errors):
    for error in errors:
        found = measurements.standard({"BJD_TDB": TIME, name: FLUX, error: ERROR})
        assert found.sources["relative_flux"] == name
        assert found.sources["relative_flux_error"] == error
        assert found.remarks == ()


def test_a_full_table_of_ours_lacks_nothing(made, tmp_path):
    path = tmp_path / made.name("measurements.tbl")
    extra = {"FWHM_T1": np.full(51, 4.0), "Sky/Pixel_T1": np.full(51, 9.0)}
    extra |= {"X(IJ)_T1": np.full(51, 5.5), "Y(IJ)_T1": np.full(51, 6.5)}
    path.write_bytes(aij_table.write(made.columns(**extra)))
    found = measurements.read(path)
    assert found.missing == ()
    assert found.times.remarks == ()
    np.testing.assert_array_equal(found.times.value, made.columns()["BJD_TDB"])
    assert measurements.cadence(found.times.value) == pytest.approx(90, abs=0.01)
    assert measurements.named(path.name) == measurements.Named("20250304", "Hilltop-0m5", "ip")


def test_missing_covariates_are_named():
    found = measurements.standard({"BJD_TDB": TIME, "flux": FLUX, "airmass": FLUX})
    assert found.missing == ("fwhm", "sky", "x", "y")
    assert found.remarks == ("flux has no error",)
    assert np.isnan(found.columns["fwhm"]).all()


def test_rows_without_a_time_or_flux_are_counted_and_the_rest_put_in_order():
    flux = FLUX.copy()
    flux[4] = np.nan
    turned = slice(None, None, -1)
    found = measurements.standard({"BJD_TDB": TIME[turned], "flux": flux[turned], "flux_err": ERROR})
    assert found.n_dropped == 1
    assert found.times.value.size == 29
    assert (np.diff(found.times.value) > 0).all()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n \n",
        b"<!DOCTYPE html><html>",
        b"\x89PNG\0\0\0",
        b"BJD_TDB\tflux\n1\t2\t3\n",
        b"BJD_TDB,flux\n2460738.7,\xff\xfe\n",
        b"1 2\n3 4\n",
        b"2460738.7 0.001 1.0\n2460738.8 0.001 1.0\n2460738.9 0.001 1.0\n",
        b"a,b\n" + b'"' + b"x" * 200_000,
        b"BJD_TDB,mag\n2460738.7,12\n2460738.8,12\n2460738.9,12\n",
        b"BJD_TDB,flux\n2460738.7,1\n",
        b"BJD_TDB,flux\n2460738.7,-1\n2460738.8,-1\n2460738.9,-1\n",
        b"Beobachtung war gut, Wolken ab 3 Uhr",
    ],
)
def test_what_is_no_light_curve_is_refused_with_a_sentence(tmp_path, content):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(Unusable):
        measurements.read(path)


def test_only_measurements_are_taken_where_a_file_is_named_so(tmp_path):
    names = ["a_measurements.tbl", "a_lightcurve.csv", "a_notes.txt", "sub/b_measurements.txt", "a.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert [path.name for path in measurements.candidates(tmp_path)] == [
        "a_measurements.tbl",
        "b_measurements.txt",
    ]
    for path in measurements.candidates(tmp_path):
        path.unlink()
    assert [path.name for path in measurements.candidates(tmp_path)] == ["a_lightcurve.csv"]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("TIC12345-01_20250304_LCO-CTIO-1m0_gp_measurements.tbl", ("20250304", "LCO-CTIO-1m0", "gp")),
        (
            "TIC1234567890-01_20250304_LCO-CTIO-1m0_i+z_10px_measurements.tbl",
            ("20250304", "LCO-CTIO-1m0", "i+z"),
        ),
        ("TOI-1234-01_20250304_OPM_Rc_measurements.xls", ("20250304", "OPM", "Rc")),
        ("TIC12345.01_20251304_OPM_Rc_measurements.xls", ("", "", "")),
        ("lightcurve.csv", ("", "", "")),
    ],
)
def test_names_in_the_grammar_of_sg1_are_read(name, parts):
    assert measurements.named(name) == measurements.Named(*parts)


def test_real_tables_of_astroimagej_are_read():
    from tests.harness import SHARED

    tables = sorted((SHARED / "aij-tables").rglob("*")) if SHARED.is_dir() else []
    found = [path for path in tables if path.suffix in (".tbl", ".xls", ".csv", ".txt")]
    if not found:
        pytest.skip("real data are not here")
    n_read = 0
    for path in found:
        try:
            read = measurements.read(path)
        except Unusable:
            continue
        n_read += 1
        assert (read.times.value > 2.4e6).all()
        assert np.median(read.columns["relative_flux"]) == pytest.approx(1)
    assert n_read > 0
