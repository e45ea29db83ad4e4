from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from accretor.aij import columns, table
from accretor.aij.columns import MeasurementInput, TransitColumns, measurement_columns
from accretor.core.errors import Unusable

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "aij-samples"
TABLES = [
    DATA / "profe-toi7149/TOI-7149/measurements/250223_g_w3.tbl",
    DATA / "student-tools-mcclure/Table.tbl",
    DATA / "student-tools-mcclure/more_data.tbl",
]
N_FRAME, NAMES = 4, ("T1", "C2", "T3", "C4")


def made(**changes):
    rng = np.random.Generator(np.random.PCG64(1))
    shape = (N_FRAME, len(NAMES))
    time = 2460000.7 + np.arange(N_FRAME) / 1000
    night = {
        "label": [f"frame {n}.fits" for n in range(N_FRAME)],
        "jd_utc": time,
        "jd_start": time - 30 / 86400,
        "hjd_utc": time + 0.003,
        "bjd_tdb": time + 0.004,
        "airmass": np.linspace(1.2, 1.3, N_FRAME),
        "altitude": np.linspace(56, 50, N_FRAME),
        "exposure": np.full(N_FRAME, 60.0),
        "ccd_temperature": np.full(N_FRAME, np.nan),
        "ra_hour": 2.07,
        "dec_degree": 46.69,
        "names": NAMES,
        "flux": rng.uniform(1e4, 1e5, shape),
        "sky": rng.uniform(10, 20, shape),
        "n_sky": np.full(shape, 500.0),
        "peak": rng.uniform(1000, 3000, shape),
        "x": rng.uniform(10, 600, shape),
        "y": rng.uniform(10, 400, shape),
        "fwhm": rng.uniform(2, 3, shape),
        "x_width": rng.uniform(3, 4, shape),
        "y_width": rng.uniform(3, 4, shape),
        "angle": rng.uniform(0, 360, shape),
        "roundness": rng.uniform(0.8, 1, shape),
        "star_ra_hour": np.full(shape, 2.07),
        "star_dec_degree": np.full(shape, 46.69),
        "radius": np.full(N_FRAME, 5.0),
        "sky_inner": np.full(N_FRAME, 10.0),
        "sky_outer": np.full(N_FRAME, 20.0),
        "gain": 1.5,
        "read_noise": 8.0,
        "dark_current": 0.1,
        "saturation": 55000.0,
        "image_height": 500,
        "normalised_flux": np.ones(N_FRAME),
        "normalised_error": np.full(N_FRAME, 0.004),
    }
    return MeasurementInput(**{**night, **changes})


def stars_of(measured):
    return [name.removeprefix("Source-Sky_") for name in measured if name.startswith("Source-Sky_")]


def stacked(measured, kind):
    return np.stack([measured[f"{kind}_{star}"] for star in stars_of(measured)], axis=1)


@pytest.fixture(params=TABLES, ids=lambda path: path.name)
def measured(request):
    if not request.param.exists():
        pytest.skip("real data are not here")
    return table.read(request.param)


def test_relative_fluxes_and_sums_of_real_tables_are_reproduced(measured):
    is_comparison = np.array([star.startswith("C") for star in stars_of(measured)])

    sums = columns.differential(
        stacked(measured, "Source-Sky"), stacked(measured, "Source_Error"), is_comparison
    )

    np.testing.assert_allclose(sums.total, measured["tot_C_cnts"], rtol=1e-15)
    np.testing.assert_allclose(sums.total_error, measured["tot_C_err"], rtol=1e-15)
    # The cells have 16 decimals; below 0.001 that is fewer than 13 digits.
    np.testing.assert_allclose(sums.flux, stacked(measured, "rel_flux"), rtol=4e-13, atol=1e-15)
    np.testing.assert_allclose(sums.flux_error, stacked(measured, "rel_flux_err"), rtol=4e-13, atol=1e-15)
    np.testing.assert_allclose(sums.snr, stacked(measured, "rel_flux_SNR"), rtol=4e-13)


