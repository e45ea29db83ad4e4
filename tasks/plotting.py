"""Draw the figures of each observation.

    doit plotting:TOI-1234.01

Light curve, comparison stars, field, zoomed field, seeing profile, as PNG in
products/<target>/<night>/<telescope>/plots/<filter>/.

Settings: [plotting].
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from doit.task import Task

from accretor.core import versions
from accretor.plots.registry import FIGURES
from accretor.stages.workspace import ObservationPlan
from tasks import _observations


def tasks() -> Iterator[Task]:
    """Yield the tasks of the stage."""
    yield from _observations.tasks("plotting", __doc__ or "", files=_files, made_with=_made_with)


def _files(plan: ObservationPlan) -> tuple[Sequence[Path], Sequence[Path]]:
    return (
        [
            plan.paths.light_curve,
            plan.paths.comparison,
            plan.paths.results,
            plan.paths.template_stars,
            plan.paths.template_image,
            plan.paths.photometry,
        ],
        [plan.paths.plots / entry.tail for entry in FIGURES],
    )


def _made_with(plan: ObservationPlan) -> Mapping[str, Any]:
    settings = plan.settings
    return {
        "version of the stage": versions.PLOTTING,
        "[plotting]": repr(settings.plotting),
        "[[target]]": [plan.target.tic, plan.target.name],
    }
