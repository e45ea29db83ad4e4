"""One look for all figures: palette, type, headings, places of labels, and bytes."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from accretor.core.arrays import Floats

WIDTH: Final = 7.1
"""Width of every figure, inch: two columns of a journal."""

DPI: Final = 200
"""Dots per inch of the saved pictures."""

_COMPRESSION: Final = 3
"""Of PNG files, 1 to 9: beyond it they become smaller by a twentieth, and take half as long again."""

# Okabe & Ito (2008), without the colours that fall below a contrast of 3 on white.
BLUE: Final = "#0072B2"
VERMILION: Final = "#D55E00"
GREEN: Final = "#009E73"
PURPLE: Final = "#CC79A7"
BLACK: Final = "#000000"
GREY: Final = "#595959"

PALE: Final = "#B4B4B4"
"""For what stands behind the data: unbinned points, error bars, separators."""

# AstroImageJ's green and red, darkened until they are read on white.
TARGET: Final = "#00802B"
COMPARISON: Final = "#D01C1F"

# AstroImageJ's colours of the auxiliary curves (light grey, yellow, teal, brown, pink, light blue),
# darkened likewise.
AIJ_WIDTH: Final = "#6E6E6E"
AIJ_SKY: Final = "#A67C00"
AIJ_AIRMASS: Final = "#00827F"
AIJ_COUNTS: Final = "#8C4A10"
AIJ_X: Final = "#CC5F9E"
AIJ_Y: Final = "#3886C4"

BANDS: Final = {
    "u": PURPLE,
    "g": BLUE,
    "b": BLUE,
    "v": GREEN,
    "r": GREEN,
    "i": VERMILION,
    "z": "#6B2C00",
}
"""Colour of a filter, by its first letter."""

SMALLEST_TYPE: Final = 6.0
"""Point; text that is still too wide at this size is broken into lines."""

_RC: Final[dict[str, Any]] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "mathtext.fontset": "dejavusans",
    "axes.linewidth": 0.6,
    "axes.labelsize": 8,
    "axes.formatter.useoffset": False,
    "axes.formatter.limits": (-4, 6),
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.minor.visible": True,
    "ytick.minor.visible": True,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "lines.linewidth": 1.0,
    "lines.markersize": 3,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "image.origin": "lower",
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Set the type, ticks and lines of the house, whatever the user's own matplotlibrc says."""
    with matplotlib.style.context(["default", _RC]):
        yield


