from __future__ import annotations

import dataclasses
import shutil
import subprocess

import numpy as np
import pytest

from accretor.core.catalog import Catalog
from accretor.core.settings import PlateSolutionSettings
from accretor.io import fits as io_fits
from accretor.science import astrometry, sources
from accretor.stages import nova as nova_stage
from accretor.stages import platesolve, solution
from accretor.stages.solution import Frame, Listed
from tests.harness import SHARED
from tests.science import fields
from tests.stages import nova_server
from tests.stages.nova_server import KEY, Nova

NO_PROGRAM = PlateSolutionSettings(solve_field=False)
HATP32 = (31.0428, 46.6878)


@pytest.fixture
def on_disk(tmp_path):
    """Return a function that makes the frame of a field, with these cards in its header."""
    from astropy.io import fits

    def made(field, cards=None, **changes):
        header = fits.Header(cards or {})
        fits.PrimaryHDU(np.zeros(field.shape, np.float32), header).writeto(
            tmp_path / "frame.fits", overwrite=True
        )
        frame = Frame(
            path=tmp_path / "frame.fits",
            hdu=0,
            xy=field.xy,
            flux=field.flux,
            shape=field.shape,
            target=field.centre,
            pixel_scale=field.truth.scale,
            record=tmp_path / "nova.json",
        )
        return dataclasses.replace(frame, **changes)

    return made


FIELD = fields.make(21, stars=(60, 61), arcmin=(15, 20))
CATALOG = [Listed("gaia_dr3", FIELD.sky)]


def find(frame, catalogs=CATALOG, settings=NO_PROGRAM, **changes):
    attempts = solution.find(frame, catalogs, settings, **{"is_offline": True, "trouble": "", **changes})
    rows = [attempt.row() for attempt in attempts]
    assert sum(row["is_chosen"] for row in rows) <= 1
    return rows, next((attempt.solution for attempt in attempts if attempt.is_chosen), None)


def distance(found, field=FIELD):
    """Return how far a solution is from the truth, pixel."""
    there = found.wcs().all_world2pix(field.truth.to_sky(field.corners), 0)
    return np.hypot(*(there - field.corners).T).max()


def test_a_header_that_agrees_with_the_catalogue_is_used_and_nothing_else_is_tried(on_disk):
    rows, found = find(on_disk(FIELD, FIELD.truth.cards(FIELD.shape)))

    assert [(row["way"], row["reason"], row["catalog"]) for row in rows] == [("header", "", "gaia_dr3")]
    assert rows[0]["residual"] < 0.3
    assert rows[0]["n_match"] > 20
    assert rows[0]["pixel_scale"] == pytest.approx(FIELD.truth.scale, rel=1e-6)
    assert rows[0]["rotation"] == pytest.approx(FIELD.truth.rotation, abs=1e-4)
    assert rows[0]["is_mirrored"] == FIELD.truth.is_mirrored
    assert found.origin == "header"


@pytest.mark.parametrize("offset", [0.002, 0.02])
def test_a_header_that_is_wrong_is_disproved_and_the_catalogue_solves_the_frame(on_disk, offset):
    ra, dec = FIELD.truth.sky
    wrong = dataclasses.replace(FIELD.truth, sky=(ra, dec + offset))
    rows, found = find(on_disk(FIELD, wrong.cards(FIELD.shape)))

    assert [row["way"] for row in rows] == ["header", "catalogue"]
    assert rows[0]["reason"].startswith("disproved: ")
    assert found.origin == "catalogue"
    assert distance(found) < 0.5


def test_a_header_that_is_a_little_off_gives_way_to_a_better_solution(on_disk):
    ra, dec = FIELD.truth.sky
    rough = dataclasses.replace(FIELD.truth, sky=(ra, dec + 0.8 * FIELD.truth.scale / 3600))
    rows, found = find(on_disk(FIELD, rough.cards(FIELD.shape)))

    assert 0.5 < rows[0]["residual"] < 1.0
    assert "pixels from the catalogue, more than 0.3" in rows[0]["reason"]
    assert [row["is_chosen"] for row in rows] == [False, True]
    assert distance(found) < 0.5


