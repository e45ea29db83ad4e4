"""One pool of processes for a run, made when it is first needed.

The workers take one thread each, ignore Ctrl-C (the parent decides), and end when
the parent is gone, so that a killed run leaves no orphan.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from accretor.core.settings import ComputeSettings

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_MIN_ITEMS = 8
"""With fewer items than this, starting processes costs more than it gains."""


class Pool:
    """Runs one function over many items, here or in processes."""

    def __init__(self, settings: ComputeSettings) -> None:
        self._settings = settings
        self._executor: ProcessPoolExecutor | None = None

    def map(self, work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """Yield ``(index, work(item))`` as they are finished, in any order.

        An exception of *work* is raised here. If a worker dies (out of memory, a
        crash in a library), the items that were under way are done again one at a
        time, and the one that kills its worker raises `BrokenProcessPool`.
        """
        if self._is_serial(len(items)):
            for index, item in enumerate(items):
                yield index, work(item)
            return
        done: set[int] = set()
        try:
            for index, result in self._spread(work, items):
                done.add(index)
                yield index, result
        except BrokenProcessPool:
            self.close()
            for index, item in enumerate(items):
                if index not in done:
                    yield index, self._alone(work, item)

    def close(self) -> None:
        """End the workers."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None

    def _is_serial(self, n_item: int) -> bool:
        kind = self._settings.executor
        in_child = multiprocessing.parent_process() is not None
        return (
            kind == "serial" or in_child or (kind == "auto" and n_item < _MIN_ITEMS) or self._n_worker() == 1
        )

    def _n_worker(self) -> int:
        return self._settings.workers or os.cpu_count() or 1

    def _started(self) -> ProcessPoolExecutor:
        if self._executor is None:
            # fork is unsafe beside threads, and spawn is what every system has.
            context = multiprocessing.get_context("spawn")
            for name in _THREADS:
                os.environ.setdefault(name, "1")  # read by each worker as it starts
            self._executor = ProcessPoolExecutor(self._n_worker(), context, _start_worker)
        return self._executor

    def _spread(self, work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        executor = self._started()
        waiting = iter(enumerate(items))
        running: dict[Future[Any], int] = {}
        try:
            while True:
                while len(running) < 2 * self._n_worker():
                    following = next(waiting, None)
                    if following is None:
                        break
                    running[executor.submit(work, following[1])] = following[0]
                if not running:
                    return
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield running.pop(future), future.result()
        finally:
            for future in running:
                future.cancel()

    def _alone(self, work: Callable[[Any], Any], item: Any) -> Any:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, context, _start_worker) as executor:
            return executor.submit(work, item).result()


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)
