"""Compressed frames unpacked once: what preprocess decoded is kept until photometry has seen it.

It is kept by the run that made it, for itself: no other run looks at it, so that what a
power cut leaves is never taken for a frame. What an earlier run left is removed.
"""

from __future__ import annotations

import functools
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from accretor.io import digests

if TYPE_CHECKING:
    from accretor.core.settings import ComputeSettings
    from accretor.stages.workspace import ObservationPlan

_PREFIX = ".unpacked-"
_UNITS = {"MB": 1e6, "GB": 1e9, "TB": 1e12}


def folder(plan: ObservationPlan) -> Path:
    """Return where this run keeps the unpacked frames of an observation."""
    return plan.paths.folder / f"{_PREFIX}{_run()}"


def room(plan: ObservationPlan, settings: ComputeSettings) -> int:
    """Return how many frames of an observation may be kept."""
    exposure = plan.frames[0].exposure
    assert exposure is not None
    allowed = float(settings.scratch[:-2]) * _UNITS[settings.scratch[-2:]]
    return int(allowed // max(4 * exposure.width * exposure.height, 1))


def kept(plan: ObservationPlan, digest: str) -> str:
    """Return the file in which the frame with this *digest* is, if it was kept; "" if none is."""
    place = folder(plan)
    return str(file_of(place, digest)) if place.is_dir() else ""


def file_of(place: Path, digest: str) -> Path:
    """Return the file of one frame in a folder of them."""
    return place / f"{digest.removeprefix(digests.NAME)[:32]}.npy"


def clear(plan: ObservationPlan, *, others: bool = False) -> None:
    """Remove what this run keeps of an observation; with *others* what earlier runs left instead."""
    mine = folder(plan)
    if not others:
        shutil.rmtree(mine, ignore_errors=True)
        return
    for place in plan.paths.folder.glob(f"{_PREFIX}*"):
        if place != mine:
            shutil.rmtree(place, ignore_errors=True)


@functools.cache
def _run() -> str:
    """Return a name that no other run has."""
    return f"{os.getpid()}-{time.time_ns()}"