def test_errors_of_real_tables_follow_from_one_gain_and_one_read_noise(measured):
    flux, sky, error = (stacked(measured, kind) for kind in ("Source-Sky", "Sky/Pixel", "Source_Error"))
    n_source, n_sky = stacked(measured, "N_Src_Pixels"), stacked(measured, "N_Sky_Pixels")
    area = n_source * (1 + n_source / n_sky)
    # sigma^2 is linear in 1/G and (D + R^2)/G^2: solved from the table itself.
    design = (
        np.stack([(np.maximum(flux, 0) + area * sky).ravel(), area.ravel()], axis=1)
        / error.ravel()[:, None] ** 2
    )
    known = 1 - columns.DIGITISATION * area.ravel() / error.ravel() ** 2
    (inverse_gain, rest), *_ = np.linalg.lstsq(design, known)
    gain = 1 / inverse_gain

    ours = columns.source_error(
        flux,
        sky=sky,
        n_source=n_source,
        n_sky=n_sky,
        dark=rest * gain**2,
        gain=gain,
        read_noise=0.0,
    )

    np.testing.assert_allclose(ours, error, rtol=2e-14)


def test_geometry_of_real_tables_is_reproduced(measured):
    x, y = stacked(measured, "X(FITS)") - 1, stacked(measured, "Y(FITS)") - 1
    height = round(float((measured["Y(FITS)_T1"] + measured["Y(IJ)_T1"] - 0.5)[0]))

    np.testing.assert_allclose(columns.ij_x(x), stacked(measured, "X(IJ)"), rtol=0, atol=1e-9)
    np.testing.assert_allclose(columns.ij_y(y, height), stacked(measured, "Y(IJ)"), rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        np.pi * measured["Source_Radius"] ** 2, measured["N_Src_Pixels_T1"], rtol=1e-12
    )
    widths = (stacked(measured, "X-Width") + stacked(measured, "Y-Width")) / 2
    np.testing.assert_allclose(widths, stacked(measured, "Width"), rtol=1e-13)
    np.testing.assert_allclose(stacked(measured, "FWHM").mean(axis=1), measured["FWHM_Mean"], rtol=1e-13)
    means = stacked(measured, "Source-Sky") / stacked(measured, "N_Src_Pixels")
    np.testing.assert_allclose(means, stacked(measured, "Mean"), rtol=1e-13)


def test_our_table_has_every_column_of_a_real_one(measured):
    ours = measurement_columns(made(names=tuple(stars_of(measured)), **_stars(len(stars_of(measured)))))

    missing = set(measured) - set(ours)
    assert not missing
    order = [name for name in measured if name in ours and not name.startswith("N_S")]
    assert [name for name in ours if name in order] == order


def _stars(n_star):
    shape = (N_FRAME, n_star)
    kinds = ("flux", "sky", "n_sky", "peak", "x", "y", "fwhm", "x_width", "y_width", "angle", "roundness")
    stars = {kind: np.full(shape, 10.0) for kind in kinds}
    return stars | {"star_ra_hour": np.full(shape, 2.0), "star_dec_degree": np.full(shape, 46.0)}


def test_a_comparison_star_is_not_part_of_its_own_sum():
    night = made()
    found = measurement_columns(night)

    np.testing.assert_allclose(found["rel_flux_C2"], night.flux[:, 1] / night.flux[:, 3])
    np.testing.assert_allclose(found["rel_flux_T3"], night.flux[:, 2] / (night.flux[:, 1] + night.flux[:, 3]))


