"""Write a first workspace.toml from the headers of your frames.

    doit init                     frames in raw/, or in the current folder
    doit init frames=/data/night  frames somewhere else; they are only read
    doit init workspace=PATH      for another folder than the current one
    doit init online=yes          fetch ExoFOP's table of TOIs first, to know the targets

Nothing is asked, and a workspace.toml that is there stays as it is. Each value says
which card it is from; lines with FILL IN need you.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import doit
from doit.exceptions import TaskFailed
from doit.task import Task

from accretor.io.layout import CONFIG, Layout
from accretor.stages import init
from tasks import _trouble, _workspace
from tasks._graph import Doc


def tasks() -> Iterator[Task]:
    """Yield the one task."""
    task = Task("init", [run], uptodate=[False], verbosity=2, meta={"is_command": True})
    task.doc = Doc(__doc__ or "", lambda: "writes a first workspace.toml from the headers of your frames")
    yield task


def run() -> TaskFailed | None:
    """Look at the frames, write the settings, and say what is to be filled in."""
    root = Path()
    if Layout(root).config.exists():
        return TaskFailed(
            f"{_workspace.shown(Layout(root).config)} is there and stays as it is; "
            "to begin anew, put it aside and run this again"
        )
    layout = Layout(root, init.frames_of(root, doit.get_var("frames", "")))
    online = str(doit.get_var("online", "no"))
    if online != "no":  # or a server on this machine
        sys.stdout.write(f"{init.fetch_table(layout, '' if online == 'yes' else online)}\n")
    try:
        found = init.survey(layout)
    except OSError as error:
        return TaskFailed(_trouble.in_words(error))
    if not found.n_frame:
        return TaskFailed(
            f"{_workspace.shown(layout.raw)}: none of {found.n_file} files is a FITS frame; "
            "name their folder, doit init frames=PATH"
        )
    init.write(layout, found)
    sys.stdout.write(f"{found.n_frame} frames of {found.n_file} files in {_workspace.shown(layout.raw)}\n")
    sys.stdout.write(f"written: {_workspace.shown(root / CONFIG)}\n")
    for item in found.left_out:
        sys.stdout.write(f"  left out: {item}\n")
    for item in found.lacking:
        sys.stdout.write(f"  to fill in: {item}\n")
    sys.stdout.write(f"then: {_workspace.command('list')}\n")
    return None
