"""Put the layout of the notes into the workspace, to be changed there.

    doit notes

Writes notes.txt.j2 beside workspace.toml, unless it is there: a Jinja2 template,
from which `doit packaging` then makes notes.txt. Remove it to have ours again.
What it may use is in docs/package.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from doit.exceptions import TaskFailed
from doit.task import Task

from accretor.io import atomic
from tasks import _trouble, _workspace
from tasks._graph import Doc


def tasks() -> Iterator[Task]:
    """Yield the one task."""
    task = Task("notes", [write], verbosity=2, uptodate=[False], meta={"is_command": True})
    task.doc = Doc(__doc__ or "", lambda: "puts the layout of the notes into the workspace")
    yield task


def write() -> TaskFailed | None:
    """Write the template, unless there is one."""
    from accretor.stages import noting

    path = _workspace.current().layout.notes_template
    if path.exists():
        sys.stdout.write(f"{_workspace.shown(path)} is there already; it was left as it is\n")
        return None
    try:
        atomic.write_text(path, noting.template())
    except OSError as error:
        return TaskFailed(_trouble.in_words(error))
    sys.stdout.write(f"{_workspace.shown(path)}: change it, then {_workspace.command('packaging')}\n")
    return None
