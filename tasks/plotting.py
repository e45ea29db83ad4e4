"""Draw the figures of each observation, of each night with several filters, and of each target.

    doit plotting:TOI-1234.01

Those of the package (light curve, comparison stars, field, zoomed field, seeing
profile) and those for the observer (frames, drift, track over the sky, time
averaging, rms against magnitude, apertures, scores of the template), as PNG in
products/<target>/<night>/<telescope>/plots/<filter>/; all filters of a night in
plots/; observed minus predicted mid-transits in products/<target>/o-c.png. Only
figures whose data changed are drawn. See docs/figures.md.

Settings: [plotting], [calibration] intervals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from doit.task import Task

from accretor.core import versions
from accretor.plots.registry import OF_VISIT
from accretor.stages import plotting
from accretor.stages.bench import Done
from accretor.stages.workspace import ObservationPlan
from tasks import _observations, _stage, _wishes, _workspace
from tasks._graph import Leaf, digests


def tasks() -> Iterator[Task]:
    """Yield the tasks of the stage."""
    yield from _observations.tasks(
        "plotting", __doc__ or "", files=_files, made_with=_made_with, further=[*_of_visits(), *_of_targets()]
    )


def run_together(name: str, slug: str, work: Callable[..., Done], plans: Sequence[ObservationPlan]) -> Any:
    """Draw the figures that show several observations."""
    workspace = _workspace.current()
    folder = workspace.layout.products / slug
    return _stage.perform(
        name,
        slug,
        lambda bench: work(plans, workspace.layout, workspace.settings, bench),
        writes=(folder,),
    )


def _files(plan: ObservationPlan) -> tuple[Sequence[Path], Sequence[Path]]:
    return (
        [
            plan.paths.light_curve,
            plan.paths.comparison,
            plan.paths.apertures,
            plan.paths.results,
            plan.paths.frames,
            plan.paths.image_info,
            *([] if plan.is_table else [plan.paths.template]),
            plan.paths.template_stars,
            *([plan.paths.template_image] if not plan.is_table or plan.aij.image else []),
            plan.paths.photometry,
            plan.paths.photometry_info,
        ],
        [plan.paths.plots / entry.tail for entry in plotting.figures_of(plan)],
    )


def _made_with(plan: ObservationPlan) -> Mapping[str, Any]:
    settings = plan.settings
    return {
        "version of the stage": versions.PLOTTING,
        "[plotting]": repr(settings.plotting),
        "[calibration]": [settings.calibration.rms_intervals, settings.calibration.scintillation],
        "[[target]]": repr(plan.target),
        "[[instrument]]": repr(plan.instrument),
    }


def _of_visits() -> Iterator[Leaf]:
    workspace = _workspace.current()
    for visit, plans in workspace.visits.items():
        if len(plans) > 1:
            paths = workspace.layout.visit(visit)
            yield _together(
                visit.target,
                visit.slug,
                plans,
                plotting.run_visit,
                [paths.plots / entry.tail for entry in OF_VISIT],
            )


def _of_targets() -> Iterator[Leaf]:
    workspace = _workspace.current()
    by_target: dict[str, list[ObservationPlan]] = defaultdict(list)
    for plan in workspace.observations:
        by_target[plan.observation.target].append(plan)
    for target, plans in by_target.items():
        if len(plans) > 1 and plans[0].target.ephemeris is not None:
            yield _together(
                target, f"{target}/o-c", plans, plotting.run_target, [workspace.layout.o_c(target)]
            )


def _together(
    target: str,
    name: str,
    plans: Sequence[ObservationPlan],
    work: Callable[..., Done],
    targets: Sequence[Path],
) -> Leaf:
    return Leaf(
        target=target,
        name=name,
        action=run_together,
        arguments=(work, plans),
        file_dep=[path for plan in plans for path in (plan.paths.light_curve, plan.paths.results)],
        targets=targets,
        made_with=digests({
            "observations": [plan.observation.slug for plan in plans],
            **{f"{key} ({plan.observation.slug})": value
               for plan in plans for key, value in _made_with(plan).items()},
        }),
        state=partial(_state, targets),
        is_asked_for=_wishes.is_redone("plotting"),
    )  # fmt: skip


def _state(targets: Sequence[Path]) -> str:
    return "made" if all(path.is_file() for path in targets) else "nothing done yet"
