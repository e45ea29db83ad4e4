"""A run ends as politely by TERM as by Ctrl-C: what is done is kept, and one line says so.

To import this is to have it so. dodo.py does that before anything slow is loaded, for
a traceback of forty lines is no answer to Ctrl-C at any time.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import threading
from types import TracebackType
from typing import Any


def _attend() -> None:
    signal.signal(signal.SIGTERM, _interrupt)
    sys.excepthook = _explain
    sys.unraisablehook = _repeat


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


if multiprocessing.parent_process() is None:
    _attend()
