"""Bring the raw frames to known times and calibrate the detector.

    doit preprocess                all observations
    doit preprocess:TOI-1234.01    those of one target

Each light frame below raw/ gets one row in frames.ecsv: mid-exposure time (UTC,
BJD_TDB), airmass, saturation, digest of its bytes. Bias, dark and flat frames
that fit (camera, size, binning, mode, exposure, temperature, filter, date)
become masters; calibrations.ecsv tells of each frame what became of it. Where
there are no darks but the field drifts, a self-dark is made from the frames
themselves; it is kept when frames are added ([ensemble] policy).

Settings: [preprocess], [[instrument]], [ensemble]. A frame that cannot be used
has status poor and a reason; the others go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import Any

from doit.task import Task

from accretor.core import versions
from accretor.core.frame import Exposure
from accretor.io.inventory import RawFile
from accretor.stages.workspace import ObservationPlan
from tasks import _observations, _workspace

_said = attrgetter(*(field.name for field in fields(Exposure)))
"""All that a header says, as a tuple; ten times as fast as `astuple`, for there may be 10,000."""


def tasks() -> Iterator[Task]:
    """Yield the tasks of the stage."""
    yield from _observations.tasks("preprocess", __doc__ or "", files=_files, made_with=_made_with)


def _files(plan: ObservationPlan) -> tuple[Sequence[Path], Sequence[Path]]:
    listed = _workspace.current().layout.root / (plan.instrument.bad_pixels or ".")
    written = [plan.paths.frames, plan.paths.masters, plan.paths.calibrations]
    return [listed] if listed.is_file() else [], written


def _made_with(plan: ObservationPlan) -> Mapping[str, Any]:
    settings = plan.settings
    calibrations = plan.calibrations
    return {
        "version of the stage": [versions.PREPROCESS, versions.MASTERS],
        "raw frames": [_identity(file) for file in plan.frames],
        "calibration frames": [
            [_identity(file) for file in files]
            for files in (calibrations.bias, calibrations.dark, calibrations.flat)
        ],
        "[[target]]": repr(plan.target),
        "[[instrument]]": repr(plan.instrument),
        "[preprocess]": repr(settings.preprocess),
        "[ensemble] policy": settings.ensemble.policy,
    }


def _identity(file: RawFile) -> tuple[Any, ...]:
    return file.path, file.size, file.mtime_ns, _said(file.exposure)
