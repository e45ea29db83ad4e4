"""What a notebook sees of a workspace."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from astropy.units import Unit

import accretor
from accretor.core.dumps import LIGHT_CURVE, PHOTOMETRY
from accretor.core.errors import ConfigError
from accretor.io import dump, records
from tests.harness import make, results, run

SLUG = "TOI-9999.01/20250304/Demo-0m4/ip"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = make(tmp_path_factory.mktemp("views"), lights=range(20))
    assert run(folder, "calibration").status == 0
    return folder


def test_an_observation_is_found_by_its_name_or_the_beginning_of_it(workspace):
    space = accretor.view(workspace)

    assert list(space) == [SLUG]
    assert space["TOI-9999.01"].name == space[SLUG].name == SLUG
    assert space["TOI 9999.01"].name == SLUG


@pytest.mark.parametrize("name", ["TOI-9999", "TOI-9999.01/2025", "nothing"])
def test_a_name_of_none_is_refused_with_those_that_there_are(workspace, name):
    with pytest.raises(KeyError, match=SLUG):
        accretor.view(workspace)[name]


def test_tables_have_the_values_and_the_units_of_the_dumps(workspace):
    night = accretor.view(workspace)[SLUG]
    table = night.table("light_curve")
    rows = dump.read(workspace / "work" / SLUG / "lightcurve.ecsv", LIGHT_CURVE).rows

    np.testing.assert_array_equal(table["bjd_tdb"], [row["bjd_tdb"] for row in rows])
    assert {name: str(table[name].unit or "") for name in table.colnames} == {
        column.name: column.unit for column in LIGHT_CURVE.scalars
    }


def test_a_binary_dump_is_read_like_a_readable_one(workspace):
    table = accretor.view(workspace)[SLUG].table("photometry")

    assert isinstance(table["image_name"][0], str)
    assert {name: str(table[name].unit or "") for name in table.colnames} == {
        column.name: str(Unit(column.unit)) for column in PHOTOMETRY.all_columns
    }
    assert table["flux"].description == "net flux"
    assert table.meta["schema"] == PHOTOMETRY.name
    assert not any(key.startswith("ACC_") for key in table.meta)


def test_arrays_of_a_binary_dump_come_whole(workspace):
    table = accretor.view(workspace)[SLUG].table("photometry")
    rows, _ = records.rows(workspace / "work" / SLUG / "photometry.fits", PHOTOMETRY)

    for stored, row in zip(table, rows, strict=True):
        np.testing.assert_array_equal(stored["flux"], row["flux"])


def test_the_names_that_are_offered_are_those_that_can_be_read(workspace):
    night = accretor.view(workspace)[SLUG]

    assert {"light_curve", "comparison", "frames", "photometry", "stars"} <= set(night.tables)
    assert all(night.table(name).colnames for name in night.tables)
    with pytest.raises(KeyError, match="light_curve"):
        night.table("lightcurves")


def test_looking_changes_nothing(workspace):
    before = results(workspace)
    accretor.view(workspace)[SLUG].table("comparison")
    assert results(workspace) == before


def test_what_is_not_made_yet_is_said(tmp_path):
    night = accretor.view(make(tmp_path, lights=range(3)))[SLUG]

    assert night.tables == []
    with pytest.raises(FileNotFoundError, match="run doit"):
        night.table("light_curve")
    with pytest.raises(ConfigError, match=r"workspace\.toml"):
        accretor.view(tmp_path / "none")


def test_importing_the_package_imports_nothing_else():
    code = (
        "import sys, accretor;"
        "print(sorted(n for n in sys.modules if n.startswith(('numpy', 'astropy', 'accretor.'))))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_every_figure_that_is_offered_can_be_drawn_and_nothing_is_written(workspace):
    night = accretor.view(workspace)[SLUG]
    before = results(workspace)

    assert {"light_curve", "field", "rms_magnitude"} <= set(night.figures)
    for name in ("light_curve", "comparison_stars", "aperture_curve"):
        assert night.figure(name).axes
    with pytest.raises(KeyError, match="light_curve"):
        night.figure("light curve")
    assert results(workspace) == before


def test_the_light_curve_is_the_table_of_that_name(workspace):
    night = accretor.view(workspace)[SLUG]

    np.testing.assert_array_equal(night.light_curve["bjd_tdb"], night.table("light_curve")["bjd_tdb"])
