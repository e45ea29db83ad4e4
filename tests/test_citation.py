"""CITATION.cff against the rules of the Citation File Format 1.2.0 that concern it."""

from __future__ import annotations

import datetime
import re
import tomllib

import pytest

import accretor
from tests.harness import ROOT

yaml = pytest.importorskip("yaml", reason="no YAML reader is here; the extra cluster brings one")

TYPES = {"software", "dataset"}


def cff():
    return yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_the_file_has_what_the_format_needs_in_the_types_that_it_needs():
    found = cff()

    assert {"cff-version", "message", "title", "authors"} <= set(found)
    assert found["cff-version"] == "1.2.0"
    assert found["type"] in TYPES
    assert found["authors"]
    for author in found["authors"]:
        assert {"name"} <= set(author) or {"family-names", "given-names"} <= set(author)
    assert isinstance(found["date-released"], datetime.date)
    assert all(isinstance(word, str) for word in found["keywords"])


def test_it_speaks_of_this_version_under_this_licence():
    found = cff()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert str(found["version"]) == accretor.__version__ == project["version"]
    assert found["license"] == project["license"]
    assert re.fullmatch(r"[\d.]+", str(found["version"]))
