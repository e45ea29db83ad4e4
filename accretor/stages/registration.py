"""Registration: each frame measured alone - sky, sharpness, and the list of its stars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.core import versions
from accretor.core.arrays import Floats
from accretor.core.dumps import FRAMES, STARS
from accretor.core.errors import Unusable
from accretor.core.settings import RegistrationSettings, WorkspaceSettings
from accretor.io import dump, records
from accretor.io.dump import Row
from accretor.stages import masters, reduced, rows
from accretor.stages.bench import Bench, Done
from accretor.stages.reduced import FrameFiles
from accretor.stages.rows import GOOD, Job, fingerprint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from accretor.io.layout import Layout
    from accretor.science.alignment import Transform
    from accretor.science.calibrated import Calibrated
    from accretor.stages.photometry import StarList
    from accretor.stages.workspace import ObservationPlan

BLURRED = 3.0
"""Times the width of the others' stars beyond which a frame that is out of focus is poor."""
FEWEST_RINGS = 5
"""Stars that are enough where they are out of focus: their light is spread, so that few are seen, and
nothing else looks like a ring."""

BLANK: Row = {
    "bkg": math.nan,
    "bkg_noise": math.nan,
    "fwhm": math.nan,
    "elongation": math.nan,
    "nstar": 0,
    "starnum": 0,
    "star_x": None,
    "star_y": None,
    "star_flux": None,
}


@dataclass(frozen=True)
class RegistrationTask:
    """What a worker needs to measure one frame."""

    files: FrameFiles
    settings: RegistrationSettings
    wanted: StarList | None = None
    """What photometry will measure in the frame, as far as that can be told; it is measured at once."""


def run(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings, bench: Bench) -> Done:
    """Bring ``image_info.ecsv`` and ``stars.fits`` up to date."""
    from accretor.stages import ahead

    wanted, hand_on = ahead.of_registration(plan, settings, jobs(plan, layout, settings))
    outcome = rows.augment(
        STARS,
        plan.paths.image_info,
        wanted,
        work=measure,
        blank=BLANK,
        pool=bench.pool,
        progress=bench.progress,
        meta={},
        binary=plan.paths.stars,
        shape={"detection": settings.registration.max_stars},
        redo=bench.redo,
        hand_on=hand_on,
    )
    return Done((plan.paths.image_info, plan.paths.stars), str(outcome), outcome.is_final)


def jobs(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings) -> list[Job]:
    """Return the rows that ``image_info.ecsv`` must have: the frames that preprocess found good."""
    frames = [row for row in dump.read(plan.paths.frames, FRAMES).rows if row["status"] == GOOD]
    files = reduced.frame_files(plan, layout, frames, masters.files(plan.paths))
    return jobs_of(frames, files, settings.registration)


def jobs_of(frames: Sequence[Row], files: Sequence[FrameFiles], settings: RegistrationSettings) -> list[Job]:
    """Return the rows of *frames*, which are those of ``frames.ecsv``."""
    made_with = repr(settings)
    return [_job(row, frame, settings, made_with) for row, frame in zip(frames, files, strict=True)]


def measure(task: RegistrationTask, whole: NDArray[Any] | None = None) -> Row:
    """Return the row of one frame; a frame that shows too little is poor, with its measures.

    *whole* are its pixels, if they have been read.
    """
    image = reduced.look_at(task.files, whole=whole)
    row = _measured(task, image)
    if task.wanted is not None and row.get("status", GOOD) == GOOD:
        from accretor.stages import photometry

        later = photometry.PhotometryTask(task.files, _as_stored(row), task.wanted)
        look = partial(photometry.measure, image=image)
        row[rows.AHEAD] = {"photometry": rows.Guarded(look)(later)}
    return row


def _as_stored(row: Row) -> Row:
    """Return what photometry reads of a row of ``stars.fits``, to the digits of the dump."""
    found = dump.rounded_part(STARS, row)
    for column in STARS.arrays:
        found[column.name] = records.rounded(column, found[column.name])
    return found


def _measured(task: RegistrationTask, image: Calibrated) -> Row:
    from accretor.science import sources

    background = sources.sky(image)
    stars = sources.detect(
        image,
        threshold=task.settings.threshold,
        max_stars=task.settings.max_stars,
        bad=masters.mending(task.files.masters),
        saturation=task.files.saturation * task.files.gain,
        background=background,
    )
    quality = sources.frame_quality(image, stars, background=background)
    row: Row = {
        "bkg": quality.sky,
        "bkg_noise": quality.sky_noise,
        "fwhm": quality.fwhm,
        "elongation": quality.elongation,
        "nstar": quality.n_fwhm,
        "starnum": quality.n_star,
        "star_x": stars.x,
        "star_y": stars.y,
        "star_flux": stars.flux,
    }
    try:
        _judge(quality.n_star, quality.fwhm, task.settings)
    except Unusable as verdict:
        return {**row, "status": rows.POOR, "reason": verdict.reason}
    return row


def _judge(n_star: int, fwhm: float, settings: RegistrationSettings) -> None:
    from accretor.science import frames

    needed = min(settings.min_stars, FEWEST_RINGS) if fwhm > frames.DEFOCUSED else settings.min_stars
    if n_star < needed:
        raise Unusable(f"{n_star} stars found, {needed} needed")
    if math.isnan(fwhm):
        raise Unusable("no star is good enough to measure the FWHM")


def _job(row: Row, files: FrameFiles, settings: RegistrationSettings, made_with: str) -> Job:
    return Job(
        input=row["input"],
        context=fingerprint(versions.REGISTRATION, reduced.identity(files), made_with),
        given={
            "image_name": row["image_name"],
            "obstime": row["obstime"],
            "exptime": row["exptime"],
            "flts": row["filter"],
        },
        payload=RegistrationTask(files, settings),
    )


def aligned(reference: Floats, stars: Floats, reference_fwhm: float, fwhm: float) -> Transform:
    """Return how *stars* lie on those of a *reference*, (n, 2) pixel each.

    Raises
    ------
    Unusable
        If they do not match, or are out of focus where the others are not.
    """
    from accretor.science import alignment, frames

    if fwhm > max(frames.DEFOCUSED, BLURRED * reference_fwhm):
        raise Unusable(f"out of focus: FWHM {fwhm:.1f} pixel, that of others {reference_fwhm:.1f}")
    least = FEWEST_RINGS if min(fwhm, reference_fwhm) > frames.DEFOCUSED else alignment.LEAST
    return alignment.match(reference, stars, min_match=least)


def star_list(row: Row) -> Floats:
    """Return the stars of a row of ``stars.fits``, (n, 2) pixel, brightest first."""
    xy = np.column_stack([row["star_x"], row["star_y"]])
    return np.asarray(xy[np.isfinite(xy).all(axis=1)])
