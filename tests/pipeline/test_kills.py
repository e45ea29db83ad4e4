"""A run that is killed at any moment costs the frames in hand, and nothing else."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from accretor.core.dumps import FRAMES, PHOTOMETRY, STARS
from accretor.io import dump, journal, records
from accretor.synthetic import demo
from tests.harness import SMALL, Run, make, results, spawn, start, tree
from tests.pipeline import processes

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not processes.HERE, reason="needs /proc to see what processes are left"),
]

SERIAL = ""
PROCESSES = '\n[compute]\nexecutor = "processes"\nworkers = 2\n'
IN_HAND = {SERIAL: 1, PROCESSES: 4}
"""Frames that are under way at a time: one, or two for each worker."""

KINDS = [
    (signal.SIGKILL, "process"),
    (signal.SIGKILL, "group"),
    (signal.SIGKILL, "workers"),
    (signal.SIGTERM, "process"),
    (signal.SIGTERM, "group"),
    (signal.SIGTERM, "workers"),
    (signal.SIGINT, "process"),
    (signal.SIGINT, "group"),
    (signal.SIGINT, "workers"),
]

INTERRUPTED = ["interrupted; what is done is kept, the next run goes on from there"]

MOST_SECONDS = 2.0
"""Within which a run that is asked to end has ended."""


@pytest.fixture(autouse=True)
def _heeded_interrupt():
    """A shell starts what it runs in the background with INT ignored, which children inherit."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@dataclasses.dataclass
class Tally:
    """What many kills did."""

    kills: Counter[str] = dataclasses.field(default_factory=Counter)
    n_run: int = 0
    n_finished: int = 0
    n_measured: int = 0
    n_frame: int = 0
    n_again: int = 0
    slowest: float = 0.0


def kept(workspace: Path) -> dict[str, set[tuple[str, str]]]:
    """Return the rows that each stage has on the disk, in its dump or its journal."""
    found = {}
    for stage, schema, name in (
        ("preprocess", FRAMES, "frames.ecsv"),
        ("registration", STARS, "stars.fits"),
        ("photometry", PHOTOMETRY, "photometry.fits"),
    ):
        folder = next(iter(workspace.glob("work/*/*/*/*/")), workspace / "nothing")
        path = folder / name
        rows = list(journal.replay(path))
        if path.exists():
            rows += dump.read(path, schema).rows if name.endswith(".ecsv") else records.read(path, schema)[0]
        found[stage] = {(row["input"], row["context"]) for row in rows}
    return found


def kill(process: subprocess.Popen[str], number: signal.Signals, whom: str) -> None:
    """Send the signal; a process that is gone meanwhile is well."""
    try:
        if whom == "group":
            os.killpg(process.pid, number)
        elif whom == "process":
            os.kill(process.pid, number)
        else:
            for worker in processes.workers(process.pid):
                os.kill(worker, number)
    except ProcessLookupError:
        pass


def left_over(workspace: Path) -> list[str]:
    """Return the files that only a run at work may have."""
    return [
        path.name
        for path in workspace.rglob("*")
        if path.suffix in (".part", ".journal", ".bad", ".tmp") or path.name.endswith("-journal")
    ]


def killed_run(
    workspace: Path,
    task: list[str],
    moment: float,
    number: signal.Signals,
    whom: str,
    tally: Tally,
    *,
    at_work: bool,
) -> bool:
    """Run doit and kill it after a *moment*, counted from when it can be interrupted or is measuring.

    Returns
    -------
    bool
        Whether something may be left to do.
    """
    process = start(workspace, *task)
    processes.wait_until(lambda: processes.is_polite(process.pid) or process.poll() is not None)
    if at_work:
        before = {path.name for path in workspace.rglob("*.journal")}
        processes.wait_until(
            lambda: (
                {path.name for path in workspace.rglob("*.journal")} - before or process.poll() is not None
            )
        )
    time.sleep(moment)
    was_running = process.poll() is None
    sent = time.monotonic()
    kill(process, number, whom)
    out, err = process.communicate(timeout=120)
    took = time.monotonic() - sent
    run = Run(process.returncode, out, err)
    tally.n_run += 1
    assert processes.wait_until(lambda: not processes.members(process.pid), seconds=5), (
        f"{number.name} to {whom}: left over {processes.members(process.pid)}"
    )
    is_finished = not was_running or run.status == 0
    tally.n_finished += is_finished
    if was_running:
        tally.kills[f"{number.name} {whom}"] += 1
    check_words(run, number, whom)
    if was_running and whom != "workers":
        tally.slowest = max(tally.slowest, took)
        assert took < MOST_SECONDS
    return not is_finished


