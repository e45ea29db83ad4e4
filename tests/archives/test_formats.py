from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest

from accretor.archives import formats, priors
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
    orbit=Orbit(2460739.42 - 1000 * 2.15, 2.15, 22.0, 3.1, 0.0004, 2e-6),
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

    assert len(made) == 10
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
    np.testing.assert_allclose(found[:, 3:].std(axis=0), 1, atol=1e-5)
    assert np.corrcoef(found[:, 4], np.arange(30))[0, 1] == pytest.approx(1)


def test_a_term_with_a_gap_is_no_column_for_another_program():
    found = formats.exofast(replace(CURVE, detrended_with=("FWHM", "X", "AIRMASS")))

    assert table(found).shape == (30, 5)
    assert b"nan" not in found


def test_exofast_gets_no_file_of_a_band_that_it_stops_at():
    made, failed = formats.files(replace(CURVE, filter="I+z"))

    assert "no file for EXOFAST: it knows no band I+z" in failed
    assert not any(name.startswith("EXOFAST/n") for name in made)


def test_exoclock_is_told_what_the_times_are():
    info = dict(line.split(": ", 1) for line in formats.exoclock_info(CURVE).decode("ascii").splitlines())

    assert (info["Planet"], info["Time format"], info["Time stamp"]) == (
        "TOI-1234.01",
        "BJD_TDB",
        "Mid exposure",
    )
    assert (info["Flux format"], info["Filter"], info["Exposure time"]) == ("Flux", "ip", "60 s")


def test_juliet_gets_a_prior_for_every_parameter_of_its_model():
    lines = [line.split() for line in priors.juliet(CURVE, "I").decode("ascii").splitlines()]
    known = {name: (kind, [float(value) for value in values.split(",")]) for name, kind, values in lines}

    assert set(known) == {
        *("P_p1", "t0_p1", "p_p1", "b_p1", "a_p1", "ecc_p1", "omega_p1", "q1_I", "q2_I"),
        *("mdilution_I", "mflux_I", "sigma_w_I", "theta0_I", "theta1_I"),
    }
    assert known["P_p1"] == ("normal", [2.15, 2e-6])
    low, high = known["t0_p1"][1]
    assert 0.5 * (low + high) == pytest.approx(2460739.42, abs=1e-6)
    assert 0.5 * (high - low) == pytest.approx(3.1 / 48, abs=1e-6)  # half the transit is more than 3 sigma
    assert known["q1_I"][1][0] == pytest.approx(0.25)
    assert known["q2_I"][1][0] == pytest.approx(0.3)


def test_an_uncertain_ephemeris_widens_the_window_of_the_transit():
    far = replace(CURVE, orbit=replace(CURVE.orbit, period_error=1e-4))

    # 1000 periods of 1e-4 day each; the error of T0 is nothing beside it.
    assert priors.guess(far).t0_reach == pytest.approx(0.3, rel=1e-4)


def test_without_a_fit_the_orbit_is_that_of_a_central_transit():
    found = priors.guess(replace(CURVE, fit=None))

    # From the orbit's speed: 2 (R + r) over pi a P is the duration, for a far orbit.
    assert found.a_rs == pytest.approx((1 + np.sqrt(0.022)) * 2.15 / (np.pi * 3.1 / 24), rel=0.02)
    assert found.rp_rs == pytest.approx(np.sqrt(0.022))


@pytest.mark.parametrize(
    ("orbit", "why"),
    [
        (None, "there is no ephemeris"),
        (Orbit(2460739.4, 0.0, 22.0), "the period is not known: the candidate was seen once"),
    ],
)
def test_without_a_period_there_are_no_priors_and_that_is_said_once(orbit, why):
    made, failed = formats.files(replace(CURVE, orbit=orbit))

    assert failed == [f"no file for EXOFAST, juliet, allesfitter: {why}"]
    assert not any("prior" in name or "params" in name for name in made)
    assert "juliet/Hilltop-0m5-ip-20250304.dat" in made


def test_the_parameters_of_allesfitter_lie_within_their_bounds():
    lines = priors.allesfitter_params(CURVE, "I").decode("ascii").splitlines()[1:]
    for name, value, fit, bounds, *_ in (line.split(",") for line in lines):
        kind, *numbers = bounds.split()
        low, high = (float(number) for number in numbers[:2])
        if kind == "normal":  # mean and standard deviation
            low, high = low - high, low + high
        assert low <= float(value) <= high, name
        assert fit in {"0", "1"}
    assert len(lines) == 10


def test_names_tell_night_filter_and_telescope_and_are_all_different():
    names = [form.file_name(CURVE) for form in formats.FORMATS]

    assert len(set(names)) == len(names) == 11
    assert "EXOFAST/n20250304.Sloani.Hilltop-0m5.dat" in names
    assert "allesfitter/Hilltop_0m5_ip_20250304.csv" in names


def test_the_same_curve_gives_the_same_bytes():
    assert formats.files(CURVE) == formats.files(replace(CURVE))
