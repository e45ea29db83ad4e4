"""Check whether a neighbour is the eclipsing binary that TESS saw.

    doit neb:TOI-1234.01

Every star of the catalogue within 2.5 arcmin is tested by the rules of AstroImageJ's NEB macro
(3.17), through several apertures, and by our own: the depth of a box in the predicted
window with its error, eclipses injected into the star's curve, how much of the window was
observed. A star that was not measured well enough is never cleared. neighbours.ecsv has one
row per star, with the reason; NEB-table.txt, NEBcheck.zip and dmagRMS-plot.png are what SG1
asks for. Needs an ephemeris with a depth, and a catalogue ("doit fetch"); without these it
says so, and holds up nothing else.

Settings: [neb], [forced], [target.ephemeris].
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from doit.task import Task

from accretor.core import versions
from accretor.stages.workspace import ObservationPlan
from tasks import _observations


def tasks() -> Iterator[Task]:
    """Yield the tasks of the stage."""
    yield from _observations.tasks("neb", __doc__ or "", files=_files, made_with=_made_with)


def _files(plan: ObservationPlan) -> tuple[Sequence[Path], Sequence[Path]]:
    paths = plan.paths
    return (
        [
            paths.template_stars,
            paths.photometry,
            paths.forced,
            paths.forced_positions,
            paths.light_curve,
            paths.comparison,
            paths.results,
        ],
        [paths.neighbours],
    )


def _made_with(plan: ObservationPlan) -> Mapping[str, Any]:
    settings = plan.settings
    return {
        "version of the stage": versions.NEB,
        "[neb]": repr(settings.neb),
        "[[target]]": [repr(plan.target.ephemeris), plan.target.tic, plan.target.name],
        "[[instrument]]": repr(plan.instrument),
    }
