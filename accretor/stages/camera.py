"""What preprocess finds out of a camera: its masters, the map of its bad pixels, its gain."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.core import part
from accretor.core.errors import Blocked, Unusable
from accretor.core.readout import Readout, parse
from accretor.core.settings import WorkspaceSettings
from accretor.io import digests
from accretor.io import fits as io_fits
from accretor.io.dump import Row
from accretor.io.inventory import RawFile
from accretor.stages import badpixels, flatlight, masters, measured_gain, measured_saturation
from accretor.stages.bench import Bench
from accretor.stages.masters import MasterFiles, Source
from accretor.stages.rows import GOOD

if TYPE_CHECKING:
    from accretor.io.layout import Layout
    from accretor.stages.workspace import ObservationPlan

log = logging.getLogger("accretor")

LEVEL = 20.0
"""ADU by which a median may be off."""
SELF_DARK_FRAMES = 61
"""Most frames in a self-dark; more do not make its median better than the sky allows."""


@dataclass(frozen=True)
class Camera:
    """What is recorded of a camera in ``masters.ecsv``."""

    rows: list[Row]
    remarks: list[str]
    readout: Readout
    detector: Row
    """Gain, read noise and saturation, where they had to be measured."""
    self_dark: Row
    """Of how many frames it would now be made, and what would be gained."""
    flat_levels: dict[str, float]
    """Median of each flat frame by digest, ADU."""

    @property
    def meta(self) -> Row:
        """Header of the record."""
        return {
            "remarks": self.remarks,
            "readout": masters.readout_meta(self.readout),
            "detector": self.detector,
            "self_dark": self.self_dark,
            "flat_levels": self.flat_levels,
        }


def find_out(
    plan: ObservationPlan,
    layout: Layout,
    settings: WorkspaceSettings,
    found: Mapping[RawFile, Row],
    bench: Bench,
) -> Camera:
    """Make the masters whose frames are new, keep the others, and say what is missing.

    Parameters
    ----------
    found : mapping
        Row of ``frames.ecsv`` of each light frame.
    """
    readout, remarks = declared(plan, settings)
    old = {} if bench.redo else masters.recorded(plan.paths)
    record: list[Row] = []
    choice: Row = {}
    levels: dict[str, float] = {}
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
            if kind == "flat" and sources[0].n_combined == 1:
                exposure = plan.frames[0].exposure
                assert exposure is not None
                before = masters.recorded_flat_levels(plan.paths)
                lit = flatlight.choose(sources, exposure.saturation, readout.trim, before)
                sources, levels = lit.sources, lit.levels
                remarks.extend(lit.remarks)
            made_with = [] if kind == "bias" else [row["digest"] for row in record]
            so_far = masters.of_rows(plan.paths, record, readout)
            record.append(
                _kept_or_made(kind, sources, plan, so_far, old, made_with, may_share=not bench.redo)
            )
            remarks += masters.left_out(record[-1], sources)
            remarks += filter(None, [record[-1]["remark"]])
            _refuse_too_high(plan, record[-1], found)
    done = plan.calibrated
    if done:
        remarks.append(f"the frames were calibrated before ({done}), and are not calibrated again")
    if not plan.calibrations.dark and "D" not in done:
        said, choice = _self_dark(plan, layout, settings, found, record, old, bench, readout)
        remarks.append(f"{plan.calibrations.none_of('dark', 'darks')}: {said}")
        if not masters.of_rows(plan.paths, record, readout).has_zero_level:
            remarks.append(
                f"{plan.calibrations.none_of('bias', 'bias')}: the sky holds the zero level of the detector; "
                "its noise is measured, not computed"
            )
    if not plan.calibrations.flat and "F" not in done:
        none = plan.calibrations.none_of("flat", "flats")
        remarks.append(f"{none}: if the field drifts, the flux follows the response of the pixels")
    masks = badpixels.chosen(plan, layout, settings, found, old, renew=bench.renew)
    bad, said_of_bad = badpixels.find_out(plan, layout, record, old, readout, masks)
    remarks += said_of_bad
    if bad is not None:
        record.append(bad)
    detector, said_of_it = measured_gain.find_out(
        plan, layout, settings, found, masters.of_rows(plan.paths, record, readout), bench
    )
    full, said_of_full = measured_saturation.find_out(plan, layout, settings, found, bench)
    remarks += [*said_of_it, *said_of_full]
    return Camera(record, remarks, readout, detector | full, choice, levels)


def applied(plan: ObservationPlan, record: Sequence[Row]) -> list[Row]:
    """Return a row for each calibration frame of the workspace: the master that it is in, or why none."""
    of = plan.calibrations
    used = {row["kind"]: set(row["frames"].split(masters.BETWEEN)) for row in record}
    why = "its light, or damage: see the remarks of masters.ecsv"
    verdicts = [
        (file, kind, "" if file.name in used.get(kind, ()) else why)
        for kind, files in (("bias", of.bias), ("dark", of.dark), ("flat", of.flat))
        for file in files
    ]
    verdicts += [(file, file.exposure.kind, reason) for file, reason in of.left_out if file.exposure]
    return [
        {
            "path": file.path,
            "kind": kind,
            "n_combined": file.exposure.n_combined,
            "use": "" if reason else f"{kind}.fits",
            "reason": reason,
            "exposure": file.exposure.exposure,
            "temperature": file.exposure.temperature,
            "filter": file.exposure.filter,
            "mid": file.exposure.mid,
        }
        for file, kind, reason in sorted(verdicts, key=lambda verdict: verdict[0].path)
        if file.exposure
    ]


def _refuse_too_high(plan: ObservationPlan, row: Row, found: Mapping[RawFile, Row]) -> None:
    """Refuse a master bias that was given and is higher than the frames: of another scale, gain or offset.

    Raises
    ------
    Unusable
        With both levels.
    """
    if row["kind"] != "bias" or not row["remark"]:
        return
    levels = [of["level"] for of in found.values() if of["status"] == GOOD]
    level = float(np.median(io_fits.read_image(plan.paths.master("bias"))))
    if levels and level > max(levels) + LEVEL:
        raise Unusable(
            f"master bias {row['frames']}: its level is {level:.4g} ADU, and no frame is above "
            f"{max(levels):.4g}: it is of another camera, offset or scale; take it out of raw/"
        )


def frame_names(files: Sequence[RawFile]) -> list[str]:
    """Return by what each frame is called: its file, with the folder where that alone is not unique."""
    counts = Counter(file.name for file in files)
    return [file.name if counts[file.name] == 1 else file.path.replace("/", "_") for file in files]


def declared(plan: ObservationPlan, settings: WorkspaceSettings) -> tuple[Readout, list[str]]:
    """Return how the detector is read out, by the settings or else the headers, and what is not done of it.

    Raises
    ------
    Blocked
        If a section of the settings holds no pixel.
    """
    exposure = plan.frames[0].exposure
    assert exposure is not None
    try:
        overscan, trim = (parse(text) if text else None for text in (exposure.overscan, exposure.trim))
    except ValueError as error:
        raise Blocked(f"{plan.observation.slug}: [[instrument]] overscan and trim: {error}") from None
    nonlinearity = plan.instrument.nonlinearity
    remarks = []
    if nonlinearity and not plan.calibrations.bias and overscan is None:
        nonlinearity = ()
        remarks.append(
            "nonlinearity of the settings not used: neither bias nor overscan tells the zero level"
        )
    if overscan is not None:
        remarks.append(f"overscan {overscan} taken off each frame")
    before = bool({"B", "D"} & set(plan.calibrated)) or part.parse(exposure.part).is_levelled
    readout = Readout(overscan, trim, nonlinearity, settings.preprocess.median3, before)
    return readout, remarks


def _digests(files: Sequence[RawFile], layout: Layout) -> list[str]:
    """Return the digests of calibration frames; only those that are new are read."""
    keys = [digests.key(file.path, file.size, file.mtime_ns) for file in files]
    find = digests.finder(layout.digests, layout.raw)
    found = {item: find(item) for item in keys}
    new = {
        item: digests.of_file(layout.raw / file.path)
        for item, file in zip(keys, files, strict=True)
        if found[item] is None
    }
    digests.add(layout.digests, new)
    return [found[item] or new[item] for item in keys]


def _kept_or_made(
    kind: str,
    sources: list[Source],
    plan: ObservationPlan,
    so_far: MasterFiles,
    old: Mapping[str, Row],
    made_with: list[str],
    *,
    may_share: bool = False,
) -> Row:
    identity = masters.input_of(kind, sources, made_with, so_far.readout)
    if kind in old and old[kind]["input"] == identity and masters.is_whole(plan.paths, old[kind]):
        return old[kind]
    if may_share and (shared := masters.of_another(kind, identity, plan.paths)) is not None:
        return shared
    return masters.make(kind, sources, plan.paths, so_far, identity)


def _self_dark(
    plan: ObservationPlan,
    layout: Layout,
    settings: WorkspaceSettings,
    found: Mapping[RawFile, Row],
    record: list[Row],
    old: Mapping[str, Row],
    bench: Bench,
    readout: Readout,
) -> tuple[str, dict[str, Any]]:
    """Add a self-dark to *record* where the field drifts enough.

    It is a choice of frames that every measurement depends on; so with the policy
    ``keep`` those that were chosen stay, whatever frames are added, as long as all of
    them are there and good.

    Returns
    -------
    tuple
        What was done, in words, and the record of the choice: ``n_now`` frames would now
        be chosen, and the noise of the pattern would then be less by the part ``gain``.
    """
    if settings.preprocess.self_dark == "never":
        return '[preprocess] self_dark = "never"', {}
    from accretor.science import combine

    names = dict(zip(plan.frames, frame_names(plan.frames), strict=True))
    usable = {
        names[file]: replace(masters.source(layout.raw, file, row["input"]), name=names[file])
        for file, row in found.items()
        if row["status"] == GOOD
    }
    best = [list(usable)[i] for i in combine.self_dark_indices(len(usable), SELF_DARK_FRAMES)]
    pinned = chosen = _pinned_frames(plan, settings, usable)
    if not chosen and settings.ensemble.policy == "keep" and not bench.renew:
        chosen = masters.still_there(old.get("selfdark"), usable)
    chosen = chosen or best
    sources = [usable[name] for name in chosen]
    so_far = masters.of_rows(plan.paths, record, readout)
    made_with = [row["digest"] for row in record]
    try:
        record.append(_kept_or_made("selfdark", sources, plan, so_far, old, made_with))
    except Unusable as verdict:
        return f"no self-dark either, {verdict.reason}", {}
    gain = max(1 - math.sqrt(len(chosen) / len(best)), 0.0)
    unused = settings.preprocess.self_dark_frames and not pinned
    said = "; [preprocess] self_dark_frames names none of its frames" if unused else ""
    return f"self-dark of {len(sources)} frames{said}", {"n_now": len(best), "gain": round(gain, 3)}


def _pinned_frames(plan: ObservationPlan, settings: WorkspaceSettings, usable: Collection[str]) -> list[str]:
    """Return the frames that the settings name for the self-dark; none if they are all of other observations.

    Raises
    ------
    Blocked
        If one of them cannot be used.
    """
    wanted = list(settings.preprocess.self_dark_frames)
    if not set(wanted) & set(frame_names(plan.frames)):
        return []
    if lacking := [name for name in wanted if name not in usable]:
        raise Blocked(
            f"{plan.observation.slug}: [preprocess] self_dark_frames: {lacking[0]} is not one of its "
            "good frames, which are in frames.ecsv"
        )
    return wanted
