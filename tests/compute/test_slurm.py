from __future__ import annotations

import subprocess

import pytest

from accretor.compute.pool import Pool
from accretor.core.settings import ComputeSettings, SlurmSettings
from tests.compute import slurm, works
from tests.harness import make, results, run, spawn

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(slurm.missing()), reason=slurm.missing() or "there"),
]


@pytest.fixture(scope="module")
def queue(tmp_path_factory):
    """A SLURM of one node, to which SLURM_CONF points."""
    pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed (the extra 'cluster')")
    with (
        slurm.running(tmp_path_factory.mktemp("slurm") / "daemons") as config,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("SLURM_CONF", str(config))
        yield config


def jobs() -> list[str]:
    done = subprocess.run(["squeue", "-h", "-o", "%i"], capture_output=True, text=True, check=True)
    return sorted(done.stdout.split(), key=int)


def test_a_night_through_slurm_gives_the_same_bytes_and_leaves_no_job(queue, tmp_path):
    here = make(tmp_path / "here")
    assert run(here, "calibration").status == 0
    config = (
        '\n[compute]\nexecutor = "slurm"\nworkers = 2\nmemory = "1GB"\n[compute.slurm]\npartition = "all"\n'
    )
    there = make(tmp_path / "there", config=config)

    done = spawn(there, "calibration")

    assert (done.status, done.measured("preprocess")) == (0, 24), done.err
    assert results(there) == results(here)
    assert len(list((there / "logs" / "jobs").glob("*"))) >= 1
    assert not {path.name for path in there.iterdir()} - {"raw", "work", "logs", "products", "workspace.toml"}
    assert jobs() == []


def test_a_cancelled_job_is_followed_by_another_and_nothing_is_lost(queue, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = ComputeSettings(
        executor="slurm", workers=2, memory="1GB", slurm=SlurmSettings(walltime="00:10:00")
    )
    pool = Pool(settings)
    seen, first = [], []

    for index, _ in pool.map(works.slow, [0.5] * 120):
        seen.append(index)
        if len(seen) == 5:
            first = jobs()
            subprocess.run(["scancel", first[0]], check=True)
        last = jobs() if len(seen) == 115 else []
        if last:
            assert set(last) - set(first), "no job followed the cancelled one"
    pool.close()

    assert sorted(seen) == list(range(120))


def test_what_slurm_says_to_a_job_that_it_does_not_take_is_told(queue, tmp_path):
    config = '\n[compute]\nexecutor = "slurm"\n[compute.slurm]\npartition = "nowhere"\n'
    workspace = make(tmp_path, lights=range(4), config=config)

    done = spawn(workspace, "preprocess")

    (reason,) = done.failed.values()
    assert reason.startswith("sbatch refused the jobs: ")
    assert "nvalid partition" in reason
    assert done.err == ""
