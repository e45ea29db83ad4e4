from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.harness import ROOT, make

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("uv") is None, reason="uv, which builds the wheel, is not installed"),
]


def run(*command, folder, **environment):
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    built = run("uv", "build", "--wheel", "--out-dir", folder, ROOT, folder=folder)
    if built.returncode and "hatchling" in built.stderr and "fetch" in built.stderr:
        pytest.skip("the build backend cannot be fetched")
    assert built.returncode == 0, built.stderr[-2000:]
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def accretor(wheel, tmp_path_factory):
    """Return the command of an installation without a checkout, with the libraries of this one."""
    home = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(home, with_pip=False)
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    installed = run(
        "uv", "pip", "install", "--no-deps", "--offline", "--python", scripts / "python", wheel, folder=home
    )
    assert installed.returncode == 0, installed.stderr[-2000:]
    command = scripts / "accretor"

    def called(*arguments, folder):
        # The folder of libraries is only searched; its .pth of the checkout is not followed.
        return run(command, *arguments, folder=folder, PYTHONPATH=sysconfig.get_path("purelib"))

    return called


def test_the_wheel_holds_the_package_and_the_graph_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.split("/")[0] for name in names}
    wanted = {
        f"accretor/_console/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "tasks").glob("*.py")
    }

    assert {"accretor", *(top for top in tops if top.endswith(".dist-info"))} == tops
    assert {*wanted, "accretor/_console/dodo.py", "accretor/py.typed"} <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith("accretor/tests")]
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "accretor").rglob("*.py")} <= names


def test_the_command_works_from_any_folder_without_a_checkout(accretor, tmp_path):
    space = make(tmp_path / "space", lights=range(3))
    # What is in the current folder must not be taken for a part of this program.
    for name in ("tasks.py", "dodo.py", "accretor.py"):
        (tmp_path / name).write_text("raise SystemExit('a stranger')\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[tool.doit]\nverbosity = 'stranger'\n", encoding="utf-8")
    listed = accretor("list", f"workspace={space}", folder=tmp_path)

    assert listed.returncode == 0, listed.stderr[-2000:]
    assert "3 frames: 3 new" in listed.stdout
    assert str(ROOT) not in listed.stdout + listed.stderr


def test_the_command_reduces_frames(accretor, tmp_path):
    space = make(tmp_path / "space", lights=range(8))
    done = accretor("photometry", f"workspace={space}", folder=tmp_path)

    assert done.returncode == 0, done.stderr[-2000:]
    assert "photometry   TOI-9999.01/20250304/Demo-0m4/ip  " in done.stdout
    assert Path(space, "work", "TOI-9999.01", "20250304", "Demo-0m4", "ip", "photometry.fits").is_file()


def test_the_version_that_is_installed_is_that_of_the_package(wheel):
    import accretor

    assert wheel.name.startswith(f"accretor-{accretor.__version__}-")
    assert sys.version_info >= (3, 11)
