from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.compute import cluster
from accretor.compute.pool import Pool
from accretor.core.errors import ComputeError, WorkerDied
from accretor.core.settings import (
    ComputeSettings,
    HtcondorSettings,
    PbsSettings,
    SlurmSettings,
)
from tests.compute import works
from tests.harness import ROOT

try:
    import distributed
except ImportError:
    distributed = None

needs_dask = pytest.mark.skipif(distributed is None, reason="dask is not installed (the extra 'cluster')")


@pytest.fixture(scope="module")
def dask():
    """A pool of two dask workers on this machine."""
    pool = Pool(ComputeSettings(executor="dask", workers=2, memory="1GB"))
    yield pool
    pool.close()


def workers_of(pool: Pool) -> list[int]:
    """Return the processes of the workers."""
    return list(pool._place._client.run(os.getpid).values())


@given(whole=st.integers(60, 10 * 86400))
def test_workers_leave_before_their_jobs_are_killed(whole):
    days, rest = divmod(whole, 86400)
    clock = f"{rest // 3600}:{rest % 3600 // 60:02}:{rest % 60:02}"

    life, stagger = cluster.lifetime(f"{days}-{clock}" if days else clock)

    assert 0.5 * whole < life - stagger
    assert life + stagger < whole
    assert whole - (life + stagger) >= min(300, whole // 10) - 1


def test_jobs_ask_for_what_the_settings_say():
    slurm = cluster.job_options(
        ComputeSettings(
            executor="slurm",
            memory="3GB",
            slurm=SlurmSettings(
                partition="big", account="us", walltime="01:00:00", directives=("--nice=10",), logs="x"
            ),
        )
    )
    pbs = cluster.job_options(ComputeSettings(executor="pbs", pbs=PbsSettings(queue="q")))
    htcondor = cluster.job_options(
        ComputeSettings(
            executor="htcondor",
            htcondor=HtcondorSettings(account="us", disk="2GB", directives=("+Fast = true",)),
        )
    )

    assert slurm == {
        "cores": 1,
        "processes": 1,
        "memory": "3GB",
        "walltime": "01:00:00",
        "worker_extra_args": ["--lifetime", "3000s", "--lifetime-stagger", "300s"],
        "log_directory": "x",
        "job_extra_directives": ["--nice=10"],
        "account": "us",
        "queue": "big",
    }
    assert pbs["queue"] == "q"
    assert "account" not in pbs
    assert htcondor["disk"] == "2GB"
    assert htcondor["job_extra_directives"] == {"+Fast": "true", "accounting_group": "us"}


@pytest.mark.skipif(distributed is None, reason="dask is not installed (the extra 'cluster')")
@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("slurm", ["#SBATCH -p big", "#SBATCH -A us", "#SBATCH -t 00:30:00", "#SBATCH --x=1"]),
        ("pbs", ["#PBS -q big", "#PBS -A us", "#PBS -l walltime=00:30:00", "#PBS --x=1"]),
        ("htcondor", ["--x = 1", "accounting_group = us"]),
    ],
)
def test_the_job_script_says_it_in_the_words_of_the_batch_system(kind, lines, tmp_path):
    jobqueue = pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed")
    common = {"account": "us", "walltime": "00:30:00", "directives": ("--x=1",), "logs": str(tmp_path)}
    section = {
        "slurm": lambda: SlurmSettings(partition="big", **common),
        "pbs": lambda: PbsSettings(queue="big", **common),
        "htcondor": lambda: HtcondorSettings(**common),
    }[kind]()
    job = {
        "slurm": jobqueue.slurm.SLURMJob,
        "pbs": jobqueue.pbs.PBSJob,
        "htcondor": jobqueue.htcondor.HTCondorJob,
    }

    options = cluster.job_options(ComputeSettings(executor=kind, **{kind: section}))
    script = job[kind](scheduler="tcp://here:1", name="worker", **options).job_script()

    assert [line for line in lines if line not in script.splitlines()] == []
    assert "--lifetime 1440s --lifetime-stagger 180s" in script
    assert sys.executable in script


@pytest.mark.skipif(distributed is not None, reason="dask is installed")
@pytest.mark.parametrize("kind", ["dask", "slurm", "pbs", "htcondor"])
def test_without_dask_it_is_said_what_to_install(kind):
    with pytest.raises(ComputeError, match=r"needs d\w+: pip install 'accretor\[cluster\]'"):
        list(Pool(ComputeSettings(executor=kind)).map(works.square, [1]))


def test_nothing_to_do_starts_nothing():
    assert list(Pool(ComputeSettings(executor="slurm")).map(works.square, [])) == []


@needs_dask
def test_dask_gives_what_this_process_gives(dask):
    assert dict(dask.map(works.square, range(60))) == {i: i**2 for i in range(60)}


@needs_dask
def test_a_dask_worker_works_in_the_folder_of_the_run(dask, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert set(dict(dask.map(works.where, range(4))).values()) == {str(tmp_path)}


@needs_dask
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads are told by /proc")
def test_a_dask_worker_has_one_thread_for_linear_algebra(dask):
    assert {threads for _, (_, _, threads) in dask.map(works.whole, range(4))} == {"1"}


@needs_dask
def test_a_dask_worker_killed_in_mid_run_loses_nothing(dask):
    seen = {}
    for index, result in dask.map(works.slow, [0.05] * 60):
        seen[index] = result
        if len(seen) == 10:
            os.kill(workers_of(dask)[0], signal.SIGKILL)

    assert seen == dict.fromkeys(range(60), 0.05)


@needs_dask
def test_an_item_that_kills_every_dask_worker_costs_only_itself(dask):
    seen = {}
    with pytest.raises(WorkerDied) as caught:
        seen.update(dask.map(works.deadly, [1, 2, -1, 4, 5, 6]))

    assert caught.value.items == (2,)


@needs_dask
def test_a_worker_with_other_libraries_is_refused(dask, monkeypatch):
    monkeypatch.setattr(cluster, "_versions", lambda: (("numpy", "1.0"),))

    with pytest.raises(ComputeError, match=r"the run has numpy 1\.0; use one environment"):
        list(dask.map(works.square, range(4)))


@needs_dask
def test_a_lost_scheduler_is_said_in_one_line_and_what_is_done_is_kept(tmp_path):
    python = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    file = tmp_path / "scheduler.json"
    scheduler = subprocess.Popen(
        [*python, "--port", "0", "--no-dashboard", "--scheduler-file", str(file)], env=environment, **quiet
    )
    command = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(file)]
    worker = subprocess.Popen([*command, "--nthreads", "1", "--no-dashboard"], env=environment, **quiet)
    try:
        while not file.exists():
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        pool = Pool(ComputeSettings(executor="dask", address=address))
        results = pool.map(works.slow, [0.05] * 500)
        assert [next(results)[1] for _ in range(5)] == [0.05] * 5

        scheduler.kill()

        with pytest.raises(ComputeError, match="scheduler was lost"):
            list(results)
        pool.close()
    finally:
        for process in (scheduler, worker):
            process.terminate()
            process.wait(timeout=20)


@pytest.mark.parametrize(
    ("given", "known"), [("1-02:00:00", "26:00:00"), ("02:30:00", "02:30:00"), ("0-00:10:00", "00:10:00")]
)
def test_pbs_which_knows_no_days_is_told_the_walltime_in_hours(given, known):
    settings = ComputeSettings(executor="pbs", pbs=PbsSettings(walltime=given))

    assert cluster.job_options(settings)["walltime"] == known
    assert cluster.lifetime(given) == cluster.lifetime(known)
