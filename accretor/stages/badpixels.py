"""The map of bad pixels of an observation: by dark and flat, by the settings, by the masks of its frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from accretor.core.errors import Blocked, Unusable
from accretor.core.settings import WorkspaceSettings
from accretor.io import fits as io_fits
from accretor.stages import masters
from accretor.stages.masters import MasterFiles, Source
from accretor.stages.rows import GOOD

if TYPE_CHECKING:
    from accretor.core.arrays import Booleans, Image
    from accretor.core.readout import Readout
    from accretor.io.dump import Row
    from accretor.io.inventory import RawFile
    from accretor.io.layout import Layout, ObservationPaths
    from accretor.stages.workspace import ObservationPlan

FRAMES = 3
"""Frames whose masks are compared: what is bad in most of them is of the camera, all else of one exposure."""
MOST = 0.5
"""Part of the pixels that a mask may cover; above, it means something else, or counts the other way round."""


@dataclass(frozen=True)
class Masks:
    """The masks beside some frames."""

    sources: tuple[Source, ...]
    """The frames; ``hdu`` is that of the mask."""
    bits: int
    """Those that make a pixel bad; 0: any."""


def chosen(
    plan: ObservationPlan,
    layout: Layout,
    settings: WorkspaceSettings,
    found: Mapping[RawFile, Row],
    old: Mapping[str, Row],
    *,
    renew: bool,
) -> Masks | None:
    """Return the frames whose masks tell the bad pixels of the camera; None if frames have none.

    They are spread over the night; with the policy ``keep`` those of the last time stay, whatever is added.
    """
    from accretor.stages.camera import frame_names

    usable: dict[str, Source] = {}
    bits = 0
    for file, name in zip(plan.frames, frame_names(plan.frames), strict=True):
        row, exposure = found[file], file.exposure
        if exposure is not None and exposure.mask_hdu and row["status"] == GOOD:
            bits = exposure.mask_bits
            usable[name] = Source(layout.raw / file.path, exposure.mask_hdu, row["input"], 0.0, name)
    if not usable:
        return None
    names: Sequence[str] = []
    if settings.ensemble.policy == "keep" and not renew:
        names = masters.still_there(old.get("bad"), usable)
    every = list(usable)
    names = names or [every[index] for index in sorted({0, len(every) // 2, len(every) - 1})]
    return Masks(tuple(usable[name] for name in names), bits)


def find_out(
    plan: ObservationPlan,
    layout: Layout,
    record: list[Row],
    old: Mapping[str, Row],
    readout: Readout,
    masks: Masks | None,
) -> tuple[Row | None, list[str]]:
    """Return the row of the map, None where nothing tells of any bad pixel, and remarks."""
    path = layout.root / plan.instrument.bad_pixels if plan.instrument.bad_pixels else None
    made_of = [row["digest"] for row in record if row["kind"] != "bias"]
    if path is None and not made_of and masks is None:
        return None, []
    given = () if masks is None else masks.sources
    # Without masks the identity is what it was before there were any.
    more = [] if masks is None else [f"bits {masks.bits}"]
    made_with = [*made_of, _digest(plan, path) if path else "", *more]
    identity = masters.input_of("bad", given, made_with, readout)
    if "bad" in old and old["bad"]["input"] == identity and masters.is_whole(plan.paths, old["bad"]):
        return old["bad"], [old["bad"]["remark"]] if old["bad"]["remark"] else []
    listed = _listed(plan, path, readout) if path else None
    remark = ""
    if masks is not None:
        beside, remark = _of_masks(masks, readout)
        if beside is not None:
            listed = beside if listed is None else np.maximum(listed != 0, beside)
    said = [remark] if remark else []
    if listed is None and not made_of:
        return None, said
    so_far = masters.of_rows(plan.paths, record, readout)
    return _map(plan.paths, so_far, listed, identity, given, remark), said


def _map(
    paths: ObservationPaths,
    made: MasterFiles,
    listed: Image | None,
    identity: str,
    masked: Sequence[Source] = (),
    remark: str = "",
) -> Row:
    """Write the map of bad pixels, and return its row of the record.

    Parameters
    ----------
    listed : (height, width) or None
        Map of the settings, or of the frames themselves, trimmed; not 0 where a pixel is bad.
    masked : sequence of Source
        Frames whose own masks are in *listed*.
    remark : str
        What is said of these.
    """
    from accretor.science import detector

    dark, flat = _image(made.dark), _image(made.flat)
    parts = [
        (masters.HOT, detector.bad_pixels(dark=dark)),
        (masters.DEAD, detector.bad_pixels(flat=flat)),
        (masters.LISTED, None if listed is None else listed != 0),
    ]
    image = sum((bit * found for bit, found in parts if found is not None), start=np.zeros((), np.float32))
    counts = {bit: int(np.count_nonzero(found)) for bit, found in parts if found is not None}
    cards = {
        "IMAGETYP": ("bad pixels", "made by accretor; 1 hot + 2 dead + 4 listed"),
        **{
            key: (counts[bit], f"pixels that are {word}")
            for bit, key, word in (
                (masters.HOT, "N_HOT", "hot"),
                (masters.DEAD, "N_DEAD", "dead"),
                (masters.LISTED, "N_LISTED", "listed"),
            )
            if bit in counts
        },
    }
    digest = io_fits.write_image(paths.master("bad"), np.asarray(image), cards)
    return {
        "kind": "bad",
        "n_frame": int(np.count_nonzero(image)),
        "exposure": 0.0,
        "frames": masters.BETWEEN.join(item.label for item in masked),
        "bytes": masters.bytes_of(masked) if masked else "",
        "input": identity,
        "digest": digest,
        "remark": remark,
    }


def _image(path: str) -> Image | None:
    return io_fits.read_image(Path(path)) if path else None


def _of_masks(masks: Masks, readout: Readout) -> tuple[Image | None, str]:
    """Return what is bad in most of the masks, (height, width), and a remark; None if it is not believed."""
    from accretor.science.readout import window

    flagged: list[Booleans] = []
    for item in masks.sources:
        values = window(io_fits.read_image(item.path, item.hdu), readout.trim).astype(np.int64)
        flagged.append(np.asarray(values & masks.bits if masks.bits else values) != 0)
    is_bad = np.sum(flagged, axis=0) > len(flagged) / 2
    part = float(is_bad.mean())
    frames = "the frame" if len(flagged) == 1 else f"{len(flagged)} frames"
    if part > MOST:
        return None, (
            f"the masks beside {frames} cover {100 * part:.0f} % of the pixels, and are not believed: "
            "give bad_pixels in [[instrument]]"
        )
    return is_bad.astype(np.float32), f"{int(is_bad.sum())} bad pixels by the masks beside {frames}"


def _digest(plan: ObservationPlan, path: Path) -> str:
    try:
        return io_fits.digest(path)
    except OSError as error:
        raise Blocked(
            f"{plan.observation.slug}: [[instrument]] bad_pixels: {path.name} cannot be read "
            f"({error.strerror})"
        ) from None


def _listed(plan: ObservationPlan, path: Path, readout: Readout) -> Image:
    """Return the map of the settings, trimmed if it has the size of the raw frames."""
    from accretor.science.readout import window

    exposure = plan.frames[0].exposure
    assert exposure is not None
    try:
        image = io_fits.read_image(path)
    except Unusable as verdict:
        raise Blocked(
            f"{plan.observation.slug}: [[instrument]] bad_pixels: {path.name} {verdict.reason}"
        ) from None
    whole = (exposure.height, exposure.width)
    kept = (readout.trim.height, readout.trim.width) if readout.trim else whole
    if image.shape == whole:
        return window(image, readout.trim)
    if image.shape != kept:
        raise Blocked(
            f"{plan.observation.slug}: [[instrument]] bad_pixels: {path.name} has "
            f"{image.shape[1]}x{image.shape[0]} pixels, the frames {whole[1]}x{whole[0]}: both must be alike"
        )
    return image
