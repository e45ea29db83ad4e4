"""What Linux tells of the processes of a run."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

PROC = Path("/proc")
HERE = (PROC / "self" / "stat").is_file()


def members(session: int) -> dict[int, str]:
    """Return the living processes of *session* with their command lines."""
    found = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            try:
                state, _, _, of_session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(of_session) == session and state not in "ZX":
                found[int(folder.name)] = command
    return found


def workers(session: int) -> list[int]:
    """Return the worker processes of *session*."""
    return [pid for pid, command in members(session).items() if "spawn_main" in command]


def is_polite(pid: int) -> bool:
    """Return whether the process has given TERM a meaning yet."""
    try:
        status = (PROC / str(pid) / "status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    caught = next((line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")), "0")
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def wait_until(fact: Callable[[], object], *, seconds: float = 30.0) -> bool:
    """Return whether *fact* came true in time."""
    end = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True