def test_a_header_cannot_be_tested_without_a_catalogue_which_is_said(on_disk):
    rows, found = find(on_disk(FIELD, FIELD.truth.cards(FIELD.shape)), [])

    assert [(row["way"], row["reason"]) for row in rows] == [("header", "not tested: there is no catalogue")]
    assert found.origin == "header"


def test_a_catalogue_that_cannot_be_read_is_said(on_disk):
    rows, _ = find(on_disk(FIELD), [], trouble="gaia_dr3.ecsv: was cut short")

    assert ("catalogue", "gaia_dr3.ecsv: was cut short") in [(row["way"], row["reason"]) for row in rows]


def test_every_way_that_fails_has_a_row_with_the_reason(on_disk):
    other = fields.make(99)
    rows, found = find(on_disk(FIELD), [Listed("other", other.sky)])

    assert found is None
    assert {row["way"]: row["reason"].split(" ")[0] for row in rows} == {
        "header": "the",
        "catalogue": "no",
        "solve-field": "[plate_solution]",
        "nova": "[plate_solution]",
    }


@pytest.mark.parametrize("scale_error", [0.83, 1.18])
def test_a_scale_that_is_wrong_by_a_fifth_is_survived(on_disk, scale_error):
    rows, found = find(on_disk(FIELD, pixel_scale=FIELD.truth.scale * scale_error))

    assert rows[-1]["way"] == "catalogue"
    assert distance(found) < 0.5


def test_a_frame_whose_scale_nobody_knows_is_solved(on_disk):
    _, found = find(on_disk(FIELD, pixel_scale=np.nan))

    assert distance(found) < 0.5


def test_stars_of_high_proper_motion_are_taken_where_they_are_at_the_time():
    catalog = Catalog(
        name="x",
        epoch=2016.0,
        identifier=np.array(["1", "2"]),
        ra=np.array([10.0, 11.0]),
        dec=np.array([0.0, np.nan]),
        pm_ra=np.array([3_600_000.0, 0.0]),
        pm_dec=np.array([0.0, 0.0]),
        magnitude={"G": np.array([9.0, 8.0])},
        magnitude_error={"G": np.array([0.01, 0.01])},
        system={"G": "Vega"},
        flag=np.array(["", ""]),
    )
    (found,) = solution.listed({"x": catalog}, 2016.001)

    np.testing.assert_allclose(found.sky, [[10.001, 0.0]], atol=1e-9)


def test_the_catalogue_of_the_best_positions_comes_first_and_its_bright_stars_too():
    def catalog(name, magnitude):
        n = len(magnitude)
        return Catalog(
            name, 2000.0, np.array(["a"] * n), np.arange(n) * 1.0, np.zeros(n), np.zeros(n), np.zeros(n),
            {"V": np.array(magnitude)}, {"V": np.zeros(n)}, {"V": "Vega"}, np.array([""] * n),
        )  # fmt: skip

    found = solution.listed(
        {"mine": catalog("mine", [1.0]), "gaia_dr3": catalog("gaia_dr3", [np.nan, 12.0, 9.0])}, 2000.0
    )

    assert [item.name for item in found] == ["gaia_dr3", "mine"]
    np.testing.assert_array_equal(found[0].sky[:, 0], [2, 1, 0])


def served(settings_url):
    return PlateSolutionSettings(solve_field=False, nova=True, nova_url=settings_url)


@pytest.mark.parametrize("is_right", [True, False])
def test_the_service_is_asked_last_and_its_answer_is_tested(on_disk, monkeypatch, is_right):
    from astropy.io.fits import Header

    monkeypatch.setenv(nova_stage.VARIABLE, KEY)
    monkeypatch.setattr(astrometry, "PATTERN_STARS", ())  # nothing is matched, but a solution can be tested
    plate = FIELD.truth if is_right else dataclasses.replace(FIELD.truth, cd=-FIELD.truth.cd)
    header = Header({"SIMPLE": True, "BITPIX": 8, "NAXIS": 0, **plate.cards(FIELD.shape)})
    with nova_server.serve(Nova(header=header.tostring().encode())) as server:
        rows, found = find(on_disk(FIELD), CATALOG, served(server.address), is_offline=False)

    assert [row["way"] for row in rows] == ["header", "catalogue", "solve-field", "nova"]
    assert (found is not None) == is_right
    assert rows[-1]["reason"].startswith("disproved") != is_right


