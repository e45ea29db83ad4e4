"""Compare the predicted transits with those of the TESS Transit Finder.

    doit ttf:TOI-1234.01

Needs an account of the TTF: in the keyring or ~/.netrc for astro.swarthmore.edu, or in
ACCRETOR_TTF_USERNAME and ACCRETOR_TTF_PASSWORD. The pipeline computes its own
predictions; this is a second opinion, and nothing waits for it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from doit.task import Task

from accretor.core.settings import Target
from accretor.core.slug import slug
from accretor.stages import ttf
from tasks import _workspace
from tasks._graph import Doc


def tasks() -> Iterator[Task]:
    """Yield the group and one task for each target."""
    workspace = _workspace.current()
    names = [f"ttf:{slug(target.name)}" for target in workspace.settings.target]
    group = Task("ttf", None, task_dep=names, has_subtask=True)
    group.doc = Doc(__doc__ or "", lambda: "predicted transits beside those of the TTF")
    yield group
    for name, target in zip(names, workspace.settings.target, strict=True):
        task = Task(name, [(run, [target])], uptodate=[False], verbosity=2, meta={"is_command": True})
        task.subtask_of = "ttf"
        task.doc = Doc(__doc__ or "", lambda: "predicted transits beside those of the TTF")
        yield task


def run(target: Target) -> None:
    """Say how the predictions agree."""
    workspace = _workspace.current()
    plans = [plan for plan in workspace.observations if plan.target.name == target.name]
    for line in ttf.cross_check(target, plans):
        sys.stdout.write(f"{line}\n")
