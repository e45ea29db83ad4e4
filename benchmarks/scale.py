"""What a large workspace costs: the first run, a run with nothing to do, one more frame, a question.

    uv run python -m benchmarks.scale
    uv run python -m benchmarks.scale --frames 2000 --observations 30

Prints a Markdown table. Wall and CPU time are in seconds, workers included; the
memory is the largest of any one process. The first run of 300 observations draws
1,500 figures and takes a quarter of an hour. Not for Windows, which does not tell
what a process has used.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FRAMES_EACH = 33
"""Frames of each of many observations."""
N_FRESH = 8
"""Frames of the run that tells what a frame alone costs; with fewer there is no light curve."""
REPEATS = 3


@dataclass(frozen=True)
class Cost:
    """What a process and its children used."""

    wall: float
    """Second."""
    cpu: float
    """Second, user and system."""
    memory: float
    """Megabyte, the most of any one process."""


def main() -> None:
    """Make the workspaces, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--frames", type=int, default=10_000, help="of the large observation; 0 for none")
    parser.add_argument("--observations", type=int, default=300, help="in one workspace; 0 for none")
    parser.add_argument(
        "--medium", type=int, default=1_000, help="frames of the medium observation; 0 for none"
    )
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # Bytecode is kept, as users have it, and in a place of its own; where there is none, every start
        # is a second longer.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        for _ in _measured(N_FRESH + 1):
            pass
        _print_all(wanted)


def _print_all(wanted: argparse.Namespace) -> None:
    print("| workspace | what | wall, s | CPU, s | memory, MB |")
    print("| --- | --- | ---: | ---: | ---: |")
    for n_frame in (N_FRESH, wanted.medium, wanted.frames):
        if n_frame:
            _show(f"{n_frame:,} frames", n_frame + 1)
    if wanted.observations:
        _show(f"{wanted.observations} x {FRAMES_EACH} frames", FRAMES_EACH, wanted.observations)


def _show(name: str, *sizes: int) -> None:
    for what, cost in _measured(*sizes):
        print(f"| {name} | {what} | {cost.wall:.2f} | {cost.cpu:.2f} | {cost.memory:.0f} |", flush=True)


def _measured(*sizes: int) -> Iterator[tuple[str, Cost]]:
    """Yield what a new workspace of these *sizes* costs."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "workspace"
        # In a process of its own: what a process is started from counts as its memory on Linux.
        command = [sys.executable, "-m", "benchmarks.nights", str(workspace), *map(str, sizes)]
        subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603  # our own program
        yield from measure(workspace)


def measure(workspace: Path) -> Iterator[tuple[str, Cost]]:
    """Yield what was done in *workspace*, which no run has seen yet, and what it cost."""
    frame = max((workspace / "raw").glob("TOI-*/**/*.fits"))
    held = frame.replace(workspace / "later.fits")
    yield "first run, to the light curve", run(workspace, "calibration")
    yield "first run, figures and package", run(workspace)
    yield "nothing to do", _median(lambda: run(workspace))
    yield "list", _median(lambda: run(workspace, "list"))
    yield "why, with nothing to do", run(workspace, "why")
    held.replace(frame)
    yield "list, with one new frame", run(workspace, "list")
    yield "why, with one new frame", run(workspace, "why")
    yield "one more frame, to the light curve", run(workspace, "calibration")
    yield "one more frame, figures and package", run(workspace)


def run(workspace: Path, *arguments: str) -> Cost:
    """Run doit on *workspace* and return what it cost.

    Raises
    ------
    SystemExit
        If it fails, with what it said.
    """
    command = [
        sys.executable,
        "-m",
        "doit",
        "-f",
        str(ROOT / "dodo.py"),
        *arguments,
        f"workspace={workspace}",
    ]
    with tempfile.TemporaryFile() as said:
        begun = time.monotonic()
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)  # noqa: S603  # as above
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{said.read().decode(errors='replace')[-3000:]}")
    unit = 1e6 if sys.platform == "darwin" else 1e3  # byte, kilobyte
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / unit)


def _median(once: Callable[[], Cost]) -> Cost:
    costs = [once() for _ in range(REPEATS)]
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        max(cost.memory for cost in costs),
    )


if __name__ == "__main__":
    main()
