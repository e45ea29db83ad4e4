"""Apertures that follow the seeing, and weighted ones, from raw frames to the package."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from accretor.aij import apertures
from accretor.aij import table as aij_table
from accretor.core.dumps import FORCED_POSITIONS, TEMPLATE_STARS
from accretor.exofop import summary
from accretor.io import dump
from accretor.io.layout import ObservationPaths
from accretor.stages import forced, photometry
from accretor.synthetic import frames
from tests.harness import SMALL, make, run
from tests.pipeline.causes import NIGHT, VISIT
from tests.pipeline.test_neighbours import catalogue, settings

pytestmark = pytest.mark.long

SEEING = dataclasses.replace(SMALL, seeing_scatter=0.15, n_frame=14, cadence=900.0)
"""A night whose FWHM goes from 2.6 to 5 pixels."""


@pytest.fixture(scope="module", params=["variable", pytest.param("optimal", marks=pytest.mark.slow)])
def night(request, tmp_path_factory):
    """The night through one of the two modes, all the way to the package."""
    workspace = make(tmp_path_factory.mktemp("night"), SEEING)
    truth = frames.write(SEEING, workspace)
    (workspace / "truth.csv").write_text(catalogue(truth), encoding="utf-8")
    mode = f'\n[photometry]\nmode = "{request.param}"\n'
    (workspace / "workspace.toml").write_text(settings(further=mode), encoding="utf-8")
    ran = run(workspace, "packaging")
    assert ran.status == 0, ran.out + ran.err
    return workspace, request.param, ran


def exported(workspace):
    (found,) = (workspace / VISIT / "exports").rglob("*.apertures")
    return found


def package(workspace, ending):
    (found,) = (workspace / VISIT / "package").glob(f"*{ending}")
    return found


def test_the_table_has_the_radius_that_each_frame_was_measured_through(night):
    workspace, mode, _ = night
    paths = ObservationPaths(workspace / NIGHT, workspace, workspace)
    table = aij_table.read(package(workspace, "_measurements.tbl"))
    measured, _ = photometry.columns(paths, "image_name", "aperture_scale")
    scale = dict(zip(measured["image_name"], measured["aperture_scale"], strict=True))
    nominal = run_results(workspace)["aperture_radius_px"]
    expected = nominal * np.array([scale[name] for name in table["Label"]])

    np.testing.assert_allclose(table["Source_Radius"], expected, atol=1e-5)
    np.testing.assert_allclose(table["N_Src_Pixels_T1"], np.pi * expected**2, rtol=1e-5)
    ratio = np.array(table["Sky_Rad(max)"]) / expected
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-5)
    assert summary.has_variable_radius(table) == (mode == "variable")
    saved = apertures.read(exported(workspace))
    assert saved.has_variable_radius == (mode == "variable")
    if mode == "variable":
        assert expected.max() / expected.min() > 1.2
        fwhm = np.array(table["FWHM_T1"])
        assert np.corrcoef(expected, fwhm)[0, 1] > 0.8
        assert table["Source_Rad(base)"][0] == pytest.approx(nominal)
        assert table["FWHM_Mult"][0] == pytest.approx(saved_factor(exported(workspace)))


def saved_factor(path) -> float:
    (line,) = (line for line in path.read_text().splitlines() if "apfwhmfactor" in line)
    return float(line.partition("=")[2])


def run_results(workspace):
    from accretor.stages import results

    return results.read(workspace / NIGHT / "results.json")


def test_the_notes_say_how_pixels_were_chosen(night):
    workspace, mode, _ = night
    notes = package(workspace, "notes.txt").read_text(encoding="utf-8")

    assert ("aperture radius was variable in time: " in notes) == (mode == "variable")
    paths = ObservationPaths(workspace / NIGHT, workspace, workspace)
    is_weighted = dump.read_meta(paths.photometry_info).get("is_target_weighted")
    assert is_weighted is (None if mode == "variable" else False)  # the target is a bright star
    assert ("weighted by a Moffat profile" in notes) == bool(is_weighted)


def test_the_check_of_the_package_finds_nothing_that_the_mode_made_wrong(night):
    workspace, _, _ = night
    checked = run(workspace, "check")

    assert "radius" not in checked.out.lower().replace("aperture radius was variable in time", "")
    assert "BROKE" not in checked.out


def test_neighbours_are_measured_like_the_stars_that_they_are_compared_with(night):
    workspace, _, _ = night
    paths = ObservationPaths(workspace / NIGHT, workspace, workspace)
    stars = dump.read(paths.template_stars, TEMPLATE_STARS).rows
    places = dump.read(paths.forced_positions, FORCED_POSITIONS).rows
    own, _ = photometry.columns(paths, "image_name", "flux")
    there, meta = forced.columns(paths, "image_name", "flux")
    assert list(own["image_name"]) == list(there["image_name"])
    radii = dump.read_meta(paths.photometry_info)["radii"]
    radius = len(meta["radii"]) // 2
    at = int(np.argmin(np.abs(np.array(radii) - meta["radii"][radius])))
    spread = []
    for star in stars:
        apart = [np.hypot(place["x"] - star["x"], place["y"] - star["y"]) for place in places]
        nearest = int(np.argmin(apart))
        ratio = there["flux"][:, nearest, radius] / own["flux"][:, star["star"], at]
        if apart[nearest] < 0.5 and np.isfinite(ratio).all() and star["flux"] > 2e4:
            spread.append(float(np.std(ratio)))

    assert len(spread) >= 3
    assert np.median(spread) < 0.01
