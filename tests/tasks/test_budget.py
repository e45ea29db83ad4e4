"""What a run opens and loads: facts that keep it fast, told without a clock."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.harness import ROOT, make, run

SLUG = "TOI-9999.01/20250304/Demo-0m4/ip"
HEAVY = {"astropy", "matplotlib", "numpy", "photutils", "requests", "scipy"}

WATCHED = """
import json, os, sys

opened = []


def note(event, args):
    if event == "open" and isinstance(args[0], str):
        opened.append(os.path.abspath(args[0]))


sys.addaudithook(note)
from doit.doit_cmd import DoitMain

status = DoitMain(config_filenames=()).run(sys.argv[2:])
with open(sys.argv[1], "w", encoding="utf-8") as file:
    json.dump({"opened": opened, "modules": sorted(sys.modules)}, file)
sys.exit(status)
"""
"""Runs doit, and tells which files Python opened and which modules it loaded."""


class Watched:
    """What one run opened, by names below the workspace, and the libraries that it loaded."""

    def __init__(self, workspace: Path, *arguments: str) -> None:
        told = workspace.with_name(f"{workspace.name}.json")
        command = ["-f", str(ROOT / "dodo.py"), *arguments, f"workspace={workspace}"]
        subprocess.run(
            [sys.executable, "-c", WATCHED, str(told), *command], check=True, capture_output=True, timeout=120
        )
        found = json.loads(told.read_text(encoding="utf-8"))
        inside = [Path(name) for name in found["opened"] if Path(name).is_relative_to(workspace)]
        self.opened = Counter(path.relative_to(workspace).as_posix() for path in inside)
        self.libraries = {name.partition(".")[0] for name in found["modules"]}

    def below(self, folder: str) -> set[str]:
        """Return the files below *folder* that were opened."""
        return {name for name in self.opened if name.startswith(f"{folder}/")}


def measured(folder: Path, n_frame: int) -> Path:
    workspace = make(folder / f"of-{n_frame}", lights=range(n_frame)).resolve()
    assert run(workspace, "calibration").status == 0
    return workspace


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return measured(tmp_path_factory.mktemp("budget"), 12)


@pytest.fixture(scope="module")
def more(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return measured(tmp_path_factory.mktemp("budget"), 20)


@pytest.fixture(scope="module")
def growing(few, more, tmp_path_factory: pytest.TempPathFactory) -> list[Watched]:
    """One frame added to each workspace, and what was opened on the way to the light curve."""
    found = []
    for workspace, n_frame in ((few, 13), (more, 21)):
        copied = shutil.copytree(workspace, tmp_path_factory.mktemp("growing") / "workspace")
        make(copied, lights=range(n_frame))
        found.append(Watched(Path(copied).resolve(), "calibration"))
    return found


@pytest.fixture(scope="module")
def drawn(few, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which everything is done, figures and package too."""
    copied = Path(shutil.copytree(few, tmp_path_factory.mktemp("drawn") / "workspace")).resolve()
    assert run(copied).status == 0
    return copied


@pytest.mark.parametrize("question", [(), ("list",), ("list", "--all"), ("why",)], ids=" ".join)
def test_where_nothing_is_to_do_no_pixel_is_read_and_no_large_library_loaded(drawn, question):
    seen = Watched(drawn, *question)

    assert not seen.below("raw")
    assert not {name for name in seen.opened if name.endswith(".fits")}
    assert not seen.libraries & HEAVY


@pytest.mark.parametrize("question", ["calibration", "list", "why"])
def test_what_is_opened_does_not_depend_on_the_number_of_frames(few, more, question):
    assert Watched(few, question).opened == Watched(more, question).opened


def test_the_light_curve_is_read_only_for_the_reasons_of_frames_that_were_left_out(few, tmp_path):
    curve = f"work/{SLUG}/lightcurve.ecsv"
    assert Watched(few, "calibration").opened[curve] == 1, "one frame of the night is trailed"

    good = make(tmp_path / "good", lights=[0, 1, 2, 3, 4, 6, 7, 8, 9, 10]).resolve()
    assert run(good, "calibration").status == 0
    assert curve not in Watched(good, "calibration").opened


def test_one_more_frame_is_the_only_raw_file_that_is_read(growing):
    for seen, name in zip(growing, ("0013", "0021"), strict=True):
        frame = f"raw/TOI-9999.01/TOI-9999.01-{name}.fits"
        assert seen.below("raw") == {frame}
        assert seen.opened[frame] == 2, (
            "for its header, and for its digest, its stars and its photometry at once"
        )


def test_one_more_frame_opens_the_same_dumps_however_many_frames_there_are(growing):
    small, large = growing
    photometry = f"work/{SLUG}/photometry.fits"

    assert small.below("work") == large.below("work")
    assert small.opened[photometry] == large.opened[photometry]
