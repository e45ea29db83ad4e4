from __future__ import annotations

import dataclasses
import shutil

import pytest

from accretor.synthetic import frames
from tests.harness import SMALL, make, run

TARGETS = ("TOI-9999.01", "TOI-8888.01")

SECOND = """
[[target]]
name = "TOI-8888.01"
tic = 888888888
ra = "07:01:23.400"
dec = "+24:48:36.00"
"""


@pytest.fixture(scope="package")
def two_targets(tmp_path_factory):
    """Return a workspace of two targets, reduced up to the light curve; not to be changed."""
    space = make(tmp_path_factory.mktemp("two") / "space", lights=range(8), config=SECOND)
    later = dataclasses.replace(
        SMALL, target=TARGETS[1], start="2025-03-06T21:00:00.000", seed=12, n_bias=0, n_dark=0, n_flat=0
    )
    frames.write(later, space, lights=range(8))
    found = run(space, "calibration")
    assert found.status == 0, found.out
    assert len(found.done) == 10
    return space


@pytest.fixture
def space(two_targets, tmp_path):
    """Return a copy that may be changed."""
    return shutil.copytree(two_targets, tmp_path / "space")
