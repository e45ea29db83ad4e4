"""data_layout.md against the code and against a workspace that was run."""

from __future__ import annotations

import fnmatch
import json
import re
from pathlib import Path

import pytest

from accretor.core.dumps import RESULTS
from tests import layout_doc
from tests.harness import make, run


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make(tmp_path_factory.mktemp("layout") / "workspace")
    assert run(folder).status == 0
    return folder


def test_tables_of_the_page_are_those_of_the_schemas():
    page = layout_doc.PAGE.read_text(encoding="utf-8")
    for name in layout_doc.parts():
        assert f"<!-- columns: {name} -->" in page
    assert layout_doc.filled(page) == page, "run: python -m tests.layout_doc"


def test_every_file_of_a_workspace_is_on_the_page(workspace):
    page = layout_doc.PAGE.read_text(encoding="utf-8")
    tails = re.findall(r"`([\w.-]+\.\w+)`", page)
    patterns = re.findall(r"`([\w.*-]*\*[\w.*-]*)`", page)
    for path in workspace.rglob("*"):
        is_made_up = path.name in {"truth.json", "catalogue.csv"}
        if not path.is_file() or "raw" in path.relative_to(workspace).parts or is_made_up:
            continue
        is_named = path.name in page or any(path.name.endswith(f"_{tail}") for tail in tails)
        if "exports" in path.parts:
            is_named = f"`{path.name}`" in page or any(fnmatch.fnmatch(path.name, one) for one in patterns)
        assert is_named, f"{path.name} is not in data_layout.md"


def test_results_have_the_keys_of_the_page_in_their_order(workspace):
    found = next((workspace / "work").rglob("results.json"))
    assert list(json.loads(found.read_text(encoding="utf-8"))) == [key.name for key in RESULTS]


def test_dumps_are_read_by_astropy_with_their_units(workspace):
    from astropy.table import Table

    table = Table.read(next((workspace / "work").rglob("photometry.ecsv")))
    assert str(table["shift_x"].unit) == "pix"
    assert len(table) == 23
    fits = Table.read(next((workspace / "work").rglob("photometry.fits")))
    assert fits["flux"].shape == (23, 22, 10)
    assert str(fits["x"].unit) == "pix"
