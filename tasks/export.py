"""Write what was measured as tables for other programs.

    doit export:TOI-1234.01

In products/<target>/<night>/<telescope>/tables/<filter>/: all-stars (one row per frame
and star) and target (one row per frame) as CSV, ECSV, JSON and, with the extra of that
name, Parquet; aavso.txt (Extended format), gcn.txt, and apertures.reg for DS9. What it
needs is brought up to date first.

Settings: [export].
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from typing import Any

from doit.exceptions import TaskFailed
from doit.task import Task

from accretor.core.errors import AccretorError
from accretor.core.settings import Target
from accretor.core.slug import slug
from tasks import _trouble, _workspace
from tasks._graph import Doc

log = logging.getLogger("accretor")
SAID = "tables for other programs"


def tasks() -> Iterator[Task]:
    """Yield the group and one task for each target."""
    workspace = _workspace.current()
    names = [f"export:{slug(target.name)}" for target in workspace.settings.target]
    group = Task("export", None, task_dep=names, has_subtask=True)
    group.doc = Doc(__doc__ or "", lambda: SAID)
    yield group
    for name, target in zip(names, workspace.settings.target, strict=True):
        needed = [
            f"{stage}:{slug(target.name)}"
            for stage in ("zeropoint", "calibration", "forced")
            if any(plan.target.name == target.name for plan in _workspace.observations(stage))
        ]
        task = Task(
            name,
            [(run, [target])],
            uptodate=[False],
            task_dep=needed,
            verbosity=2,
            meta={"is_command": True},
        )
        task.subtask_of = "export"
        task.doc = Doc(__doc__ or "", lambda: SAID)
        yield task


def run(target: Target) -> Any:
    """Write the tables of all observations of *target*, and say where they are."""
    from accretor.stages import export

    workspace = _workspace.current()
    failures: list[str] = []
    for plan in workspace.observations:
        if plan.target.name != target.name:
            continue
        try:
            workspace.layout.refuse_links(plan.paths.tables)
            found = export.export(plan)
        except (AccretorError, OSError) as error:
            failures.append(_trouble.in_words(error) if isinstance(error, OSError) else str(error))
            continue
        sys.stdout.write(f"{_workspace.shown(plan.paths.tables)}: {len(found.files)} files\n")
        for failure in found.failures:
            sys.stdout.write(f"  not written: {failure}\n")
    for failure in failures:
        log.info("export:%s failed: %s", slug(target.name), failure)
    return TaskFailed("; ".join(failures)) if failures else None