def test_the_error_is_that_of_poisson_and_gauss_by_simulation():
    rng = np.random.Generator(np.random.PCG64(7))
    gain, read_noise, n_source, n_sky, star, sky = 1.5, 8.0, 80, 500, 20_000.0, 12.0
    n_trial = 4000
    total = rng.poisson(star * gain + n_source * sky * gain, n_trial) + rng.normal(
        0, read_noise * np.sqrt(n_source), n_trial
    )
    level = (
        rng.poisson(n_sky * sky * gain, n_trial) + rng.normal(0, read_noise * np.sqrt(n_sky), n_trial)
    ) / n_sky
    scatter = np.std((total - n_source * level) / gain)

    predicted = columns.source_error(
        np.array([star]),
        sky=np.array([sky]),
        n_source=np.array([n_source]),
        n_sky=np.array([n_sky]),
        dark=0.0,
        gain=gain,
        read_noise=read_noise,
    )

    assert predicted[0] == pytest.approx(scatter, rel=4 / np.sqrt(2 * n_trial))


def test_pixels_count_from_one_in_fits_and_downward_in_imagej():
    found = measurement_columns(made(x=np.zeros((4, 4)), y=np.zeros((4, 4))))

    assert (found["X(FITS)_T1"][0], found["Y(FITS)_T1"][0]) == (1, 1)
    assert (found["X(IJ)_T1"][0], found["Y(IJ)_T1"][0]) == (0.5, 499.5)


def test_saturated_is_the_peak_of_the_worst_star_or_nothing():
    peak = np.full((4, 4), 1000.0)
    peak[2, 3] = 60000.0
    peak[1, 0] = np.nan

    np.testing.assert_array_equal(measurement_columns(made(peak=peak))["Saturated"], [0, 0, 60000, 0])


def test_positions_are_left_out_where_there_is_no_plate_solution():
    unknown = np.full((4, 4), np.nan)
    without = measurement_columns(made(star_ra_hour=unknown, star_dec_degree=unknown))

    assert "RA_T1" not in without
    assert "RA_T1" in measurement_columns(made())


def test_a_lost_star_makes_no_warning_and_only_its_own_frame_unknown():
    flux = made().flux.copy()
    flux[1, 1] = np.nan

    found = measurement_columns(made(flux=flux))

    np.testing.assert_array_equal(np.isnan(found["rel_flux_T1"]), [False, True, False, False])


def test_a_flux_of_nothing_is_written_as_zero():
    flux = made().flux.copy()
    flux[0, 0] = 0

    found = measurement_columns(made(flux=flux))

    assert (found["rel_flux_T1"][0], found["rel_flux_err_T1"][0]) == (0, 0)


def test_columns_of_the_fit_and_of_our_own_come_last():
    ones = np.ones(N_FRAME)
    found = list(
        measurement_columns(
            made(transit=TransitColumns(ones, ones, ones, ones), extra={"Meridian_Flip": ones})
        )
    )

    assert found[-7:] == [
        "rel_flux_T1_n",
        "rel_flux_err_T1_n",
        "rel_flux_T1_fn",
        "rel_flux_err_T1_fn",
        "rel_flux_T1_fn_model",
        "rel_flux_T1_fn_residual",
        "Meridian_Flip",
    ]
    with pytest.raises(ValueError, match="AIRMASS"):
        measurement_columns(made(extra={"AIRMASS": ones}))


def test_the_whole_table_writes_and_reads():
    found = measurement_columns(made())

    back = table.parse(table.write(found))

    assert list(back) == list(found)
    np.testing.assert_array_equal(back["BJD_TDB"], found["BJD_TDB"])


def test_an_unknown_exposure_is_said():
    exposure = np.full(N_FRAME, 60.0)
    exposure[1] = np.nan
    with pytest.raises(Unusable, match="1 of 4 frames"):
        measurement_columns(made(exposure=exposure))


def test_frames_out_of_order_and_a_missing_target_are_bugs():
    night = made()
    with pytest.raises(ValueError, match="ascending"):
        measurement_columns(replace(night, jd_utc=night.jd_utc[::-1]))
    with pytest.raises(ValueError, match="T1"):
        measurement_columns(replace(night, names=("C1", "C2", "T3", "C4")))


