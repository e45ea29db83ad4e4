"""Look at program, settings, frames and disk, and write what was found in one file for a bug report.

    doit doctor

The file is logs/doctor.txt. Names of people, folders of your home, passwords and keys
are taken out of it. The exit status tells whether something has to be mended.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from doit.exceptions import TaskFailed
from doit.task import Task

from accretor.io import atomic
from accretor.io.layout import Layout
from accretor.stages import doctor
from tasks import _trouble, _workspace
from tasks._graph import Doc


def tasks() -> Iterator[Task]:
    """Yield the one task."""
    task = Task("doctor", [run], uptodate=[False], verbosity=2, meta={"is_command": True})
    task.doc = Doc(__doc__ or "", lambda: "looks at program, settings, frames and disk, for a bug report")
    yield task


def run() -> TaskFailed | None:
    """Print what was found, and keep it."""
    layout = Layout(Path())
    sections = doctor.examine(layout)
    text = doctor.text(sections)
    sys.stdout.write(text)
    try:
        atomic.write_text(layout.doctor, text)
    except OSError as error:
        return TaskFailed(_trouble.in_words(error))
    sys.stdout.write(f"\nwritten: {_workspace.shown(layout.doctor)}\n")
    n = sum(len(section.problems) for section in sections)
    return TaskFailed(f"{n} problem{'s' if n > 1 else ''}, at the head of this list") if n else None
