"""Preprocess: what each raw frame is worth, when it was taken, and the masters that calibrate it."""

from __future__ import annotations

import functools
import logging
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from accretor.core import versions
from accretor.core.dumps import FRAMES, MASTERS
from accretor.core.errors import Unusable
from accretor.core.settings import Target, WorkspaceSettings
from accretor.io import digests, dump, pixels
from accretor.io import fits as io_fits
from accretor.io.dump import Row
from accretor.io.inventory import RawFile
from accretor.science import angles
from accretor.stages import masters, rows, scratch
from accretor.stages.bench import Bench, Done
from accretor.stages.masters import MasterFiles, Source
from accretor.stages.rows import GOOD, Job, fingerprint

if TYPE_CHECKING:
    from accretor.core.arrays import Floats
    from accretor.io.layout import Layout
    from accretor.stages.workspace import ObservationPlan

log = logging.getLogger("accretor")

SELF_DARK_FRAMES = 61
"""Most frames in a self-dark; more do not make its median better than the sky allows."""

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
    mid: str
    target: tuple[float, float, float, float]
    """Right ascension and declination, degree; proper motion, milliarcsec per year."""
    site: tuple[float, float, float]
    saturation: float
    check_sum: bool
    clock_jump: float
    """Degree by which the header's altitude alone contradicts the clock; 0 if it does not."""
    unpacked: str = ""
    """Folder in which to keep the frame if it has to be unpacked; "" for nowhere."""


_made_with = attrgetter(
    *(field.name for field in fields(FrameTask) if field.name not in ("path", "unpacked"))
)
"""All that a row depends on but the raw bytes, as a tuple."""


def run(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings, bench: Bench) -> Done:
    """Bring ``frames.ecsv`` and the masters of an observation up to date."""
    scratch.clear(plan, others=True)
    keys = [digests.key(file.path, file.size, file.mtime_ns) for file in plan.frames]

    def remember(index: int, row: Row) -> None:
        if row["input"]:
            digests.add(layout.digests, {keys[index]: row["input"]})

    outcome = rows.augment(
        FRAMES,
        plan.paths.frames,
        _unpacking(jobs(plan, layout, settings), plan, settings),
        work=look,
        blank=BLANK,
        pool=bench.pool,
        progress=bench.progress,
        meta={"remarks": [*plan.detector.remarks, *_remarks(plan)]},
        redo=bench.redo,
        remember=remember,
    )
    found = dict(zip(plan.frames, outcome.rows, strict=True))
    record, remarks = _masters(plan, layout, settings, found, bench)
    dump.write(plan.paths.masters, MASTERS, record, {"remarks": remarks})
    written = [plan.paths.frames, plan.paths.masters, *(plan.paths.master(row["kind"]) for row in record)]
    made_of = ", ".join(f"{row['kind']} of {row['n_frame']}" for row in record) or "no calibration frames"
    return Done(tuple(written), f"{outcome}; {made_of}", outcome.is_final)


def jobs(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings) -> list[Job]:
    """Return the rows that ``frames.ecsv`` must have."""
    from accretor.science import times

    find = digests.finder(layout.digests, layout.raw)
    jumps = times.clock_jumps(*_altitudes(plan)).tolist()
    common = FrameTask(
        path="",
        hdu=0,
        mid="",
        target=direction(plan.target),
        site=plan.site,
        saturation=plan.detector.saturation,
        check_sum=settings.preprocess.check_sums,
        clock_jump=0.0,
    )
    return [
        _job(common, layout.raw, file, name, find(digests.key(file.path, file.size, file.mtime_ns)), jump)
        for file, name, jump in zip(plan.frames, _names(plan.frames), jumps, strict=True)
    ]


def _unpacking(found: list[Job], plan: ObservationPlan, settings: WorkspaceSettings) -> list[Job]:
    """Return the jobs with a place to keep what is unpacked, as far as there is room."""
    room, place = scratch.room(plan, settings.compute), str(scratch.folder(plan))
    return [
        replace(job, payload=replace(job.payload, unpacked=place)) if index < room else job
        for index, job in enumerate(found)
    ]


def look(task: FrameTask) -> Row:
    """Return the row of one raw frame: its digest, times, airmass, level and saturation."""
    from accretor.science import times

    keep = functools.partial(scratch.file_of, Path(task.unpacked)) if task.unpacked else None
    taken = pixels.take(Path(task.path), task.hdu, check_sum=task.check_sum, keep=keep)
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
    from accretor.science import levels

    level = levels.measure(taken.image, task.saturation)
    if level.n_undefined == taken.image.size:
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
        mid=exposure.mid,
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


def _remarks(plan: ObservationPlan) -> list[str]:
    """Return what the headers' own altitudes say of site and clock."""
    from accretor.science import times

    said = times.cross_check(*_altitudes(plan))
    return [said] if said else []


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


