"""Work that this process shares with others that may still be starting."""

from __future__ import annotations

import os
import time
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accretor.compute.pool import MOST_HELPERS, Pool
from accretor.core.errors import HeaderError
from accretor.core.settings import ComputeSettings
from tests.compute import works


@pytest.fixture(scope="module")
def shared():
    """A pool of this process and another one."""
    pool = Pool(ComputeSettings(workers=2))
    yield pool
    pool.close()


@given(items=st.lists(st.integers(-100, 100), max_size=30))
@settings(max_examples=25, deadline=None)
def test_shared_work_gives_what_this_process_gives(shared, items):
    assert dict(shared.share(works.square, items)) == {i: item**2 for i, item in enumerate(items)}


def test_this_process_begins_at_once_with_the_first_item_and_another_one_helps(shared):
    found = list(shared.share(works.lingering, range(60)))
    pids = {pid for _, (_, pid) in found}

    assert found[0] == (0, (0, os.getpid()))
    assert len(pids) == 2
    assert sorted(item for _, (item, _) in found) == list(range(60))


def test_the_last_items_go_to_the_other_process(shared):
    done_here = {item for _, (item, pid) in shared.share(works.lingering, range(60)) if pid == os.getpid()}

    assert done_here == set(range(len(done_here)))


def test_what_was_started_for_other_work_helps_too(processes):
    assert len({pid for _, (_, pid) in processes.map(works.lingering, range(40))}) == 2

    pids = {pid for _, (_, pid) in processes.share(works.lingering, range(60))}

    assert os.getpid() in pids
    assert len(pids) == 3


@pytest.mark.parametrize("compute", [{"executor": "serial"}, {"workers": 1}], ids=["serial", "one core"])
def test_where_this_process_works_alone_nothing_is_started(compute):
    alone = Pool(ComputeSettings(**compute))

    alone.get_ready(works.blas_threads)

    assert {pid for _, (_, pid) in alone.share(works.lingering, range(5))} == {os.getpid()}


def test_a_worker_that_dies_costs_no_item():
    pool = Pool(ComputeSettings(workers=3))

    found = dict(pool.share(works.deadly_elsewhere, range(20)))
    again = dict(pool.share(works.square, range(4)))
    pool.close()

    assert found == {i: i for i in range(20)}
    assert again == {0: 0, 1: 1, 2: 4, 3: 9}


def test_an_error_of_shared_work_comes_back_and_ends_the_workers():
    pool = Pool(ComputeSettings(workers=2))

    with pytest.raises(HeaderError, match="is not a gain"):
        list(pool.share(works.headless, range(4)))
    pool.close()


def test_helpers_load_what_they_need_before_there_is_work(tmp_path):
    pool = Pool(ComputeSettings(workers=64))

    pool.get_ready(partial(works.mark, str(tmp_path)))
    end = time.monotonic() + 60
    while not list(tmp_path.iterdir()) and time.monotonic() < end:
        time.sleep(0.01)
    pids = {int(path.name) for path in tmp_path.iterdir()}
    pool.close()

    assert pids
    assert os.getpid() not in pids
    assert len(pids) <= MOST_HELPERS
