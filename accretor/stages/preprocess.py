"""Preprocess: what each raw frame is worth, when it was taken, and the masters that calibrate it."""

from __future__ import annotations

import functools
import logging
import math
from collections import Counter
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from accretor.core import versions
from accretor.core.dumps import CALIBRATIONS, FRAMES, MASTERS
from accretor.core.errors import Unusable
from accretor.core.readout import parse
from accretor.core.settings import Target, WorkspaceSettings
from accretor.instruments.timing import ASSUMED
from accretor.io import digests, dump, pixels
from accretor.io.dump import Row
from accretor.io.inventory import RawFile
from accretor.science import angles
from accretor.stages import camera, rows, scratch, vanished
from accretor.stages.bench import Bench, Done
from accretor.stages.rows import Job, fingerprint

if TYPE_CHECKING:
    from accretor.core.arrays import Floats
    from accretor.io.layout import Layout
    from accretor.stages.registration import RegistrationTask
    from accretor.stages.workspace import ObservationPlan

log = logging.getLogger("accretor")

TWILIGHT = -6.0
"""Degree of the Sun's altitude above which a frame is of twilight, whose sky outshines the stars."""

BLANK: Row = {
    "jd_utc": math.nan,
    "bjd_tdb": math.nan,
    "hjd_utc": math.nan,
    "airmass": math.nan,
    "altitude": math.nan,
    "level": math.nan,
    "n_saturated": 0,
    "n_undefined": 0,
}


@dataclass(frozen=True)
class FrameTask:
    """What a worker needs to look at one raw frame."""

    path: str
    hdu: int
    part: str
    mid: str
    target: tuple[float, float, float, float]
    """Right ascension and declination, degree; proper motion, milliarcsec per year."""
    site: tuple[float, float, float]
    saturation: float
    trim: str
    check_sum: bool
    clock_jump: float
    """Degree by which the header's altitude alone contradicts the clock; 0 if it does not."""
    unpacked: str = ""
    """Folder in which to keep the frame if it has to be unpacked; "" for nowhere."""
    ahead: RegistrationTask | None = None
    """What registration will want of the frame, as far as that can be told; it is done at once."""


_made_with = attrgetter(
    *(field.name for field in fields(FrameTask) if field.name not in ("path", "unpacked", "ahead"))
)
"""All that a row depends on but the raw bytes, as a tuple."""


def run(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings, bench: Bench) -> Done:
    """Bring ``frames.ecsv`` and the masters of an observation up to date."""
    if not bench.redo:
        vanished.refuse(plan, layout)
    scratch.clear(plan, others=True)
    keys = [digests.key(file.path, file.size, file.mtime_ns) for file in plan.frames]

    def remember(index: int, row: Row) -> None:
        if row["input"]:
            digests.add(layout.digests, {keys[index]: row["input"]})

    from accretor.stages import ahead

    wanted, hand_on = ahead.of_preprocess(plan, layout, settings, jobs(plan, layout, settings))
    outcome = rows.augment(
        FRAMES,
        plan.paths.frames,
        _unpacking(wanted, plan, settings),
        work=look,
        blank=BLANK,
        pool=bench.pool,
        progress=bench.progress,
        meta=_said_of_times(plan, settings),
        redo=bench.redo,
        remember=remember,
        hand_on=hand_on,
    )
    found = dict(zip(plan.frames, outcome.rows, strict=True))
    found_out = camera.find_out(plan, layout, settings, found, bench)
    dump.write(plan.paths.masters, MASTERS, found_out.rows, found_out.meta)
    applied = camera.applied(plan, found_out.rows)
    dump.write(plan.paths.calibrations, CALIBRATIONS, applied, {"n_light": len(plan.frames)})
    _ = plan.detector  # without a gain nothing can follow
    of_frames = [row for row in found_out.rows if row["kind"] != "bad"]
    made_of = ", ".join(_made_of(row) for row in of_frames) or _no_calibrations(plan)
    written = [
        plan.paths.frames,
        plan.paths.masters,
        plan.paths.calibrations,
        *(plan.paths.master(row["kind"]) for row in found_out.rows),
    ]
    return Done(tuple(written), f"{outcome}; {made_of}", outcome.is_final)


