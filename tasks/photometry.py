"""Measure the stars of the template in every frame, through a grid of aperture radii.

    doit photometry:TOI-1234.01

Circular apertures with exact overlap, a clipped median of an annulus as sky,
errors by the CCD equation, flags for saturation and edges. All stars and all
radii are measured once, so that choosing an aperture or comparison stars later
reads no pixel again. photometry.fits has the fluxes, photometry.ecsv one
readable row per frame, frame_wcs.ecsv the plate solution of each frame: that of the
template, carried over by the stars. Only frames that are new or changed are measured.

Settings: [photometry] radii_fwhm or radii, annulus_fwhm, mode, sky, recentre, forced;
[preprocess] save_calibrated also writes the calibrated frames, with their plate
solutions, for work in AstroImageJ.
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
    yield from _observations.tasks("photometry", __doc__ or "", files=_files, made_with=_made_with)


def _files(plan: ObservationPlan) -> tuple[Sequence[Path], Sequence[Path]]:
    return (
        [plan.paths.frames, plan.paths.masters, plan.paths.stars, plan.paths.template_stars],
        [plan.paths.photometry, plan.paths.photometry_info, plan.paths.growth, plan.paths.frame_wcs],
    )


def _made_with(plan: ObservationPlan) -> Mapping[str, Any]:
    settings = plan.settings
    return {
        "version of the stage": versions.PHOTOMETRY,
        "[photometry]": repr(settings.photometry),
        "[preprocess] save_calibrated": settings.preprocess.save_calibrated,
        "[[instrument]]": repr(plan.instrument),
        "aij/": repr(aijchoice.radii(plan.aij)),
    }
