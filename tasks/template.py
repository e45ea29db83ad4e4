"""Choose the reference frame, its star list and its plate solution.

    doit template:TOI-1234.01

Every good frame gets a score from its sky, its FWHM and the number of its stars
that match (template.ecsv). The best one is the template. Its plate solution is
that of its header if that agrees with a catalogue of the field, else one made by
matching its stars with the catalogue (doit fetch), by solve-field (astrometry.net)
or, if you allow it, by nova.astrometry.net; plate_solution.ecsv tells what came of
each. So the target is found from its coordinates. template_stars.ecsv has the star
list with roles, template.fits the calibrated frame.

The choice is kept when frames are added ([ensemble] policy = "keep"), for a new
one means to measure every frame again; template.ecsv says what would now be
chosen, and how much better it is. policy = "best" chooses again every time.

Settings: [template], [plate_solution], [ensemble], [target.pixel].
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from doit.task import Task

from accretor.core import versions
from accretor.stages.workspace import ObservationPlan
from tasks import _observations, _workspace


def tasks() -> Iterator[Task]:
    """Yield the tasks of the stage."""
    yield from _observations.tasks("template", __doc__ or "", files=_files, made_with=_made_with)


def _files(plan: ObservationPlan) -> tuple[Sequence[Path], Sequence[Path]]:
    return (
        [plan.paths.frames, plan.paths.masters, plan.paths.stars, *_workspace.catalogs(plan)],
        [
            plan.paths.template,
            plan.paths.template_stars,
            plan.paths.plate_solution,
            plan.paths.template_image,
        ],
    )


def _made_with(plan: ObservationPlan) -> Mapping[str, Any]:
    settings = plan.settings
    return {
        "version of the stage": versions.TEMPLATE,
        "[template]": repr(settings.template),
        "[plate_solution]": repr(settings.plate_solution),
        "[[catalogs.file]]": repr(settings.catalogs.file),
        "[[target]]": repr(plan.target),
        "[[instrument]]": repr(plan.instrument),
        "[ensemble] policy": settings.ensemble.policy,
    }
