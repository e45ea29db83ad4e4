"""Calibrated frames on disk, for people who go on in AstroImageJ; written only if they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accretor.core.dumps import FRAMES
from accretor.core.part import parse
from accretor.io import atomic, dump
from accretor.io import fits as io_fits
from accretor.io.dump import Row
from accretor.stages import framewcs, masters, platesolve, preprocess, reduced
from accretor.stages.bench import Bench
from accretor.stages.reduced import FrameFiles
from accretor.stages.rows import GOOD, fingerprint

if TYPE_CHECKING:
    from accretor.io.layout import Layout
    from accretor.stages.workspace import ObservationPlan

VERSION = 2
"""Raised when what is written changes."""

STAMP = "ACC_ID"
"""Header card that tells what a calibrated frame was made from and with."""


@dataclass(frozen=True)
class WritingTask:
    """What a worker needs to write one calibrated frame."""

    files: FrameFiles
    path: str
    cards: tuple[tuple[str, Any], ...]
    solution: tuple[tuple[str, Any], ...] = ()
    """Cards of the frame's own plate solution; without, those of the raw header stay."""


def write(plan: ObservationPlan, layout: Layout, bench: Bench) -> list[Path]:
    """Write the calibrated frames that are missing or outdated, remove strays, and return all."""
    frames = [row for row in dump.read(plan.paths.frames, FRAMES).rows if row["status"] == GOOD]
    files = reduced.frame_files(plan, layout, frames, masters.files(plan.paths))
    ra, dec, _, _ = preprocess.direction(plan.target)
    solved = framewcs.cards(plan)
    tasks = [
        _task(plan, row, item, ra, dec, solved.get(row["image_name"], {}))
        for row, item in zip(frames, files, strict=True)
    ]
    missing = [task for task in tasks if _stamp(Path(task.path)) != dict(task.cards)[STAMP]]
    for n_done, _ in enumerate(bench.pool.map(write_one, missing), start=1):
        bench.progress(n_done, len(missing))
    wanted = [Path(task.path) for task in tasks]
    remove(plan, keep=wanted)
    return wanted


def remove(plan: ObservationPlan, *, keep: list[Path]) -> None:
    """Remove the calibrated frames of an observation but those to *keep*."""
    folder = plan.paths.calibrated
    for path in folder.glob("*_out.fits") if folder.is_dir() else ():
        if path not in keep:
            path.unlink()


def write_one(task: WritingTask) -> None:
    """Write one calibrated frame, in ADU, with the raw header and AstroImageJ's times."""
    _, image = reduced.read(task.files)
    header = io_fits.read_header(Path(task.files.path), task.files.hdu)
    for key in ("BZERO", "BSCALE", "BLANK", "CHECKSUM", "DATASUM", "XTENSION", "PCOUNT", "GCOUNT"):
        header.remove(key, ignore_missing=True)
    for key, first in zip(("CRPIX1", "CRPIX2"), task.files.masters.readout.origin, strict=True):
        if first and isinstance(header.get(key), float | int):
            header[key] -= first
    if (step := parse(task.files.part).step) > 1:
        solution = {key: header[key] for key in header if isinstance(header[key], float)}
        for key, value in platesolve.coarser(solution, step).items():
            header[key] = value
        for key in ("BAYERPAT", "XBAYROFF", "YBAYROFF", "COLORTYP"):
            header.remove(key, ignore_missing=True)
    if task.files.masters.readout.trim is not None:
        for key in ("BIASSEC", "TRIMSEC", "DATASEC"):
            header.remove(key, ignore_missing=True)
    _put(header, task.solution, task.cards)
    atomic.write_bytes(Path(task.path), io_fits.image_bytes(image / task.files.gain, header))


def _put(header: Any, solution: tuple[tuple[str, Any], ...], cards: tuple[tuple[str, Any], ...]) -> None:
    """Put *cards* into a header, and *solution*, if there is one, in the place of what is there."""
    if solution:
        for key in [key for key in header if platesolve.is_wcs_key(key)]:
            header.remove(key)
    for key, value in (*solution, *cards):
        header[key] = value


def _task(
    plan: ObservationPlan, row: Row, files: FrameFiles, ra: float, dec: float, solution: Row
) -> WritingTask:
    cards = (
        ("JD_SOBS", row["jd_utc"] - row["exptime"] / 2 / 86400),
        ("JD_UTC", row["jd_utc"]),
        ("HJD_UTC", row["hjd_utc"]),
        ("BJD_TDB", row["bjd_tdb"]),
        ("AIRMASS", row["airmass"]),
        ("ALT_OBJ", row["altitude"]),
        ("RAOBJ2K", ra / 15),
        ("DECOBJ2K", dec),
        (STAMP, fingerprint(VERSION, row["input"], row["context"], reduced.identity(files), repr(solution))),
    )
    name = f"{row['image_name'].rsplit('.', 1)[0]}_out.fits"
    return WritingTask(files, str(plan.paths.calibrated / name), cards, tuple(solution.items()))


def _stamp(path: Path) -> str:
    try:
        return str(io_fits.read_header(path).get(STAMP, ""))
    except OSError:
        return ""
