"""A run ends as politely by TERM as by Ctrl-C: what is done is kept, and one line says so."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import threading
from types import TracebackType
from typing import Any

_asked: list[int] = []
"""Signals that asked the run to end."""


def attend() -> None:
    """Give the signals this meaning, from now on."""
    if multiprocessing.parent_process() is not None:
        return
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # in the background it may be ignored
        signal.signal(signal.SIGINT, _interrupt)
    sys.excepthook = _explain
    sys.unraisablehook = _repeat


def heed() -> None:
    """Interrupt the run if it was asked to end, and a library took the interrupt for an error of its own."""
    if _asked:
        raise KeyboardInterrupt


def _interrupt(signum: int, frame: object) -> None:
    """Make TERM what Ctrl-C is: doit then keeps its state."""
    _asked.append(signum)
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