def test_the_old_table_of_six_decimals_agrees_within_its_rounding():
    path = DATA.parent / "aij-tables/wasp135b/Measurements.xls"
    if not path.exists():
        pytest.skip("real data are not here")
    old = table.read(path)
    is_comparison = np.array([star.startswith("C") for star in stars_of(old)])

    sums = columns.differential(stacked(old, "Source-Sky"), stacked(old, "Source_Error"), is_comparison)

    np.testing.assert_allclose(sums.total, old["tot_C_cnts"], rtol=1e-9)
    np.testing.assert_allclose(sums.flux, stacked(old, "rel_flux"), rtol=0, atol=1.1e-6)


def test_without_a_magnitude_of_a_comparison_star_there_is_no_column_of_magnitudes():
    for magnitude in (None, np.full(len(NAMES), np.nan), np.array([11.0, np.nan, 12.0, np.nan])):
        assert not any("AMag" in name for name in measurement_columns(made(magnitude=magnitude)))


def test_a_target_is_as_much_fainter_than_the_one_known_star_as_its_flux_is_less():
    night = made(magnitude=np.array([np.nan, 12.5, np.nan, np.nan]))
    found = measurement_columns(night)
    ratio = night.flux[:, 0] / night.flux[:, 1]
    noise = np.hypot(found["Source_Error_T1"] / night.flux[:, 0], found["Source_Error_C2"] / night.flux[:, 1])

    np.testing.assert_allclose(found["Source_AMag_T1"], 12.5 - 2.5 * np.log10(ratio), rtol=1e-12)
    np.testing.assert_allclose(found["Source_AMag_Err_T1"], 2.5 * np.log10(1 + noise), rtol=1e-12)
    assert set(found["Source_AMag_C2"]) == {12.5}
    assert set(found["Source_AMag_C4"]) == {99.999}  # AstroImageJ's word for unknown


def test_two_equal_stars_are_together_three_quarters_of_a_magnitude_brighter():
    night = made(magnitude=np.array([np.nan, 12.5, np.nan, 12.5]))
    found = measurement_columns(night)
    together = night.flux[:, 1] + night.flux[:, 3]

    expected = 12.5 - 2.5 * np.log10(2) - 2.5 * np.log10(night.flux[:, 0] / together)
    # AstroImageJ's 2.512 is 5 parts in 100,000 above the fifth root of 100.
    np.testing.assert_allclose(found["Source_AMag_T1"], expected, atol=1e-4)


def test_columns_stand_in_the_order_of_astroimagej():
    found = list(measurement_columns(made(magnitude=np.array([np.nan, 12.5, np.nan, 12.5]))))
    own = [name.removesuffix("_T1") for name in found[found.index("X(IJ)_T1") : found.index("X(IJ)_C2")]]

    assert own == [
        *("X(IJ)", "Y(IJ)", "X(FITS)", "Y(FITS)", "RA", "DEC", "Source-Sky", "N_Src_Pixels", "Source_Error"),
        *("Source_AMag", "Source_AMag_Err", "Source_SNR", "Peak", "Mean", "Sky/Pixel", "N_Sky_Pixels"),
        *("FWHM", "Width", "X-Width", "Y-Width", "Angle", "Roundness"),
    ]


@pytest.mark.parametrize("path", [*TABLES, DATA.parent / "aij-tables/wasp135b/Measurements.xls"], ids=str)
def test_every_column_of_a_real_table_is_one_of_ours(path):
    if not path.exists():
        pytest.skip("real data are not here")

    def kinds(names):
        # The user adds curves of any star in AstroImageJ; ours are of the target.
        return {re.sub(r"_[TC]\d+(?=$|_n$)", "", name) for name in names}

    missing = kinds(table.read(path)) - kinds(measurement_columns(made()))
    assert missing == set()


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_groups_of_columns_follow_one_another_as_in_a_real_table(path):
    if not path.exists():
        pytest.skip("real data are not here")
    ours = [name for name in measurement_columns(made()) if not name.endswith(("_C2", "_T3", "_C4"))]
    theirs = [name for name in table.head(path.read_bytes()) if name in ours]

    assert theirs == [name for name in ours if name in theirs]
