"""What happens before the graph is made: the workspace is entered, and signals are given a meaning."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from types import TracebackType

from tasks import _workspace


def begin() -> None:
    """Enter the workspace, and let a run be ended as politely by TERM as by Ctrl-C."""
    if multiprocessing.parent_process() is None:
        signal.signal(signal.SIGTERM, _interrupt)
        sys.excepthook = _explain
    _workspace.enter()


def _interrupt(signum: int, frame: object) -> None:
    """Make TERM what Ctrl-C is: doit then keeps its state."""
    raise KeyboardInterrupt


def _explain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.stderr.write("\ninterrupted; what is done is kept, the next run goes on from there\n")
    else:
        sys.__excepthook__(kind, error, trace)
