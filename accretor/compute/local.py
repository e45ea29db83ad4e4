"""Work in processes of this machine.

The workers are spawned: fork is unsafe beside threads, and spawn is what every system
has. They take one thread each, ignore Ctrl-C (the parent decides), and end when the
parent is gone, however it went.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import platform
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import Any

from accretor.compute.spread import Numbered, spread
from accretor.core.errors import ComputeError, WorkerDied

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
"""More threads would make the last digit of a sum depend on the machine."""

MOST_DEATHS = 5
"""After so many deaths in a row it is not the items that are at fault."""

_BYTES = {"MB": 1e6, "GB": 1e9, "TB": 1e12}
_MOST_WORKERS = 61 if sys.platform == "win32" else 1024  # Windows waits for no more


def n_worker(wanted: int, memory: str) -> int:
    """Return the number of workers: *wanted*, or if that is 0 what cores and memory allow.

    Parameters
    ----------
    memory
        What one worker may need, like ``2GB``.
    """
    if wanted:
        return min(wanted, _MOST_WORKERS)
    return max(1, min(_cores(), int(_machine_memory() / _in_bytes(memory)), _MOST_WORKERS))


class Processes:
    """A pool of processes, made when it is first needed."""

    def __init__(self, n_worker: int) -> None:
        self.n_worker = n_worker
        self._in_a_row = 0
        """Deaths since an item was finished."""
        self._executor: ProcessPoolExecutor | None = None
        self._leash: Connection | None = None
        """Nothing is ever sent; a worker whose other end sees it closed ends itself."""
        self._collar: Connection | None = None

    def run(self, work: Callable[[Any], Any], items: Numbered) -> Iterator[tuple[int, Any]]:
        """Yield ``(index, work(item))`` as they are finished, in any order.

        If a worker dies, the items that were under way are done again one at a time.
        If all of these live, they were too much together: it goes on with half the workers.

        Raises
        ------
        WorkerDied
            After all other items, if there are some that end their process whenever
            they are tried.
        ComputeError
            If every item seems to be such a one.
        """
        left = dict(items)
        dead: list[int] = []
        self._in_a_row = 0
        is_whole = False
        try:
            while left:
                under_way: set[int] = set()
                try:
                    yield from self._together(work, left, under_way)
                except BrokenProcessPool:
                    self.close()
                    n_dead = len(dead)
                    yield from self._one_by_one(work, left, sorted(under_way), dead)
                    if len(dead) == n_dead:
                        self.n_worker = max(1, self.n_worker // 2)
            is_whole = True
        finally:
            if not is_whole:
                self.close(at_once=True)
        if dead:
            raise WorkerDied(tuple(dead))

    def get_ready(self, load: Callable[[], Any]) -> None:
        """Have every worker do *load*, which loads what their work will need, and do not wait for it."""
        for _ in range(self.n_worker):
            with _birth():
                self._started().submit(load)

    def share(self, work: Callable[[Any], Any], items: Numbered) -> Iterator[tuple[int, Any]]:
        """Yield ``(index, work(item))`` in any order; this process works too, while others may still start.

        It takes the first items, the workers the last ones, so that large items should come first: they
        are not sent anywhere. If a worker dies, this process does the rest.
        """
        left = deque(items)
        running: dict[Future[Any], tuple[int, Any]] = {}
        width, is_whole = self.n_worker, False
        try:
            while left or running:
                # One more than there are workers waits, so that none is idle while an item is done here.
                while width and left and len(running) < width + (len(left) > width):
                    try:
                        with _birth():
                            future = self._started().submit(work, left[-1][1])
                    except BrokenProcessPool:
                        width = 0
                    else:
                        running[future] = left.pop()
                if left:
                    index, item = left.popleft()
                    yield index, work(item)
                else:
                    wait(running, return_when=FIRST_COMPLETED)
                for future in [future for future in running if future.done()]:
                    numbered = running.pop(future)
                    try:
                        yield numbered[0], future.result()
                    except BrokenProcessPool:
                        left.append(numbered)
                        width = 0
            is_whole = True
        finally:
            if not is_whole or not width:
                self.close(at_once=True)

    def close(self, *, at_once: bool = False) -> None:
        """End the workers; with *at_once* in the middle of their work."""
        if self._executor is None:
            return
        assert self._leash is not None
        assert self._collar is not None
        if at_once:
            self._leash.close()
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._leash.close()
        self._collar.close()
        self._executor = self._leash = self._collar = None

    def _together(
        self, work: Callable[[Any], Any], left: dict[int, Any], under_way: set[int]
    ) -> Iterator[tuple[int, Any]]:
        def submit(numbered: tuple[int, Any]) -> Future[Any]:
            with _birth():
                future = self._started().submit(work, numbered[1])
            under_way.add(numbered[0])
            return future

        items = [(index, (index, item)) for index, item in left.items()]
        for index, future in spread(submit, items, lambda: 2 * self.n_worker):
            result = future.result()
            under_way.discard(index)
            del left[index]
            self._in_a_row = 0
            yield index, result

    def _one_by_one(
        self, work: Callable[[Any], Any], left: dict[int, Any], suspects: list[int], dead: list[int]
    ) -> Iterator[tuple[int, Any]]:
        """Give each of the *suspects* among *left* a worker of its own; add those that end it to *dead*."""
        for index in suspects:
            item = left.pop(index)
            try:
                with _birth():
                    future = self._started(1).submit(work, item)
                result = future.result()
            except BrokenProcessPool:
                dead.append(index)
                self._in_a_row += 1
                if self._in_a_row == MOST_DEATHS:
                    raise _hopeless(len(left)) from None
            else:
                self._in_a_row = 0
                yield index, result
            finally:
                self.close()

    def _started(self, n_worker: int = 0) -> ProcessPoolExecutor:
        if self._executor is None:
            context = multiprocessing.get_context("spawn")
            self._collar, self._leash = context.Pipe(duplex=False)
            self._executor = ProcessPoolExecutor(
                n_worker or self.n_worker, context, _start_worker, (self._collar,)
            )
        return self._executor


_ENDING = () if sys.platform == "win32" else (signal.SIGTERM, signal.SIGHUP)
"""Requests to end that are put off while a worker is started."""


@contextlib.contextmanager
def _birth() -> Iterator[None]:
    """Give what is started meanwhile one thread each, and keep Ctrl-C from it until it can ignore it.

    A request to end waits, too, until the new process has been told what it is for: else it
    would end with a traceback.
    """
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    with uninterrupted(*_ENDING):
        os.environ.update(ONE_THREAD)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


@contextlib.contextmanager
def uninterrupted(*others: signal.Signals) -> Iterator[None]:
    """Put off Ctrl-C, and *others*; what is started meanwhile, thread or process, never gets them."""
    if sys.platform == "win32":
        yield
        return
    # It is started with the first process, and would let Ctrl-C through again as it starts.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *others})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def keep_memory() -> None:
    """Let this process keep the memory of arrays that are done with for those of the next frame.

    The C library of Linux gives large pieces back to the system, which clears every page that it
    gives out again: a tenth of the time of a frame.
    """
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        for parameter, size in ((_MMAP_THRESHOLD, 1 << 25), (_TRIM_THRESHOLD, 1 << 30)):
            libc.mallopt(parameter, size)


_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Of `malloc.h`; 32 MB is the most that the second may be."""


def _start_worker(collar: Connection) -> None:
    keep_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    threading.Thread(target=_end_with, args=(collar,), daemon=True).start()


def _end_with(collar: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        collar.recv_bytes()
    os._exit(1)


def _cores() -> int:
    """Return the cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # only Linux has it
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _machine_memory() -> float:
    """Return the memory of this machine in bytes; infinity where the system does not tell."""
    if sys.platform == "win32":
        return float("inf")
    return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")


def _in_bytes(text: str) -> float:
    return float(text[:-2]) * _BYTES[text[-2:]]


def _hopeless(n_left: int) -> ComputeError:
    return ComputeError(
        f"{MOST_DEATHS} worker processes died one after another (out of memory?), {n_left} pieces "
        "of work are left; "
        'set [compute] executor = "serial" and run again: what is done is kept'
    )
