"""A raw frame through its masters: what both stages that look at pixels begin with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from accretor.core.errors import Unusable
from accretor.io import pixels
from accretor.io.dump import Row
from accretor.stages import masters, scratch
from accretor.stages.masters import MasterFiles

if TYPE_CHECKING:
    from accretor.core.arrays import Image
    from accretor.io.layout import Layout
    from accretor.science.calibrated import Calibrated
    from accretor.stages.workspace import ObservationPlan


@dataclass(frozen=True)
class FrameFiles:
    """One raw frame with what calibrates it, as the workers get it."""

    path: str
    hdu: int
    part: str
    """Which of its pixels are the image."""
    exposure: float
    """Second."""
    gain: float
    """Electron per ADU."""
    read_noise: float
    """Electron."""
    saturation: float
    """ADU of the raw frame above which pixels are not believed."""
    dark_current: float
    """Electron per pixel and second."""
    masters: MasterFiles
    unpacked: str = ""
    """File in which the frame may be found unpacked, in this run."""


def frame_files(
    plan: ObservationPlan, layout: Layout, rows: list[Row], found: MasterFiles
) -> list[FrameFiles]:
    """Return the files of the frames of *rows* (of ``frames.ecsv``), in their order."""
    detector = plan.detector
    exposures = {file.path: file.exposure for file in plan.frames if file.exposure}
    return [
        FrameFiles(
            path=str(layout.raw / row["path"]),
            hdu=exposures[row["path"]].hdu,
            part=exposures[row["path"]].part,
            exposure=row["exptime"],
            gain=detector.gain,
            read_noise=detector.read_noise,
            saturation=detector.saturation * plan.instrument.linear_fraction,
            dark_current=plan.instrument.dark_current,
            masters=found,
            unpacked=scratch.kept(plan, row["input"]),
        )
        for row in rows
    ]


def read(files: FrameFiles) -> tuple[Image, Image]:
    """Return the raw frame (ADU, as the detector wrote it) and the calibrated one (electron), both trimmed.

    Raises
    ------
    Unusable
        If the frame cannot be read, or has another size than its masters.
    """
    frame = look_at(files, own=True)
    return frame.raw.astype(np.float32), frame.image()


def look_at(files: FrameFiles, *, own: bool = False, whole: NDArray[Any] | None = None) -> Calibrated:
    """Return the frame, to be calibrated where it is looked at; raises as `read`.

    Parameters
    ----------
    own
        Give it memory of its own: else the next frame that this thread reads takes its place.
    whole
        Its pixels, ADU, if they have been read.
    """
    from accretor.science import calibrated, readout

    if whole is None:
        whole = pixels.read(Path(files.path), files.hdu, files.part, own=own, unpacked=files.unpacked)
    known = masters.load(files.masters)
    raw = readout.window(whole, known.readout.trim)
    for name in ("bias", "dark", "flat"):
        master = getattr(known, name)
        if master is not None and master.shape != raw.shape:
            raise Unusable(
                f"{raw.shape[1]}x{raw.shape[0]} pixels, the master {name} {master.shape[1]}x{master.shape[0]}"
            )
    response = masters.response(files.masters, files.gain)
    zero = masters.zero_level(files.masters, files.exposure)
    return calibrated.look_at(whole, known, files.exposure, files.gain, response, zero)


def identity(files: FrameFiles) -> tuple[float | str, ...]:
    """Return what of the files, besides the raw bytes, a measurement depends on."""
    return (
        files.exposure,
        files.gain,
        files.read_noise,
        files.saturation,
        files.dark_current,
        files.masters.id,
        *([files.part] if files.part else []),
    )
