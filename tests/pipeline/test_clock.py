"""No output has the time of day, the zone or the language of the machine in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

import pytest

from tests.harness import ROOT, make, results, run


@pytest.mark.long
def test_runs_at_different_times_and_places_leave_the_same_bytes(tmp_path):
    here, there = make(tmp_path / "here"), make(tmp_path / "there" / "and deeper")
    today = {time.strftime(form) for form in ("%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%m/%d/%Y", "%d %b %Y")}
    assert run(here).status == 0
    environment = {**os.environ, "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    # Some years from now where that can be feigned; else the next second must do.
    feigned = ["faketime", "-f", "+1000d"] if shutil.which("faketime") else []
    time.sleep(1.1)

    later = subprocess.run(
        [*feigned, sys.executable, "-m", "doit", "-f", str(ROOT / "dodo.py"), f"workspace={there}"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment,
        check=False,
    )

    assert later.returncode == 0, later.stdout + later.stderr
    assert results(there) == results(here)
    texts = {
        name: (here / ("" if name.startswith("products") else "work") / name).read_bytes()
        for name in results(here)
    }
    assert [name for name, text in texts.items() for day in today if day.encode() in text] == []
