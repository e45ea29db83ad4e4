"""One run at a time may write in a workspace.

The lock is the system's, and goes with the process that holds it; so there is none
to clean up after a crash.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from pathlib import Path

from filelock import FileLock, Timeout

from accretor.io import atomic
from accretor.io.layout import Layout


def take(layout: Layout) -> FileLock:
    """Wait until no other run is at work in the workspace, and say for whom.

    What a killed run left half written is then swept away. The lock is to be released
    at the end of the run.
    """
    layout.work.mkdir(parents=True, exist_ok=True)
    lock = FileLock(layout.lock)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        sys.stderr.write(f"waiting: {_holder(layout)} is at work in this workspace (Ctrl-C gives up)\n")
        lock.acquire()
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    atomic.write_text(
        _note(layout), json.dumps({"host": platform.node(), "process": os.getpid(), "since": since})
    )
    for folder in (layout.work, layout.products):
        if folder.is_dir():
            atomic.sweep(folder)
    return lock


def _note(layout: Layout) -> Path:
    return layout.lock.with_name(".holder.json")


def _holder(layout: Layout) -> str:
    try:
        who = json.loads(_note(layout).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return "another run"
    return f"process {who['process']} on {who['host']}, since {who['since']},"