def new_figure(height: float) -> Figure:
    """Return an empty white figure of *height* inch that belongs to no window and no global state."""
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def add_axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Add axes to *figure*, their box given in inch from its lower left corner."""
    page_width, page_height = figure.get_size_inches()
    return figure.add_axes(
        (left / page_width, bottom / page_height, width / page_width, height / page_height)
    )


def save(figure: Figure, dpi: float = DPI) -> bytes:
    """Return *figure* as a PNG file without date or program version: same figure, same bytes."""
    from PIL import Image

    from accretor.plots import ticks

    buffer = io.BytesIO()
    with house_style(), _dots(figure, dpi), ticks.together(figure):
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        width, height = canvas.get_width_height()
        # Nothing shows through: without the fourth channel the file is smaller, in half the time.
        dots = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
        inked = Image.frombuffer("RGBA", (width, height), dots, "raw", "RGBA", 0, 1)
        inked.convert("RGB").save(buffer, format="PNG", dpi=(dpi, dpi), compress_level=_COMPRESSION)
    return buffer.getvalue()


@contextmanager
def _dots(figure: Figure, dpi: float) -> Iterator[None]:
    """Give *figure* so many dots per inch for a while."""
    before = figure.dpi
    figure.dpi = dpi
    try:
        yield
    finally:
        figure.dpi = before


def ink(color: str) -> str:
    """Return *color* so dark that small type is read in it."""
    red, green, blue = (0.72 * part for part in to_rgb(color))
    return to_hex((red, green, blue))


def of_band(name: str) -> str:
    """Return the colour of the filter *name*."""
    return BANDS.get(name[:1].lower(), BLACK)


def dot(n_point: int) -> float:
    """Return the marker size at which *n_point* points do not run together, point."""
    return float(np.clip(4.4 - math.log10(max(n_point, 10)), 1.0, 3.0))


def text_size(text: Text) -> tuple[float, float]:
    """Return width and height of *text*, inch."""
    figure = text.get_figure(root=True)
    assert figure is not None
    assert isinstance(figure.canvas, FigureCanvasAgg)
    box = text.get_window_extent(figure.canvas.get_renderer())  # type: ignore[no-untyped-call]
    return box.width / figure.dpi, box.height / figure.dpi


def write(
    figure: Figure,
    x: float,
    y: float,
    words: str,
    *,
    width: float = math.inf,
    max_lines: int = 1,
    **properties: Any,
) -> Text:
    """Write *words* at (x, y) inch from the lower left corner, no wider than *width* inch.

    Words that are too wide become smaller down to `SMALLEST_TYPE`, are then broken into at
    most *max_lines* lines for each line given, and at last lose their end to an ellipsis.
    Dollar signs stand for themselves.
    """
    page_width, page_height = figure.get_size_inches()
    text = figure.text(x / page_width, y / page_height, words, parse_math=False, **properties)
    if (wide := text_size(text)[0]) <= width:
        return text
    # In small steps, because hinting makes the width of a line uneven in its size.
    size = float(text.get_fontsize())
    while wide > width and size > SMALLEST_TYPE:
        size = max(SMALLEST_TYPE, size - 0.2)
        text.set_fontsize(size)
        wide = text_size(text)[0]
    if wide <= width:
        return text
    lines = words.splitlines()
    longest = max(len(line) for line in lines)
    for n_letter in range(int(longest * min(1.0, 1.3 * width / wide)), 3, -1):
        broken = [_break(line, n_letter, max_lines) for line in lines]
        text.set_text("\n".join(broken))
        if text_size(text)[0] <= width:
            break
    return text


def _break(line: str, n_letter: int, max_lines: int) -> str:
    """Break *line* at *n_letter* letters; what is beyond *max_lines* becomes an ellipsis."""
    parts = textwrap.wrap(line, n_letter) or [""]
    if len(parts) > max_lines:
        parts = parts[:max_lines]
        parts[-1] = parts[-1][: n_letter - 1].rstrip() + "…"
    return "\n".join(parts)


def heading(figure: Figure, title: str, subtitle: str = "") -> None:
    """Write *title*, and *subtitle* below it, in the upper 0.55 inch of *figure*."""
    height = float(figure.get_size_inches()[1])
    width = WIDTH - 0.2
    write(figure, 0.1, height - 0.08, title, width=width, va="top", fontsize=9.5, fontweight="bold")
    if subtitle:
        write(figure, 0.1, height - 0.28, subtitle, width=width, max_lines=2, va="top", fontsize=8)


def nothing(title: str, reason: str) -> Figure:
    """Return a figure that says why there is nothing to draw: without it, an error would be thought of."""
    with house_style():
        figure = new_figure(1.4)
        heading(figure, title)
        write(figure, 0.1, 0.6, f"Nothing to draw: {reason}", width=WIDTH - 0.2, max_lines=2, fontsize=8)
    return figure


def spread(centres: Sequence[float], sizes: Sequence[float], low: float, high: float) -> Floats:
    """Move *centres* as little as possible so that boxes of *sizes* do not overlap.

    Parameters
    ----------
    centres, sizes : (n,) sequences
        Wanted centre and length of each box, in one unit.
    low, high : float
        The boxes stay between these; where they are too long together, they pass *low*.

    Returns
    -------
    (n,) float64
        New centres, in the order of the centres given (least squares: pool adjacent violators).
    """
    if not centres:
        return np.empty(0)
    order = np.argsort(np.asarray(centres, dtype=float), kind="stable")
    wanted = np.asarray(centres, dtype=float)[order]
    size = np.asarray(sizes, dtype=float)[order]
    packed = np.cumsum(size) - size / 2
    pools: list[tuple[float, int]] = []
    for slack in wanted - packed:
        mean, count = float(slack), 1
        while pools and pools[-1][0] > mean:
            before, n_before = pools.pop()
            mean, count = (mean * count + before * n_before) / (count + n_before), count + n_before
        pools.append((mean, count))
    slacks = np.repeat([mean for mean, _ in pools], [count for _, count in pools])
    placed = np.empty(len(order))
    placed[order] = np.minimum(np.maximum(slacks, low), high - size.sum()) + packed
    return placed


@dataclass(frozen=True)
class Mark:
    """A vertical line at *x* of the axes, with its name above them."""

    x: float
    label: str
    color: str
    linestyle: Any = "--"
    error: float = 0.0
    """Half-width of the band about the line, in the unit of x; 0 or NaN for none."""


def draw_marks(axes: Axes, marks: Sequence[Mark]) -> None:
    """Draw the lines and bands of *marks* that are inside the limits of *axes*."""
    for mark in visible(axes, marks):
        axes.axvline(mark.x, color=mark.color, linestyle=mark.linestyle, linewidth=0.9, zorder=1.5)
        if mark.error > 0:
            axes.axvspan(
                mark.x - mark.error, mark.x + mark.error, color=mark.color, alpha=0.12, lw=0, zorder=0
            )


def visible(axes: Axes, marks: Sequence[Mark]) -> list[Mark]:
    """Return the marks inside the limits of *axes*; a mark at NaN is never inside."""
    low, high = sorted(axes.get_xlim())
    return [mark for mark in marks if low <= mark.x <= high]


def name_marks(axes: Axes, marks: Sequence[Mark]) -> None:
    """Write the names of *marks* above *axes*, side by side, each led to its line."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    page_width, page_height = figure.get_size_inches()
    box = axes.get_position()
    shown = visible(axes, marks)
    foot_of_axes = axes.get_ylim()[0]
    lines = [float(axes.transData.transform((mark.x, foot_of_axes))[0]) / figure.dpi for mark in shown]
    foot, top = (box.y1 + gap / page_height for gap in (0.0, 0.12))
    texts = [
        figure.text(
            line / page_width,
            top,
            mark.label,
            color=ink(mark.color),
            fontsize=7,
            ha="center",
            va="baseline",
            linespacing=1.05,
            parse_math=False,
        )
        for line, mark in zip(lines, shown, strict=True)
    ]
    sizes = [text_size(text)[0] + 0.08 for text in texts]
    places = spread(lines, sizes, 0.05, page_width - 0.05)
    for text, mark, line, place in zip(texts, shown, lines, places, strict=True):
        text.set_x(place / page_width)
        ends = (line / page_width, place / page_width), (foot, top - 0.035 / page_height)
        figure.add_artist(Line2D(*ends, color=mark.color, linewidth=0.6, transform=figure.transFigure))


def write_beside(
    axes: Axes, levels: Sequence[float], labels: Sequence[str], colors: Sequence[str], *, max_lines: int = 1
) -> None:
    """Write *labels* to the right of *axes* at the data *levels*, moved apart where they would touch."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    page_width, page_height = figure.get_size_inches()
    box, edge = axes.get_position(), axes.get_xlim()[1]
    left, bottom, height = box.x1 * page_width + 0.08, box.y0 * page_height, box.height * page_height
    room = page_width - left - 0.05
    wanted = [float(axes.transData.transform((edge, level))[1]) / figure.dpi for level in levels]
    texts = [
        write(
            figure, left, place, label,
            width=room, max_lines=max_lines, color=ink(color), fontsize=7.2, va="center", linespacing=1.15,
        )
        for place, label, color in zip(wanted, labels, colors, strict=True)
    ]  # fmt: skip
    sizes = [text_size(text)[1] + 0.06 for text in texts]
    for text, place in zip(texts, spread(wanted, sizes, bottom - 0.05, bottom + height + 0.05), strict=True):
        text.set_y(place / page_height)
