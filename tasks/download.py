"""Download what ExoFOP has of a target: tables, and the files of all observations.

    doit download:TOI-1234.01
    doit download:TOI-1234.01 files=time_series,imaging,spectroscopy

Everything goes to archive/<target>/: the tables, the files of each tag, every light
curve in the same columns (standard/), what could not be read and why
(observations.ecsv), and all of them with ours on the ephemeris (phased-01.png).

What is here is not fetched again, and a download that broke goes on where it broke.
With a login (the keyring, ~/.netrc or the environment; see docs/download.md) also what
is not public yet. Without a network, what is here is read and drawn.
`doit clean download:TOI-1234.01` removes what was fetched so (and nothing of `doit fetch`).

`doit` alone never comes here. Settings: [upload] username, url; [target].
"""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import doit
from doit.exceptions import TaskFailed
from doit.task import Task

from accretor.core.errors import AccretorError
from accretor.core.settings import Target
from accretor.core.slug import slug
from accretor.io.layout import ArchivePaths
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
            clean=[(clean, [workspace.layout.archive(slug(target.name))])],
            verbosity=2,
            meta={"is_command": True},
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


def clean(paths: ArchivePaths, dryrun: bool) -> None:
    """Remove what was fetched of a target; catalogues and identification stay, for results rest on them."""
    stays = {"catalogs", paths.target.name}
    found = sorted(paths.folder.iterdir()) if paths.folder.is_dir() else []
    for path in found:
        if path.name in stays:
            continue
        sys.stdout.write(f"remove {path}\n")
        if not dryrun:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if found and not dryrun and not any(paths.folder.iterdir()):
        paths.folder.rmdir()


def _say(line: str) -> None:
    sys.stdout.write(f"  {line}\n")
    sys.stdout.flush()
