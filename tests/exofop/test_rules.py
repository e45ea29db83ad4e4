"""Every rule by which the SG1 upload tool takes or refuses a package: once kept, once broken."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from accretor.aij import plotcfg, table
from accretor.core.errors import Unusable
from accretor.exofop import check, fitsverify, summary, validate
from accretor.exofop.summary import FilterForm, Form
from accretor.science import times
from tests.exofop import sg1

PREFIX = "TIC292152376-01_20250304_Hilltop-0m5_"
FORM = Form(
    tic=292152376, planet="01", name="TOI-1234.01", telescope_diameter=0.5, camera="C", username="someone"
)


def put(folder, name, content=b"x"):
    (folder / name).write_bytes(content)


def rules(folder, made, **asked):
    """Return the rules that are broken, each with the file it is broken by."""
    return [(one.rule, one.file) for one in validate.findings(folder, **({"tic": made.TIC} | asked))]


def tbl(made, **changes):
    return table.write(made.columns(**changes))


def without(folder, made, *tails, token="ip"):
    for tail in tails:
        (folder / made.name(tail, token)).unlink()


# Names (S0-08 to S0-12).


@pytest.mark.parametrize("name", ["old-seeing-profile.gif", f"{PREFIX}ip_bjd-flux-err.txt"])
def test_a_file_that_stops_the_tool_is_forbidden_and_its_neighbour_in_spelling_is_not(package, made, name):
    folder = package("ip")
    assert rules(folder, made) == []
    put(folder, name)
    assert rules(folder, made) == [("forbidden", name)]
    with pytest.raises(sg1.RefusalError):
        sg1.read(folder, made.TIC, "01")


@pytest.mark.parametrize(
    "token", ["g.p", "r'", "a_b", "", "ip\n"], ids=["dot", "prime", "underscore", "empty", "line"]
)
def test_tokens_outside_the_grammar_are_refused_and_those_inside_are_taken(package, made, token):
    assert rules(package("I+z"), made) == []  # a plus is in the grammar
    folder = package("ip")
    shutil.rmtree(folder)
    folder = package("ip")
    bad = f"{PREFIX}{token}_field.png"
    put(folder, bad, made.png())
    assert [file for rule, file in rules(folder, made) if rule in ("name", "tail")] == [bad]


@pytest.mark.parametrize(
    "tail",
    [
        *("measurements.apertures", "Measurements.tbl", "measurements.csv", "measurements.xls", "wcs.fits"),
        *("WCS.fits.gz", "WCS.fits.fz", "WCS.fit", "lightcurve.pdf", "measurements_NEB_table.txt"),
        *("transit_times.dat", "6.5px_measurements.tbl"),
    ],
)
def test_the_fourteen_tails_are_known_and_no_others(package, made, tail):
    folder = package("ip")
    assert len(list(folder.iterdir())) == 14
    put(folder, f"{PREFIX}ip_{tail}")
    assert rules(folder, made) == [("tail", f"{PREFIX}ip_{tail}")]
    assert sg1.read(folder, made.TIC, "01")[0] == [f"{PREFIX}ip_{tail}"]


def test_a_radius_may_stand_before_any_tail(package, made):
    folder = package("ip")
    put(folder, f"{PREFIX}ip_10px_WCS.fits", made.fits())
    assert rules(folder, made) == []


@pytest.mark.parametrize("asked", [{"tic": 7}, {"planet": "02"}])
def test_files_must_be_of_the_star_and_planet_that_are_asked_for(package, made, asked):
    folder = package("ip")
    assert rules(folder, made, planet="01") == []
    assert rules(folder, made, **asked) == [("planet", path.name) for path in sorted(folder.iterdir())]


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("date", "TIC292152376-01_20250305_Hilltop-0m5_ip_10px_field.png"),
        ("observatory", "TIC292152376-01_20250304_Valley_ip_10px_field.png"),
    ],
)
def test_a_package_is_of_one_date_and_one_observatory(package, made, rule, name):
    folder = package("ip", "gp")
    assert rules(folder, made) == []
    put(folder, name, made.png())
    assert rules(folder, made) == [(rule, name)]
    with pytest.raises(sg1.RefusalError):
        sg1.read(folder, made.TIC, "01")


# Presence (S0-13 to S0-16).


@pytest.mark.parametrize("token", ["gp-ip", "griz"])
def test_one_notes_file_under_a_filter_that_is_there(package, made, token):
    folder = package("gp", "ip")
    assert rules(folder, made) == []
    own = folder / made.name("notes.txt", "gp")
    own.rename(folder / made.name("notes.txt", token))
    assert rules(folder, made) == [("notes", made.name("notes.txt", token))]
    with pytest.raises(sg1.RefusalError, match="no measurement table"):
        sg1.read(folder, made.TIC, "01")
    (folder / made.name("notes.txt", token)).unlink()
    assert rules(folder, made) == [("notes", "")]


@pytest.mark.parametrize("tail", sg1.REQUIRED)
def test_each_required_file_is_missed_in_its_filter_and_only_there(package, made, tail):
    folder = package("gp", "ip")
    without(folder, made, tail)
    (found,) = validate.findings(folder)
    assert (found.rule, str(found)) == ("missing", f"filter ip: {tail} is missing")


@pytest.mark.parametrize("tail", sg1.OPTIONAL)
def test_an_optional_file_is_a_remark_and_no_problem(package, made, tail):
    folder = package("ip")
    assert [remark for remark in check.check(folder).remarks if remark.rule == "optional"] == []
    without(folder, made, tail)
    report = check.check(folder)
    assert report.is_sound
    assert report.filters[0].missing_optional == (tail,)
    assert sg1.read(folder, made.TIC, "01")[1]["ip"]["absent"] == [tail]


def test_everything_that_is_wrong_is_said_at_once_in_the_same_order(package, made):
    folder = package("ip")
    without(folder, made, "WCS.fits", "field.png", "notes.txt")
    put(folder, "a.gif")
    put(folder, made.name("measurements.tbl"), tbl(made, exposure=np.nan))
    first, second = validate.findings(folder, tic=7), validate.findings(folder, tic=7)
    assert first == second
    assert {one.rule for one in first} == {"name", "planet", "missing", "notes", "exposure"}


# The form (S0-17 to S0-25).


def test_the_table_of_the_largest_radius_is_primary_and_said_if_it_is_not_the_plain_one(package, made):
    folder = package("ip")
    put(folder, made.name("measurements.tbl", n_pixel=4), tbl(made, radius=4.0))
    assert check.check(folder).filters[0].primary_table == made.name("measurements.tbl")
    put(folder, made.name("measurements.tbl", n_pixel=9), tbl(made, radius=9.0))
    report = check.check(folder)
    assert report.filters[0].primary_table == made.name("measurements.tbl", n_pixel=9)
    assert report.filters[0].aperture_radius_px == 9
    assert [remark.file for remark in report.remarks if remark.rule == "radius"] == [
        made.name("measurements.tbl", n_pixel=9)
    ]


def test_of_equal_radii_the_constant_one_is_primary(package, made):
    folder = package("ip", tails=("measurements.tbl",))
    radius = np.r_[np.full(25, 5.0), np.full(26, 6.0)]
    put(folder, made.name("measurements.tbl", n_pixel=6), tbl(made, radius=radius))
    assert check.check(folder).filters[0].primary_table == made.name("measurements.tbl")


@pytest.mark.parametrize(
    ("scale", "sent"), [(0.389, 0.39), (0.258, 0.26), (0.1392, 0.14), (1.2345, 1.2), (1.25, 1.2)]
)
def test_the_pixel_scale_has_two_significant_digits(package, made, scale, sent):
    folder = package("ip")
    put(folder, made.name("WCS.fits"), made.fits(scale=scale))
    assert check.check(folder).filters[0].pixel_scale_arcsec == sent


@pytest.mark.parametrize("cards", [{"CTYPE1": "LINEAR", "CTYPE2": "LINEAR"}, {"CD1_1": 0.0}])
def test_an_image_without_a_plate_solution_gives_no_scale(package, made, cards):
    folder = package("ip")
    put(folder, made.name("WCS.fits"), made.fits(**cards))
    report = check.check(folder)
    assert ("plate", made.name("WCS.fits")) in [(one.rule, one.file) for one in report.problems]
    assert report.filters[0].pixel_scale_arcsec is None


@pytest.mark.parametrize("radius", [6.0, np.r_[np.full(20, 5.0), np.full(31, 6.04)]])
def test_radius_duration_and_number_are_those_that_the_tool_reads(package, made, radius):
    folder = package("ip")
    put(folder, made.name("measurements.tbl"), tbl(made, radius=radius))
    fields = summary.summary(
        FORM,
        FilterForm(psf=2.0, coverage="Full"),
        date="20250304",
        observatory="Hilltop-0m5",
        filter_name="ip",
        pixel_scale=0.4,
        table=table.read(folder / made.name("measurements.tbl")),
    )
    rejected, forms = sg1.read(folder, made.TIC, "01")
    theirs = forms["ip"]
    assert (rejected, theirs["missing"], theirs["absent"]) == ([], [], [])
    assert {key: fields[key] for key in ("obsdur", "obsnum", "photaprad")} == {
        key: theirs[key] for key in ("obsdur", "obsnum", "photaprad")
    }
    assert (summary.VARIABLE_RADIUS in fields["notes"]) is theirs["is_variable"]
    assert check.check(folder).filters[0].has_variable_radius is theirs["is_variable"]


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("radius", {"Source_Radius": np.full(51, np.nan)}),
        ("exposure", {"EXPTIME": np.r_[np.nan, np.full(50, 60.0)]}),
        ("times", {"JD_UTC": (2460738.7 + np.arange(51) * 90 / 86400)[::-1]}),
        ("times", {"JD_UTC": np.full(51, np.nan)}),
        ("counts", {"tot_C_cnts": np.full(51, 7e4)}),
        ("counts", {"rel_flux_T1": np.full(51, 0.9)}),
        ("counts", {"rel_flux_T1": np.full(51, np.nan)}),
    ],
)
def test_a_table_with_which_the_tool_would_crash_or_err_is_refused(package, made, rule, changes):
    folder = package("ip")
    put(folder, made.name("measurements.tbl"), table.write(made.columns() | changes))
    assert rule in {one.rule for one in validate.findings(folder)}


@pytest.mark.parametrize("given", ["Partial", "", "full"])
def test_a_coverage_that_the_tool_would_take_for_full_is_refused(made, given):
    values = {
        "date": "20250304",
        "observatory": "H",
        "filter_name": "ip",
        "pixel_scale": 0.4,
        "table": made.columns(),
    }
    for coverage in ("Full", "Ingress", "Egress", "Out of Transit"):
        assert summary.summary(FORM, FilterForm(2.0, coverage), **values)["transcov"] == coverage
    with pytest.raises(Unusable, match="coverage"):
        summary.summary(FORM, FilterForm(2.0, given), **values)


@pytest.mark.parametrize("psf", [float("nan"), 0.0, -1.0])
def test_a_seeing_that_is_no_number_is_refused_and_an_unknown_magnitude_is_blank(made, psf):
    values = {
        "date": "20250304",
        "observatory": "H",
        "filter_name": "ip",
        "pixel_scale": 0.4,
        "table": made.columns(),
    }
    sent = summary.summary(FORM, FilterForm(2.034, "Full", delta_mag=6.25), **values)
    assert (sent["psf"], sent["deltamag"]) == ("2.03", "6.25")
    assert summary.summary(FORM, FilterForm(2.0, "Full"), **values)["deltamag"] == ""
    with pytest.raises(Unusable, match="FWHM"):
        summary.summary(FORM, FilterForm(psf, "Full"), **values)


# Files that belong together.


def test_times_of_another_direction_are_noticed(package, made):
    columns = made.columns()
    mid = [times.iso(jd) for jd in columns["JD_UTC"]]
    astray = times.bjd_tdb(mid, times.Direction(0.0, 0.0), times.Site(28.3, -16.5))
    folder = package("ip", tails=("measurements.tbl", "notes.txt"))
    put(folder, made.name("measurements.tbl"), table.write(columns | {"BJD_TDB": astray}))
    (found,) = [one for one in validate.findings(folder) if one.rule == "times"]
    assert f"{(astray[0] - columns['BJD_TDB'][0]) * 86400:+.0f}."[:4] in str(found)


def test_a_second_aperture_must_be_of_the_same_frames_and_of_its_radius(package, made):
    folder = package("ip")
    put(folder, made.name("measurements.tbl", n_pixel=4), tbl(made, radius=4.4))
    assert rules(folder, made) == []
    put(folder, made.name("measurements.tbl", n_pixel=4), tbl(made, radius=5.0, n_row=50))
    assert {rule for rule, _ in rules(folder, made)} == {"radius", "counts"}


def test_a_plot_of_columns_that_are_not_there_is_noticed(package, made):
    folder = package("ip")
    shown = plotcfg.write(plotcfg.PlotConfig("a", "b", made.START, made.START + 0.1, comparison=("C9",)))
    put(folder, made.name("measurements.plotcfg"), shown)
    (found,) = validate.findings(folder)
    assert found.rule == "plot"
    assert "shows rel_flux_C9" in found.text


def test_a_plate_solution_of_another_place_is_noticed(package, made):
    folder = package("ip")
    put(folder, made.name("WCS.fits"), made.fits(CRVAL1=32.0))
    assert rules(folder, made) == [("plate", made.name("WCS.fits"))]
    put(folder, made.name("WCS.fits"), made.fits())
    columns = made.columns() | {"X(FITS)_T1": np.full(51, 40.0)}
    put(folder, made.name("measurements.tbl"), table.write(columns))
    assert rules(folder, made) == [("position", made.name("WCS.fits"))]


def test_notes_of_another_star_and_subsets_of_other_frames_are_noticed(package, made):
    folder = package("ip")
    put(folder, made.name("notes.txt"), b"TIC 2921523760.01\n")
    put(folder, made.name("subset.csv"), b"BJD_TDB,flux,error\n2460739.7,1,0.004\n")
    assert rules(folder, made) == [
        ("text", made.name("notes.txt")),
        ("times", made.name("subset.csv")),
    ]


@pytest.mark.skipif(not fitsverify.is_installed(), reason="fitsverify is not installed")
def test_an_image_against_the_standard_is_told_by_fitsverify(package, made):
    folder = package("I+z")
    image = made.fits(BUNIT="electron")
    put(folder, made.name("WCS.fits", "I+z"), image)
    assert rules(folder, made) == []
    put(folder, made.name("WCS.fits", "I+z"), image.replace(b"'electron'", b"electron  "))
    (found,) = validate.findings(folder)
    assert "fitsverify says" in found.text


def test_an_image_that_lacks_pixels_is_noticed(package, made):
    import struct
    import zlib

    folder = package("ip")
    whole = made.png()
    at = whole.index(b"IHDR")
    larger = whole[at : at + 4] + struct.pack(">II", 2, 2) + whole[at + 12 : at + 17]
    cheat = whole[:at] + larger + struct.pack(">I", zlib.crc32(larger)) + whole[at + 21 :]
    put(folder, made.name("field.png"), cheat)
    (found,) = validate.findings(folder)
    assert "2 of 6 bytes of pixels" in found.text


def test_the_report_for_programs_says_what_the_report_for_people_says(package, made):
    folder = package("gp", "ip")
    without(folder, made, "field.png")
    report = check.check(folder)
    known = json.loads(check.as_json(report))
    assert (known["is_sound"], known["tic"], known["planet"]) == (False, made.TIC, "01")
    assert [one["filter"] for one in known["filters"]] == ["gp", "ip"]
    assert known["filters"][0]["n_observation"] == 51
    for problem in known["problems"]:
        assert any(problem["text"] in line for line in check.lines(report))
