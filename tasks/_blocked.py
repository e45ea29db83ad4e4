"""Why a stage could not be done the last time, so that `doit list` can tell."""

from __future__ import annotations

import json
from pathlib import Path

from accretor.io import atomic
from tasks import _workspace


def remember(stage: str, name: str, reason: str) -> None:
    """Keep the *reason* for which *stage* failed on the observation or visit *name*."""
    found = {**_read(name), stage: reason}
    try:
        atomic.write_text(_path(name), json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    except OSError:
        return  # the disk is full or read-only: that is the reason, and it was told


def forget(stage: str, name: str) -> None:
    """Note that *stage* could be done."""
    found = _read(name)
    if found.pop(stage, None) is None:
        return
    try:
        if found:
            atomic.write_text(_path(name), json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        else:
            _path(name).unlink(missing_ok=True)
    except OSError:
        return  # the next run that can write forgets it


def reason(stage: str, name: str) -> str:
    """Return why *stage* failed the last time; "" if it did not."""
    return _read(name).get(stage, "")


def _read(name: str) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(_path(name).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return found


def _path(name: str) -> Path:
    return _workspace.current().layout.work / name / "blocked.json"
