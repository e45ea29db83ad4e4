"""Say where the report of a target is, and open it.

doit show                             the page of all observations
doit show:TOI-1234.01                 the reports of one target
doit show:TOI-1234.01 open=yes        opens them in the browser
"""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import doit
from doit.exceptions import TaskFailed
from doit.task import Task

from tasks import _workspace
from tasks._graph import Doc


def tasks() -> Iterator[Task]:
    """Yield one task for the workspace, and one for each target."""
    workspace = _workspace.current()
    layout = workspace.layout
    pages: dict[str, list[Path]] = {}
    for visit in workspace.visits:
        pages.setdefault(visit.target, []).append(layout.visit(visit).report)
    yield _task("show", [layout.index])
    for target, paths in pages.items():
        yield _task(f"show:{target}", paths)


def show(paths: list[Path]) -> TaskFailed | None:
    """Print where *paths* are, and open those that are there if that is asked for."""
    found = [path for path in paths if path.is_file()]
    for path in found:
        sys.stdout.write(f"{_workspace.shown(path)}\n")
        if doit.get_var("open", None) not in (None, "no"):
            webbrowser.open(path.absolute().as_uri())
    if not found:
        return TaskFailed(f"there is no report yet; {_workspace.command('report')}  makes it")
    return None


def _task(name: str, paths: list[Path]) -> Task:
    task = Task(name, [(show, [paths])], verbosity=2, uptodate=[False], meta={"is_command": True})
    task.doc = Doc(__doc__ or "", partial(_state, paths))
    return task


def _state(paths: list[Path]) -> str:
    n_there = sum(path.is_file() for path in paths)
    return (
        "no report yet"
        if not n_there
        else ", ".join(_workspace.shown(path) for path in paths if path.is_file())
    )
