"""Measure given places of the sky in every frame: the target's neighbours, and places of yours.

    doit forced:TOI-1234.01

All stars of the catalogue within 2.5 arcmin of the target ("doit fetch" gets one), moved to
the night by their proper motion, and [[forced.position]], through apertures that are not
centred; whether a star shows there or not. What is no detection stands as a limit. Each
frame also has its limiting flux, by the noise of the sky and by blank apertures.
forced.fits has the fluxes, forced.ecsv one readable row per frame, forced_positions.ecsv
the places, and what is known of their completeness, limits.ecsv the limiting magnitudes,
where there is a zero point. Only frames that are new or changed are measured. Without
catalogue or plate solution it says so, and holds up nothing else.

Settings: [forced], [[forced.position]].
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from doit.task import Task

from accretor.core import versions
from accretor.stages import aijchoice
from accretor.stages.workspace import ObservationPlan
from tasks import _catalogs, _observations


def tasks() -> Iterator[Task]:
    """Yield the tasks of the stage."""
    yield from _observations.tasks("forced", __doc__ or "", files=_files, made_with=_made_with)


def _files(plan: ObservationPlan) -> tuple[Sequence[Path], Sequence[Path]]:
    return (
        [
            *(plan.paths.frames, plan.paths.masters, plan.paths.stars, plan.paths.template_stars),
            *(plan.paths.zero_points, plan.paths.magnitude_frames),
        ],
        [plan.paths.forced, plan.paths.forced_info, plan.paths.forced_positions, plan.paths.limits],
    )


def _made_with(plan: ObservationPlan) -> Mapping[str, Any]:
    settings = plan.settings
    return {
        "version of the stage": versions.FORCED,
        "[forced]": repr(settings.forced),
        "[photometry]": repr(settings.photometry),
        "[[instrument]]": repr(plan.instrument),
        "aij/": repr(aijchoice.radii(plan.aij)),
        "the target's place": [plan.target.ra, plan.target.dec, plan.target.pm_ra, plan.target.pm_dec],
        "the catalogue of its field": _catalogs.identity(plan),
    }
