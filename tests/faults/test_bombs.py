"""Files that unpack to more than a computer holds, and frames that are large in truth, in little memory."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.faults import files, look
from tests.faults.files import with_pixels, with_text
from tests.harness import ROOT, Run, run

MB = 1_000_000
needs_limits = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")


def limited(workspace: Path, n_byte: int, *arguments: str) -> Run:
    """Run doit in a process that gets no more than *n_byte* of memory."""
    command = [sys.executable, "-m", "doit", "-f", str(ROOT / "dodo.py"), *arguments]
    script = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2);"
    script += "os.execv(sys.argv[2], sys.argv[2:])"
    done = subprocess.run(
        [sys.executable, "-c", script, str(n_byte), *command],
        cwd=workspace,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr)


def many_zeros(content: bytes, n_byte: int) -> bytes:
    """Return the frame gzipped, with so many zeros behind it; each tenth of a MB takes a hundred bytes."""
    return gzip.compress(content) + gzip.compress(bytes(10 * MB)) * (n_byte // (10 * MB))


def test_size_that_is_declared_is_refused_before_anything_is_unpacked(copy):
    workspace = copy()
    light = sorted((workspace / look.LIGHTS).iterdir())[2].read_bytes()
    wide = with_text(b"NAXIS1  =                40000", b"NAXIS2  =                40000")(light)
    tiled = files.tiled(light)
    for keyword in (b"ZNAXIS1 =", b"ZNAXIS2 ="):
        at = tiled.index(keyword)
        tiled = tiled[: at + 10] + b"40000".rjust(20) + tiled[at + 30 :]
    (workspace / "raw" / "wide.fits.gz").write_bytes(many_zeros(wide, 20 * MB))
    (workspace / "raw" / "tiled.fits.fz").write_bytes(tiled)
    (workspace / "raw" / "zeros.fits.gz").write_bytes(gzip.compress(bytes(20 * MB)))

    done = run(workspace, "preprocess")

    assert done.status == 0
    found = look.reasons(workspace)
    assert "40000 x 40000 pixels are more than 1 GB" in found["tiled.fits.fz"]
    assert "more than 1 GB" in found["wide.fits.gz"]
    assert "the file is filled with zeros" in found["zeros.fits.gz"]


@needs_limits
@pytest.mark.slow
def test_bomb_behind_a_good_header_costs_its_own_frame_only(copy):
    workspace = copy()
    light = sorted((workspace / look.LIGHTS).iterdir())[2].read_bytes()
    (workspace / "raw" / "bomb.fits.gz").write_bytes(many_zeros(files.moved(light, 200), 1100 * MB))

    done = limited(workspace, 4000 * MB, "preprocess")

    assert done.status == 0
    assert look.is_tidy(done)
    assert "unpacks to more than 1 GB" in look.frames(workspace)["bomb.fits.gz"]["reason"]
    assert sum(row["status"] == "good" for row in look.frames(workspace).values()) == 24


@needs_limits
@pytest.mark.slow
def test_frame_that_memory_is_too_small_for_costs_itself_only(copy):
    workspace = copy()
    light = sorted((workspace / look.LIGHTS).iterdir())[2].read_bytes()
    (workspace / "raw" / "bomb.fits.gz").write_bytes(many_zeros(files.moved(light, 200), 900 * MB))

    done = limited(workspace, 1500 * MB, "preprocess")

    assert look.is_tidy(done)
    row = look.frames(workspace)["bomb.fits.gz"]
    assert (row["status"], "MemoryError" in row["reason"]) == ("error", True)
    assert sum(row["status"] == "good" for row in look.frames(workspace).values()) == 24


@needs_limits
@pytest.mark.slow
def test_frames_of_forty_megapixels_are_measured_in_two_gigabytes(copy):
    workspace = copy()
    for path in sorted((workspace / "raw").rglob("*.fits")):
        number = int(path.stem[-3:])
        if number > (3 if "TOI" in path.name else 5):
            path.unlink()
        else:
            path.write_bytes(with_pixels(lambda pixels: np.tile(pixels, (50, 40)))(path.read_bytes()))

    done = limited(workspace, 2000 * MB, "registration")

    assert done.status == 0
    assert look.is_tidy(done)
    assert done.measured("registration") == 3
