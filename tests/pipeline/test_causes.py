"""What a change makes run again, and what it does not: the table of `tests.pipeline.causes`, row by row."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import shutil
import struct
import zlib
from pathlib import Path

import pytest

from accretor.core.settings import WorkspaceSettings
from accretor.io.layout import ObservationPaths
from accretor.plots import limits, neighbours, style
from accretor.stages import figures, plotting, zeropoint
from accretor.stages.workspace import ObservationPlan
from accretor.synthetic import frames
from accretor.synthetic.night import BadFrame, Night
from tests import skies
from tests.harness import ROOT, SMALL, make, results, run
from tests.pipeline import causes
from tests.pipeline.causes import CAUSES, FRESH, SAME, Cause

NIGHT: Night = dataclasses.replace(SMALL, n_frame=16, cadence=900.0)
SPARE = (0, 3, 8, 15)
"""Frames that are not in the workspace at first; number 3 would be the template."""
QUICK_FIT = "\n[calibration]\ndetrend = []\n"
"""One fit to each light curve instead of eight."""
PLACE = """
[forced]
blank = 0
[[forced.position]]
name = "beside"
ra = 105.35
dec = 24.815
"""
FEW: Night = dataclasses.replace(NIGHT, n_frame=8, n_bias=0, n_dark=0, n_flat=0, bad_frame=None, cloud=None)
TARGET: Night = dataclasses.replace(
    FEW, seed=15, target="TOI-8888.01", ra=215.5, dec=-3.25, start="2025-03-05T01:00:00.000"
)


@pytest.fixture(autouse=True)
def _runs_are_quick(monkeypatch):
    """Have figures hold the digest of what they are drawn from: drawing is nine tenths of a run's time."""

    monkeypatch.setattr(
        plotting, "_picture", lambda drawing: _png(figures.fingerprint([drawing[0].name, drawing[1]]))
    )

    def drawn(*given: object) -> str:
        kept = [item.plotting if isinstance(item, WorkspaceSettings) else item for item in given]
        return repr([item for item in kept if not isinstance(item, ObservationPlan | ObservationPaths)])

    monkeypatch.setattr(zeropoint, "_figure", drawn)
    for name in ("scatter", "depth_curve"):
        monkeypatch.setattr(neighbours, name, lambda *given, **named: figures.fingerprint([given, named]))
    monkeypatch.setattr(limits, "limits", lambda *given, **named: figures.fingerprint([given, named]))
    for module in (style, neighbours):
        monkeypatch.setattr(module, "save", _png)
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # nothing loses power here


def _png(text: str) -> bytes:
    """Return a PNG file of one pixel with the digest of *text*."""
    parts = {
        b"IHDR": struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0),
        b"tEXt": b"Digest\0" + hashlib.sha256(text.encode()).hexdigest().encode(),
        b"IDAT": zlib.compress(b"\0\0"),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts.items()
    )


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Frames that causes put into the workspace."""
    shelf = tmp_path_factory.mktemp("shelf")
    (shelf / "notes.txt").write_text("clear until two\n", encoding="utf-8")
    shutil.move(skies.keep(shelf, skies.catalog(NIGHT)), shelf)
    for name, night, lights in (
        ("ip", NIGHT, [*SPARE, 7]),
        ("other", dataclasses.replace(NIGHT, seed=12), [7]),
        ("stray", dataclasses.replace(NIGHT, fwhm=2.6), [8]),  # other places, more stars
        ("dark", dataclasses.replace(NIGHT, bad_frame=BadFrame(8, "shutter")), [8]),
        ("night", dataclasses.replace(FEW, seed=13, start="2025-03-08T21:30:00.000"), range(8)),
        ("gp", dataclasses.replace(FEW, seed=14, filter="gp", start="2025-03-04T21:05:00.000"), range(8)),
        ("target", TARGET, range(8)),
    ):
        frames.write(
            dataclasses.replace(night, n_bias=0, n_dark=0, n_flat=0), shelf / "all" / name, lights=lights
        )
        (shelf / name).mkdir()
        for path in (shelf / "all" / name / "raw").rglob("*.fits"):
            shutil.move(path, shelf / name / path.name[-9:])
    frames.write(dataclasses.replace(NIGHT, n_bias=0, n_dark=6, n_flat=6), shelf / "all", lights=[])
    shutil.move(shelf / "all/raw/dark/dark-006.fits", shelf)
    shutil.move(shelf / "all/raw/flat/flat-006.fits", shelf)
    return shelf


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A workspace with nothing left to do."""
    lights = [index for index in range(NIGHT.n_frame) if index not in SPARE]
    with pytest.MonkeyPatch.context() as patch:
        _runs_are_quick.__wrapped__(patch)
        workspace = make(tmp_path_factory.mktemp("base"), NIGHT, lights=lights, config=QUICK_FIT + PLACE)
        assert run(workspace).status == 0
    return workspace


def files_of(workspace: Path) -> dict[str, str]:
    """Return the digests of dumps and products; a dump that was set aside is none."""
    return {name: digest for name, digest in results(workspace).items() if not name.endswith(".bad")}


def fresh(workspace: Path, folder: Path) -> dict[str, str]:
    """Return the files that a new workspace with the same content would have."""
    folder.mkdir()
    shutil.copy2(workspace / "workspace.toml", folder)
    shutil.copytree(workspace / "raw", folder / "raw")
    for name in ("aij", "archive"):
        if (workspace / name).is_dir():
            shutil.copytree(workspace / name, folder / name)
    if (workspace / "notes.txt.j2").is_file():
        shutil.copy2(workspace / "notes.txt.j2", folder)
    assert run(folder).status == 0
    return files_of(folder)


@pytest.mark.parametrize("cause", [pytest.param(cause, id=cause.text) for cause in CAUSES])
def test_a_cause_makes_run_what_follows_from_it_and_nothing_else(
    cause: Cause, base, shelf, tmp_path, monkeypatch
):
    workspace = tmp_path / "workspace"
    shutil.copytree(base, workspace)
    if cause.before:
        cause.before(workspace, shelf)
        assert run(workspace).status == 0
    before = files_of(workspace)
    for stage in cause.raised:
        monkeypatch.setattr(f"accretor.core.versions.{stage.upper()}", 99)
    for change in cause.changes:
        change(workspace, shelf)

        done = run(workspace)

        assert causes.describe(done) == cause.runs, done.out + done.err
        assert (done.status, done.failed) == (0, {})
        assert cause.names in done.out
        assert run(workspace).done == {}
        if cause.files == SAME:
            # A file of the package that somebody changed is kept beside the one that is made again.
            found = {name: digest for name, digest in files_of(workspace).items() if "/changed/" not in name}
            assert found == before
    if cause.files == FRESH:
        assert files_of(workspace) == fresh(workspace, tmp_path / "fresh")


def test_the_table_in_data_layout_is_this_one():
    page = (ROOT / "data_layout.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- causes -->\n(.*?)\n?<!-- /causes -->", page, re.DOTALL)
    if found is None:
        pytest.skip("data_layout.md has no place for the table")

    assert found[1].strip() == causes.markdown()
