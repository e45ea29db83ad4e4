"""Frames without a plate solution, solved by a catalogue that the user has."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from accretor.core.dumps import PLATE_SOLUTION, TEMPLATE_STARS
from accretor.io import dump
from accretor.synthetic import scene
from tests import skies
from tests.harness import SMALL, make, run

BARE = dataclasses.replace(SMALL, n_frame=8, has_wcs=False, bad_frame=None, cloud=None, rotation=137.0)
OWN = """
[[catalogs.file]]
name = "mine"
path = "stars.csv"
columns = {ra = "RAJ2000", dec = "DEJ2000", G = "Gmag"}
"""
NO_PROGRAM = "\n[plate_solution]\nsolve_field = false\n"


def write_csv(path, catalog):
    lines = ["RAJ2000,DEJ2000,Gmag"]
    lines += [
        f"{ra:.7f},{dec:.7f},{magnitude:.3f}"
        for ra, dec, magnitude in zip(catalog.ra, catalog.dec, catalog.magnitude["G"], strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def rows_of(workspace, name, schema):
    return dump.read(next((workspace / "work").rglob(name)), schema)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A workspace whose template nothing has solved yet."""
    folder = make(tmp_path_factory.mktemp("plate") / "workspace", BARE, config=NO_PROGRAM)
    done = run(folder, "template")
    (said,) = done.failed.values()
    assert "no plate solution of" in said
    assert "doit fetch" in said
    rows = rows_of(folder, "plate_solution.ecsv", PLATE_SOLUTION).rows
    assert [row["way"] for row in rows] == ["header", "catalogue", "solve-field", "nova"]
    assert not any(row["is_chosen"] for row in rows)
    return folder


def test_the_catalogue_of_the_user_solves_it_and_the_target_is_where_it_was_put(workspace):
    config = workspace / "workspace.toml"
    config.write_text(config.read_text(encoding="utf-8") + OWN, encoding="utf-8")
    missing = run(workspace, "template")
    assert "stars.csv: cannot be read" in next(iter(missing.failed.values()))

    write_csv(workspace / "stars.csv", skies.catalog(BARE))
    done = run(workspace, "photometry")
    assert (done.status, done.failed) == (0, {})
    stars = rows_of(workspace, "template_stars.ecsv", TEMPLATE_STARS)
    assert stars.meta["solution"] == "catalogue"
    assert stars.meta["pixel_scale"] == pytest.approx(BARE.pixel_scale, rel=2e-3)
    number = int(stars.meta["frame"][-9:-5]) - 1
    there = scene.positions(scene.prepare(BARE), number)
    assert np.hypot(stars.rows[0]["x"] - there[0, 0], stars.rows[0]["y"] - there[0, 1]) < 0.3
    for row in stars.rows:
        assert np.hypot(there[:, 0] - row["x"], there[:, 1] - row["y"]).min() < 1.0

    # Another catalogue tells no other stars: the template stays, and no frame is measured again.
    skies.keep(workspace, skies.catalog(BARE))
    again = run(workspace, "photometry")
    assert again.stages == ["template", "photometry"]
    assert again.measured("photometry") == 0
    chosen = [
        row for row in rows_of(workspace, "plate_solution.ecsv", PLATE_SOLUTION).rows if row["is_chosen"]
    ]
    assert [(row["way"], row["catalog"]) for row in chosen] == [("catalogue", "gaia_dr3")]
