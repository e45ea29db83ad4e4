"""One function over many items, wherever the settings want it done."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from accretor.compute import local
from accretor.compute.local import Processes
from accretor.compute.spread import Numbered
from accretor.core.settings import ComputeSettings

START = 1.5
"""Second that it takes until new processes have loaded what the work needs."""


MOST_HELPERS = 3
"""Processes that are started for a few figures, whatever the machine has."""


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
        self._helpers: Processes | None = None
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
        if self._settings.executor == "serial" or _is_child():
            yield from ((index, work(item)) for index, item in numbered)
        elif self._settings.executor == "auto":
            yield from self._auto(work, numbered)
        elif numbered:
            yield from self._started().run(work, numbered)

    def share(self, work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """Yield ``(index, work(item))`` in any order, where `map` would wait for workers to start.

        This process does its part, from the first item on; for a few items of a second or less each. An
        exception of *work* is raised here.
        """
        numbered = list(enumerate(items))
        place = self._place or self._helping()
        if isinstance(place, Processes) and len(items) > 1:
            yield from place.share(work, numbered)
        else:
            yield from self.map(work, items)

    def get_ready(self, load: Callable[[], Any]) -> None:
        """Start processes that will `share` some work later, and have them *load* what it needs."""
        if self._place is None and self._helpers is None and (helpers := self._helping()):
            helpers.get_ready(load)

    def _helping(self) -> Processes | None:
        """Return the processes that work beside this one; None where it works alone, or none is its own."""
        if self._settings.executor not in ("auto", "processes") or _is_child():
            return None
        n_other = local.n_worker(self._settings.workers, self._settings.memory) - 1
        if self._helpers is None and n_other > 0:
            self._helpers = Processes(min(n_other, MOST_HELPERS))
        return self._helpers

    def close(self, *, at_once: bool = False) -> None:
        """End the workers; with *at_once* in the middle of their work."""
        if self._helpers is not None:
            # They have nothing to finish, but what nobody has asked for.
            self._helpers.close(at_once=True)
            self._helpers = None
        if self._place is not None:
            self._place.close(at_once=at_once)
            self._place = None

    def _started(self) -> Place:
        if self._place is None:
            settings = self._settings
            if settings.executor in ("auto", "processes"):
                self._place = Processes(local.n_worker(settings.workers, settings.memory))
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


def _is_child() -> bool:
    """Tell whether this process is itself a worker, as with `doit -n`; such a one starts none."""
    return multiprocessing.parent_process() is not None
