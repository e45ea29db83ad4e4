"""Files of AstroImageJ in the workspace: stars, roles and radii taken from them, and whole nights."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest

from accretor.aij import apertures, columns, radec, table
from accretor.aij.radec import Aperture
from accretor.core.dumps import FRAMES
from accretor.exofop import validate
from accretor.io import dump
from accretor.science import times
from accretor.synthetic import demo
from tests.harness import SHARED, make, results, run
from tests.pipeline.causes import NIGHT, VISIT

pytestmark = pytest.mark.usefixtures("blank_figures")

SLUG = NIGHT.removeprefix("work/")
TOI_7149 = SHARED / "aij-samples/profe-toi7149/TOI-7149/measurements/250223_g_w3.tbl"
AM_HER = SHARED / "aij-samples/student-tools-mcclure/more_data.tbl"
WASP_135 = SHARED / "aij-tables/wasp135b/Measurements.xls"
FEW = dataclasses.replace(demo.DEMO, n_frame=30, cadence=450.0, bad_frame=None, cloud=None)
CONFIG = "\n[calibration]\ndetrend = []\n"


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    workspace = make(tmp_path_factory.mktemp("aij"), FEW, config=CONFIG)
    assert run(workspace).status == 0
    return workspace


@pytest.fixture
def space(packed, tmp_path):
    shutil.copytree(packed, tmp_path / "space")
    return tmp_path / "space"


def package(workspace, tail):
    return next((workspace / VISIT / "package").glob(f"*_ip_{tail}"))


def numbers(workspace):
    return json.loads((workspace / NIGHT / "results.json").read_text(encoding="utf-8"))


def give(workspace, name, content, folder=SLUG):
    (workspace / "aij" / folder).mkdir(parents=True, exist_ok=True)
    (workspace / "aij" / folder / name).write_bytes(content)


def stars_of(path):
    return [name.removeprefix("Source-Sky_") for name in table.read(path) if name.startswith("Source-Sky_")]


def test_stars_and_roles_of_a_file_become_those_of_light_curve_and_package_in_its_order(space):
    own = radec.read(package(space, "measurements.radec"))
    chosen = [own[0], dataclasses.replace(own[3], is_comparison=False), own[5], own[1], own[2]]
    give(space, "mine.radec", radec.write(chosen), "TOI-9999.01")

    found = run(space)

    assert found.status == 0
    assert numbers(space)["n_comparison"] == 3
    assert stars_of(package(space, "measurements.tbl")) == ["T1", "T2", "C3", "C4", "C5"]
    back = radec.read(package(space, "measurements.radec"))
    for one, other in zip(back, chosen, strict=True):
        assert (one.ra, one.dec) == pytest.approx((other.ra, other.dec), abs=1e-5)
    assert "comparison stars by aij/TOI-9999.01/mine.radec: 3 of 3" in found.out
    assert json.loads((space / VISIT / "manifest.json").read_text())["problems"] == []


def test_a_star_that_is_not_in_the_list_is_said_and_the_others_count(space):
    own = radec.read(package(space, "measurements.radec"))[:5]
    astray = Aperture(own[0].ra + 0.03, own[0].dec + 0.01, is_comparison=True)
    give(space, "mine.radec", radec.write([own[0], astray, *own[1:]]))

    found = run(space, "calibration")

    assert numbers(space)["n_comparison"] == 4
    assert f"not in the star list: C2 ({astray.ra:.5f}" in found.out
    assert "other numbers in the package" in found.out


def test_radii_of_a_file_are_measured_and_used_and_the_rest_of_the_package_follows(space):
    own = radec.read(package(space, "measurements.radec"))
    places = [apertures.Place(0, 0, star.is_comparison, star.ra, star.dec) for star in own]
    give(space, "mine.apertures", apertures.write(apertures.Apertures(5.2, 11, 19, tuple(places))))

    found = run(space)

    result = numbers(space)
    assert found.status == 0
    radii = [result[f"{key}_px"] for key in ("aperture_radius", "annulus_inner", "annulus_outer")]
    assert radii == [5.2, 11, 19]
    np.testing.assert_array_equal(table.read(package(space, "measurements.tbl"))["Source_Radius"], 5.2)


def test_places_in_pixels_of_the_template_will_do_where_nothing_is_on_the_sky(space):
    from accretor.core.dumps import TEMPLATE_STARS
    from accretor.io import dump

    listed = dump.read(space / NIGHT / "template_stars.ecsv", TEMPLATE_STARS)
    height = listed.meta["shape"][0]
    places = [
        apertures.Place(row["x"] + 0.5, height - row["y"] - 0.5, row["star"] > 0) for row in listed.rows[:4]
    ]
    give(space, "mine.apertures", apertures.write(apertures.Apertures(4, 12, 20, tuple(places))))

    assert run(space, "calibration").status == 0
    assert numbers(space)["n_comparison"] == 3


def test_what_cannot_be_followed_stops_that_observation_with_one_line(space):
    own = radec.read(package(space, "measurements.radec"))
    far = [dataclasses.replace(star, dec=star.dec + 1) for star in own]
    for content, reason in (
        (radec.write(far), "is not the target"),
        (radec.write(own[:1]), "none of its comparison stars"),
        (b"hello\n", "is no position"),
        (b"#\n", "has no aperture"),
    ):
        give(space, "mine.radec", content)
        found = run(space, "calibration")
        assert found.status != 0
        assert reason in found.failed[f"calibration:{SLUG}"]
    give(space, "other.radec", radec.write(own))
    assert "only one of them can be followed" in run(space, "calibration").failed[f"calibration:{SLUG}"]


def test_a_folder_of_no_target_and_of_no_night_are_told_before_anything_is_done(space):
    give(space, "a.radec", b"", "TOI-1.01")
    assert "TOI-1.01: is not a target" in run(space, "list").err
    shutil.rmtree(space / "aij")
    give(space, "a.tbl", b"", "TOI-9999.01/night/Demo-0m4/ip")
    assert "is not the name of a night" in run(space, "list").err


@pytest.fixture(scope="module")
def imported(packed, tmp_path_factory):
    """A workspace without raw frames, in which the table and the image of another one's package lie."""
    space = tmp_path_factory.mktemp("imported")
    shutil.copy2(packed / "workspace.toml", space)
    give(space, "night.tbl", package(packed, "measurements.tbl").read_bytes())
    give(space, "solved.fits", package(packed, "WCS.fits").read_bytes())
    return space, run(space)


