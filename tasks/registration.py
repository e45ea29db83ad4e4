"""Measure each frame alone: sky, FWHM, elongation, and the list of its stars.

    doit registration:TOI-1234.01

Writes image_info.ecsv (image_name, obstime, exptime, flts, bkg, fwhm, nstar,
starnum and more) and stars.fits, which also holds the star lists. Frames with
too few stars are poor, with the reason. Only frames that are new or changed
are measured.

Settings: [registration].
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
    yield from _observations.tasks("registration", __doc__ or "", files=_files, made_with=_made_with)


def _files(plan: ObservationPlan) -> tuple[Sequence[Path], Sequence[Path]]:
    return [plan.paths.frames, plan.paths.masters], [plan.paths.image_info, plan.paths.stars]


def _made_with(plan: ObservationPlan) -> Mapping[str, Any]:
    settings = plan.settings
    return {
        "version of the stage": versions.REGISTRATION,
        "[registration]": repr(settings.registration),
        "[[instrument]]": repr(plan.instrument),
    }