def _no_calibrations(plan: ObservationPlan) -> str:
    n_unfit = len(plan.calibrations.left_out)
    if not n_unfit:
        return "no calibration frames"
    return f"no calibration frame fits, of {n_unfit} ({plan.paths.calibrations.name} says why)"


def _made_of(row: Row) -> str:
    of = f" of {row['n_frame']}" if row["n_frame"] else ""
    return f"{row['kind']}{' given,' if row['remark'] else ''}{of}".removesuffix(",")


def jobs(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings) -> list[Job]:
    """Return the rows that ``frames.ecsv`` must have."""
    from accretor.science import times

    find = digests.finder(layout.digests, layout.raw)
    jumps = times.clock_jumps(*_altitudes(plan)).tolist()
    common = FrameTask(
        path="",
        hdu=0,
        part="",
        mid="",
        target=direction(plan.target),
        site=plan.site,
        saturation=plan.declared.saturation,
        trim="",
        check_sum=settings.preprocess.check_sums,
        clock_jump=0.0,
    )
    return [
        _job(common, layout.raw, file, name, find(digests.key(file.path, file.size, file.mtime_ns)), jump)
        for file, name, jump in zip(plan.frames, camera.frame_names(plan.frames), jumps, strict=True)
    ]


def _unpacking(found: list[Job], plan: ObservationPlan, settings: WorkspaceSettings) -> list[Job]:
    """Return the jobs with a place to keep what is unpacked, as far as there is room.

    What is measured at once is not kept: no later stage will look at it.
    """
    room, place = scratch.room(plan, settings.compute), str(scratch.folder(plan))
    return [
        replace(job, payload=replace(job.payload, unpacked=place))
        if index < room and (job.payload.ahead is None or job.payload.ahead.wanted is None)
        else job
        for index, job in enumerate(found)
    ]


def look(task: FrameTask) -> Row:
    """Return the row of one raw frame: its digest, times, airmass, level and saturation."""
    from accretor.science import times
    from accretor.science.readout import window

    keep = functools.partial(scratch.file_of, Path(task.unpacked)) if task.unpacked else None
    taken = pixels.take(Path(task.path), task.hdu, task.part, check_sum=task.check_sum, keep=keep)
    found = times.frame_times([task.mid], times.Direction(*task.target), times.Site(*task.site))
    row: Row = {
        "input": taken.digest,
        "jd_utc": found.jd_utc[0],
        "bjd_tdb": found.bjd_tdb[0],
        "hjd_utc": found.hjd_utc[0],
        "airmass": found.airmass[0],
        "altitude": found.altitude[0],
    }
    if taken.image is None:
        return {**row, "status": rows.POOR, "reason": taken.reason}
    try:
        image = window(taken.image, parse(task.trim) if task.trim else None)
    except Unusable as verdict:
        return {**row, "status": rows.POOR, "reason": verdict.reason}
    from accretor.science import levels

    level = levels.measure(image, task.saturation)
    if level.n_undefined == image.size:
        return {**row, "status": rows.POOR, "reason": "no pixel has a value"}
    row |= {
        "level": level.median,
        "n_saturated": level.n_saturated,
        "n_undefined": level.n_undefined,
    }
    if task.clock_jump:
        reason = (
            f"at {task.mid} UTC the target is {abs(task.clock_jump):.1f} degrees from the altitude in the "
            "header, where other frames agree; was the clock wrong?"
        )
        return {**row, "status": rows.POOR, "reason": reason}
    if not found.altitude[0] > 0:
        reason = f"the target is {found.altitude[0]:.1f} degrees high at {task.mid} UTC; check site and clock"
        return {**row, "status": rows.POOR, "reason": reason}
    if found.sun_altitude[0] > TWILIGHT:
        reason = (
            f"twilight: the Sun is {found.sun_altitude[0]:+.1f} degrees high at {task.mid} UTC; "
            "else check site and clock"
        )
        return {**row, "status": rows.POOR, "reason": reason}
    if task.ahead is not None:
        from accretor.stages import registration

        registered = rows.Guarded(functools.partial(registration.measure, whole=taken.image))(task.ahead)
        row[rows.AHEAD] = {**registered.pop(rows.AHEAD, {}), "registration": registered}
    return row


