"""Put the transits of all nights of a target together: O-C, joint fits, a new ephemeris.

    doit ephemeris:TOI-1234.01

products/<target>/ephemeris.ecsv has the mid-time of every observation, and of all filters
of a night together (the same mid-time and orbit, a radius ratio for each filter), with
observed minus computed; ephemeris.json the linear ephemeris of the mid-times, alone and with
that of the settings. It runs only when it is asked for, and makes what it needs.

Settings: [target.ephemeris].
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from doit.task import Task

from accretor.core import versions
from accretor.stages.workspace import ObservationPlan
from tasks import _stage, _workspace
from tasks._graph import Leaf, digests, stage


def tasks() -> Iterator[Task]:
    """Yield the tasks of the stage."""
    yield from stage("ephemeris", __doc__ or "", _leaves(), _state)


def run(name: str, slug: str) -> Any:
    """Put the transits of a target together."""
    from accretor.stages import ephemeris

    target = slug.partition("/")[0]
    layout = _workspace.current().layout
    return _stage.perform(
        name,
        target,
        lambda bench: ephemeris.run(_plans(target), layout, bench),
        writes=(layout.transits(target).parent,),
    )


def _plans(target: str) -> list[ObservationPlan]:
    return [plan for plan in _workspace.current().observations if plan.observation.target == target]


def _leaves() -> Iterator[Leaf]:
    workspace = _workspace.current()
    for target in sorted({plan.observation.target for plan in workspace.observations}):
        plans = _plans(target)
        yield Leaf(
            target=target,
            name=f"{target}/all",
            action=run,
            arguments=(),
            file_dep=[path for plan in plans for path in (plan.paths.results, plan.paths.fit_points)],
            targets=[workspace.layout.transits(target), workspace.layout.ephemeris(target)],
            state=partial(_state, target),
            made_with=digests(
                {
                    "version of the stage": versions.EPHEMERIS,
                    "observations": [plan.observation.slug for plan in plans],
                    "[[target]]": repr(plans[0].target),
                }
            ),
        )


def _state(target: str) -> str:
    workspace = _workspace.current()
    names = {
        plan.observation.target for plan in workspace.observations if target in ("", plan.observation.target)
    }
    made = sum(workspace.layout.ephemeris(name).exists() for name in names)
    return f"{made} of {len(names)} targets made; only on request" if names else "no frames"
