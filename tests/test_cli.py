from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from accretor import __version__
from tests.harness import ROOT, make


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    return make(tmp_path_factory.mktemp("cli") / "space", lights=[0, 1])


def accretor(*arguments, folder, **environment):
    kept = {name: value for name, value in os.environ.items() if name != "ACCRETOR_WORKSPACE"}
    return subprocess.run(
        [sys.executable, "-m", "accretor.cli", *map(str, arguments)],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_the_command_works_on_the_workspace_that_is_named_from_any_folder(space, tmp_path):
    done = accretor("list", f"workspace={space}", folder=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "2 frames: 2 new" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_workspace_may_be_the_current_folder_a_relative_one_or_that_of_the_environment(space):
    beside = os.path.relpath(space, space.parent)
    found = [
        accretor("list", folder=space),
        accretor("list", f"workspace={beside}", folder=space.parent),
        accretor("list", folder=space.parent, ACCRETOR_WORKSPACE=str(space)),
    ]

    assert len({done.stdout for done in found}) == 1
    assert "2 frames: 2 new" in found[0].stdout


def test_settings_of_doit_in_the_current_folder_are_those_of_another_program(space, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.doit]\nverbosity = 'stranger'\n", encoding="utf-8")
    (tmp_path / "doit.cfg").write_text("[GLOBAL]\nbackend = stranger\n", encoding="utf-8")
    (tmp_path / "dodo.py").write_text("raise SystemExit('a stranger')\n", encoding="utf-8")
    done = accretor("list", f"workspace={space}", folder=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "stranger" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "workspace=nowhere"], "nowhere: there is no such folder"),
        (["no-such-stage"], "no-such-stage"),
        (["photometry:no-such-target"], "photometry:no-such-target"),
    ],
)
def test_what_cannot_be_done_is_told_without_a_traceback(space, arguments, said):
    done = accretor(*arguments, folder=space)

    assert done.returncode != 0
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_wrong_key_in_the_settings_is_one_line(space, tmp_path):
    text = (space / "workspace.toml").read_text(encoding="utf-8")
    (tmp_path / "workspace.toml").write_text(f"{text}\n[photometry]\nradi = [5]\n", encoding="utf-8")
    done = accretor("list", folder=tmp_path)

    assert done.returncode != 0
    assert "photometry.radi: unknown key; did you mean radii?" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"]])
def test_help_names_the_first_commands_as_they_are_typed_and_makes_nothing(tmp_path, arguments):
    done = accretor(*arguments, folder=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "accretor upload:TOI-1234.01 " in done.stdout
    assert not re.search(r"^doit ", done.stdout, re.MULTILINE)
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_that_of_the_package(tmp_path):
    assert accretor("--version", folder=tmp_path).stdout == f"accretor {__version__}\n"


def test_help_of_a_stage_needs_no_workspace_and_makes_none(tmp_path):
    done = accretor("help", "neb", folder=tmp_path)

    assert done.stdout.startswith("neb  ")
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_the_module_is_the_command(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "accretor", "--version"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == f"accretor {__version__}\n"


def test_commands_are_told_as_they_are_typed_here_and_paths_as_they_are(tmp_path):
    folder = tmp_path / "doit" / "night"
    folder.mkdir(parents=True)

    assert "    accretor neb:TOI-1234.01" in accretor("help", "neb", folder=tmp_path).stdout
    assert (
        "doit/night: there is no workspace.toml"
        in accretor("list", f"workspace={folder}", folder=tmp_path).stderr
    )


def test_the_version_of_doit_is_not_said_to_be_that_of_the_command(space):
    done = accretor("doctor", folder=space)

    assert re.search(r"(?m)^  doit \d+\.\d+", done.stdout)
    assert f"accretor {__version__}, Python" in done.stdout


def test_what_a_stage_says_names_the_command_that_was_typed(space):
    done = accretor("zeropoint", folder=space)

    assert "accretor fetch gets one" in done.stdout
    assert "doit fetch" not in done.stdout
