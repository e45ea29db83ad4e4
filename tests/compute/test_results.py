"""Where the work is done never shows in what comes out."""

from __future__ import annotations

import pytest

from tests.harness import Run, make, results, run, start


def spawned(workspace, *arguments: str) -> Run:
    process = start(workspace, *arguments)
    out, err = process.communicate(timeout=240)
    return Run(process.returncode, out, err)


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """A workspace reduced in one process."""
    workspace = make(tmp_path_factory.mktemp("serial"))
    assert run(workspace, "calibration").status == 0
    return workspace


def set_compute(workspace, text: str) -> None:
    config = workspace / "workspace.toml"
    before, _, _ = config.read_text(encoding="utf-8").partition("\n[compute]")
    config.write_text(f"{before}\n[compute]\n{text}\n", encoding="utf-8")


def test_processes_give_the_same_bytes(serial, tmp_path):
    workspace = make(tmp_path, config='\n[compute]\nexecutor = "processes"\nworkers = 2\n')

    done = spawned(workspace, "calibration")

    assert (done.status, done.measured("photometry") > 0) == (0, True)
    assert results(workspace) == results(serial)


def test_a_dask_cluster_gives_the_same_bytes(serial, tmp_path):
    pytest.importorskip("distributed", reason="dask is not installed (the extra 'cluster')")
    workspace = make(tmp_path, config='\n[compute]\nexecutor = "dask"\nworkers = 2\nmemory = "1GB"\n')

    done = spawned(workspace, "calibration")

    assert (done.status, done.err) == (0, "")
    assert results(workspace) == results(serial)


@pytest.mark.parametrize(
    "compute",
    [
        'executor = "processes"\nworkers = 3\nmemory = "4GB"',
        'executor = "dask"\naddress = "tcp://nowhere:8786"',
        'executor = "slurm"\n[compute.slurm]\npartition = "big"\ndirectives = ["--x"]',
        'executor = "pbs"\n[compute.pbs]\nqueue = "big"\naccount = "us"',
        'executor = "htcondor"\n[compute.htcondor]\ndisk = "2GB"',
    ],
)
def test_no_setting_of_compute_makes_anything_again(serial, compute):
    before = results(serial)

    set_compute(serial, compute)
    again = run(serial, "calibration")

    assert (again.status, again.stages) == (0, [])
    assert results(serial) == before


@pytest.mark.parametrize(
    ("compute", "said"),
    [
        ('executor = "cloud"', "compute.executor"),
        ('address = "tcp://here:8786"', 'set executor = "dask"'),
        ('memory = "lots"', "compute.memory"),
        ('[compute.slurm]\nqueue = "big"', "compute.slurm.queue: unknown key"),
        ('[compute.pbs]\nwalltime = "2h"', "compute.pbs.walltime"),
        ("workers = -1", "compute.workers"),
    ],
)
def test_a_wrong_setting_is_said_in_one_line(serial, tmp_path, compute, said):
    workspace = make(tmp_path, lights=[0], config=f"\n[compute]\n{compute}\n")

    found = run(workspace, "calibration")

    assert found.status != 0
    assert said in found.err
    assert len(found.err.strip().splitlines()) == 1


def test_a_frame_whose_worker_dies_is_a_row_with_the_reason_and_is_tried_again(tmp_path, monkeypatch):
    from accretor.compute.pool import Pool
    from accretor.core.errors import WorkerDied

    workspace = make(tmp_path)
    whole = Pool.map

    def without_the_seventh(self, work, items):
        yield from ((index, result) for index, result in whole(self, work, items) if index != 7)
        raise WorkerDied((7,))

    monkeypatch.setattr(Pool, "map", without_the_seventh)
    first = run(workspace, "preprocess")
    monkeypatch.setattr(Pool, "map", whole)
    second = run(workspace, "preprocess")
    third = run(workspace, "preprocess")

    assert (first.status, first.measured("preprocess")) == (0, 24)
    assert "1 not good" in next(iter(first.done.values()))
    assert second.measured("preprocess") == 1
    assert "not good" not in next(iter(second.done.values()))
    assert third.stages == []
