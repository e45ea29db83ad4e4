"""Show what an upload to ExoFOP would send. Nothing is sent, and no network is used.

    doit upload:TOI-1234.01

Prints, for each filter, the fields of the time-series form and the files in
their order with label, size and digest; and the id of this plan, which changes
with every byte of it. Sending is not part of this version.

`doit` alone never comes here. Settings: [upload], [instrument].
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from doit.exceptions import TaskFailed
from doit.task import Task

from accretor.core.errors import AccretorError
from tasks import _visits, _workspace
from tasks._graph import Leaf, stage


def tasks() -> Iterator[Task]:
    """Yield the tasks of the stage."""
    workspace = _workspace.current()
    leaves = [
        Leaf(
            target=visit.target,
            name=visit.slug,
            action=show,
            arguments=(),
            file_dep=[workspace.layout.visit(visit).manifest],
            targets=[],
            made_with={},
            state=lambda: "nothing sent",
            is_shown_only=True,
        )
        for visit in workspace.visits
    ]
    yield from stage("upload", __doc__ or "", leaves, lambda target: "nothing sent")


def show(name: str, slug: str) -> Any:
    """Print the plan of the visit *slug*."""
    from accretor.stages import upload

    workspace = _workspace.current()
    try:
        plan = upload.make_plan(_visits.plans_of(slug), workspace.layout, workspace.settings)
    except AccretorError as error:
        return TaskFailed(str(error))
    sys.stdout.write(upload.text(plan))
    return {"said": f"plan {plan.plan_id}"}
