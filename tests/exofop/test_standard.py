from __future__ import annotations

import numpy as np
import pytest

from accretor.aij import table as aij_table
from accretor.core.dumps import ARCHIVE_CURVE, ARCHIVE_OBSERVATIONS
from accretor.exofop import standard
from accretor.io import dump
from accretor.io.layout import ArchivePaths
from accretor.science import times
from accretor.science.times import Direction, Site

STAR = Direction(31.04, 46.69)


@pytest.fixture
def paths(tmp_path):
    return ArchivePaths(tmp_path / "TOI-1.01")


def put(paths, place, content):
    path = paths.time_series / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def curve(paths, row):
    return dump.read(paths.standard / row["standard"], ARCHIVE_CURVE)


def test_a_pest_a_corrupt_table_and_a_good_one_give_the_good_one(made, paths):
    put(paths, "1/budapest_pest.tbl", b"\x89PNG nothing\0")
    put(paths, "2/cut.csv", b"BJD_TDB,flux\n2460738.7")
    put(paths, "3-pest/TIC7-01_20250304_Budapest_ip_measurements.tbl", aij_table.write(made.columns()))
    put(paths, "4/a_data.txt", b"<html>Not logged in</html>")
    found = standard.build(paths, [], STAR)
    good = [item.row for item in found if not item.row["reason"]]
    assert [row["path"] for row in good] == ["3-pest/TIC7-01_20250304_Budapest_ip_measurements.tbl"]
    assert len(found) == 4
    assert all(item.row["reason"] for item in found if not item.curve)
    rows = dump.read(paths.observations, ARCHIVE_OBSERVATIONS).rows
    assert [row["reason"] != "" for row in rows] == [True, True, True, False]
    np.testing.assert_array_equal(
        dump.column(curve(paths, good[0]).rows, "bjd_tdb"), made.columns()["BJD_TDB"]
    )


def test_a_short_date_comes_back_exact_with_the_date_of_the_archive(made, paths):
    columns = made.columns()
    full = np.round(columns["BJD_TDB"], 6)
    columns["BJD_TDB"] = np.round(full - 2450000, 6)
    put(paths, "18493/curve.tbl", aij_table.write(columns))
    entry = {"Tag": "18493", "Telescope": "Hilltop-0m5", "Filter": "ip", "Obs Date": "2025-03-04"}
    row = standard.build(paths, [entry], STAR)[0].row
    np.testing.assert_array_equal(dump.column(curve(paths, row).rows, "bjd_tdb"), full)
    assert (row["offset"], row["date"], row["telescope"]) == (2450000.0, "20250304", "Hilltop-0m5")


def test_the_cadence_is_the_time_between_points(made, paths):
    put(paths, "1/a_measurements.tbl", aij_table.write(made.columns()))
    row = standard.build(paths, [], STAR)[0].row
    assert row["cadence"] == pytest.approx(90, abs=0.01)
    assert row["efficiency"] == pytest.approx(60 / 90, abs=0.001)
    assert row["missing"] == "fwhm"


def test_no_table_of_a_tag_is_lost_to_a_namesake(made, paths):
    # Two filters with two apertures each, the same stem with two endings, the same name in two folders.
    for name in (
        "gp_6px_measurements.tbl", "gp_9px_measurements.tbl", "ip_6px_measurements.tbl",
        "ip_6px_measurements.csv", "more/ip_6px_measurements.tbl", "IP_6PX_MEASUREMENTS.txt",
    ):  # fmt: skip
        separator = b"," if name.endswith("csv") else b"\t"
        content = aij_table.write(made.columns()).replace(b"\t", separator)
        put(paths, f"5/TIC7-01_20250304_LCO_{name}", content)
    found = standard.build(paths, [], STAR)
    assert [item.row["reason"] for item in found] == [""] * 6
    assert len({item.row["standard"].casefold() for item in found}) == 6
    assert len(list(paths.standard.iterdir())) == 6


def test_a_clock_that_is_utc_is_brought_to_bjd_within_the_radius_of_the_earth(made, paths):
    columns = made.columns()
    del columns["BJD_TDB"]
    put(paths, "1/a_measurements.tbl", aij_table.write(columns))
    row = standard.build(paths, [], STAR)[0].row
    assert row["system"] == "JD_UTC"
    assert "BJD_TDB computed from JD_UTC" in row["remarks"]
    found = dump.column(curve(paths, row).rows, "bjd_tdb")
    stamps = [standard._iso(day) for day in columns["JD_UTC"]]
    somewhere = times.bjd_tdb(stamps, STAR, Site(28.3, -16.5, 2390))
    np.testing.assert_allclose(found, somewhere, rtol=0, atol=0.022 / 86400)


def test_a_clock_that_cannot_be_brought_there_is_said(made, paths):
    columns = made.columns()
    columns["HJD_UTC"] = columns.pop("BJD_TDB")
    del columns["JD_UTC"]
    put(paths, "1/a_measurements.tbl", aij_table.write(columns))
    row = standard.build(paths, [], STAR)[0].row
    assert "HJD is not BJD_TDB" in row["remarks"]
    assert np.isnan(dump.column(curve(paths, row).rows, "bjd_tdb")).all()
    np.testing.assert_array_equal(dump.column(curve(paths, row).rows, "jd"), columns["HJD_UTC"])


def test_the_same_files_give_the_same_bytes_and_no_more_tables_than_there_are(made, paths):
    put(paths, "1/a_measurements.tbl", aij_table.write(made.columns()))
    put(paths, "2/a_measurements.tbl", aij_table.write(made.columns()))
    standard.build(paths, [], STAR)
    before = {path: path.read_bytes() for path in paths.folder.rglob("*") if path.is_file()}
    standard.build(paths, [], STAR)
    assert before == {path: path.read_bytes() for path in paths.folder.rglob("*") if path.is_file()}
    (paths.time_series / "2" / "a_measurements.tbl").unlink()
    standard.build(paths, [], STAR)
    assert [path.name for path in paths.standard.iterdir()] == ["1_a_measurements.ecsv"]


def test_astropy_reads_the_standard_table(made, paths):
    from astropy.table import Table

    put(paths, "1/a_measurements.tbl", aij_table.write(made.columns()))
    row = standard.build(paths, [], STAR)[0].row
    table = Table.read(paths.standard / row["standard"])
    assert str(table["bjd_tdb"].unit) == "d"
    assert np.median(table["relative_flux"]) == 1