def test_offline_the_service_is_not_asked(on_disk):
    rows, _ = find(on_disk(FIELD), [], served("http://127.0.0.1:9"), is_offline=True)

    assert rows[-1]["reason"] == "[catalogs] offline = true forbids the network"


def test_a_service_that_fails_makes_the_next_run_try_again(on_disk, monkeypatch):
    monkeypatch.setenv(nova_stage.VARIABLE, KEY)
    with nova_server.serve(Nova(fault="login_html")) as server:
        attempts = solution.find(on_disk(FIELD), [], served(server.address), is_offline=False, trouble="")

    assert attempts[-1].way == "nova"
    assert attempts[-1].may_pass


@pytest.mark.skipif(not shutil.which("solve-field"), reason="astrometry.net is not installed")
def test_the_real_night_is_solved_by_two_ways_that_agree_within_half_a_pixel(tmp_path):
    frames = sorted((SHARED / "hatp32-microobs" / "raw").glob("*.FITS"))
    if not frames:
        pytest.skip("real data are not here")
    image = io_fits.read_image(frames[60], 0).astype(np.float64)
    table = SHARED / "catalog-tycho2" / "fields" / "tycho2_hatp32.csv"
    ra, dec, magnitude = np.genfromtxt(table, delimiter=",", skip_header=1, unpack=True)[:3]
    listed = [Listed("tycho2", np.column_stack((ra, dec))[np.argsort(magnitude)])]
    stars = sources.detect(image)
    frame = Frame(
        tmp_path / "none.fits", 0, stars.xy, stars.flux, image.shape, HATP32, 5.16, tmp_path / "nova.json"
    )
    ours = solution._by_catalog(frame, listed[0], PlateSolutionSettings())
    theirs = solution._by_program(frame, listed, PlateSolutionSettings(), "")
    if theirs.solution is None:
        pytest.skip(theirs.reason)  # the index files of Tycho-2 are not installed
    height, width = image.shape
    x, y = np.meshgrid(np.linspace(0, width - 1, 9), np.linspace(0, height - 1, 9))
    sky = theirs.solution.wcs().all_pix2world(np.column_stack((x.ravel(), y.ravel())), 0)
    there = ours.solution.wcs().all_world2pix(sky, 0)

    assert np.hypot(there[:, 0] - x.ravel(), there[:, 1] - y.ravel()).max() < 0.5
    assert max(ours.residual, theirs.residual) < 0.3


needs_builder = pytest.mark.skipif(
    not (shutil.which("solve-field") and shutil.which("build-astrometry-index")),
    reason="astrometry.net with build-astrometry-index is not installed",
)


@needs_builder
@pytest.mark.parametrize("seed", [31, 32])
def test_a_narrow_field_is_solved_by_solve_field_with_index_files_built_for_it(on_disk, tmp_path, seed):
    from astropy.table import Table

    field = fields.make(seed, arcmin=(10, 14), stars=(60, 90), bad=0.1)
    Table({"RA": field.sky[:, 0], "DEC": field.sky[:, 1], "MAG": np.arange(len(field.sky)) * 0.01}).write(
        tmp_path / "catalog.fits"
    )
    (tmp_path / "index").mkdir()
    built = subprocess.run(
        [
            *("build-astrometry-index", "-i", tmp_path / "catalog.fits", "-S", "MAG", "-P", "0", "-E"),
            *("-o", tmp_path / "index" / "index-0.fits", "-I", "1", "-n", "60"),
        ],
        capture_output=True,
        check=False,
        cwd=tmp_path,
    )
    assert built.returncode == 0, built.stderr.decode()[-400:]
    frame = on_disk(field, index_folder=tmp_path / "index")
    listed = Listed("made", field.sky)
    theirs = solution._by_program(frame, [listed], PlateSolutionSettings(), "")
    ours = solution._by_catalog(frame, listed, PlateSolutionSettings())

    assert theirs.reason == ""
    assert distance(theirs.solution, field) < 0.5
    assert distance(ours.solution, field) < 0.5
    assert platesolve.pixel_scale(theirs.solution) == pytest.approx(field.truth.scale, rel=2e-3)
