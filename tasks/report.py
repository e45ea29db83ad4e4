"""Write a page that tells the whole of each night.

    doit report:TOI-1234.01
    doit show:TOI-1234.01       says where it is, and opens it with open=yes

products/<target>/<night>/<telescope>/report.html: verdicts first, then the figures,
neighbours, comparison stars, systematics, every frame that was left out and why, what
changed since the last reduction, the notes and the upload form as they will be sent,
the files with their digests, and where everything is from. One file without script,
that asks nothing of any server. It is not part of the package for SG1.

Settings: all that the page shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from doit.task import Task

from accretor import __version__
from accretor.core import versions
from accretor.plots.registry import OF_VISIT
from accretor.stages import index as index_stage
from accretor.stages import plotting, report
from accretor.stages.workspace import ObservationPlan
from tasks import _stage, _visits, _wishes, _workspace
from tasks._graph import Doc, Leaf, Unchanged, digests, stage

EVERYTHING = "workspace"
"""Name of the whole workspace among observations."""


def tasks() -> Iterator[Task]:
    """Yield the tasks of the stage."""
    yield from stage("report", __doc__ or "", _leaves(), lambda target: _visits.state_of(target, _state))


def index() -> Iterator[Task]:
    """Yield the task that writes the page of all observations; it comes last, and needs nothing."""
    workspace = _workspace.current()
    path = workspace.layout.index
    task = Task(
        "index",
        [run_index],
        targets=[str(path)],
        uptodate=[Unchanged({}, later=partial(index_stage.seen, workspace))],
        clean=True,
        verbosity=2,
        meta={"is_command": False},
    )
    task.doc = Doc(
        "Write the page of all observations, products/index.html.",
        lambda: "made" if path.is_file() else "nothing done yet",
    )
    yield task


def run(name: str, slug: str) -> Any:
    """Write the page of the visit *slug*."""
    workspace = _workspace.current()
    plans = _visits.plans_of(slug)
    return _stage.perform(
        name,
        slug,
        lambda bench: report.run(plans, workspace.layout, workspace.settings, bench),
        writes=(workspace.layout.visit(plans[0].observation.visit).folder,),
    )


def run_index() -> Any:
    """Write the page of all observations."""
    workspace = _workspace.current()
    return _stage.perform(
        "index", EVERYTHING, lambda bench: index_stage.write(workspace), writes=(workspace.layout.products,)
    )


def _leaves() -> Iterator[Leaf]:
    workspace = _workspace.current()
    for visit, plans in workspace.visits.items():
        paths = workspace.layout.visit(visit)
        together = [paths.plots / entry.tail for entry in OF_VISIT] if len(plans) > 1 else []
        yield Leaf(
            target=visit.target,
            name=visit.slug,
            action=run,
            arguments=(),
            file_dep=[paths.manifest, *together, *(path for plan in plans for path in _reads(plan))],
            targets=[paths.report],
            made_with=digests(
                {
                    "version of the stage": [versions.REPORT, versions.SCIENCE, __version__],
                    "filters of the night": [plan.observation.slug for plan in plans],
                    "settings": report.settings_shown(workspace.settings),
                    "settings of the observation": [report.settings_shown(plan.settings) for plan in plans],
                }
            ),
            later=partial(report.seen_by_report, plans, workspace.layout),
            is_asked_for=_wishes.is_redone("report"),
            state=partial(_state, paths),
        )


def _reads(plan: ObservationPlan) -> list[Path]:
    paths = plan.paths
    return [
        paths.light_curve,
        paths.comparison,
        paths.results,
        paths.masters,
        *(paths.plots / entry.tail for entry in plotting.figures_of(plan)),
    ]


def _state(paths: Any) -> str:
    return "made" if paths.report.is_file() else "nothing done yet"
