"""What happens before the graph is made: the workspace is entered and taken, and signals get a meaning."""

from __future__ import annotations

import inspect
import multiprocessing
import signal
import sys
import threading
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from doit.cmd_base import Command

from accretor.io.layout import Layout
from tasks import _lock, _memory, _trouble, _workspace

READING_COMMANDS = {"list", "info", "help", "dumpdb", "tabcompletion"}
"""Commands of doit that do nothing to a workspace."""

READING_TASKS = {"why", "watch"}
"""Tasks that write nothing themselves."""


def begin() -> None:
    """Enter the workspace and, for a run, wait until it is free.

    The graph is made after this; so a run that waited for another sees what that
    one left, and the frames that came meanwhile.
    """
    if multiprocessing.parent_process() is None:
        signal.signal(signal.SIGTERM, _interrupt)
        sys.excepthook = _explain
        sys.unraisablehook = _repeat
    layout = Layout(Path())
    try:
        _workspace.enter()
        if not _only_reads():
            _lock.take(layout)
    except OSError as error:
        raise SystemExit(f"accretor: {_trouble.in_words(error)}") from None
    _memory.mend(layout.state)


def _only_reads() -> bool:
    """Return whether what doit was asked for leaves the workspace as it is; when in doubt, not.

    doit tells a dodo.py nothing of the command that loads it; so its own frame is asked.
    """
    frame: FrameType | None = inspect.currentframe()
    while frame is not None:
        names = frame.f_locals
        if frame.f_code.co_name == "execute" and isinstance(names.get("self"), Command):
            first = str(next(iter(names.get("args") or ()), "")).partition(":")[0]
            return names["self"].get_name() in READING_COMMANDS or first in READING_TASKS
        frame = frame.f_back
    return False


def _interrupt(signum: int, frame: object) -> None:
    """Make TERM what Ctrl-C is: doit then keeps its state."""
    raise KeyboardInterrupt


def _explain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.stderr.write("\ninterrupted; what is done is kept, the next run goes on from there\n")
    else:
        sys.__excepthook__(kind, error, trace)


def _repeat(unraisable: Any) -> None:
    """Interrupt once more, if Python lost the interrupt because it came while something was tidied up."""
    if unraisable.exc_type is not None and issubclass(unraisable.exc_type, KeyboardInterrupt):
        threading.Timer(0.01, signal.raise_signal, [signal.SIGTERM]).start()
    else:
        sys.__unraisablehook__(unraisable)
