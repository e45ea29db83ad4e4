"""Light curves as SVG: a small one for the index, and one that tells of each point under the pointer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 220.0
HEIGHT: Final = 44.0
MOST_POINTS: Final = 3000
"""Points that can be pointed at; more would make the page heavy."""


@dataclass(frozen=True)
class Point:
    """One frame of a light curve."""

    x: float
    """In the unit of the drawing, from the left; y from the top."""
    y: float
    label: str


@dataclass(frozen=True)
class Spark:
    """A small light curve: binned points, the model, and where the transit was predicted."""

    points: tuple[tuple[float, float], ...]
    """x from the left, y from the top."""
    model: str
    """``points`` attribute of a polyline; "" for none."""
    window: tuple[float, float] | None
    """Left edge and width of the predicted transit."""


def spark(
    time: Sequence[float],
    flux: Sequence[float],
    model: Sequence[float],
    *,
    window: tuple[float, float] | None = None,
    n_bin: int = 48,
) -> Spark:
    """Return a small light curve.

    Parameters
    ----------
    time, flux, model : (n,) sequences
        Of the frames used, in order of time; a point that is not finite is left out.
    window : (float, float), optional
        Predicted ingress and egress, in the unit of *time*.
    n_bin : int
        Points that are drawn at most.
    """
    rows = [row for row in zip(time, flux, model, strict=True) if all(map(math.isfinite, row[:2]))]
    if not rows:
        return Spark((), "", None)
    first, last = rows[0][0], rows[-1][0]
    span = (last - first) or 1.0
    size = -(-len(rows) // n_bin)
    means = [
        tuple(sum(row[axis] for row in part) / len(part) for axis in (0, 1))
        for part in (rows[at : at + size] for at in range(0, len(rows), size))
    ]
    lines = [row for row in rows[:: max(1, len(rows) // 80)] if math.isfinite(row[2])]
    values = [value for _, value in means] + [row[2] for row in lines]
    low, high = min(values), max(values)
    reach = (high - low) or 1e-3

    def place(when: float, value: float) -> tuple[float, float]:
        across = 3 + (when - first) / span * (WIDTH - 6)
        return round(across, 1), round(3 + (high - value) / reach * (HEIGHT - 6), 1)

    shaded = None
    if window and all(map(math.isfinite, window)):
        left, right = (min(max(place(edge, low)[0], 0.0), WIDTH) for edge in window)
        shaded = (left, round(right - left, 1)) if right > left else None
    line = " ".join(f"{x},{y}" for x, y in (place(row[0], row[2]) for row in lines))
    return Spark(tuple(place(when, value) for when, value in means), line, shaded)


@dataclass(frozen=True)
class Pointed:
    """A light curve of which every point tells its frame."""

    points: tuple[Point, ...]
    model: str
    width: float
    height: float


def pointed(
    names: Sequence[str],
    time: Sequence[float],
    flux: Sequence[float],
    error: Sequence[float],
    model: Sequence[float],
    *,
    width: float = 900.0,
    height: float = 260.0,
) -> Pointed | None:
    """Return a light curve of which every point tells its frame; None with too many or too few points.

    Parameters
    ----------
    names : (n,) sequence
        Frames.
    time, flux, error, model : (n,) sequences
        BJD_TDB (day), relative flux and its error, and model.
    """
    rows = [
        row
        for row in zip(names, time, flux, error, model, strict=True)
        if math.isfinite(row[1]) and math.isfinite(row[2])
    ]
    if not 2 <= len(rows) <= MOST_POINTS:
        return None
    first, last = rows[0][1], rows[-1][1]
    values = sorted(row[2] for row in rows)
    # As the figure has it: a few wild points do not flatten all others.
    low, high = values[len(values) // 200], values[-1 - len(values) // 200]
    reach = (high - low) or 1e-3

    def place(when: float, value: float) -> tuple[float, float]:
        down = 8 + (high - value) / reach * (height - 16)
        across = 8 + (when - first) / ((last - first) or 1) * (width - 16)
        return round(across, 1), round(min(max(down, 3), height - 3), 1)

    points = tuple(
        Point(*place(when, value), f"{name}\nBJD_TDB {when:.6f}\n{value:.5f} ± {sigma:.5f}")
        for name, when, value, sigma, _ in rows
    )
    line = " ".join(f"{x},{y}" for x, y in (place(row[1], row[4]) for row in rows if math.isfinite(row[4])))
    return Pointed(points, line, width, height)
