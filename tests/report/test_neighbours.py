"""A check for eclipsing binaries that could not be made is not one that found nothing."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from accretor.core.dumps import Column, Schema
from accretor.io import dump
from accretor.stages import report

TABLE = Schema(
    "neighbours", 1, (Column("neighbour", "int64", "number"), Column("disposition", "string", "word"))
)


@pytest.mark.parametrize(
    ("rows", "remarks", "found"),
    [
        ([], ["no catalogue is kept"], None),
        ([], [], []),
        ([{"neighbour": 2, "disposition": "Cleared"}], ["the catalogue ends at 17 mag"], ["Cleared"]),
    ],
)
def test_no_neighbours_and_a_remark_mean_that_nothing_was_checked(tmp_path, rows, remarks, found):
    dump.write(tmp_path / "neighbours.ecsv", TABLE, rows, {"remarks": remarks})
    plan = SimpleNamespace(paths=SimpleNamespace(folder=tmp_path))

    seen = report._neighbours(plan)

    assert (seen if seen is None else [row["disposition"] for row in seen]) == found
