"""A night that has only begun, or of which only the end is there: a transit, or why there is none."""

from __future__ import annotations

import json
import shutil

import pytest

from accretor.synthetic import demo
from tests.harness import make, run

pytestmark = pytest.mark.long

SLUG = "TOI-9999.01/20250304/Demo-0m4/ip"


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """Half of the demo."""
    return make(tmp_path_factory.mktemp("night"), demo.DEMO, lights=range(28))


def believed(workspace, ran) -> dict[str, object]:
    """Return the results, of which none is absurd."""
    assert "BROKE" not in ran.out
    assert "Traceback" not in ran.out + ran.err
    assert ran.status == 0
    found = json.loads((workspace / "work" / SLUG / "results.json").read_text(encoding="utf-8"))
    assert found["has_fit"] == (found["fit_reason"] == "")
    if found["has_fit"]:
        assert found["rp_rs_error"] < found["rp_rs"]
        assert 1.1 < found["duration_hour"] < 4.4
        assert f"Rp/R* {found['rp_rs']:.4f}" in ran.out
    else:
        assert f"no transit fit: {found['fit_reason']}" in ran.out
    return found


def test_while_a_night_grows_into_the_transit_nothing_breaks_and_nothing_absurd_is_told(night, tmp_path):
    workspace = make(tmp_path, demo.DEMO, lights=range(21))
    folder = next((workspace / "raw").rglob("TOI-9999*.fits")).parent
    for number, frame in enumerate(sorted((night / "raw").rglob("TOI-9999*.fits"))[21:28], start=22):
        shutil.copyfile(frame, folder / frame.name)
        if number in {22, 25, 28}:
            believed(workspace, run(workspace, f"calibration:{SLUG}"))


@pytest.mark.parametrize("n", [22])
def test_the_last_frames_alone_are_told_for_what_they_are(tmp_path, n):
    workspace = make(tmp_path, demo.DEMO, lights=range(56 - n, 56))

    believed(workspace, run(workspace, f"calibration:{SLUG}"))
