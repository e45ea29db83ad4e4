"""The plate solution of each frame: that of the template, by the stars that both show."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.core.arrays import Floats
from accretor.core.dumps import FRAME_WCS, TEMPLATE_STARS
from accretor.core.errors import Unusable
from accretor.io import dump
from accretor.io.dump import Row
from accretor.science import plate
from accretor.stages.platesolve import Solution

if TYPE_CHECKING:
    from accretor.stages.workspace import ObservationPlan

MIN_STARS = 4
"""Fewest stars for the map from the template to a frame."""
N_GRID = 12
"""Pixels along each axis through which the solution of a frame is laid."""


def write(plan: ObservationPlan, frames: list[Row], measured: dict[str, Any]) -> None:
    """Write the plate solutions of all *frames*.

    Parameters
    ----------
    measured
        Columns ``input``, ``x`` and ``y`` of the photometry.
    """
    chosen = dump.read(plan.paths.template_stars, TEMPLATE_STARS)
    template = np.array([[row["x"], row["y"]] for row in chosen.rows], dtype=np.float64)
    solution = Solution(chosen.meta["wcs"], chosen.meta["solution"]) if chosen.meta["wcs"] else None
    place = {str(item): i for i, item in enumerate(measured["input"])}
    rows = []
    for frame in frames:
        i = place.get(frame["input"])
        reason = "the template has no plate solution"
        found: Row = {}
        if solution is not None and i is not None:
            there = np.column_stack((measured["x"][i], measured["y"][i]))
            try:
                found = _carried(solution, template, there, tuple(chosen.meta["shape"]))
            except Unusable as verdict:
                reason = verdict.reason
        elif i is None:
            reason = frame["reason"] or "it was not measured"
        unknown = dict.fromkeys(("ra", "dec", "rotation", "pixel_scale", "residual"), math.nan)
        rows.append(
            {"image_name": frame["image_name"], **(found or {**unknown, "cards": "", "reason": reason})}
        )
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


def _carried(solution: Solution, template: Floats, there: Floats, shape: tuple[int, int]) -> Row:
    """Return the row of a frame whose stars are *there* in the order of those of the template."""
    matrix, residual = _affine(there, template)
    exact = plate.from_cards(solution.cards)
    if exact is not None:
        # The reference point keeps its place on the sky, and has another pixel.
        return _row(exact.moved(matrix[:, :2], matrix[:, 2]), residual, shape)
    height, width = shape
    x, y = np.meshgrid(np.linspace(0, width - 1, N_GRID), np.linspace(0, height - 1, N_GRID))
    grid = np.column_stack((x.ravel(), y.ravel()))
    sky = np.asarray(solution.wcs().all_pix2world(grid @ matrix[:, :2].T + matrix[:, 2], 0))
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
