"""Download what ExoFOP has of a target: tables, and the files of all observations.

    doit download:TOI-1234.01
    doit download:TOI-1234.01 files=time_series,imaging,spectroscopy

Everything goes to archive/<target>/: the tables, the files of each tag, every light
curve in the same columns (standard/), what could not be read and why
(observations.ecsv), and all of them with ours on the ephemeris (phased-01.png).

What is here is not fetched again, and a download that broke goes on where it broke.
With a login (the keyring, ~/.netrc or the environment; see docs/download.md) also what
is not public yet. Without a network, what is here is read and drawn.
`doit clean download:TOI-1234.01` removes what was fetched.

`doit` alone never comes here. Settings: [upload] username, url; [target].
"""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import doit
from doit.exceptions import TaskFailed
from doit.task import Task

from accretor.core.errors import AccretorError
from accretor.core.settings import Target
from accretor.core.slug import slug
from accretor.stages import archive
from tasks import _trouble, _workspace
from tasks._graph import Doc

log = logging.getLogger("accretor")


def tasks() -> Iterator[Task]:
    """Yield the group and one task for each target."""
    workspace = _workspace.current()
    names = [f"download:{slug(target.name)}" for target in workspace.settings.target]
    group = Task("download", None, task_dep=names, has_subtask=True)
    group.doc = Doc(__doc__ or "", lambda: "what others have observed, from ExoFOP")
    yield group
    for name, target in zip(names, workspace.settings.target, strict=True):
        task = Task(
            name,
            [(run, [target])],
            uptodate=[False],
            clean=[(clean, [workspace.layout.archive(slug(target.name)).folder])],
            verbosity=2,
            meta={"is_shown_only": True},
        )
        task.doc = Doc(__doc__ or "", partial(archive.state, workspace.layout, slug(target.name)))
        yield task


def run(target: Target) -> Any:
    """Fetch, read and draw what others have observed of *target*."""
    workspace = _workspace.current()
    name = slug(target.name)
    kinds = [kind for kind in str(doit.get_var("files", None) or "time_series").split(",") if kind]
    plans = [plan for plan in workspace.observations if plan.target.name == target.name]
    try:
        found = archive.download(target, plans, workspace.layout, workspace.settings, kinds=kinds, say=_say)
    except (AccretorError, OSError) as error:
        reason = _trouble.in_words(error) if isinstance(error, OSError) else str(error)
        log.info("download:%s failed: %s", name, reason)
        return TaskFailed(reason)
    log.info("download:%s: %s", name, found.said)
    sys.stdout.write(f"{'download':<12} {name}  {found.said}\n")
    return TaskFailed("; ".join(found.failures)) if found.failures else {"said": found.said}


def clean(folder: Path, dryrun: bool) -> None:
    """Remove what was fetched of a target."""
    if folder.is_dir():
        sys.stdout.write(f"remove {folder}\n")
        if not dryrun:
            shutil.rmtree(folder)


def _say(line: str) -> None:
    sys.stdout.write(f"  {line}\n")
    sys.stdout.flush()
