"""Tables for other programs, read back by other readers."""

from __future__ import annotations

import csv
import dataclasses
import importlib.util
import io
import json
import math
import re
import shutil
from typing import get_args

import numpy as np
import pytest

import tasks.export
from accretor.core.dumps import FORCED, LIMITS, MAGNITUDES, PHOTOMETRY, ZERO_POINTS, Column
from accretor.core.settings import ExportFormat
from accretor.io import dump, exports, records
from accretor.io.exports import Magnitude, Region
from accretor.stages import export
from accretor.stages.workspace import open_workspace
from tests import layout_doc, skies
from tests.harness import SMALL, make, run, tree
from tests.pipeline.test_magnitudes import PS1, SLUG

NIGHT = dataclasses.replace(SMALL, n_frame=10, cadence=1500.0, size=(200, 160), n_star=30)
TABLES = ("csv", "ecsv", "json", "parquet")
HAS_PARQUET = importlib.util.find_spec("pyarrow") is not None
"""It comes with the extra of that name; without it the other forms are written, and that is said."""
CONFIG = f"""
[export]
formats = {json.dumps(get_args(ExportFormat))}
[packaging]
aavso_code = "XYZ"
[calibration]
detrend = []
[forced]
always = true
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = make(tmp_path_factory.mktemp("export") / "workspace", NIGHT, config=CONFIG)
    skies.keep(folder, skies.catalog(NIGHT, name="refcat2", bands=PS1))
    done = run(folder, "export:TOI-9999.01")
    assert done.status == 0, done.out + done.err
    return folder


@pytest.fixture(scope="module")
def folder(workspace):
    return workspace / "products/TOI-9999.01/20250304/Demo-0m4/tables/ip"


@pytest.fixture(scope="module")
def measured(workspace):
    """Return the dump of the photometry and the magnitudes that the exports must agree with."""
    flux, _ = records.read_columns(workspace / SLUG / "photometry.fits", PHOTOMETRY)
    magnitude, _ = records.read_columns(workspace / SLUG / "magnitudes.fits", ZERO_POINTS)
    return flux, magnitude


def test_all_forms_are_there(folder):
    assert {path.name for path in folder.iterdir()} == {
        *(
            f"{name}.{kind}"
            for name in ("all-stars", "target")
            for kind in TABLES
            if kind != "parquet" or HAS_PARQUET
        ),
        "aavso.txt",
        "gcn.txt",
        "apertures.reg",
    }


def test_each_word_of_the_settings_has_a_writer():
    assert set(export.FORMATS) == set(get_args(ExportFormat))


def test_every_file_is_named_in_the_tree_of_the_data_layout_and_in_the_help(folder):
    line = next(
        line
        for line in layout_doc.PAGE.read_text(encoding="utf-8").splitlines()
        if "tables/<filter>/" in line
    )
    told = " ".join((tasks.export.__doc__ or "").split())
    words = {"all-stars": ("all-stars.*", "all-stars ("), "target": ("target.*", "target (")}

    for path in folder.iterdir():
        in_tree, in_help = words.get(path.stem, (path.name, path.name))
        assert in_tree in line, f"{path.name} is not in data_layout.md"
        assert in_help in told, f"{path.name} is not in the docstring of tasks/export.py"
        if path.stem in words:
            assert path.suffix[1:].upper() in line.upper()
            assert path.suffix[1:].upper() in told.upper()


def test_a_second_export_gives_the_same_bytes(workspace, folder):
    before = tree(folder)
    assert run(workspace, "export").status == 0
    assert tree(folder) == before


@pytest.mark.skipif(not HAS_PARQUET, reason="pyarrow is not installed (the extra 'parquet')")
def test_the_four_forms_of_a_table_hold_the_same(folder):
    from astropy.table import Table
    from pyarrow import parquet

    for name in ("all-stars", "target"):
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            as_csv = list(csv.DictReader(file))
        as_json = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["rows"]
        as_ecsv = Table.read(folder / f"{name}.ecsv")
        as_parquet = parquet.read_table(folder / f"{name}.parquet").to_pylist()
        assert len(as_csv) == len(as_json) == len(as_ecsv) == len(as_parquet) > 5
        assert list(as_csv[0]) == list(as_json[0]) == as_ecsv.colnames == list(as_parquet[0])
        assert as_json == as_parquet
        for column in as_ecsv.colnames:
            for cell, value in zip(as_csv, as_json, strict=True):
                if isinstance(value[column], float):
                    assert float(cell[column]) == value[column]
                elif value[column] is None:
                    assert cell[column] == ""
            numbers = [math.nan if row[column] is None else row[column] for row in as_json]
            if as_ecsv[column].dtype.kind == "f":
                np.testing.assert_array_equal(as_ecsv[column], numbers)
        assert str(as_ecsv["bjd_tdb"].unit) == "d"


def test_every_star_of_every_frame_has_the_flux_and_magnitude_that_were_measured(folder, measured):
    flux, magnitude = measured
    rows = json.loads((folder / "all-stars.json").read_text(encoding="utf-8"))
    n_star = flux["x"].shape[1]
    assert len(rows["rows"]) == len(flux["image_name"]) * n_star
    place = {name: i for i, name in enumerate(magnitude["image_name"].tolist())}
    for number, row in enumerate(rows["rows"]):
        i, star = divmod(number, n_star)
        assert row["image_name"] == flux["image_name"][i]
        assert row["flux"] in np.round(flux["flux"][i, star], 4)
        expected = magnitude["magnitude"][place[row["image_name"]], star]
        assert (row["magnitude"] is None) == bool(np.isnan(expected))
        if row["magnitude"] is not None:
            # The definition: flux per second, zero point, no colour term here.
            by_hand = -2.5 * math.log10(row["flux"] / row["exptime"]) + row["zero_point"]
            assert row["magnitude"] == pytest.approx(by_hand, abs=2e-5)


def test_the_report_for_the_aavso_follows_its_extended_format(folder, workspace):
    lines = (folder / "aavso.txt").read_text(encoding="ascii").splitlines()
    head = dict(line[1:].split("=", 1) for line in lines if line.startswith("#") and "=" in line)
    assert head["TYPE"].upper() == "EXTENDED"
    assert (head["OBSCODE"], head["DELIM"], head["DATE"], head["OBSTYPE"]) == ("XYZ", ",", "JD", "CCD")
    names = next(line for line in lines if line.startswith("#NAME"))[1:].split(",")
    rows = [dict(zip(names, line.split(","), strict=True)) for line in lines if not line.startswith("#")]
    star = dump.read(workspace / SLUG / "magnitudes.ecsv", MAGNITUDES).rows[0]
    assert len(rows) == 9
    for row in rows:
        assert row["NAME"] == "TIC 999999999"
        assert (row["FILT"], row["TRANS"], row["MTYPE"], row["CNAME"]) == ("SI", "NO", "STD", "ENSEMBLE")
        assert float(row["DATE"]) == pytest.approx(2460739.4, abs=0.3)
        assert float(row["MAG"]) == pytest.approx(star["magnitude"], abs=0.05)
        assert 0 < float(row["MERR"]) < 0.05
        assert len(row["NOTES"]) <= 100


def test_the_text_for_gcn_has_times_and_magnitudes_that_a_person_can_read(folder):
    text = (folder / "gcn.txt").read_text(encoding="ascii")
    rows = re.findall(r"^(\d{5}\.\d{5}) +([\d.]+)  ip +([\d.]+) +([\d.]+) +([\d.]+)  AB$", text, re.MULTILINE)

    assert len(rows) == 9
    assert all(60738 < float(mjd) < 60740 and exposure == "180.0" for mjd, exposure, *_ in rows)
    assert all(float(limit) > float(magnitude) + 1 for *_, magnitude, _, limit in rows)
    assert max(map(len, text.splitlines())) <= 80


def test_limits_follow_from_flux_and_zero_point_through_each_aperture(folder, workspace):
    rows = dump.read(workspace / SLUG / "limits.ecsv", LIMITS).rows
    forced, _ = records.read_columns(workspace / SLUG / "forced.fits", FORCED)
    radii = dump.read_meta(workspace / SLUG / "forced.ecsv")["radii"]
    zero, _ = records.read_columns(workspace / SLUG / "magnitudes.fits", ZERO_POINTS)
    grid = dump.read_meta(workspace / SLUG / "zeropoints.ecsv")["radii"]
    assert len(rows) == 9 * len(radii)
    for row in rows:
        i = list(forced["image_name"]).index(row["image_name"])
        j = list(zero["image_name"]).index(row["image_name"])
        point = zero["zero_points"][j][grid.index(row["radius"])] + 2.5 * math.log10(NIGHT.exposure)
        for name, column in (("by_noise", "limits"), ("by_blank", "limits_blank")):
            expected = point - 2.5 * math.log10(forced[column][i][radii.index(row["radius"])])
            assert row[name] == pytest.approx(expected, abs=2e-4, nan_ok=True)
        # So small a frame has few blank places: where they are too few, the computed noise tells.
        is_known = math.isfinite(row["by_blank"])
        assert row["limiting_magnitude"] == (row["by_blank"] if is_known else row["by_noise"])
        assert row["reason"] == ""
    table = list(csv.DictReader(io.StringIO((folder / "target.csv").read_text(encoding="utf-8"))))
    assert all(float(row["limiting_magnitude"]) > 15 for row in table if row["is_used"] == "True")


def test_a_target_that_is_not_seen_is_a_limit_in_the_reports_and_not_left_out():
    points = [
        Magnitude(2460739.4, 15.21, 0.03, 60.0, 1.2, 17.9),
        Magnitude(2460739.5, math.nan, math.nan, 60.0, 1.3, 16.2),
    ]
    report = exports.to_aavso(
        "TIC 1", "XYZ", "SI", points, is_transformed=False, sequence="refcat2", notes="a note"
    ).decode("ascii")
    lines = [line.split(",") for line in report.splitlines() if not line.startswith("#")]
    assert [line[2:4] for line in lines] == [["15.2100", "0.0300"], ["<16.200", "na"]]
    assert {line[13] for line in lines} == {"refcat2"}
    assert all(len(line[2]) <= 8 and len(line[3]) <= 6 for line in lines)
    text = exports.to_gcn("TIC 1", "T", "ip", "AB", points, "").decode("ascii")
    assert "> 16.20" in text
    assert "nan" not in text


def test_the_regions_are_where_the_stars_are_and_as_large_as_the_apertures(folder, workspace):
    text = (folder / "apertures.reg").read_text(encoding="ascii").splitlines()
    stars = dump.read(workspace / SLUG / "magnitudes.ecsv", MAGNITUDES).rows
    radius = json.loads((folder / "target.json").read_text(encoding="utf-8"))["meta"]["radius"]
    circles = [
        re.fullmatch(r'circle\(([\d.]+),(-?[\d.]+),([\d.]+)"\) # color=\w+ text=\{(\w+)\}', line)
        for line in text
    ]
    circles = [match for match in circles if match]

    assert text[0] == "# Region file format: DS9 version 4.1"
    assert "icrs" in text
    assert [match[4] for match in circles] == ["T1", *(str(row["star"]) for row in stars[1:])]
    for match, row in zip(circles, stars, strict=True):
        assert (float(match[1]), float(match[2])) == pytest.approx((row["ra"], row["dec"]), abs=1e-6)
        assert float(match[3]) == pytest.approx(radius * NIGHT.pixel_scale, rel=2e-3)
    assert sum(line.startswith("annulus") for line in text) == len(stars)


def test_without_a_plate_solution_regions_are_in_pixels_from_one():
    regions = [Region("T1", 0.0, 9.5, math.nan, math.nan, "green")]
    text = exports.to_ds9(regions, (4.0, 8.0, 12.0), math.nan).decode()

    assert (
        "image\ncircle(1.000,10.500,4.000) # color=green text={T1}\nannulus(1.000,10.500,8.000,12.000)"
        in text
    )


def test_a_night_that_cannot_be_reduced_is_not_exported(tmp_path):
    bare = make(tmp_path / "workspace", dataclasses.replace(NIGHT, n_frame=3, n_bias=0, n_dark=0, n_flat=0))
    done = run(bare, "export")

    assert done.status != 0
    assert "3 of 3 frames are measured, 5 needed" in done.out
    assert not (bare / "products").exists()


def test_what_cannot_be_written_is_said_and_the_rest_is_there(workspace, tmp_path):
    config = workspace / "workspace.toml"
    before = config.read_text(encoding="utf-8")
    config.write_text(before.replace('aavso_code = "XYZ"\n', ""), encoding="utf-8")
    try:
        done = run(workspace, "export")
    finally:
        config.write_text(before, encoding="utf-8")

    assert done.status == 0
    assert "not written: TOI-9999.01/20250304/Demo-0m4/ip: aavso: [packaging] aavso_code" in done.out


@pytest.mark.parametrize(
    ("filter_name", "band", "code"),
    [("clear", "G", "O"), ("clear", "V", "CV"), ("clear", "Rc", "CR"), ("Ic", "Ic", "I"), ("zs", "z", "SZ"),
     ("TESS", "Tmag", "O"), ("V", "V", "V"), ("up", "u", "SU"), ("R", "Rc", "R")],
)  # fmt: skip
def test_filters_have_the_codes_of_the_aavso(filter_name, band, code):
    assert exports.aavso_filter(filter_name, band) == code


def test_commas_in_names_and_notes_do_not_make_columns():
    point = Magnitude(2460000.5, 12.0, 0.01, 30.0, math.nan)
    line = (
        exports.to_aavso("a,b", "X", "V", [point], is_transformed=True, sequence="s", notes="c, d")
        .decode()
        .splitlines()[-1]
    )

    assert next(csv.reader(io.StringIO(line))) == [
        *("a b", "2460000.500000", "12.0000", "0.0100", "V", "YES", "STD", "ENSEMBLE", "na", "na", "na"),
        *("na", "na", "s", "c; d"),
    ]


def test_a_text_that_a_spreadsheet_would_run_is_a_text():
    columns = [Column("name", "string", ""), Column("value", "float64", "")]
    texts = ["=cmd()|' /C calc'!A0", "+1", "-2", "@SUM(A1)", "\t=1", "TOI-1.01", ""]
    content = exports.to_csv(columns, [{"name": text, "value": -1.5} for text in texts]).decode()

    rows = list(csv.reader(io.StringIO(content)))[1:]

    assert [row[0] for row in rows] == [f"'{text}" for text in texts[:5]] + texts[5:]
    assert {row[1] for row in rows} == {"-1.5"}


def test_frames_without_a_detection_are_limits_also_without_forced_photometry(workspace, tmp_path):
    other = shutil.copytree(workspace, tmp_path / "other")
    opened = open_workspace(other, is_recorded=False)
    whole = export.Tables.of(opened.observations[0])
    # The third frame's target drowned in noise; the fourth has no zero point; the user takes the fifth away.
    flux, error = whole.measured["flux"].copy(), whole.measured["flux_error"].copy()
    names = whole.measured["image_name"].tolist()
    flux[2, 0], error[2, 0] = 30.0, 10.0
    zero = dict(whole.zero_points)
    lost = np.full_like(zero[names[3]]["magnitude"], np.nan)
    zero[names[3]] = zero[names[3]] | {"magnitude": lost, "zero_point": np.nan}
    curve = [
        row | {"reason": "excluded by the configuration: x"} if row["image_name"] == names[4] else row
        for row in whole.curve
    ]
    seen = dataclasses.replace(
        whole,
        measured=whole.measured | {"flux": flux, "flux_error": error},
        zero_points=zero,
        curve=curve,
        limits={},
    )

    points = seen.points()

    times = [point.jd_utc for point in points]
    (limit,) = (point for point in points if not math.isfinite(point.magnitude))
    assert limit.jd_utc == seen.frames[names[2]]["jd_utc"]
    expected = zero[names[2]]["zero_point"] - 2.5 * math.log10(5 * 10.0 / NIGHT.exposure)
    assert limit.limit == pytest.approx(expected, abs=1e-6)
    assert seen.frames[names[3]]["jd_utc"] not in times
    assert seen.frames[names[4]]["jd_utc"] not in times
    n_without = len(curve) - 1 - len(points)
    assert n_without >= 1
    assert f"{n_without} of {len(curve)} frames have neither a magnitude nor a limit" in seen.gcn().decode()
    assert "Limits are of 5 sigma" in seen.gcn().decode()
