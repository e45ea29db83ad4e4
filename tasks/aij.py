"""Read the nights that begin with AstroImageJ's measurement table.

    doit aij:TOI-1234.01

A table in aij/<target>/<night>/<telescope>/<filter>/, where raw/ has no frames of that
observation, takes the place of the stages that measure frames; calibration, plotting
and packaging then do with it what they do with any night. A calibrated, plate-solved
image beside the table gives the field, the seeing profile and WCS.fits.

Settings: [[instrument]] gain, read_noise, saturation, latitude, longitude, height.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from doit.task import Task

from accretor.core import versions
from accretor.stages import aijchoice
from accretor.stages.workspace import ObservationPlan
from tasks import _observations


def tasks() -> Iterator[Task]:
    """Yield the tasks of the stage."""
    yield from _observations.tasks("aij", __doc__ or "", files=_files, made_with=_made_with)


def _files(plan: ObservationPlan) -> tuple[Sequence[Path], Sequence[Path]]:
    paths = plan.paths
    dumps = [paths.frames, paths.masters, paths.image_info, paths.template_stars]
    image = [paths.template_image] if plan.aij.image else []
    return [], [*dumps, *image, paths.photometry, paths.photometry_info, paths.frame_wcs]


def _made_with(plan: ObservationPlan) -> Mapping[str, Any]:
    return {
        "version of the stage": versions.AIJ,
        "aij/": aijchoice.identity(plan.aij),
        "[[target]]": repr(plan.target),
        "[[instrument]]": repr(plan.instrument),
    }
