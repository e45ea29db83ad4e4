"""How a pool of processes ends with the run that owns it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.harness import ROOT

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for orphans in /proc")

OWNER = """
import sys
from accretor.compute.pool import Pool
from accretor.core.settings import ComputeSettings
from tests.compute import works

if __name__ == "__main__":
    pool = Pool(ComputeSettings(executor="processes", workers=3))
    for _, (_, pid, _) in pool.map(works.whole, range(60)):
        pass
    print("busy", flush=True)
    for index, _ in pool.map(works.slow, [0.0] + [60.0] * 20):
        print("begun", flush=True)
"""


@pytest.fixture
def owner(tmp_path):
    """A process with three workers, all in the middle of their work."""
    script = tmp_path / "owner.py"
    script.write_text(OWNER)
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    for said in ("busy", "begun"):
        assert process.stdout.readline().strip() == said
    yield process
    process.kill()
    process.communicate()


def group(leader: int) -> set[int]:
    """Return the living processes of a process group."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == leader and fields[0] != "Z":
            found.add(int(stat.parent.name))
    return found


def is_gone_within(seconds: float, leader: int) -> bool:
    end = time.monotonic() + seconds
    while group(leader):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_a_killed_run_leaves_no_orphan(owner):
    assert len(group(owner.pid)) >= 4

    owner.kill()
    owner.wait()

    assert is_gone_within(3, owner.pid)


def test_ctrl_c_ends_run_and_workers_within_two_seconds_and_only_the_run_speaks(owner):
    os.killpg(owner.pid, signal.SIGINT)
    _, said = owner.communicate(timeout=2)

    assert owner.returncode != 0
    assert said.count("Traceback") == 1
    assert said.rstrip().endswith("KeyboardInterrupt")
    assert is_gone_within(1, owner.pid)


def test_a_worker_that_is_killed_from_outside_is_replaced(tmp_path):
    script = tmp_path / "owner.py"
    script.write_text(
        """
import os, signal
from accretor.compute.pool import Pool
from accretor.core.settings import ComputeSettings
from tests.compute import works

if __name__ == "__main__":
    pool = Pool(ComputeSettings(executor="processes", workers=2))
    seen = []
    for index, (item, pid, _) in pool.map(works.whole, range(300)):
        seen.append(item)
        if len(seen) in (20, 200):
            os.kill(pid, signal.SIGKILL)
    pool.close()
    print(sorted(seen) == list(range(300)))
"""
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    assert (done.stdout.strip(), done.stderr) == ("True", "")
