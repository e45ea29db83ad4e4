"""Files, a function and settings made into the action of a task: errors in one line, log, progress."""

from __future__ import annotations

import functools
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from doit.exceptions import TaskFailed

from accretor.compute.pool import Pool
from accretor.core.errors import AccretorError, Blocked, Unusable
from accretor.stages import plotting, scratch
from accretor.stages.bench import Bench, Done
from tasks import _blocked, _signals, _trouble, _wishes, _workspace

log = logging.getLogger("accretor")


def perform(
    stage: str, name: str, work: Callable[[Bench], Done], *, writes: Sequence[Path]
) -> dict[str, Any] | TaskFailed:
    """Do *work*, which writes into the folders *writes*, and return what doit shall remember of it."""
    begun = time.monotonic()
    label = f"{stage}:{name}"
    try:
        _workspace.current().layout.refuse_links(*writes)
    except Blocked as error:
        return TaskFailed(str(error))
    try:
        done = work(
            Bench(
                _pool(), Progress(label), redo=_wishes.is_redone(stage), renew=_wishes.is_renewed(stage, name)
            )
        )
    except (AccretorError, OSError) as error:
        _signals.heed()
        reason = _one_line(error, name)
        log.info("%s failed: %s", label, reason)
        _blocked.remember(stage, name, reason)
        return TaskFailed(reason)
    _blocked.forget(stage, name)
    log.info("%s: %s (%.1f s)", label, done.said, time.monotonic() - begun)
    return {
        "files": [str(path) for path in done.files],
        "said": done.said,
        "is_final": done.is_final,
    }


def get_ready() -> None:
    """Start the processes that will help to draw figures, if this run may have any."""
    _pool().get_ready(plotting.load)


def close(*, at_once: bool = False) -> None:
    """End the workers of this run, *at_once* whatever they are at, and remove what only this run uses."""
    _pool().close(at_once=at_once)
    for plan in _workspace.current().observations:
        scratch.clear(plan)


class Progress:
    """How far a task is, with an estimate, on a terminal; silent elsewhere, and on short work."""

    QUIET = 1.0
    """Second before which nothing is shown."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._begun = time.monotonic()
        self._shown = 0.0
        self._is_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def __call__(self, done: int, total: int) -> None:
        """Say that *done* of *total* are there."""
        _signals.heed()
        now = time.monotonic()
        if not self._is_terminal or now - self._begun < self.QUIET:
            return
        if done == total:
            sys.stderr.write("\r\x1b[K")
        elif now - self._shown > 0.2 and done > 0:
            rate = done / (now - self._begun)
            sys.stderr.write(
                f"\r\x1b[K{self._label}  {done}/{total}, {total - done} left  "
                f"{rate:.3g}/s  {_words((total - done) / rate)}"
            )
            self._shown = now
        sys.stderr.flush()


def _words(seconds: float) -> str:
    """Return how long something takes, for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@functools.cache
def _pool() -> Pool:
    return Pool(_workspace.current().settings.compute)


def _one_line(error: AccretorError | OSError, name: str) -> str:
    if isinstance(error, Unusable):
        return f"{name}: {error.reason}"
    if isinstance(error, AccretorError):
        return str(error)
    return _trouble.in_words(error)
