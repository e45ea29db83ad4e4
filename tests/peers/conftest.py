"""Other programs in environments of their own, and packages for them to read."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import venv

import pytest

from accretor.synthetic import frames
from tests.harness import run
from tests.pipeline.test_names import NIGHTS, SETTINGS


def install(folder, *packages, python=None):
    """Make an environment with *packages*, and return its Python; skip where they cannot be had."""
    if uv := shutil.which("uv"):
        wanted = ["--python", python] if python else []
        steps = [
            [uv, "venv", "-q", *wanted, str(folder)],
            [uv, "pip", "install", "-q", "--python", str(folder), *packages],
        ]
    else:
        venv.create(folder, with_pip=True)
        steps = [[str(program(folder, "python")), "-m", "pip", "install", "-q", *packages]]
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            pytest.skip(f"{', '.join(packages)} cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
    return program(folder, "python")


def program(folder, name):
    return folder / ("Scripts" if os.name == "nt" else "bin") / name


@pytest.fixture(scope="session")
def exofop(tmp_path_factory):
    return install(tmp_path_factory.mktemp("exofop") / "env", "exofop")


@pytest.fixture(scope="session")
def profe(tmp_path_factory):
    """The program profe, which wants Python 3.11."""
    folder = tmp_path_factory.mktemp("profe") / "env"
    if sys.version_info[:2] != (3, 11) and not shutil.which("uv"):
        pytest.skip("profe needs Python 3.11")
    install(folder, "profe", python="3.11")
    return program(folder, "profe")


@pytest.fixture(scope="session")
def packed(tmp_path_factory):
    """Two telescopes in one night, one of them with two filters, each with three apertures."""
    folder = tmp_path_factory.mktemp("packed")
    nights = {**NIGHTS, "second": dataclasses.replace(NIGHTS["second"], filter="zs")}
    for name, night in nights.items():
        frames.write(night, folder / "all" / name)
        (folder / "raw").mkdir(exist_ok=True)
        shutil.move(folder / "all" / name / "raw", folder / "raw" / name)
    (folder / "workspace.toml").write_text(
        f"{SETTINGS}\n[preprocess]\nsave_calibrated = true\n", encoding="utf-8"
    )
    assert run(folder).status == 0
    return folder
