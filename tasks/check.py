"""Check a package as those do who will read it; nothing is sent, no network is used.

    doit check:TOI-1234.01        the packages of a target, made first if need be
    doit check folder=PATH        a package that anybody made

Names, completeness and content: every file is opened, and all must agree in
stars, positions, times, radii and counts. All problems are said at once, and
the exit status is not 0 if there is one. For programs the same is in check.json
beside the package; with folder= in work/checks/<folder>.json.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import doit
from doit.exceptions import TaskFailed
from doit.task import Task

from accretor.core.slug import slug as slug_of
from accretor.io.layout import VisitPaths
from tasks import _trouble, _visits, _workspace
from tasks._graph import Doc, Leaf, stage

if TYPE_CHECKING:
    from accretor.exofop.check import Report


def tasks() -> Iterator[Task]:
    """Yield the tasks; with ``folder=`` there is only the one that checks that folder."""
    named = doit.get_var("folder", None)
    if named:
        yield _of_folder(Path(doit.get_initial_workdir()) / Path(named).expanduser())
        return
    workspace = _workspace.current()
    leaves = [
        Leaf(
            target=visit.target,
            name=visit.slug,
            action=run,
            arguments=(),
            file_dep=[workspace.layout.visit(visit).manifest],
            targets=[],
            made_with={},
            state=partial(_state, workspace.layout.visit(visit)),
            is_command=True,
        )
        for visit in workspace.visits
    ]
    yield from stage("check", __doc__ or "", leaves, lambda target: _visits.state_of(target, _state))


def run(name: str, slug: str) -> TaskFailed | None:
    """Check the package of the visit *slug*."""
    from accretor.stages import check

    workspace = _workspace.current()
    return _tell(slug, lambda: check.visit(_visits.plans_of(slug), workspace.layout, workspace.settings))


def _of_folder(folder: Path) -> Task:
    from accretor.stages import check

    result = _workspace.current().layout.checks / f"{slug_of(folder.resolve().name) or 'folder'}.json"
    task = Task(
        "check",
        [(lambda: _tell(str(folder), lambda: check.folder(folder, result)),)],
        verbosity=2,
        uptodate=[False],
        meta={"is_command": True},
    )
    task.doc = Doc(__doc__ or "", lambda: f"checks {folder}")
    return task


def _tell(name: str, look: Callable[[], Report]) -> TaskFailed | None:
    """Print what *look* finds; a package with problems is a task that failed."""
    from accretor.exofop.check import lines

    try:
        report = look()
    except OSError as error:
        return TaskFailed(_trouble.in_words(error))
    sys.stdout.write(f"check        {name}\n" + "".join(f"  {line}\n" for line in lines(report)))
    if report.is_sound:
        return None
    return TaskFailed(f"{name}: not sound: {len(report.problems)} of the above must be mended")


def _state(paths: VisitPaths) -> str:
    return "checks the package" if paths.manifest.is_file() else "no package yet"
