"""One function over many items, wherever the settings want it done."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from accretor.compute import local
from accretor.compute.spread import Numbered
from accretor.core.settings import ComputeSettings

START = 1.5
"""Second that it takes until new processes have loaded what the work needs."""


class Place(Protocol):
    """Somewhere else than in this process."""

    def run(self, work: Callable[[Any], Any], items: Numbered) -> Iterator[tuple[int, Any]]:
        """Yield ``(index, work(item))`` in any order."""

    def close(self, *, at_once: bool = False) -> None:
        """End the workers."""


class Pool:
    """The workers of a run; they are started when they are first needed."""

    def __init__(self, settings: ComputeSettings) -> None:
        self._settings = settings
        self._place: Place | None = None
        self._is_settled = False

    def map(self, work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """Yield ``(index, work(item))`` as they are finished, in any order.

        An exception of *work* is raised here.

        Raises
        ------
        WorkerDied
            After all other items, if there are some that end the process that works on
            them (out of memory, a crash in a library).
        ComputeError
            If the work cannot be done where the settings want it.
        """
        numbered = list(enumerate(items))
        if numbered and not self._is_settled:
            local.keep_memory()
            self._is_settled = True
        # A process that is itself a worker, as with `doit -n`, starts none.
        is_child = multiprocessing.parent_process() is not None
        if self._settings.executor == "serial" or is_child:
            yield from ((index, work(item)) for index, item in numbered)
        elif self._settings.executor == "auto":
            yield from self._auto(work, numbered)
        elif numbered:
            yield from self._started().run(work, numbered)

    def close(self, *, at_once: bool = False) -> None:
        """End the workers; with *at_once* in the middle of their work."""
        if self._place is not None:
            self._place.close(at_once=at_once)
            self._place = None

    def _started(self) -> Place:
        if self._place is None:
            settings = self._settings
            if settings.executor in ("auto", "processes"):
                self._place = local.Processes(local.n_worker(settings.workers, settings.memory))
            else:
                from accretor.compute.cluster import Cluster

                self._place = Cluster(settings)
        return self._place

    def _auto(self, work: Callable[[Any], Any], numbered: Numbered) -> Iterator[tuple[int, Any]]:
        """Work here until it is seen that processes would save more than their start costs."""
        n_worker = local.n_worker(self._settings.workers, self._settings.memory)
        spent = 0.0
        for done, (index, item) in enumerate(numbered):
            # The first item pays for loading the libraries, and tells nothing of the others.
            pace = spent / (done - 1) if done > 1 else 0.0
            saved = pace * (len(numbered) - done) * (1 - 1 / n_worker)
            if n_worker > 1 and (self._place is not None or saved > START):
                yield from self._started().run(work, numbered[done:])
                return
            begun = time.perf_counter()
            result = work(item)
            if done:
                spent += time.perf_counter() - begun
            yield index, result
