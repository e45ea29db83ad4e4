"""Bring the magnitudes of all stars to those of a catalogue.

    doit zeropoint:TOI-1234.01

The filter is tied to the best band that the catalogues of the field have (doit fetch
gets them): a native one, or one by a published transformation. zeropoints.ecsv has the
zero point of each frame, with the colour term of the camera; magnitudes.ecsv the mean
magnitude of each star, magnitudes.fits those of every frame. Where there is no
catalogue, that is the reason in every row, and nothing else waits for it.

Settings: [magnitudes], [catalogs].
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
    yield from _observations.tasks("zeropoint", __doc__ or "", files=_files, made_with=_made_with)


def _files(plan: ObservationPlan) -> tuple[Sequence[Path], Sequence[Path]]:
    return (
        [
            plan.paths.frames,
            plan.paths.template_stars,
            plan.paths.photometry,
            *_workspace.catalogs(plan),
        ],
        [
            plan.paths.zero_points,
            plan.paths.magnitudes,
            plan.paths.magnitude_frames,
        ],
    )


def _made_with(plan: ObservationPlan) -> Mapping[str, Any]:
    settings = plan.settings
    return {
        "version of the stage": versions.ZERO_POINT,
        "[magnitudes]": repr(settings.magnitudes),
        "[[catalogs.file]]": repr(settings.catalogs.file),
        "[calibration] scintillation": settings.calibration.scintillation,
        "[[target]]": [plan.target.tic, plan.target.name],
        "[[instrument]]": repr(plan.instrument),
    }
