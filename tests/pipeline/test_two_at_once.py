"""Two runs in one workspace: the second waits, and sees what the first did."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from accretor.synthetic import frames
from tests.harness import ROOT, SMALL, make, results, run, spawn, start, tree
from tests.pipeline import processes

STAGES = "calibration"  # and all before it; the figures are of no matter here


@pytest.fixture
def workspace(tmp_path):
    return make(tmp_path / "ws")


@contextlib.contextmanager
def held(workspace: Path):
    """Hold the workspace as another run would."""
    lock = workspace / "work" / ".lock"
    lock.parent.mkdir(exist_ok=True)
    with FileLock(lock):
        yield


def first_line(process: subprocess.Popen[str]) -> str:
    """Return the first line that a process says of itself."""
    assert process.stderr is not None
    return process.stderr.readline()


def said(process: subprocess.Popen[str]) -> tuple[str, str]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    return out, err


def test_the_second_of_two_runs_waits_and_then_finds_nothing_to_do(workspace):
    first = start(workspace, STAGES)
    assert processes.wait_until((workspace / "work" / ".holder.json").is_file)
    second = start(workspace, STAGES)

    waiting = first_line(second)
    out, err = said(second)

    assert said(first)[1] == ""
    assert waiting.startswith(f"waiting: process {first.pid} on ")
    assert ", since 20" in waiting
    assert waiting.endswith("is at work in this workspace (Ctrl-C gives up)\n")
    assert "tasks: 0 done, 5 up to date" in out
    assert err == ""


def test_a_run_that_waited_takes_up_what_came_meanwhile_and_keeps_what_the_other_did(tmp_path):
    workspace = make(tmp_path / "ws", lights=range(16))
    assert run(workspace, STAGES).status == 0
    with held(workspace):
        second = start(workspace, STAGES)
        assert first_line(second).startswith("waiting: ")
        frames.write(SMALL, workspace, lights=range(16, 22))
        text = (workspace / "workspace.toml").read_text(encoding="utf-8")
        (workspace / "workspace.toml").write_text(
            f"{text}\n[calibration]\nmax_comparison = 9\n", encoding="utf-8"
        )
    out, _ = said(second)

    for stage in ("preprocess", "registration"):
        assert f"{stage:<12} TOI-9999.01/20250304/Demo-0m4/ip  6 measured, 16 kept" in out
    assert run(workspace, STAGES).done == {}


def test_a_waiting_run_gives_up_at_once_when_it_is_interrupted(workspace):
    with held(workspace):
        second = start(workspace, STAGES)
        first_line(second)
        before = tree(workspace)
        second.send_signal(signal.SIGTERM)
        _, err = second.communicate(timeout=10)

        if os.name != "nt":
            assert err == "\ninterrupted; what is done is kept, the next run goes on from there\n"
        assert tree(workspace) == before


def test_doit_list_works_while_another_run_is_at_work_and_writes_nothing(tmp_path):
    workspace = make(tmp_path / "ws", lights=range(16))
    assert run(workspace, STAGES).status == 0
    with held(workspace):
        frames.write(SMALL, workspace, lights=[16, 17])
        before = tree(workspace)

        listed = spawn(workspace, "list")

        assert (listed.status, listed.err) == (0, "")
        assert "18 frames: " in listed.out
        assert "2 new" in listed.out
        assert tree(workspace) == before


@pytest.mark.parametrize("command", [["why"], ["help", "photometry"], ["info", "calibration"]])
def test_who_only_asks_does_not_wait(workspace, command):
    with held(workspace):
        assert "waiting" not in spawn(workspace, *command).err


def test_doit_forget_waits_for_its_turn(workspace):
    with held(workspace):
        forget = start(workspace, "forget")
        assert first_line(forget).startswith("waiting: ")
    said(forget)


@pytest.mark.long
@pytest.mark.skipif(not processes.HERE, reason="needs /proc to see which files a process holds")
def test_the_lock_goes_with_a_killed_run_whose_workers_never_had_it(tmp_path):
    workspace = make(tmp_path / "ws", config='\n[compute]\nexecutor = "processes"\nworkers = 2\n')
    first = start(workspace, STAGES)
    assert processes.wait_until(lambda: len(processes.workers(first.pid)) == 2)
    time.sleep(0.3)  # until they have begun
    assert [pid for pid in processes.members(first.pid) if holds_the_lock(pid)] == [first.pid]
    second = start(workspace, STAGES)
    waiting = first_line(second)

    first.kill()
    killed = time.monotonic()
    assert processes.wait_until(lambda: not processes.members(first.pid), seconds=5)
    assert processes.wait_until(lambda: holds_the_lock(second.pid), seconds=5)

    assert time.monotonic() - killed < 2
    assert waiting.startswith(f"waiting: process {first.pid} ")
    said(second)
    first.communicate()
    assert results(workspace) == results_of_one_run(tmp_path / "other")


def holds_the_lock(pid: int) -> bool:
    try:
        opened = [handle.readlink() for handle in (processes.PROC / str(pid) / "fd").iterdir()]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return any(path.parts[-2:] == ("work", ".lock") for path in opened)


def results_of_one_run(folder: Path) -> dict[str, str]:
    workspace = make(folder)
    assert run(workspace, STAGES).status == 0
    return results(workspace)


@pytest.mark.long
@pytest.mark.skipif(multiprocessing.get_start_method() != "fork", reason="doit -n forks")
@pytest.mark.timeout(120)
def test_doit_with_processes_of_its_own_gives_the_same_bytes(workspace, tmp_path):
    assert spawn(workspace, "-n", "2", STAGES).status == 0
    assert results(workspace) == results_of_one_run(tmp_path / "other")


@pytest.mark.slow
def test_two_first_runs_in_an_empty_folder_make_one_demo(tmp_path):
    command = [sys.executable, "-m", "doit", "-f", str(ROOT / "dodo.py"), "-d", str(tmp_path), "list"]
    both = [
        subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        for _ in range(2)
    ]

    told = [said(process) for process in both]

    assert sum("making a night of known truth" in err for _, err in told) == 1
    assert not list(tmp_path.rglob("*.part"))
    assert all("56 frames" in out for out, _ in told)
