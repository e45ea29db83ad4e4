from __future__ import annotations

import numpy as np
import pytest

from accretor.aij import radec, table
from accretor.exofop import validate


def said(folder, made, *, tic=None, planet="01"):
    return validate.problems(folder, tic=tic or made.TIC, planet=planet)


@pytest.mark.parametrize("filters", [("ip",), ("gp", "ip", "zs")])
def test_a_sound_package_has_no_problems(package, made, filters):
    assert said(package(*filters), made) == []


def test_optional_files_may_be_missing(package, made):
    folder = package("ip")
    for tail in ("lightcurve.png", "measurements_NEBcheck.zip", "subset.csv"):
        (folder / made.name(tail)).unlink()

    assert said(folder, made) == []


def test_further_apertures_may_be_added(package, made):
    folder = package("ip")
    (folder / made.name("measurements.tbl", n_pixel=8)).write_bytes(table.write(made.columns(radius=8.2)))

    assert said(folder, made) == []


def test_all_problems_are_said_at_once(package, made):
    folder = package("ip")
    (folder / made.name("WCS.fits")).unlink()
    (folder / made.name("field.png")).write_bytes(b"x")
    (folder / "letter.doc").write_bytes(b"x")
    (folder / made.name("measurements.tbl")).write_bytes(table.write(made.columns(exposure=np.nan)))

    found = said(folder, made)

    assert len(found) == 4
    for part in ("WCS.fits is missing", "no PNG", "letter.doc", "EXPTIME is no number in 51 rows"):
        assert any(part in problem for problem in found)


@pytest.mark.parametrize(
    "name",
    [
        "TIC292152376-01_20250304_Hilltop-0.5m_ip_field.png",
        "TIC292152376-01_20250304_Hilltop-0m5_r'_field.png",
        "TIC292152376-01_20250304_Hilltop-0m5_ip_seeing-profile.gif",
        "TIC292152376-01_20250304_Hilltop-0m5_ip_bjd-flux-err.csv",
        "TIC292152376-01_20250304_Hilltop-0m5_ip_measurements.apertures",
        "manifest.json",
    ],
)
def test_files_that_do_not_belong_are_named(package, made, name):
    folder = package("ip")
    (folder / name).write_bytes(b"x")

    (problem,) = said(folder, made)
    assert problem.startswith(name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("TIC292152376-01_20250305_Hilltop-0m5_ip_lightcurve.png", "date is 20250305"),
        ("TIC292152376-01_20250304_Valley_ip_lightcurve.png", "observatory is Valley"),
        ("TIC292152376-02_20250304_Hilltop-0m5_ip_lightcurve.png", "is of TIC292152376-02"),
        ("TIC7-01_20250304_Hilltop-0m5_ip_lightcurve.png", "is of TIC7-01"),
    ],
)
def test_the_odd_file_out_is_named(package, made, name, reason):
    folder = package("ip")
    (folder / name).write_bytes(made.png())

    (problem,) = said(folder, made)
    assert problem.startswith(name)
    assert reason in problem


def test_another_planet_than_asked_for_is_said_of_every_file(package, made):
    assert len(said(package("ip"), made, planet="02")) == 14


def test_two_notes_are_one_too_many(package, made):
    folder = package("gp", "ip")
    (folder / made.name("notes.txt", "ip")).write_bytes(made.content("notes.txt"))

    (problem,) = said(folder, made)
    assert "one notes.txt, this one has 2" in problem


def test_notes_of_an_invented_filter_are_refused(package, made):
    folder = package("gp", "ip")
    (folder / made.name("notes.txt", "gp")).rename(folder / made.name("notes.txt", "gp-ip"))

    (problem,) = said(folder, made)
    assert "take one of gp, ip" in problem


def test_each_missing_file_is_named_for_its_filter(package, made):
    folder = package("gp", "ip")
    (folder / made.name("field-zoom.png", "ip")).unlink()
    (folder / made.name("measurements.radec", "gp")).unlink()
    (folder / made.name("notes.txt", "gp")).unlink()

    assert said(folder, made) == [
        "filter gp: measurements.radec is missing",
        "filter ip: field-zoom.png is missing",
        "a package has one notes.txt, this one has 0",
    ]