def test_a_table_and_an_image_without_raw_frames_give_a_complete_package(imported):
    space, found = imported

    assert (found.status, found.stages) == (
        0,
        ["aij", "calibration", "plotting", "packaging", "report", "index"],
    )
    assert json.loads((space / VISIT / "manifest.json").read_text())["problems"] == []
    assert validate.problems(space / VISIT / "package", tic=999999999, planet="01") == []
    assert run(space).stages == []


def test_the_package_of_a_table_has_the_numbers_of_that_table(imported, packed):
    space, _ = imported
    theirs, ours = (table.read(package(where, "measurements.tbl")) for where in (packed, space))

    assert list(ours) == list(theirs)
    for name in (
        "JD_UTC",
        "JD_SOBS",
        "EXPTIME",
        "AIRMASS",
        "Source_Radius",
        "X(FITS)_T1",
        "Y(IJ)_C3",
        "Peak_C2",
    ):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=1e-8)
    np.testing.assert_allclose(ours["BJD_TDB"], theirs["BJD_TDB"], rtol=0, atol=0.05 / 86400)
    for name in ("rel_flux_T1", "rel_flux_err_T1", "tot_C_cnts", "Source_Error_C2", "Sky/Pixel_T1"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-6)


def test_the_transit_of_a_table_is_that_of_its_frames(imported, packed):
    space, _ = imported
    one, other = numbers(packed), numbers(space)

    assert other["tc_bjd_tdb"] == pytest.approx(one["tc_bjd_tdb"], abs=one["tc_error_day"])
    assert other["rp_rs"] == pytest.approx(one["rp_rs"], abs=one["rp_rs_error"])
    assert any("from the table's own errors" in flag for flag in other["flags"])


def test_a_changed_table_is_read_again_and_other_bytes_of_the_same_content_are_not(imported, tmp_path):
    space = tmp_path / "space"
    shutil.copytree(imported[0], space)
    path = space / "aij" / SLUG / "night.tbl"
    whole = path.read_bytes()
    path.write_bytes(b"".join(whole.splitlines(keepends=True)[:-2]))
    assert run(space).stages == ["aij", "calibration", "plotting", "packaging", "report", "index"]
    path.write_bytes(whole)
    run(space)
    assert results(space) == results(imported[0])


def test_without_an_image_the_package_is_made_as_far_as_it_can_be(imported, tmp_path):
    space = tmp_path / "space"
    shutil.copytree(imported[0], space)
    shutil.rmtree(space / "work")
    shutil.rmtree(space / "products")
    (space / "aij" / SLUG / "solved.fits").unlink()

    found = run(space)

    assert found.status == 0
    problems = json.loads((space / VISIT / "manifest.json").read_text())["problems"]
    missing = ("field.png", "field-zoom.png", "seeing-profile.png", "WCS.fits")
    assert problems == [f"filter ip: {tail} is missing" for tail in missing]


def test_a_table_of_something_else_and_an_image_without_a_solution_are_refused(imported, tmp_path):
    space = tmp_path / "space"
    shutil.copytree(imported[0], space)
    give(space, "solved.fits", b"no image")
    assert "cannot be used" in run(space).failed[f"aij:{SLUG}"]
    give(space, "night.tbl", b"BJD_TDB\tflux\n2460739.1\t1\n")
    assert "is no table of AstroImageJ's multi-aperture" in run(space).failed[f"aij:{SLUG}"]


