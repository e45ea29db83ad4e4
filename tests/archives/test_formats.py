from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest

from accretor.archives import formats
from accretor.archives.curve import Curve, Fit, Orbit

RNG = np.random.Generator(np.random.PCG64(2))
TIME = 2460739.4 + np.arange(30) * 120 / 86400
CURVE = Curve(
    name="TOI-1234.01",
    star="TOI-1234",
    tic=123,
    date="20250304",
    telescope="Hilltop-0m5",
    filter="ip",
    observer="A. Observer",
    exposure=60.0,
    binning="2x2",
    jd_utc=TIME - 0.003,
    bjd_tdb=TIME,
    flux=1 + RNG.normal(0, 0.003, 30),
    error=np.full(30, 0.003),
    covariates={"AIRMASS": np.linspace(1.1, 1.6, 30), "FWHM": np.full(30, np.nan), "X": np.arange(30.0)},
    detrended_with=("AIRMASS", "X"),
    comparison=(("C2", 31.0, 46.5, 10.0, 12.0), ("C3", np.nan, np.nan, 1.0, 2.0)),
    orbit=Orbit(2455867.4, 2.15, 22.0),
    fit=Fit(2460739.42, 0.001, 0.149, 0.003, 6.1, 88.5, 3.1, 0.1),
    limb=(0.3, 0.2),
    obscode="ABC",
    program="accretor 0.1.0",
)


def table(content, **how):
    return np.loadtxt(io.StringIO(content.decode("ascii")), **how)


@pytest.mark.parametrize("write", [formats.exoclock, formats.allesfitter, formats.exofast, formats.juliet])
def test_time_flux_and_error_come_back_to_the_last_digit_that_matters(write):
    how = {"delimiter": ","} if write is formats.allesfitter else {}
    found = table(write(CURVE), usecols=(0, 1, 2), **how)

    np.testing.assert_allclose(found[:, 0], CURVE.bjd_tdb, rtol=0, atol=1e-8)
    np.testing.assert_allclose(found[:, 1:], np.column_stack([CURVE.flux, CURVE.error]), rtol=0, atol=1e-7)


def test_the_etd_gets_geocentric_times_and_magnitudes_that_grow_fainter():
    found = table(formats.etd(CURVE))

    np.testing.assert_allclose(found[:, 0], CURVE.jd_utc, rtol=0, atol=1e-8)
    np.testing.assert_allclose(10 ** (-0.4 * found[:, 1]), CURVE.flux, rtol=1e-6)
    np.testing.assert_allclose(found[:, 2], 1.0857 * 0.003 / CURVE.flux, rtol=1e-3)


def test_a_flux_below_nothing_has_no_magnitude_and_stops_no_other_form():
    made, failed = formats.files(replace(CURVE, flux=CURVE.flux - 1))

    assert len(made) == 5
    assert failed == ["no file for ETD: a flux is not above 0, so there is no magnitude"]


def test_a_report_of_the_aavso_has_its_head_and_a_cell_for_every_column():
    lines = formats.aavso(CURVE).decode("ascii").splitlines()
    head = dict(line[1:].split("=", 1) for line in lines if line.startswith("#") and "=" in line)
    names = next(line for line in lines if line.startswith("#DATE,"))[1:].split(",")
    rows = [line.split(",") for line in lines if not line.startswith("#")]

    assert lines[0] == "#TYPE=EXOPLANET"
    assert (head["OBSCODE"], head["DATE_TYPE"], head["FILTER"], head["BINNING"]) == (
        "ABC",
        "BJD_TDB",
        "SI",
        "2x2",
    )
    assert head["MEASUREMENT_TYPE"] == "Rnflux"
    assert head["DETREND_PARAMETERS"].split(",") == ["AIRMASS", "FWHM", "X"]
    assert names == ["DATE", "DIFF", "ERR", "DETREND_1", "DETREND_2", "DETREND_3"]
    assert {len(row) for row in rows} == {6}
    assert len(rows) == 30
    assert rows[0][4] == "na"
    assert float(rows[0][3]) == pytest.approx(1.1)
    assert "Tc=2460739.420000 +/- 0.001" in head["RESULTS"]
    assert json.loads(head["RESULTS-XC"])["Rp/R*"] == {"value": "0.149", "uncertainty": "0.003"}
    assert json.loads(head["COMP_STAR-XC"])[0]["ra"] == "31.000000"
    assert "ra" not in json.loads(head["COMP_STAR-XC"])[1]


def test_a_filter_that_the_aavso_does_not_list_is_named_beside():
    lines = formats.aavso(replace(CURVE, filter="I+z")).decode("ascii").splitlines()

    assert "#FILTER=O" in lines
    assert any(line.startswith('#FILTER-XC={"name": "I+z"') for line in lines)


def test_without_fit_and_ephemeris_nothing_is_claimed():
    text = formats.aavso(replace(CURVE, fit=None, orbit=None, limb=(np.nan, np.nan))).decode("ascii")

    assert "#RESULTS=\n" in text
    assert "#PRIORS=\n" in text
    assert "nan" not in text


def test_exofast_gets_the_terms_of_the_trend_of_mean_0():
    found = table(formats.exofast(CURVE))

    assert found.shape == (30, 5)
    np.testing.assert_allclose(found[:, 3:].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(np.ptp(found[:, 4]), 29, atol=1e-6)


def test_names_tell_night_filter_and_telescope_and_are_all_different():
    names = [form.file_name(CURVE) for form in formats.FORMATS]

    assert len(set(names)) == len(names) == 6
    assert "n20250304.Sloani.Hilltop-0m5.dat" in names
    assert "Hilltop_0m5_ip_20250304.csv" in names


def test_the_same_curve_gives_the_same_bytes():
    assert formats.files(CURVE) == formats.files(replace(CURVE))