def test_a_folder_that_is_empty_or_absent_is_said(tmp_path, made):
    assert "has no file" in said(tmp_path, made)[0]
    assert "is not a folder" in said(tmp_path / "nowhere", made)[0]


def test_folders_within_are_said(package, made):
    folder = package("ip")
    (folder / "AIJ").mkdir()
    assert len(said(folder, made)) == 1


@pytest.mark.parametrize(
    ("tail", "content", "reason"),
    [
        ("field.png", lambda made: b"", "is empty"),
        ("field.png", lambda made: made.png()[:-20], "damaged PNG"),
        ("field.png", lambda made: made.png().replace(b"IDAT", b"IDAS"), "damaged PNG"),
        ("WCS.fits", lambda made: made.fits(CTYPE1="LINEAR", CTYPE2="LINEAR"), "no celestial"),
        ("WCS.fits", lambda made: made.fits(CRVAL1="1"), "no plate solution"),
        ("measurements_NEBcheck.zip", lambda made: b"PK", "no zip"),
        ("measurements_NEBcheck.zip", lambda made: made.archive()[:-30], "no zip"),
        ("notes.txt", lambda made: b" \n", "no text"),
        ("notes.txt", lambda made: b"\xff\xfe\x00", "UTF-8"),
        ("measurements.plotcfg", lambda made: b"hello", "no plot configuration"),
        ("measurements.radec", lambda made: b"hello", "is no position"),
        ("measurements.radec", lambda made: b"#nothing\n", "no aperture"),
        ("subset.csv", lambda made: b"BJD_TDB,flux\n", "no rows"),
        ("measurements.tbl", lambda made: b"a\tb\n1\t2\t3\n", "3 cells"),
        ("measurements.tbl", lambda made: table.write(made.columns(n_row=0)), "no rows"),
    ],
)
def test_a_file_must_hold_what_its_name_says(package, made, tail, content, reason):
    folder = package("ip")
    (folder / made.name(tail)).write_bytes(content(made))

    (problem,) = said(folder, made)
    assert problem.startswith(made.name(tail))
    assert reason in problem


def without(columns, name):
    return {key: cells for key, cells in columns.items() if key != name}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda columns: without(columns, "AIRMASS"), "no column AIRMASS"),
        (lambda columns: columns | {"JD_UTC": columns["JD_UTC"][::-1]}, "ascending"),
        (lambda columns: columns | {"BJD_TDB": columns["BJD_TDB"] - 2_450_000}, "full Julian date"),
        (lambda columns: columns | {"BJD_TDB": columns["BJD_TDB"] * 0}, "full Julian date"),
        (
            lambda columns: columns | {"Source_Radius": columns["AIRMASS"] * np.nan},
            "Source_Radius is no number",
        ),
        (lambda columns: columns | {"AIRMASS": ["high"] * 51}, "AIRMASS holds texts"),
        (
            lambda columns: columns | {key: columns[key] + 1 for key in ("JD_UTC", "BJD_TDB")},
            "began on 20250305",
        ),
    ],
)
def test_a_table_that_readers_would_misread_is_said(package, made, change, reason):
    folder = package("ip")
    (folder / made.name("measurements.tbl")).write_bytes(table.write(change(made.columns())))

    assert any(reason in problem for problem in said(folder, made))


@pytest.mark.parametrize("bad", [b"f3.fits", b""])
def test_a_blank_in_a_cell_is_said(package, made, bad):
    folder = package("ip")
    path = folder / made.name("measurements.tbl")
    path.write_bytes(path.read_bytes().replace(b"\tf3.fits\t", b"\t" + bad.replace(b"3", b" 3") + b"\t"))

    (problem,) = said(folder, made)
    assert "line 5 has an empty cell or a blank" in problem


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda stars: stars[:1], "has apertures T1,"),
        (lambda stars: [*stars, stars[1]], "has apertures T1, C2, C3"),
        (lambda stars: stars[::-1], "has apertures C1, T2"),
        (
            lambda stars: [radec.Aperture(31.05, 46.6878, is_comparison=False), stars[1]],
            "T1 lie more than 2 arcsec",
        ),
    ],
)
def test_apertures_must_be_the_tables_stars(package, made, change, reason):
    folder = package("ip")
    (folder / made.name("measurements.radec")).write_bytes(radec.write(change(made.apertures())))

    (problem,) = said(folder, made)
    assert reason in problem
