"""Where the parts of an image are on the page, and free places for their labels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from accretor.core.arrays import Booleans
from accretor.plots import style

_HALO: Final = (withStroke(linewidth=1.6, foreground="white"),)


@dataclass(frozen=True)
class Orientation:
    """How the image lies on the page: turned by right angles and mirrored, so that no pixel is resampled."""

    is_transposed: bool = False
    """y of the image runs along the page's width."""
    is_mirrored: bool = False
    """The page's horizontal axis runs to the left."""
    is_upside_down: bool = False
    """The page's vertical axis runs downwards."""

    def on_page(self, x: float, y: float) -> tuple[float, float]:
        """Turn a direction of the image into one of the page, (right, up)."""
        right, up = (y, x) if self.is_transposed else (x, y)
        return -right if self.is_mirrored else right, -up if self.is_upside_down else up


class Page:
    """The image's box on the page, in inch from its lower left corner, and what is taken of it."""

    def __init__(self, axes: Axes, turn: Orientation) -> None:
        figure = axes.get_figure(root=True)
        assert figure is not None
        self.figure: Figure = figure
        self.turn = turn
        page = figure.get_size_inches()
        box = axes.get_position()
        self.left, self.bottom = box.x0 * page[0], box.y0 * page[1]
        self.width, self.height = box.width * page[0], box.height * page[1]
        self.limits = axes.get_xlim(), axes.get_ylim()
        self.inch_per_pixel = self.width / abs(self.limits[0][1] - self.limits[0][0])
        self.circles: list[tuple[float, float, float]] = []
        self.boxes: list[tuple[float, float, float, float]] = []
        self.is_dark: Booleans = np.zeros((0, 0), dtype=bool)
        self.origin: tuple[float, float, int] = (0.0, 0.0, 1)

    def inch(self, x: float, y: float) -> tuple[float, float]:
        """Return where the pixel (x, y) is."""
        across, along = (y, x) if self.turn.is_transposed else (x, y)
        (left, right), (bottom, top) = self.limits
        return (across - left) / (right - left) * self.width, (along - bottom) / (top - bottom) * self.height

    def holds(self, x: float, y: float) -> bool:
        """Tell whether the pixel (x, y) is drawn."""
        across, along = self.inch(x, y)
        return bool(0 <= across <= self.width and 0 <= along <= self.height)

    def label(
        self,
        x: float,
        y: float,
        radius: float,
        words: str,
        color: str,
        *,
        angles: Sequence[float] = (45, 135, 315, 225, 0, 180, 90, 270),
    ) -> None:
        """Write *words* beside the circle of *radius* inch about (x, y), where nothing else is.

        Near places that hide no star come first. Further off, a line leads to the circle. Where
        no place is free, nothing is written: a label upon another would make both unreadable.
        """
        text = style.write(
            self.figure, 0, 0, words, color=style.ink(color), fontsize=7.5, fontweight="bold",
            ha="center", va="center", zorder=6, path_effects=list(_HALO),
        )  # fmt: skip
        width, height = style.text_size(text)
        half = width / 2 + 0.02, height / 2 + 0.01
        free = [
            each
            for each in places(*self.inch(x, y), radius, width, height, angles)
            if self._is_free(*each.centre, *half)
        ]
        if not free:
            text.remove()
            return
        near = (each for each in free if not each.is_far and not self._hides_star(*each.centre, *half))
        chosen = next(near, free[0])
        text.set_position(self._fraction(chosen.centre))
        self.boxes.append((*chosen.centre, width / 2, height / 2))
        if chosen.is_far:
            ends = zip(self._fraction(chosen.foot), self._fraction(chosen.centre), strict=True)
            self.figure.add_artist(
                Line2D(*ends, color=color, linewidth=0.6, zorder=2.5, transform=self.figure.transFigure)
            )

    def _fraction(self, place: tuple[float, float]) -> tuple[float, float]:
        """Return a place as a fraction of the figure."""
        page = self.figure.get_size_inches()
        return (self.left + place[0]) / page[0], (self.bottom + place[1]) / page[1]

    def _hides_star(self, across: float, along: float, half_width: float, half_height: float) -> bool:
        """Tell whether the image is dark below a box."""
        (left, right), (bottom, top) = self.limits
        horizontal = np.array([across - half_width, across + half_width]) / self.width * (right - left) + left
        vertical = (
            np.array([along - half_height, along + half_height]) / self.height * (top - bottom) + bottom
        )
        x, y = (vertical, horizontal) if self.turn.is_transposed else (horizontal, vertical)
        columns = np.clip((np.sort(x) - self.origin[0]) / self.origin[2], 0, None).astype(int)
        rows = np.clip((np.sort(y) - self.origin[1]) / self.origin[2], 0, None).astype(int)
        below = self.is_dark[rows[0] : rows[1] + 1, columns[0] : columns[1] + 1]
        # Single pixels of noise do not make a star.
        return bool(below.size) and float(below.mean()) > 0.01

    def _is_free(self, across: float, along: float, half_width: float, half_height: float) -> bool:
        """Tell whether a box is inside the image and touches neither a label nor a circle of a star."""
        if not (
            half_width <= across <= self.width - half_width
            and half_height <= along <= self.height - half_height
        ):
            return False
        for other_x, other_y, other_width, other_height in self.boxes:
            if (
                abs(across - other_x) < half_width + other_width
                and abs(along - other_y) < half_height + other_height
            ):
                return False
        for x, y, radius in self.circles:
            nearest = max(abs(x - across) - half_width, 0.0), max(abs(y - along) - half_height, 0.0)
            if math.hypot(*nearest) < radius:
                return False
        return True


@dataclass(frozen=True)
class Place:
    """A place for a label, inch."""

    centre: tuple[float, float]
    foot: tuple[float, float]
    """Where a line from the label would meet the circle."""
    is_far: bool


def places(
    x: float, y: float, radius: float, width: float, height: float, angles: Sequence[float]
) -> Iterator[Place]:
    """Yield places for a box of *width* x *height* outside a circle, the nearest first; at last inside it."""
    for gap in (0.03, 0.12, 0.25, 0.45, 0.7, -0.03):
        for angle in angles:
            right, up = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            sign = math.copysign(0.5, gap)
            centre = (
                x + (radius + gap) * right + sign * _side(right) * width,
                y + (radius + gap) * up + sign * _side(up) * height,
            )
            yield Place(centre, (x + radius * right, y + radius * up), gap > 0.1)


def _side(part: float) -> float:
    """Return the sign of a component of a direction, 0 for one that is only rounding."""
    return 0.0 if abs(part) < 1e-9 else math.copysign(1.0, part)
