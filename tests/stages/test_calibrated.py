"""[preprocess] save_calibrated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from tests.harness import make, run

SLUG = "TOI-9999.01/20250304/Demo-0m4/ip"
ON = "\n[preprocess]\nsave_calibrated = true\n"


@pytest.fixture
def workspace(tmp_path) -> Path:
    folder = make(tmp_path / "workspace", lights=range(6), config=ON)
    assert run(folder, "photometry").status == 0
    return folder


def written(workspace: Path) -> list[Path]:
    return sorted((workspace / "work" / SLUG / "calibrated").glob("*"))


def test_calibrated_frames_are_raw_minus_bias_minus_scaled_dark_over_flat(workspace):
    assert len(written(workspace)) == 6
    masters = {
        kind: fits.getdata(workspace / "work" / SLUG / f"masters/{kind}.fits")
        for kind in ("bias", "dark", "flat")
    }
    name = written(workspace)[2].name.replace("_out.fits", ".fits")
    raw, header = fits.getdata(next((workspace / "raw").rglob(name)), header=True)
    dark_exposure = fits.getheader(next((workspace / "raw").rglob("dark/*")))["EXPTIME"]
    expected = raw - masters["bias"] - masters["dark"] * (header["EXPTIME"] / dark_exposure)
    expected /= masters["flat"]
    found, cards = fits.getdata(written(workspace)[2], header=True)
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-3)
    assert found.dtype == np.dtype(">f4")
    assert cards["OBJECT"] == header["OBJECT"]
    assert cards["JD_UTC"] - cards["JD_SOBS"] == pytest.approx(header["EXPTIME"] / 2 / 86400, abs=1e-9)


def test_only_what_is_missing_is_written(workspace):
    before = {path: path.stat().st_mtime_ns for path in written(workspace)}
    written(workspace)[0].unlink()
    make(workspace, lights=range(7), config=ON)
    assert run(workspace, "photometry").stages == ["preprocess", "registration", "template", "photometry"]
    after = {path: path.stat().st_mtime_ns for path in written(workspace)}
    assert len(after) == 7
    assert sum(after[path] == time for path, time in before.items()) == 5


def test_they_go_when_they_are_no_longer_asked_for(workspace):
    make(workspace, lights=range(6))
    assert run(workspace, "photometry").measured("photometry") == 0
    assert written(workspace) == []