@pytest.mark.skipif(not TOI_7149.exists(), reason="real data are not here")
def test_a_real_table_becomes_a_light_curve_with_its_own_gain_and_our_times(tmp_path):
    (tmp_path / "workspace.toml").write_text(
        'observer = "A"\n[[target]]\nname = "TOI-7149.01"\ntic = 224298134\nra = 244.7385\n'
        'dec = 19.175755555555558\n[[instrument]]\nname = "OAN-SPM-2m1-OPTICAM"\ntelescope_diameter = 2.12\n'
        "latitude = 31.0439\nlongitude = -115.4637\nheight = 2790\n",
        encoding="utf-8",
    )
    slug = "TOI-7149.01/20250222/OAN-SPM-2m1-OPTICAM/gp"
    give(tmp_path, TOI_7149.name, TOI_7149.read_bytes(), slug)
    theirs = table.read(TOI_7149)

    found = run(tmp_path)

    ours = table.read(next((tmp_path / "products").rglob("*_measurements.tbl")))
    assert found.status == 0
    assert "gain 0.51 and noise 2.17 electron" in found.out
    assert "twice the time from JD_SOBS to JD_UTC" in found.out
    assert len(ours["JD_UTC"]) == 534
    np.testing.assert_allclose(86400 * (ours["BJD_TDB"] - theirs["BJD_TDB"]), 0, atol=0.5)
    np.testing.assert_array_equal(ours["EXPTIME"], 30)
    for name in ("tot_C_cnts", "rel_flux_T1", "rel_flux_err_T1"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-5)


@pytest.mark.skipif(not AM_HER.exists(), reason="real data are not here")
def test_a_real_table_without_barycentric_times_and_of_ten_nights_is_read_and_both_are_said(tmp_path):
    (tmp_path / "workspace.toml").write_text(
        'observer = "A"\n[[target]]\nname = "AM Her"\ntic = 1001\nra = 274.0552\ndec = 49.8681\n'
        '[[instrument]]\nname = "Feder-0m4"\nlatitude = 46.87\nlongitude = -96.45\nheight = 311\n',
        encoding="utf-8",
    )
    give(tmp_path, AM_HER.name, AM_HER.read_bytes(), "AM-Her/20200930/Feder-0m4/clear")

    assert run(tmp_path, "aij").status == 0
    found = dump.read(next((tmp_path / "work").rglob("frames.ecsv")), FRAMES)
    time = np.array([row["bjd_tdb"] for row in found.rows])
    assert "BJD_TDB of the table is 0 in 237 of 237 rows; ours is used" in found.meta["remarks"]
    assert any(line.startswith("the table spans 10.0 days") for line in found.meta["remarks"])
    # The Sun is 8.3 light minutes away; TDB was 69.2 s ahead of UTC.
    assert np.abs(86400 * (time - table.read(AM_HER)["JD_UTC"]) - 69.2).max() < 500


@pytest.mark.skipif(not WASP_135.exists(), reason="real data are not here")
@pytest.mark.parametrize("path", [TOI_7149, WASP_135], ids=["AstroImageJ 6", "AstroImageJ 3"])
def test_times_of_a_real_table_follow_from_its_own_direction(path):
    theirs = table.read(path)
    usable = theirs["BJD_TDB"] > 2.4e6
    assert usable.sum() > 250
    direction = times.Direction(theirs["RAOBJ2K"][0] * 15, theirs["DECOBJ2K"][0])
    mid = [times.iso(jd) for jd in theirs["JD_UTC"][usable]]

    ours = times.bjd_tdb(mid, direction, times.Site(90.0, 0.0))

    np.testing.assert_allclose(86400 * (ours - theirs["BJD_TDB"][usable]), 0, atol=0.5)


def test_a_table_tells_the_gain_and_the_noise_with_which_its_errors_were_made():
    rng = np.random.Generator(np.random.PCG64(3))
    flux, sky = rng.uniform(1e3, 1e6, (20, 5)), rng.uniform(5, 500, (20, 5))
    n_source, n_sky = np.full((20, 5), 80.0), rng.uniform(300, 500, (20, 5))
    error = columns.source_error(
        flux, sky=sky, n_source=n_source, n_sky=n_sky, dark=2.5, gain=1.7, read_noise=6.0
    )

    gain, noise = columns.detector_of(flux, error, sky, n_source, n_sky)

    assert gain == pytest.approx(1.7, rel=1e-9)
    assert noise == pytest.approx(np.sqrt(2.5 + 36), rel=1e-9)
    with pytest.raises(columns.Unusable, match="AstroImageJ's equation"):
        columns.detector_of(flux, rng.uniform(1, 1e4, (20, 5)), sky, n_source, n_sky)
