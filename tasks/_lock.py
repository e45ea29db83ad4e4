"""One run at a time may write in a workspace.

The lock is the system's, and goes with the process that holds it; so there is none
to clean up after a crash. It is taken before anything is read, so that a run which
had to wait sees what the run before it did.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from accretor.io import atomic
from accretor.io.layout import Layout

_PATIENCE = 0.5
"""Second after which it is said that a run waits; `doit list` may hold the workspace for a moment."""

_held: list[FileLock] = []


def take(layout: Layout) -> None:
    """Wait until no other run is at work in the workspace, and say for whom.

    What a killed run left half written is then swept away. The workspace is held
    until it is given back, or the process ends.

    Raises
    ------
    OSError
        If the workspace cannot be written.
    """
    lock = _lock(layout)
    try:
        lock.acquire(timeout=_PATIENCE)
    except Timeout:
        sys.stderr.write(f"waiting: {_holder(layout)} is at work in this workspace (Ctrl-C gives up)\n")
        sys.stderr.flush()
        lock.acquire()
    _held.append(lock)
    _tell(layout)
    for folder in (layout.work, layout.products, layout.uploads, layout.archives, layout.log.parent):
        if folder.is_dir():
            atomic.sweep(folder)


def is_held() -> bool:
    """Return whether this process holds the workspace."""
    return bool(_held)


def give_back() -> None:
    """Let other runs write in the workspace."""
    while _held:
        _held.pop().release()


@contextlib.contextmanager
def if_free(layout: Layout) -> Iterator[bool]:
    """Hold the workspace for a moment, if this run holds it or no run does; say whether it is held.

    A workspace that cannot be written is not held, which is well for who only reads.
    """
    lock = _lock(layout)
    try:
        lock.acquire(timeout=0)
    except OSError:  # which a Timeout is, too
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _lock(layout: Layout) -> FileLock:
    """Return the lock of the workspace; it is one object in a process, which may take it again."""
    return FileLock(layout.lock.absolute(), is_singleton=True)


def _tell(layout: Layout) -> None:
    """Leave a note of who holds the workspace, for those who wait."""
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    who = {"host": platform.node(), "process": os.getpid(), "since": since}
    with contextlib.suppress(OSError):  # on a full disk there may still be nothing to do
        atomic.write_text(_note(layout), json.dumps(who))


def _holder(layout: Layout) -> str:
    try:
        who = json.loads(_note(layout).read_text(encoding="utf-8"))
        return f"process {who['process']} on {who['host']}, since {who['since']},"
    except (OSError, ValueError, LookupError, TypeError):
        return "another run"


def _note(layout: Layout) -> Path:
    return layout.lock.with_name(".holder.json")
