"""A check for eclipsing binaries that could not be made is not one that found nothing."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from accretor.core.dumps import Column, Schema
from accretor.io import dump
from accretor.report import verdicts
from accretor.report.verdicts import State
from accretor.stages import report

TABLE = Schema(
    "neighbours", 1, (Column("neighbour", "int64", "number"), Column("disposition", "string", "word"))
)


@pytest.mark.parametrize(
    ("rows", "remarks", "state"),
    [
        ([], ["no catalogue is kept"], State.UNKNOWN),
        ([], [], State.YES),
        ([{"neighbour": 2, "disposition": "Cleared"}], ["the catalogue ends at 17 mag"], State.PART),
        ([{"neighbour": 2, "disposition": "Cleared"}], [], State.YES),
    ],
)
def test_a_remark_of_the_check_means_that_not_all_was_checked(tmp_path, rows, remarks, state):
    dump.write(tmp_path / "neighbours.ecsv", TABLE, rows, {"remarks": remarks})

    found = verdicts.cleared(*report._neighbours(SimpleNamespace(paths=SimpleNamespace(folder=tmp_path))))

    assert found.state is state
    assert all(remark in found.detail for remark in remarks)


def test_without_the_table_nothing_was_checked(tmp_path):
    plan = SimpleNamespace(paths=SimpleNamespace(folder=tmp_path))

    assert verdicts.cleared(*report._neighbours(plan)).state is State.UNKNOWN
