"""Upload a package to ExoFOP: show what would be sent, and send it when that is confirmed.

    doit upload:TOI-1234.01                          prints the plan; nothing is sent, no network is used
    doit upload:TOI-1234.01 --confirm 0123456789ab   sends exactly that plan, or nothing
    doit upload:TOI-1234.01 confirm=0123456789ab     the same

The plan has, for each filter, the fields of the time-series form and the files in
their order with label, size and digest; its id changes with every byte of it. A
package that was made again has another id, and the old one sends nothing.

What was sent is in uploads/, which no command removes. After any failure the same
command sends the rest. The password comes from the keyring, ~/.netrc, the environment
(ACCRETOR_EXOFOP_USERNAME, ACCRETOR_EXOFOP_PASSWORD) or a prompt; never from the
command line. See docs/upload.md. `doit logout` forgets the login.

`doit` alone never comes here. Settings: [upload], [[instrument]].
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

from doit.exceptions import TaskFailed
from doit.task import Task

from accretor.config import lacking
from accretor.core.errors import AccretorError
from accretor.stages import upload
from tasks import _confirm, _trouble, _visits, _workspace
from tasks._graph import Doc, Leaf, stage

log = logging.getLogger("accretor")


def tasks() -> Iterator[Task]:
    """Yield the tasks of the stage."""
    workspace = _workspace.current()
    made: list[Task] = []
    leaves = [
        Leaf(
            target=visit.target,
            name=visit.slug,
            action=run,
            arguments=(made,),
            file_dep=[workspace.layout.visit(visit).manifest],
            targets=[],
            made_with={},
            state=partial(upload.state, workspace.layout.visit(visit)),
            is_command=True,
        )
        for visit in workspace.visits
    ]
    made += stage("upload", __doc__ or "", leaves, lambda target: _visits.state_of(target, upload.state))
    for task in made:
        task.params = (_confirm.PARAM,)
    yield from made


def log_out() -> Iterator[Task]:
    """Yield the task that forgets the login."""
    task = Task("logout", [_forget], verbosity=2, uptodate=[False], meta={"is_command": True})
    task.doc = Doc("Forget the login to ExoFOP.", lambda: "forgets the login to ExoFOP")
    yield task


def run(name: str, slug: str, tasks: list[Task]) -> Any:
    """Print the plan of the visit *slug*, or send it if its id was given."""
    workspace = _workspace.current()
    paths = workspace.layout.visit(next(visit for visit in workspace.visits if visit.slug == slug))
    confirmed = _confirm.given(tasks)
    try:
        plans = _visits.plans_of(slug)
        plan = upload.make_plan(plans, workspace.layout, workspace.settings)
        if not confirmed:
            missing = lacking.for_exofop(workspace.settings, (item.instrument for item in plans))
            sys.stdout.write(upload.text(plan, _workspace.command(f"{name}:{slug}"), missing))
            return {"said": f"plan {plan.plan_id}"}
        said = upload.send(
            plan, confirmed, workspace.layout.root, paths, workspace.settings.upload, _confirm.say
        )
    except (AccretorError, OSError) as error:
        reason = _trouble.in_words(error) if isinstance(error, OSError) else str(error)
        log.info("upload:%s failed: %s", slug, reason)
        return TaskFailed(reason)
    log.info("upload:%s: %s", slug, said)
    sys.stdout.write(f"{name:<12} {slug}  {said}\n")
    return {"said": said}


def _forget() -> None:
    for server in upload.log_out() or ["nobody was logged in"]:
        sys.stdout.write(f"forgotten: {server}\n" if "." in server else f"{server}\n")
