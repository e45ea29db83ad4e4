from __future__ import annotations

import os
import pickle
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accretor.compute import local, pool
from accretor.compute.pool import Pool
from accretor.core.errors import (
    ComputeError,
    ConfigError,
    DumpError,
    HeaderError,
    ServiceError,
    Unusable,
    WorkerDied,
)
from accretor.core.settings import ComputeSettings
from tests.compute import works


def gathered(pool: Pool, work, items):
    """Return the results by index, and the indices that killed their worker."""
    results = {}
    try:
        results.update(pool.map(work, items))
    except WorkerDied as verdict:
        return results, set(verdict.items)
    return results, set()


@given(items=st.lists(st.integers(-100, 100), max_size=30))
@settings(max_examples=25, deadline=None)
def test_processes_give_what_this_process_gives(processes, items):
    here = dict(Pool(ComputeSettings(executor="serial")).map(works.square, items))

    assert dict(processes.map(works.square, items)) == here == {i: item**2 for i, item in enumerate(items)}


def test_work_is_spread_over_the_workers_and_not_done_here(processes):
    pids = {pid for _, (_, pid, _) in processes.map(works.whole, range(40))}

    assert os.getpid() not in pids
    assert len(pids) <= 2


def test_workers_have_one_thread_whatever_the_environment_says(processes, monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "8")
    other = Pool(ComputeSettings(executor="processes", workers=1))

    assert [threads for _, (_, _, threads) in other.map(works.whole, [1])] == ["1"]
    assert os.environ["OPENBLAS_NUM_THREADS"] == "8"
    other.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads are counted in /proc")
def test_a_product_of_matrices_starts_no_thread_in_a_worker(processes):
    # Its own, the one that waits for the parent's end, and none of BLAS.
    assert {n for _, n in processes.map(works.blas_threads, range(4))} == {2}


def test_an_error_of_the_work_comes_back_whole(processes):
    with pytest.raises(HeaderError, match="is not a gain") as caught:
        list(processes.map(works.headless, range(4)))

    assert caught.value.keyword == "GAIN"


@pytest.mark.parametrize(
    "error",
    [
        ConfigError(1, "key", "why"),
        DumpError(2, "why"),
        HeaderError("KEY", "why"),
        ServiceError("s", "why"),
        Unusable("why"),
        WorkerDied((1, 2)),
    ],
)
def test_every_error_of_ours_survives_pickling(error):
    again = pickle.loads(pickle.dumps(error))

    assert type(again) is type(error)
    assert (str(again), again.__dict__) == (str(error), error.__dict__)


@pytest.mark.parametrize("payload", [1, 3_000_000])
def test_an_item_that_kills_its_worker_costs_only_itself(payload):
    items = [(-1 if i in (3, 9) else i, b"x" * payload) for i in range(14)]
    pool = Pool(ComputeSettings(executor="processes", workers=2))

    results, dead = gathered(pool, works.deadly_and_big, items)
    pool.close()

    assert dead == {3, 9}
    assert results == {i: i for i in range(14) if i not in dead}


def test_an_item_whose_worker_died_once_is_tried_again(tmp_path):
    pool = Pool(ComputeSettings(executor="processes", workers=2))

    results, dead = gathered(
        pool, works.once, [(-i if i == 4 else i, str(tmp_path / "marker")) for i in range(9)]
    )
    pool.close()

    assert (tmp_path / "marker").exists()
    assert not dead
    assert results[4] == -4
    assert len(results) == 9


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill(pid, 0) is not a question there")
def test_items_that_are_too_much_together_are_done_by_fewer_workers(tmp_path):
    pool = Pool(ComputeSettings(executor="processes", workers=2))

    results, dead = gathered(pool, works.together, [(i, str(tmp_path)) for i in range(12)])
    pool.close()

    assert results == {i: i for i in range(12)}
    assert not dead


def test_if_every_worker_dies_it_is_said_and_not_tried_forever():
    pool = Pool(ComputeSettings(executor="processes", workers=2))

    with pytest.raises(
        ComputeError, match=r"5 worker processes died one after another .* what is done is kept"
    ):
        list(pool.map(works.deadly, [-1] * 1000))


def test_ending_a_map_early_ends_its_workers_at_once():
    pool = Pool(ComputeSettings(executor="processes", workers=2))
    results = pool.map(works.slow, [0.0, 30.0, 30.0])
    next(results)

    begun = time.monotonic()
    results.close()
    pool.close()

    assert time.monotonic() - begun < 5


def test_at_most_two_items_for_each_worker_are_handed_over(processes):
    taken = []

    class Items(list):
        def __iter__(self):
            for item in list.__iter__(self):
                taken.append(item)
                yield item

    from concurrent.futures import Future

    from accretor.compute.spread import spread

    done = []

    def submit(item):
        future = Future()
        future.set_result(item)
        assert len(taken) - len(done) <= 4
        return future

    for index, _ in spread(submit, Items(enumerate(range(50))), lambda: 4):
        done.append(index)

    assert sorted(done) == list(range(50))


def test_auto_stays_here_while_there_is_little_to_do():
    pool = Pool(ComputeSettings(executor="auto", workers=2))

    assert {pid for _, (_, pid, _) in pool.map(works.whole, range(200))} == {os.getpid()}


def test_auto_goes_to_processes_once_that_saves_time(monkeypatch):
    monkeypatch.setattr(pool, "START", 0.05)
    auto = Pool(ComputeSettings(executor="auto", workers=2))

    assert dict(auto.map(works.slow, [0.01] * 60)) == dict.fromkeys(range(60), 0.01)
    assert {pid for _, (_, pid, _) in auto.map(works.whole, range(4))}.isdisjoint({os.getpid()})
    auto.close()


def test_auto_with_one_core_stays_here(monkeypatch):
    monkeypatch.setattr(pool, "START", 0.0)
    auto = Pool(ComputeSettings(executor="auto", workers=1))

    assert {pid for _, (_, pid, _) in auto.map(works.whole, range(9))} == {os.getpid()}


@given(wanted=st.integers(1, 500))
def test_as_many_workers_as_are_asked_for_whatever_the_memory(wanted):
    assert local.n_worker(wanted, "900TB") == min(wanted, 61 if sys.platform == "win32" else 1024)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell its memory")
def test_memory_bounds_the_workers_that_are_started_unasked(monkeypatch):
    monkeypatch.setattr(local, "_cores", lambda: 64)
    monkeypatch.setattr(local, "_machine_memory", lambda: 8.1e9)

    assert [local.n_worker(0, memory) for memory in ("500MB", "1GB", "2.5GB", "1TB")] == [16, 8, 3, 1]
