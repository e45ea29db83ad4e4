"""Fetch everything that a target needs of others, for places without a network.

    doit fetch:TOI-1234.01
    doit fetch:TOI-1234.01 renew=TOI-1234.01    (also what is here already)

What ExoFOP knows of it (TIC number, coordinates, proper motion, magnitude, ephemeris, host
star) goes to archive/<target>/target.ecsv, beside your own values, which rule; where the
two differ by more than their errors, that is said. Catalogues of the stars around it go to
archive/<target>/catalogs/: Gaia DR3, TIC, ATLAS-REFCAT2, Gaia synthetic photometry,
APASS, Pan-STARRS1, SkyMapper, Tycho-2, as far as they cover the field.

Only whole answers are kept. What is here is not fetched again, so that the same workspace
gives the same result in ten years; what succeeded is kept whatever else did not.
See docs/catalogs.md.

`doit` alone never comes here. Settings: [catalogs]; [upload] url; [[target]].
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

from doit.exceptions import TaskFailed
from doit.task import Task

from accretor.core.errors import AccretorError
from accretor.core.settings import Target
from accretor.core.slug import slug
from accretor.stages import fetch
from tasks import _trouble, _wishes, _workspace
from tasks._graph import Doc

log = logging.getLogger("accretor")


def tasks() -> Iterator[Task]:
    """Yield the group and one task for each target."""
    workspace = _workspace.current()
    names = [f"fetch:{slug(target.name)}" for target in workspace.settings.target]
    group = Task("fetch", None, task_dep=names, has_subtask=True)
    group.doc = Doc(__doc__ or "", lambda: "catalogues and identification, for places without a network")
    yield group
    for name, target in zip(names, workspace.settings.target, strict=True):
        task = Task(name, [(run, [target])], uptodate=[False], verbosity=2, meta={"is_command": True})
        task.doc = Doc(__doc__ or "", partial(fetch.state, workspace.layout, slug(target.name)))
        yield task


def run(target: Target) -> Any:
    """Fetch what is not here yet of *target*."""
    workspace = _workspace.current()
    name = slug(target.name)
    plans = [plan for plan in workspace.observations if plan.target.name == target.name]
    try:
        found = fetch.fetch(
            target,
            plans,
            workspace.layout,
            workspace.settings,
            is_renewed=_wishes.is_renewed("fetch", name),
            say=_say,
        )
    except (AccretorError, OSError) as error:
        reason = _trouble.in_words(error) if isinstance(error, OSError) else str(error)
        log.info("fetch:%s failed: %s", name, reason)
        return TaskFailed(reason)
    log.info("fetch:%s: %s", name, found.said)
    sys.stdout.write(f"{'fetch':<12} {name}  {found.said}\n")
    return TaskFailed("; ".join(found.failures)) if found.failures else {"said": found.said}


def _say(line: str) -> None:
    # Words in it may be those of others; none of them may move a terminal.
    sys.stdout.write("  " + "".join(letter if letter.isprintable() else "?" for letter in line) + "\n")
    sys.stdout.flush()