def direction(target: Target) -> tuple[float, float, float, float]:
    """Return right ascension and declination (degree) and proper motion (milliarcsec per year)."""
    return angles.right_ascension(target.ra), angles.declination(target.dec), target.pm_ra, target.pm_dec


def _job(
    common: FrameTask, raw: Path, file: RawFile, name: str, digest: str | None, clock_jump: float
) -> Job:
    exposure = file.exposure
    assert exposure is not None
    task = replace(
        common,
        path=str(raw / file.path),
        hdu=exposure.hdu,
        part=exposure.part,
        mid=exposure.mid,
        trim=exposure.trim,
        clock_jump=round(clock_jump, 1),
    )
    return Job(
        input=digest,
        context=fingerprint(versions.PREPROCESS, _made_with(task)),
        given={
            "image_name": name,
            "path": file.path,
            "obstime": exposure.mid,
            "exptime": exposure.exposure,
            "filter": exposure.filter,
            "ccd_temperature": exposure.temperature,
            "remark": exposure.remark,
        },
        payload=task,
    )


def _said_of_times(plan: ObservationPlan, settings: WorkspaceSettings) -> Row:
    """Return what the header of ``frames.ecsv`` says: remarks, and what no package may be sent with."""
    import numpy as np

    from accretor.science import clockcheck, headertruth, times

    exposures = [file.exposure for file in plan.frames if file.exposure]
    header, computed = _altitudes(plan)
    mids = [sum(times.julian_date(exposure.mid)) for exposure in exposures]
    verdict = clockcheck.check(
        clockcheck.Clocks(
            name=tuple(file.path for file in plan.frames),
            mid=np.array(mids),
            exposure=np.array([exposure.exposure for exposure in exposures]),
            julian_offset=np.array([exposure.julian_offset for exposure in exposures]),
            sidereal_offset=np.array([exposure.sidereal_offset for exposure in exposures]),
            altitude_header=header,
            altitude=computed,
        )
    )
    # Half a degree is two minutes at least, for nothing in the sky rises faster than 15 degrees an hour.
    problems = [*filter(None, [times.cross_check(header, computed)]), *verdict.problems]
    place = (direction(plan.target)[:2], plan.site[:2])
    problems += filter(
        None, [headertruth.sentence(headertruth.explain(np.array(mids), header, computed, *place))]
    )
    rule = Counter(exposure.time_rule for exposure in exposures).most_common(1)[0][0]
    remarks = [*verdict.remarks, *problems]
    if any(exposure.time_rule.endswith(ASSUMED) for exposure in exposures):
        remarks.append(f"{rule}; nothing in the headers proves it: say time_stamp = ... in [[instrument]]")
    return {
        "remarks": remarks,
        "problems": [] if settings.preprocess.believe_clock else problems,
        "time_rule": rule,
    }


def _altitudes(plan: ObservationPlan) -> tuple[Floats, Floats]:
    """Return the altitudes in the headers, and those that follow from their times; NaN where not known."""
    import numpy as np

    from accretor.science import times

    exposures = [file.exposure for file in plan.frames if file.exposure]
    header = np.array([exposure.altitude for exposure in exposures])
    if np.isnan(header).all():
        return header, header
    mids = [exposure.mid for exposure in exposures]
    return header, times.altitudes(mids, times.Direction(*direction(plan.target)), times.Site(*plan.site))