def check_words(run: Run, number: signal.Signals, whom: str) -> None:
    """Assert that a run says one line of being interrupted, and nothing of how."""
    said = [line for line in run.err.splitlines() if line]
    if run.status == 0 or whom == "workers":
        assert "Traceback" not in run.err + run.out
        assert run.status == 0, run.out + run.err
    elif number != signal.SIGKILL:
        # When Python itself ends, the signal has its old meaning again; then all is said already.
        assert said == INTERRUPTED or (run.status == -number and "\ntasks: " in run.out), run.out + run.err
        assert "Traceback" not in run.out + run.err


def life(
    workspace: Path,
    task: list[str],
    config: str,
    whole: dict[str, str],
    chance: random.Random,
    tally: Tally,
    *,
    n_kill: int,
    seconds: float,
) -> None:
    """Begin anew, kill the run *n_kill* times, and let it end; assert that nothing was lost."""
    for name in ("work", "products", "logs"):
        shutil.rmtree(workspace / name, ignore_errors=True)
    have = kept(workspace)
    for _ in range(n_kill):
        number, whom = chance.choice([kind for kind in KINDS if config == PROCESSES or kind[1] != "workers"])
        at_work = chance.random() < 0.5
        moment = chance.uniform(0, 0.2 * seconds if at_work else seconds)
        is_begun = killed_run(workspace, task, moment, number, whom, tally, at_work=at_work)
        now = kept(workspace)
        for stage in have:
            assert now[stage] >= have[stage], f"{number.name} to {whom} lost rows of {stage}"
        have = now
        if not is_begun:
            break

    last = spawn(workspace, *task)

    assert last.status == 0, last.out + last.err
    assert last.err == ""
    assert results(workspace) == whole
    assert left_over(workspace) == []
    done = kept(workspace)
    for stage, rows in done.items():
        n_measured = len(have[stage]) + last.measured(stage)
        tally.n_frame += len(rows)
        tally.n_measured += n_measured
        tally.n_again += n_measured - len(rows)
        assert n_measured <= len(rows) + n_kill * IN_HAND[config]


def uninterrupted(folder: Path, night: demo.Night, task: list[str]) -> tuple[Path, dict[str, str], float]:
    """Return a workspace with its results, and how long a run takes."""
    workspace = make(folder, night)
    begun = time.monotonic()
    run = spawn(workspace, *task)
    assert run.status == 0, run.out + run.err
    return workspace, results(workspace), time.monotonic() - begun


def lives(folder: Path, night: demo.Night, *task: str, n_kill: int, seed: int, most: int) -> Tally:
    """Kill runs on *night* at least *n_kill* times, and return what happened."""
    workspace, whole, seconds = uninterrupted(folder, night, list(task))
    raw = tree(workspace / "raw")
    chance = random.Random(seed)
    tally, n_life = Tally(), 0
    while tally.kills.total() < n_kill:
        config = PROCESSES if n_life % 2 == 0 else SERIAL
        n_life += 1
        text = demo.WORKSPACE + (config or '\n[compute]\nexecutor = "serial"\n')
        (workspace / "workspace.toml").write_text(text, encoding="utf-8")
        n = min(most, n_kill - tally.kills.total())
        life(workspace, list(task), config, whole, chance, tally, n_kill=n, seconds=seconds)
    assert tree(workspace / "raw") == raw
    return tally


def test_a_run_killed_again_and_again_ends_with_the_same_bytes(tmp_path):
    tally = lives(tmp_path, SMALL, "calibration", n_kill=10, seed=3, most=5)

    assert tally.n_again <= tally.kills.total()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_hundred_kills_over_the_demo_night_cost_no_more_than_the_frames_in_hand(tmp_path):
    tally = lives(tmp_path, demo.DEMO, n_kill=200, seed=20250304, most=8)

    print(tally)
    assert len(tally.kills) == len(KINDS)
