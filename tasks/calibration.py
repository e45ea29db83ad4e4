"""Make the light curve: comparison stars, aperture, trend, transit fit.

    doit calibration:TOI-1234.01

The ensemble is a robust zero point over many comparison stars; which are used,
and why others are not, is in comparison.ecsv. The aperture is the one with the
least point-to-point scatter, blind to the transit (apertures.ecsv). Trend and
transit are fitted together; errors include correlated noise. lightcurve.ecsv
has one row per frame, results.json the numbers.

Settings: [calibration], [target.ephemeris], [packaging] n_comparison.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from doit.task import Task

from accretor.core import versions
from accretor.stages import aijchoice
from accretor.stages.workspace import ObservationPlan
from tasks import _observations, _workspace


def tasks() -> Iterator[Task]:
    """Yield the tasks of the stage."""
    yield from _observations.tasks("calibration", __doc__ or "", files=_files, made_with=_made_with)


def _files(plan: ObservationPlan) -> tuple[Sequence[Path], Sequence[Path]]:
    return (
        [
            plan.paths.frames,
            plan.paths.masters,
            plan.paths.image_info,
            plan.paths.template_stars,
            plan.paths.photometry,
            *_workspace.catalogs(plan),
        ],
        [
            plan.paths.light_curve,
            plan.paths.comparison,
            plan.paths.apertures,
            plan.paths.fit_points,
            *([plan.paths.posterior] if plan.settings.calibration.sampling else []),
            plan.paths.results,
        ],
    )


def _made_with(plan: ObservationPlan) -> Mapping[str, Any]:
    settings = plan.settings
    return {
        "version of the stage": versions.CALIBRATION,
        "science version": versions.SCIENCE,
        "[calibration]": repr(settings.calibration),
        "[[target]]": repr(plan.target),
        "[[instrument]]": repr(plan.instrument),
        "aij/": aijchoice.identity(plan.aij),
        "[[catalogs.file]]": repr(settings.catalogs.file),
        "[packaging] n_comparison": settings.packaging.n_comparison,
    }
