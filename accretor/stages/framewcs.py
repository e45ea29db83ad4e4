"""The plate solution of each frame: that of the template, by the stars that both show."""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.core.arrays import Floats
from accretor.core.dumps import FRAME_WCS, TEMPLATE_STARS
from accretor.core.errors import DumpError, Unusable
from accretor.io import dump
from accretor.io.dump import Row
from accretor.science import plate
from accretor.stages.platesolve import Solution
from accretor.stages.rows import fingerprint

if TYPE_CHECKING:
    from astropy.wcs import WCS

    from accretor.stages.workspace import ObservationPlan

VERSION = 1
"""Raised when the numbers change."""
MIN_STARS = 4
"""Fewest stars for the map from the template to a frame."""
N_GRID = 12
"""Pixels along each axis through which the solution of a frame is laid."""


def write(plan: ObservationPlan, frames: list[Row], measured: dict[str, Any], *, redo: bool = False) -> None:
    """Write the plate solutions of all *frames*; those that are there, and of the same stars, are kept.

    Parameters
    ----------
    measured
        Columns ``input``, ``x`` and ``y`` of the photometry.
    redo
        Work all of them out again.
    """
    chosen = dump.read(plan.paths.template_stars, TEMPLATE_STARS)
    template = np.array([[row["x"], row["y"]] for row in chosen.rows], dtype=np.float64)
    solution = Solution(chosen.meta["wcs"], chosen.meta["solution"]) if chosen.meta["wcs"] else None
    shape = tuple(chosen.meta["shape"])
    place = {str(item): i for i, item in enumerate(measured["input"])}
    common = fingerprint(VERSION, chosen.meta["wcs"], shape, template.tolist())
    known = {} if redo else _known(plan)
    wcs = functools.cache(solution.wcs) if solution else None
    rows = []
    for frame in frames:
        i = place.get(frame["input"])
        unknown = dict.fromkeys(("ra", "dec", "rotation", "pixel_scale", "residual"), math.nan)
        found: Row = {**unknown, "cards": "", "reason": "the template has no plate solution", "context": ""}
        if i is None:
            found["reason"] = frame["reason"] or "it was not measured"
        elif solution is not None and wcs is not None:
            there = np.column_stack((measured["x"][i], measured["y"][i])).astype("<f8")
            context = hashlib.sha256(common.encode("ascii") + there.tobytes()).hexdigest()[:16]
            found |= known.get(context) or _row_of(solution, wcs, template, there, shape)
            found["context"] = context
        rows.append({**found, "image_name": frame["image_name"]})
    dump.write(plan.paths.frame_wcs, FRAME_WCS, rows, {})


def cards(plan: ObservationPlan) -> dict[str, Row]:
    """Return the plate solution of each frame that has one, as FITS cards by the frame's name."""
    rows = dump.read(plan.paths.frame_wcs, FRAME_WCS).rows
    return {row["image_name"]: json.loads(row["cards"]) for row in rows if row["cards"]}


def positions(known: Mapping[str, Row], frames: Sequence[str], x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return right ascension and declination (degree) of places in frames, each by the frame's own solution.

    Parameters
    ----------
    known
        Of `cards`.
    frames
        Names of n frames.
    x, y : (n, n_star) float64, pixel

    Returns
    -------
    (n, n_star) float64, (n, n_star) float64
        NaN in a frame without a solution.
    """
    ra, dec = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    for i, name in enumerate(frames):
        found = plate.from_cards(known[name]) if name in known else None
        if found is not None:
            ra[i], dec[i] = found.to_sky(np.column_stack((x[i], y[i]))).T
    return ra, dec


def _known(plan: ObservationPlan) -> dict[str, Row]:
    """Return the rows that are there, by what they were made from."""
    try:
        return {row["context"]: row for row in dump.read(plan.paths.frame_wcs, FRAME_WCS).rows}
    except (FileNotFoundError, DumpError):
        return {}


def _row_of(
    solution: Solution, wcs: Callable[[], WCS], template: Floats, there: Floats, shape: tuple[int, int]
) -> Row:
    try:
        return _carried(solution, wcs, template, there, shape)
    except Unusable as verdict:
        return {"reason": verdict.reason}


def _carried(
    solution: Solution, wcs: Callable[[], WCS], template: Floats, there: Floats, shape: tuple[int, int]
) -> Row:
    """Return the row of a frame whose stars are *there* in the order of those of the template."""
    matrix, residual = _affine(there, template)
    exact = plate.from_cards(solution.cards)
    if exact is not None:
        # The reference point keeps its place on the sky, and has another pixel.
        return _row(exact.moved(matrix[:, :2], matrix[:, 2]), residual, shape)
    height, width = shape
    x, y = np.meshgrid(np.linspace(0, width - 1, N_GRID), np.linspace(0, height - 1, N_GRID))
    grid = np.column_stack((x.ravel(), y.ravel()))
    sky = np.asarray(wcs().all_pix2world(grid @ matrix[:, :2].T + matrix[:, 2], 0))
    middle = ((width - 1) / 2, (height - 1) / 2)
    return _row(plate.through(grid, sky, middle), residual, shape)


def _row(found: plate.Plate, residual: float, shape: tuple[int, int]) -> Row:
    height, width = shape
    ra, dec = found.to_sky(np.array([[(width - 1) / 2, (height - 1) / 2]]))[0]
    return {
        "ra": ra,
        "dec": dec,
        "rotation": found.rotation,
        "pixel_scale": found.scale,
        "residual": residual,
        "cards": json.dumps(found.cards(shape)),
        "reason": "",
    }


def _affine(first: Floats, second: Floats) -> tuple[Floats, float]:
    """Return the affine map from *first* to *second*, and the scatter about it, without stars that stray."""
    used = np.isfinite(first).all(axis=1) & np.isfinite(second).all(axis=1)
    for _ in range(3):
        if used.sum() < MIN_STARS:
            raise Unusable(f"{int(used.sum())} stars tell where it looks, {MIN_STARS} needed")
        design = np.column_stack((first[used], np.ones(used.sum())))
        matrix = np.linalg.lstsq(design, second[used], rcond=None)[0].T
        distance = np.hypot(*(first @ matrix[:, :2].T + matrix[:, 2] - second).T)
        residual = math.sqrt(float(np.mean(distance[used] ** 2)))
        used = used & (distance < max(0.05, 3 * float(np.median(distance[used]))))
    return np.asarray(matrix), residual
