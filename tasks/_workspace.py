"""The workspace of this run, and the one run that may write in it."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path

import doit

from accretor.core.errors import AccretorError
from accretor.io.layout import CONFIG, Layout
from accretor.stages.workspace import Workspace, open_workspace

DEMO = "demo"
VARIABLE = "ACCRETOR_WORKSPACE"


def locate() -> Path:
    """Return the folder of the workspace.

    It is the doit variable ``workspace=PATH``, else the environment's
    ACCRETOR_WORKSPACE, else the current folder if it is a workspace, else the demo.
    """
    here = Path(doit.get_initial_workdir())
    if named := doit.get_var("workspace", None) or os.environ.get(VARIABLE):
        return here / Path(named).expanduser()
    if (here / CONFIG).is_file():
        return here
    return here / DEMO


def enter() -> None:
    """Make the workspace the current folder.

    Names in doit's state are then relative to the workspace, which can be moved. A
    demo workspace that is not there yet is made.
    """
    root = locate()
    if root.name == DEMO and not (root / CONFIG).is_file() and not doit.get_var("workspace", None):
        from accretor.synthetic import demo

        sys.stderr.write(f"No workspace here: making a night of known truth in {root.name}/ ...\n")
        demo.make(root)
    if not root.is_dir():
        raise SystemExit(f"accretor: {root}: there is no such folder")
    os.chdir(root)
    try:
        Layout(Path()).work.mkdir(exist_ok=True)
    except OSError as error:
        raise SystemExit(f"accretor: {root}: {error.strerror}; the workspace must be writable") from None


@functools.cache
def current() -> Workspace:
    """Return the workspace that was entered, as it was when the run began."""
    try:
        return open_workspace(Path(), progress=_reading)
    except (AccretorError, OSError) as error:
        raise SystemExit(f"accretor: {error}") from None


def _reading(done: int, total: int) -> None:
    """Tell of the headers that are read, where there are many."""
    if sys.stderr.isatty() and total > 500:
        sys.stderr.write(f"\rreading headers {done}/{total}" if done < total else "\r\x1b[K")
