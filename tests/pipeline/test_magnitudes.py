"""Zero points and magnitudes of simulated nights whose sky is known."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest

from accretor.core.dumps import MAGNITUDES, TEMPLATE_STARS, ZERO_POINTS
from accretor.io import dump, records
from accretor.synthetic import scene
from tests import skies
from tests.harness import SMALL, make, run
from tests.skies import ZERO_POINT

NIGHT = dataclasses.replace(SMALL, n_frame=12, cadence=900.0, size=(240, 200), n_star=40, seed=31)
SLUG = "work/TOI-9999.01/20250304/Demo-0m4/ip"
PS1 = {"g": (0.6, 0.9), "r": (0.2, 0.3), "i": (0.0, 0.0), "z": (-0.05, -0.1)}
"""The camera's own band is i; colours are those of the night's stars."""


def truth(night):
    """Return the zero point of each frame that was put into a night, for a star of colour 0."""
    there = scene.prepare(night)
    return ZERO_POINT - night.extinction * (there.airmass - 1) + 2.5 * np.log10(there.transparency)


def of(workspace):
    folder = workspace / SLUG
    return (
        dump.read(folder / "zeropoints.ecsv", ZERO_POINTS),
        dump.read(folder / "magnitudes.ecsv", MAGNITUDES),
    )


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A night with two surveys of its field, reduced to zero points."""
    folder = make(tmp_path_factory.mktemp("magnitudes") / "workspace", NIGHT)
    skies.keep(folder, skies.catalog(NIGHT, name="refcat2", bands=PS1, error=0.01))
    other = {band: (offset + 0.05, slope) for band, (offset, slope) in PS1.items()}
    skies.keep(folder, skies.catalog(NIGHT, name="skymapper_dr4", bands=other, error=0.02, seed=6))
    done = run(folder, "zeropoint")
    assert (done.status, done.failed) == (0, {}), done.out
    return folder


def test_zero_points_are_within_10_mmag_of_what_was_put_in(workspace):
    found, _ = of(workspace)
    good = np.array([not row["reason"] for row in found.rows])
    zero_point = np.array([row["zero_point"] for row in found.rows])
    error = np.array([row["zero_point_error"] for row in found.rows])
    there = scene.prepare(NIGHT)
    # Apertures do not hold all the light of a star, but the same part of all.
    lost = part_in_aperture(found.meta["radius"], there.fwhm, NIGHT.beta)
    expected = truth(NIGHT) + 2.5 * np.log10(lost)

    assert good.sum() == 11  # one frame is trailed
    assert np.abs(zero_point - expected)[good].max() < 0.010
    assert np.all(np.abs(zero_point - expected)[good] < 4 * error[good])
    assert {row["band"] for row in found.rows if not row["reason"]} == {"i"}
    assert found.meta["catalog"] == "refcat2"


def part_in_aperture(radius, fwhm, beta):
    """Return the part of a Moffat profile's light within a radius: its integral, written out."""
    fwhm = np.hypot(fwhm, 2.3548 / np.sqrt(12))  # pixels are squares, and widen it by their own variance
    alpha = fwhm / 2 / np.sqrt(2 ** (1 / beta) - 1)
    return 1 - (1 + (radius / alpha) ** 2) ** (1 - beta)


def test_a_frame_without_a_zero_point_says_why(workspace):
    found, _ = of(workspace)
    bad = [row for row in found.rows if row["reason"]]

    assert [row["image_name"] for row in bad] == ["TOI-9999.01-0006.fits"]
    assert all(np.isnan(row["zero_point"]) for row in bad)