def _masters(
    plan: ObservationPlan,
    layout: Layout,
    settings: WorkspaceSettings,
    found: dict[RawFile, Row],
    bench: Bench,
) -> tuple[list[Row], list[str]]:
    """Make the masters whose frames are new, keep the others, and say what is missing."""
    old = {} if bench.redo else masters.recorded(plan.paths)
    record: list[Row] = []
    remarks = []
    for kind, files in (
        ("bias", plan.calibrations.bias),
        ("dark", plan.calibrations.dark),
        ("flat", plan.calibrations.flat),
    ):
        if files:
            sources = [
                masters.source(layout.raw, file, digest)
                for file, digest in zip(files, _digests(files, layout), strict=True)
            ]
            made_with = [] if kind == "bias" else [row["digest"] for row in record]
            record.append(_kept_or_made(kind, sources, plan, record, old, made_with))
            if damaged := masters.left_out(record[-1], sources):
                remarks.append(f"damaged, and not in the master {kind}: {', '.join(damaged)}")
    if not plan.calibrations.dark:
        said = _self_dark(plan, layout, settings, found, record, old, bench)
        remarks.append(f"no darks: {said}")
        if not plan.calibrations.bias:
            remarks.append(
                "no bias: the sky holds the zero level of the detector; its noise is measured, not computed"
            )
    if not plan.calibrations.flat:
        remarks.append("no flats: if the field drifts, the flux follows the response of the pixels")
    return record, remarks


def _digests(files: Sequence[RawFile], layout: Layout) -> list[str]:
    """Return the digests of calibration frames; only those that are new are read."""
    keys = [digests.key(file.path, file.size, file.mtime_ns) for file in files]
    find = digests.finder(layout.digests, layout.raw)
    found = {item: find(item) for item in keys}
    new = {
        item: io_fits.digest(layout.raw / file.path)
        for item, file in zip(keys, files, strict=True)
        if found[item] is None
    }
    digests.add(layout.digests, new)
    return [found[item] or new[item] for item in keys]


def _names(files: Sequence[RawFile]) -> list[str]:
    """Return by what each frame is called: its file, with the folder where that alone is not unique."""
    counts = Counter(file.name for file in files)
    return [file.name if counts[file.name] == 1 else file.path.replace("/", "_") for file in files]


def _kept_or_made(
    kind: str,
    sources: list[Source],
    plan: ObservationPlan,
    record: list[Row],
    old: dict[str, Row],
    made_with: list[str],
) -> Row:
    identity = masters.input_of(kind, sources, made_with)
    if kind in old and old[kind]["input"] == identity and _is_whole(plan, old[kind]):
        return old[kind]
    return masters.make(kind, sources, plan.paths, _so_far(plan, record), identity)


def _is_whole(plan: ObservationPlan, row: Row) -> bool:
    return bool(io_fits.digest(plan.paths.master(row["kind"])) == row["digest"])


def _so_far(plan: ObservationPlan, record: list[Row]) -> MasterFiles:
    by_kind = {row["kind"]: row for row in record}
    return MasterFiles(
        bias=str(plan.paths.master("bias")) if "bias" in by_kind else "",
        dark=str(plan.paths.master("dark")) if "dark" in by_kind else "",
        dark_exposure=by_kind["dark"]["exposure"] if "dark" in by_kind else math.nan,
        digests=tuple((row["kind"], row["digest"]) for row in record),
    )


def _self_dark(
    plan: ObservationPlan,
    layout: Layout,
    settings: WorkspaceSettings,
    found: dict[RawFile, Row],
    record: list[Row],
    old: dict[str, Row],
    bench: Bench,
) -> str:
    """Add a self-dark to *record* where the field drifts enough, and say what was done.

    It is a choice of frames that every measurement depends on; so with the policy
    ``keep`` one that was made stays, whatever frames are added.
    """
    if settings.preprocess.self_dark == "never":
        return "no self-dark is wanted"
    is_kept = settings.ensemble.policy == "keep" and not bench.renew
    if is_kept and "selfdark" in old and _is_whole(plan, old["selfdark"]):
        record.append(old["selfdark"])
        return f"self-dark of {old['selfdark']['n_frame']} frames"
    from accretor.science import combine

    usable = [(file, row) for file, row in found.items() if row["status"] == GOOD]
    chosen = [usable[i] for i in combine.self_dark_indices(len(usable), SELF_DARK_FRAMES)]
    sources = [masters.source(layout.raw, file, row["input"]) for file, row in chosen]
    try:
        record.append(
            _kept_or_made("selfdark", sources, plan, record, old, [row["digest"] for row in record])
        )
    except Unusable as verdict:
        return f"no self-dark either, {verdict.reason}"
    return f"self-dark of {len(sources)} frames"
