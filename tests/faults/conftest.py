"""A workspace that was reduced without any fault, to copy from and to compare with."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness import make, run


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace of a faultless night, reduced up to the light curve."""
    workspace = make(tmp_path_factory.mktemp("clean"))
    assert run(workspace, "calibration").status == 0
    return workspace


@pytest.fixture
def copy(clean: Path, tmp_path: Path) -> Callable[[], Path]:
    """Return what makes a fresh workspace of the same raw frames."""

    def make_copy(name: str = "workspace") -> Path:
        folder = tmp_path / name
        folder.mkdir()
        shutil.copytree(clean / "raw", folder / "raw")
        shutil.copy(clean / "workspace.toml", folder)
        return folder

    return make_copy