def test_every_star_has_a_magnitude_with_an_error_that_holds(workspace):
    zero_points, found = of(workspace)
    there = scene.prepare(NIGHT)
    stars = dump.read(workspace / SLUG / "template_stars.ecsv", TEMPLATE_STARS)
    frame = int(stars.meta["frame"][-9:-5]) - 1
    place = scene.positions(there, frame)
    true = ZERO_POINT - 2.5 * np.log10(there.flux / NIGHT.exposure)
    pulls = []
    for row, star in zip(found.rows, stars.rows, strict=True):
        number = np.hypot(place[:, 0] - star["x"], place[:, 1] - star["y"]).argmin()
        assert row["identifier"] == str(10**6 + number)
        if row["n_frame"] and star["contrast"] < 0.02:
            pulls.append((row["magnitude"] - true[number]) / row["magnitude_error"])
    assert len(pulls) > 20
    assert np.median(np.abs(pulls)) < 1.5
    target = found.rows[0]
    assert target["flag"] == "target"
    assert not target["is_used"]
    assert sum(row["is_used"] for row in found.rows) == zero_points.meta["n_star"] > 15


def test_a_field_with_two_surveys_uses_one_and_tells_the_offset_of_the_other(workspace):
    found, _ = of(workspace)
    (other,) = found.meta["others"]

    assert (found.meta["catalog"], other["catalog"], other["band"]) == ("refcat2", "skymapper_dr4", "i")
    assert other["offset"] == pytest.approx(0.05, abs=4 * other["offset_error"])
    assert 0 < other["offset_error"] < 0.02


def test_zero_points_through_all_apertures_differ_by_the_light_that_each_holds(workspace):
    head = of(workspace)[0].meta
    columns, _ = records.read_columns(workspace / SLUG / "magnitudes.fits", ZERO_POINTS)
    radii = np.array(head["radii"])
    steps = np.diff(np.nanmedian(columns["zero_points"], axis=0))
    fwhm = np.median(scene.prepare(NIGHT).fwhm)
    expected = np.diff(2.5 * np.log10(part_in_aperture(radii, fwhm, NIGHT.beta)))

    np.testing.assert_allclose(steps, expected, atol=0.015)
    assert steps[0] > 0.1, "a zero point of one aperture is not that of another"
    chosen = int(np.argmin(np.abs(radii - head["radius"])))
    np.testing.assert_allclose(columns["zero_points"][:, chosen], columns["zero_point"], atol=2e-5)


def test_magnitudes_of_every_frame_scatter_as_their_errors_say(workspace):
    columns, _ = records.read_columns(workspace / SLUG / "magnitudes.fits", ZERO_POINTS)
    magnitude, error = columns["magnitude"][:, 1:], columns["magnitude_error"][:, 1:]
    seen = np.isfinite(magnitude).sum(axis=0) > 8
    ratio = np.nanstd(magnitude[:, seen], axis=0, ddof=1) / np.nanmedian(error[:, seen], axis=0)

    assert np.median(ratio) == pytest.approx(1.0, abs=0.3)


def test_saturated_stars_tell_no_zero_point(tmp_path):
    night = dataclasses.replace(NIGHT, saturation=12_000, n_frame=6, bad_frame=None)
    folder = make(tmp_path / "workspace", night)
    skies.keep(folder, skies.catalog(night, name="refcat2", bands=PS1))
    assert run(folder, "zeropoint").status == 0
    zero_points, stars = of(folder)
    full = [row for row in stars.rows if row["flag"].startswith("saturated")]

    assert full
    assert not any(row["is_used"] or row["n_frame"] > 3 for row in full)
    there = scene.prepare(night)
    expected = truth(night) + 2.5 * np.log10(
        part_in_aperture(zero_points.meta["radius"], there.fwhm, night.beta)
    )
    found = np.array([row["zero_point"] for row in zero_points.rows])
    np.testing.assert_allclose(found, expected, atol=0.015)


