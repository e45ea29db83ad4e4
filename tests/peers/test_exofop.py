"""The package exofop, which others download our packages with, reads them whole."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from accretor.aij import table
from accretor.exofop import naming

pytestmark = pytest.mark.peers
VISITS = "products/TIC-999999999.02/20250304"


@pytest.fixture(scope="module")
def found(exofop, packed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tags")
    for tag, telescope in (("101", "Demo-0m4"), ("102", "Other-0m5")):
        shutil.copytree(packed / VISITS / telescope / "package", folder / tag)
    reader = Path(__file__).with_name("exofop_reader.py")
    done = subprocess.run(
        [exofop, reader, folder], capture_output=True, text=True, timeout=300, check=False, cwd=folder.parent
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder, json.loads(done.stdout.splitlines()[-1])


def test_every_table_comes_out_complete_with_its_five_covariates(found):
    folder, said = found
    n_table = len(list(folder.glob("*/*_measurements.tbl")))

    assert n_table == 9
    assert said["n_complete"] == n_table
    assert said["missing"] is None
    assert said["n_covariate"] == [5] * n_table


def test_no_time_is_moved(found):
    folder, said = found

    assert len(said["time"]) == 9
    for path in folder.glob("*/*_measurements.tbl"):
        assert said["time"][path.name] == list(table.read(path)["BJD_TDB"])


def test_every_name_is_understood(found):
    folder, said = found

    assert len(said["names"]) == len(list(folder.glob("*/*")))
    for name, parts in said["names"].items():
        ours = naming.parse(name)
        assert parts["target"] == f"TIC{ours.tic}"
        assert int(parts["pp"]) == int(ours.planet)
        assert parts["yyyymmdd"].replace("-", "") == ours.date
        assert (parts["observatory"], parts["filter"]) == (ours.observatory, ours.filter)
        assert "unknown" not in parts.values()
