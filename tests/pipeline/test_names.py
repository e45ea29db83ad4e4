"""Several filters, apertures and telescopes, a second planet, and stars without a TOI number."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil

import numpy as np
import pytest

from accretor.aij import table
from accretor.exofop import naming, validate
from accretor.synthetic import demo, frames
from tests.exofop import sg1
from tests.harness import run, spawn, tree

pytestmark = pytest.mark.long

NIGHT = dataclasses.replace(demo.DEMO, n_frame=24, cadence=560.0, bad_frame=None, cloud=None)
NIGHTS = {
    "ip": NIGHT,
    "gp": dataclasses.replace(NIGHT, seed=2, filter="gp", start="2025-03-04T21:04:00.000"),
    "second": dataclasses.replace(NIGHT, seed=3, telescope="Other-0m5", filter="clear"),
}
SETTINGS = """
observer = "A. Observer"
[[target]]
name = "TIC 999999999.02"
aliases = ["TOI-9999.01"]
tic = 999999999
ra = "07:01:23.400"
dec = "+24:48:36.00"
[target.ephemeris]
t0 = 2460697.307011
period = 3.5123456
duration = 2.2
depth = 11.0
[[instrument]]
name = "Demo-0m4"
telescope_diameter = 0.4
match = {TELESCOP = "Demo-0m4"}
[[instrument]]
name = "Other-0m5"
telescope_diameter = 0.5
match = {TELESCOP = "Other-0m5"}
[photometry]
radii = [2.6, 3.6, 5.0, 6.0]
[calibration]
detrend = []
radius = 5.0
[packaging]
radii = [3.6, 2.6, 6.0, 900.0]
[compute]
executor = "serial"
[upload]
username = "a_observer"
"""
BOTH = "products/TIC-999999999.02/20250304"


def make(folder):
    """Make the workspace of three observations in one night, and pack it."""
    for name, night in NIGHTS.items():
        frames.write(night, folder / "all" / name)
        (folder / "raw").mkdir(exist_ok=True)
        shutil.move(folder / "all" / name / "raw", folder / "raw" / name)
    (folder / "workspace.toml").write_text(SETTINGS, encoding="utf-8")
    return run(folder)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    return folder, make(folder)


def packages(folder):
    return {path.parent.name: path for path in sorted((folder / BOTH).glob("*/package"))}


def test_two_telescopes_of_one_night_have_packages_of_their_own_and_both_are_sound(many):
    folder, found = many
    both = packages(folder)

    assert found.status == 0
    assert list(both) == ["Demo-0m4", "Other-0m5"]
    for package in both.values():
        assert validate.problems(package, tic=999999999, planet="02") == []


def test_every_name_is_one_that_the_upload_tool_takes_and_no_filter_is_invented(many):
    for telescope, package in packages(many[0]).items():
        rejected, forms = sg1.read(package, 999999999, "02")
        assert rejected == []
        assert list(forms) == (["gp", "ip"] if telescope == "Demo-0m4" else ["clear"])
        assert all(form["missing"] == [] for form in forms.values())
        assert {naming.parse(path.name).observatory for path in package.iterdir()} == {telescope}


def test_one_notes_file_tells_of_all_filters_under_the_name_of_one(many):
    package = packages(many[0])["Demo-0m4"]
    (notes,) = package.glob("*notes.txt")
    text = notes.read_text(encoding="utf-8")

    assert naming.parse(notes.name).filter in ("gp", "ip")
    assert text.splitlines()[0] == "TIC 999999999.02 on UT2025.03.04 from Demo-0m4 in gp, ip"
    assert "gp: observed Tc" in text
    assert "ip: observed Tc" in text


def test_further_apertures_have_names_tables_and_apertures_of_their_own(many):
    package = packages(many[0])["Demo-0m4"]
    tables = {path.name: table.read(path) for path in sorted(package.glob("*_ip_*measurements.tbl"))}
    names = [naming.parse(name) for name in tables]

    assert [name.n_pixel for name in names] == [3, 4, None]
    assert len(list(package.glob("*_ip_*measurements.radec"))) == 3
    primary = next(found for name, found in tables.items() if naming.parse(name).n_pixel is None)
    for name, found in tables.items():
        parts = naming.parse(name)
        if parts.n_pixel is not None:
            assert round(found["Source_Radius"][0]) == parts.n_pixel
            assert found["Source_Radius"][0] < primary["Source_Radius"][0]
            np.testing.assert_array_equal(found["BJD_TDB"], primary["BJD_TDB"])
            assert "rel_flux_T1_fn" not in found


def test_a_radius_that_was_not_measured_is_said(many):
    assert "900 px was not measured" in many[1].out
    assert "6 px is not below the 5 px of the light curve" in many[1].out


def test_a_filter_token_that_another_reader_misparses_is_said_in_the_run_the_manifest_and_the_check(many):
    folder, found = many
    manifest = json.loads((folder / BOTH / "Other-0m5" / "manifest.json").read_text(encoding="utf-8"))
    caution = "filter clear: the exofop package knows filters of one to three letters"

    assert caution in found.out
    assert any(caution in remark for remark in manifest["remarks"])
    assert caution in run(folder, "check").out
    assert not any("exofop" in line for line in manifest["problems"])


def test_the_tags_of_two_telescopes_differ_and_the_planet_field_of_a_star_without_toi_is_blank(many):
    shown = run(many[0], "upload").out
    tags = re.findall(r"tag (\S+)", shown)
    planets = re.findall(r"(?m)^ +planet +(.*)$", shown)

    assert tags == ["20250304_a_observer_tic999999999_02", "20250304_a_observer_tic999999999_02_Other-0m5"]
    assert set(planets) == {"(blank)"}


def test_what_the_form_will_say_is_what_the_upload_tool_would(many):
    folder, _ = many
    shown = run(folder, "upload").out
    theirs = [
        form
        for package in packages(folder).values()
        for form in sg1.read(package, 999999999, "02")[1].values()
    ]
    for key in ("obsdur", "obsnum", "photaprad"):
        assert re.findall(rf"(?m)^ +{key} +(.*)$", shown) == [form[key] for form in theirs]


@pytest.mark.slow
def test_the_same_frames_in_another_workspace_give_the_same_bytes(many, tmp_path):
    folder, _ = many
    shutil.copytree(folder / "raw", tmp_path / "elsewhere" / "raw")
    shutil.copy2(folder / "workspace.toml", tmp_path / "elsewhere")
    for path in (tmp_path / "elsewhere" / "raw").rglob("*.fits"):
        path.touch()

    assert run(tmp_path / "elsewhere").status == 0
    here = {name: digest for name, digest in tree(folder / BOTH).items() if name[-10:] != "check.json"}
    assert tree(tmp_path / "elsewhere" / BOTH) == here
    assert len(here) > 60


def test_each_product_tells_program_frames_and_settings_where_its_format_has_room(many):
    package = packages(many[0])["Demo-0m4"]
    manifest = json.loads((package.parent / "manifest.json").read_text(encoding="utf-8"))
    words = manifest["made_from"]["ip"]

    for path in package.iterdir():
        parts = naming.parse(path.name)
        if parts.filter == "ip" and path.suffix in (".png", ".fits", ".radec", ".plotcfg"):
            content = path.read_bytes()
            assert words["frames"].encode() in content, path.name
            assert words["settings"].encode() in content, path.name
    notes = next(package.glob("*notes.txt")).read_text(encoding="utf-8")
    assert words["measured_with"] in " ".join(notes.split())
    assert words["version"] == "0.1.0"


@pytest.mark.slow
def test_neither_the_order_of_sets_nor_zone_or_language_changes_a_byte_of_figures_and_packages(
    many, tmp_path, monkeypatch
):
    found = []
    for seed, zone, tongue in (
        ("1", "UTC", "C"),
        ("2", "Asia/Tokyo", "de_DE.UTF-8"),
        ("3", "EST5EDT", "tr_TR"),
    ):
        shutil.copytree(many[0], tmp_path / seed)
        shutil.rmtree(tmp_path / seed / "products")
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        monkeypatch.setenv("TZ", zone)
        monkeypatch.setenv("LC_ALL", tongue)
        assert spawn(tmp_path / seed).status == 0
        found.append(tree(tmp_path / seed / "products"))

    assert found[0] == found[1] == found[2]
    assert sum(name.endswith("seeing-profile.png") for name in found[0]) == 6  # figure and package


FIGURES = (
    *("lightcurve", "compstar-lightcurves", "field", "field-zoom", "seeing-profile", "sky-track"),
    *("time-averaging", "drift", "frames", "apertures"),
)
SAID = (
    r"TIC 999999999\.02 on UT2025\.03\.04 from Demo-0m4 in gp, ip",
    *(r"1\. GOAL", r"2\. INTERPRETATION", r"3\. APERTURE RADIUS", r"5\. FWHM AND CONTAMINATION"),
    *(r"6\. EXOFOP STATUS", r"7\. OBSERVATION", r"8\. EARLIER COMMENTS"),
    r"Predicted Tc 2460739\.\d{6} BJD_TDB",
    *(rf"{name}: observed Tc 2460739\.\d{{6}} \+/- 0\.\d+ BJD_TDB" for name in ("gp", "ip")),
    *(rf"{name}: coverage: (Full|Ingress|Egress|Out of Transit)" for name in ("gp", "ip")),
    *(rf"{name}: observed depth \(Rp/R\*\)\^2 = 0\.\d+ \+/- 0\.\d+" for name in ("gp", "ip")),
    *(rf"{name}: observed duration \d\.\d\d \+/- \d\.\d\d h" for name in ("gp", "ip")),
    *(rf"{name}: RMS \d\.\d\d ppt" for name in ("gp", "ip")),
    *(rf"{name}: mid-transit is" for name in ("gp", "ip")),
    *(r"depth 11\.00 ppt, duration 2\.20 h", r"typical FWHM \d\.\d\"", r"image shift: max", r"not detrended"),
    *(r"meridian flip: no", r"comparison stars: \d+", r"\d+ exposures of 180 s"),
)
"""What a reviewer looks for; each by its value."""


def test_every_figure_is_there_and_every_section_of_the_notes_is_filled(many):
    folder, _ = many
    package = packages(folder)["Demo-0m4"]
    text = " ".join(next(package.glob("*notes.txt")).read_text(encoding="utf-8").split())

    for token in ("gp", "ip"):
        drawn = {path.stem for path in (package.parent / "plots" / token).glob("*.png")}
        assert set(FIGURES) <= drawn, token
    for pattern in SAID:
        assert re.search(pattern, text), pattern
    assert not re.search(r"[\[\]{}<>]|nan|None |TODO", text.replace("None were given", "")), text