def test_filters_of_one_run_each_have_their_own_band(tmp_path):
    few = dataclasses.replace(NIGHT, n_frame=6, bad_frame=None, cloud=None)
    folder = make(tmp_path / "workspace", few)
    from accretor.synthetic import frames

    again = dataclasses.replace(
        few, filter="rp", start="2025-03-04T21:05:00.000", n_bias=0, n_dark=0, n_flat=0
    )
    frames.write(again, tmp_path / "other")
    (tmp_path / "other" / "raw").rename(folder / "raw" / "rp")
    skies.keep(folder, skies.catalog(few, name="refcat2", bands=PS1))
    assert run(folder, "zeropoint").status == 0
    bands = {
        path.parent.name: dump.read_meta(path)["band"] for path in (folder / "work").rglob("zeropoints.ecsv")
    }

    assert bands == {"ip": "i", "rp": "r"}


def test_without_a_catalogue_every_row_says_so_and_nothing_is_blocked(tmp_path):
    folder = make(tmp_path / "workspace", dataclasses.replace(NIGHT, n_frame=6, bad_frame=None))
    done = run(folder, "zeropoint")
    zero_points, stars = of(folder)

    assert (done.status, done.failed) == (0, {})
    assert {row["reason"] for row in zero_points.rows} == {
        "there is no catalogue of the field; doit fetch gets one"
    }
    assert len(stars.rows) > 10
    skies.keep(folder, skies.catalog(NIGHT, name="refcat2", bands=PS1))
    again = run(folder, "zeropoint")
    assert again.stages == ["template", "photometry", "zeropoint"]
    assert again.measured("photometry") == 0
    assert not any(row["reason"] for row in of(folder)[0].rows)
    assert run(folder, "zeropoint").done == {}


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ('[magnitudes]\ncatalog = "apass_dr9"\n', "is not there; there are gaia_dr3"),
        ("[magnitudes]\nmin_stars = 60\n", "stars are measured and in the catalogue, 60 needed"),
        ('[magnitudes]\nsystem = "AB"\n', ""),
    ],
)
def test_settings_are_obeyed_or_the_reason_is_told(tmp_path, config, reason):
    night = dataclasses.replace(NIGHT, n_frame=6, bad_frame=None)
    folder = make(tmp_path / "workspace", night, config="\n" + config)
    skies.keep(folder, skies.catalog(night))
    assert run(folder, "zeropoint").status == 0
    head = of(folder)[0].meta

    if reason:
        assert reason in head["reason"]
    else:
        assert (head["band"], head["system"], head["reason"]) == ("i", "AB", "")


def test_each_frame_has_a_plate_solution_that_follows_its_drift(workspace):
    import json

    from accretor.core.dumps import FRAME_WCS
    from accretor.stages.platesolve import Solution
    from accretor.synthetic import sky

    there = scene.prepare(NIGHT)
    direction = sky.to_sky(NIGHT, there.position)
    rows = dump.read(workspace / SLUG / "frame_wcs.ecsv", FRAME_WCS).rows
    for number, row in enumerate(rows):
        if row["reason"]:
            assert number == NIGHT.bad_frame.index
            continue
        found = Solution(json.loads(row["cards"]), "").wcs().all_world2pix(direction, 0)
        np.testing.assert_allclose(found, scene.positions(there, number), atol=0.15)
        assert row["pixel_scale"] == pytest.approx(NIGHT.pixel_scale, rel=1e-3)
    assert len(rows) == 12
    assert np.ptp([row["ra"] for row in rows if not row["reason"]]) > 1e-4


def test_a_star_that_the_user_excludes_tells_no_zero_point_and_keeps_its_magnitude(workspace, tmp_path):
    before, stars = of(workspace)
    bright = max((row for row in stars.rows if row["is_used"]), key=lambda row: -row["magnitude"])
    other = shutil.copytree(workspace, tmp_path / "other")
    with (other / "workspace.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[magnitudes]\nexclude = ["{bright["identifier"]}"]\n')

    assert run(other, "zeropoint").stages == ["zeropoint"]
    after, found = of(other)
    row = next(row for row in found.rows if row["identifier"] == bright["identifier"])
    assert row["flag"] == "excluded by the configuration"
    assert not row["is_used"]
    assert row["magnitude"] == pytest.approx(bright["magnitude"], abs=0.01)
    assert after.meta["n_star"] == before.meta["n_star"] - 1
