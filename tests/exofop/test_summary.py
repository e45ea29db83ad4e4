from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from accretor.core.errors import Unusable
from accretor.exofop import summary
from accretor.exofop.summary import FilterForm, Form

FORM = Form(292152376, "01", "TOI-1234.01", 0.5, "QHY600", "observer")
FILTER = FilterForm(psf=2.341, coverage="Full", delta_mag=5.5)


def filled(made, form=FORM, filter_form=FILTER, **changes):
    values = {"date": "20250304", "observatory": "Hilltop-0m5", "filter_name": "ip", "pixel_scale": 0.389}
    return summary.summary(form, filter_form, **({"table": made.columns()} | values | changes))


def test_the_form_has_eighteen_fields_in_exofops_order(made):
    assert filled(made) == {
        "planet": "TOI1234.01",
        "tel": "Hilltop-0m5",
        "telsize": "0.5",
        "camera": "QHY600",
        "filter": "ip",
        "pixscale": "0.39",
        "psf": "2.34",
        "photaprad": "6.0",
        "obsdate": "2025-03-04",
        "obsdur": "76",
        "obsnum": "51",
        "obstype": "Continuous",
        "transcov": "Full",
        "deltamag": "5.5",
        "tag": "20250304_observer_tic292152376_01",
        "groupname": "tfopwg",
        "notes": "",
        "id": "292152376",
    }
    assert len(filled(made)) == 18
    assert list(filled(made))[-1] == "id"


@pytest.mark.parametrize(
    ("scale", "text"),
    [
        (0.389, "0.39"),
        (0.258, "0.26"),
        (0.1392, "0.14"),
        (1.2345, "1.2"),
        (1.25, "1.2"),
        (5.163, "5.2"),
        (10.4, "10.0"),
    ],
)
def test_the_pixel_scale_has_two_significant_digits(scale, text):
    assert summary.two_digits(scale) == text


def test_duration_reaches_from_the_first_exposures_start_to_the_last_ones_end(made):
    # 50 gaps of 90 s and one exposure of 60 s.
    assert summary.duration(made.columns()) == 76
    assert summary.duration(made.columns(n_row=1)) == 1
    exposure = made.columns()
    exposure["EXPOSURE"] = exposure.pop("EXPTIME") * 2
    assert summary.duration(exposure) == 77


@pytest.mark.parametrize("change", [{"EXPTIME": np.full(51, np.nan)}, {"JD_UTC": ["x"] * 51}])
def test_a_table_without_times_gives_no_duration(made, change):
    with pytest.raises(Unusable, match="time"):
        summary.duration(made.columns(**change))


def test_a_variable_aperture_is_noted_and_its_median_given(made):
    radius = np.linspace(5, 8, 51)

    found = filled(made, replace(FORM, public_note=" clear sky "), table=made.columns(Source_Radius=radius))

    assert found["photaprad"] == "6.5"
    assert found["notes"] == "clear sky; aperture radius was variable in time"


def test_unknown_radii_leave_the_field_blank(made):
    assert filled(made, table=made.columns(Source_Radius=np.full(51, np.nan)))["photaprad"] == ""


@pytest.mark.parametrize(("delta", "text"), [(None, ""), (0.0, ""), (7.25, "7.25")])
def test_delta_mag_is_blank_unless_stars_were_cleared(made, delta, text):
    assert filled(made, filter_form=replace(FILTER, delta_mag=delta))["deltamag"] == text


def test_a_host_that_is_no_toi_leaves_the_planet_blank(made):
    assert filled(made, replace(FORM, name="HAT-P-32.01"))["planet"] == ""


@pytest.mark.parametrize(
    ("form", "filter_form", "reason"),
    [
        (FORM, replace(FILTER, coverage="Partial"), "Partial"),
        (FORM, replace(FILTER, psf=math.nan), "FWHM"),
        (replace(FORM, telescope_diameter=0), FILTER, "telescope"),
        (replace(FORM, name="TOI-1234.02"), FILTER, "planet 01"),
        (replace(FORM, username=""), FILTER, "username"),
    ],
)
def test_what_exofop_asks_for_must_be_known(made, form, filter_form, reason):
    with pytest.raises(Unusable, match=reason):
        filled(made, form, filter_form)


@pytest.mark.parametrize(
    ("tables", "chosen"),
    [
        ({"ip": 5.0, "ip_8px": 8.0}, "ip_8px"),
        ({"ip": 9.0, "ip_8px": 8.0}, "ip"),
        ({"ip_8px": 8.0, "ip_20px": "variable about 8"}, "ip_8px"),
        ({"ip": 8.0, "ip_8px": 8.0}, "ip_8px"),
        ({"ip": None, "ip_8px": 8.0}, "ip_8px"),
        ({"ip_3px": math.nan, "ip": 2.0}, "ip"),
    ],
)
def test_the_primary_table_has_the_largest_constant_aperture(made, tables, chosen):
    def columns(radius):
        if radius is None:
            return {key: cells for key, cells in made.columns().items() if key != "Source_Radius"}
        if isinstance(radius, str):
            return made.columns(Source_Radius=np.tile([7.0, 9.0, 8.0], 17))
        return made.columns(radius=radius)

    def name(token):
        return f"TIC1-01_20250304_Hill_{token}_measurements.tbl"

    assert summary.primary_table({name(token): columns(radius) for token, radius in tables.items()}) == name(
        chosen
    )


def test_the_pixel_scale_is_that_of_the_plate_solution(made, tmp_path):
    path = tmp_path / "WCS.fits"
    path.write_bytes(made.fits(scale=0.3721))

    assert summary.pixel_scale(path) == pytest.approx(0.3721, rel=1e-9)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda made: made.fits(CRVAL1="31.04"), "CRVAL1"),
        (lambda made: made.fits(CTYPE1="LINEAR", CTYPE2="LINEAR"), "no celestial"),
        (lambda made: made.fits(CD1_1=0.0, CD2_2=0.0), "plate solution|celestial"),
        (lambda _: b"<html>not found</html>", "no FITS|damaged"),
        (lambda _: b"", "no FITS|damaged"),
    ],
)
def test_a_file_without_a_plate_solution_is_refused(made, tmp_path, content, reason):
    path = tmp_path / "WCS.fits"
    path.write_bytes(content(made))

    with pytest.raises(Unusable, match=reason):
        summary.pixel_scale(path)


def test_all_that_the_form_lacks_is_told_at_once_with_the_keys_that_tell_it(made):
    with pytest.raises(Unusable) as caught:
        filled(
            made,
            replace(FORM, telescope_diameter=math.nan),
            replace(FILTER, psf=math.nan, coverage=""),
            pixel_scale=math.nan,
        )

    for key in (
        "[[instrument]] telescope_diameter",
        "[upload.filter.ip] psf",
        "[upload.filter.ip] pixel_scale",
        "[upload] coverage",
    ):
        assert key in caught.value.reason
