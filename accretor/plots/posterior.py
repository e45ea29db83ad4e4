"""The posterior of a transit fit by sampling: every parameter against every other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from accretor.core.arrays import Columns, Floats
from accretor.plots import style

_MOST_POINTS: Final = 4000
"""Samples that are drawn singly; more make the file large and the picture no better."""

_N_BIN: Final = 28
LEVELS: Final = (0.393, 0.865)
"""Parts of the samples within one and two standard deviations of a plane normal distribution."""


@style.house_style()
def corner(
    samples: Columns,
    *,
    names: Mapping[str, str] | None = None,
    marks: Mapping[str, float] | None = None,
    title: str,
    subtitle: str = "",
) -> Figure:
    """Draw the distribution of each parameter, and of each pair of them.

    Parameters
    ----------
    samples : columns, each (n_sample,)
        One column for each parameter, at most eight are readable.
    names : mapping, optional
        Names of parameters for people, by their column.
    marks : mapping, optional
        Values to mark, such as the least-squares solution or a prediction.
    title, subtitle : str

    Returns
    -------
    Figure
        7.1 inch square and the title; above each column stand median and central 68 %.

    Raises
    ------
    ValueError
        If there are fewer than two samples or no parameter, or a sample is not finite.
    """
    columns = [(key, np.asarray(samples[key], dtype=np.float64)) for key in samples]
    if not columns or columns[0][1].size < 2:
        raise ValueError("a posterior needs a parameter and two samples")
    if not all(np.isfinite(values).all() for _, values in columns):
        raise ValueError("a sample is not finite")
    n = len(columns)
    left, bottom, room = 0.85, 0.75, 6.1
    size = room / n
    figure = style.new_figure(bottom + room + 0.85)
    style.heading(figure, title, subtitle)
    for row, (_, vertical) in enumerate(columns):
        for column in range(row + 1):
            key, horizontal = columns[column]
            axes = style.add_axes(
                figure, left + column * size, bottom + (n - 1 - row) * size, 0.94 * size, 0.94 * size
            )
            axes.set_xlim(*_limits(horizontal))
            shift = _shift(horizontal)
            if column == row:
                _draw_histogram(axes, horizontal, (marks or {}).get(key))
                words = _summary(horizontal)
                style.write(figure, left + (column + 0.47) * size, bottom + (n - row) * size - 0.05 * size,
                            words, width=max(size, 1.2), fontsize=6.6, ha="center", va="bottom")  # fmt: skip
            else:
                axes.set_ylim(*_limits(vertical))
                _draw_pair(axes, horizontal, vertical)
                _mark(axes, (marks or {}).get(key), (marks or {}).get(columns[row][0]))
            _name(axes, names or {}, key, columns[row][0], shift, _shift(vertical),
                  is_bottom=row == n - 1, is_left=column == 0 and row > 0)  # fmt: skip
    return figure


def _limits(values: Floats) -> tuple[float, float]:
    low, high = np.percentile(values, (0.3, 99.7)).tolist()
    margin = 0.08 * (high - low) or 0.5 * max(abs(low), 1e-9)
    return low - margin, high + margin


def _shift(values: Floats) -> float:
    """Return what is subtracted on the axis, so that its numbers are short: 0 for most parameters."""
    low, high = _limits(values)
    middle = 0.5 * (low + high)
    if abs(middle) < 1e3 * (high - low):
        return 0.0
    unit = 10.0 ** math.ceil(math.log10(high - low) + 1)
    return math.floor(middle / unit) * unit


def _draw_histogram(axes: Axes, values: Floats, mark: float | None) -> None:
    axes.hist(values, bins=_N_BIN, range=axes.get_xlim(), histtype="stepfilled", color="#BFD9EC",
              ec=style.BLUE, lw=0.9)  # fmt: skip
    axes.set_yticks([])
    axes.set_yticks([], minor=True)
    for at in np.percentile(values, (15.87, 50, 84.13)):
        axes.axvline(at, color=style.BLACK, ls=":", lw=0.8)
    if mark is not None and math.isfinite(mark):
        axes.axvline(mark, color=style.VERMILION, lw=1.0)


def _draw_pair(axes: Axes, horizontal: Floats, vertical: Floats) -> None:
    step = -(-horizontal.size // _MOST_POINTS)
    axes.plot(horizontal[::step], vertical[::step], ".", ms=1.0, color=style.PALE, mec="none", alpha=0.5,
              rasterized=True, zorder=1)  # fmt: skip
    limits = axes.get_xlim(), axes.get_ylim()
    count, x_edge, y_edge = np.histogram2d(horizontal, vertical, bins=_N_BIN, range=limits)
    smooth = _smoothed(count)
    ordered = np.sort(smooth.ravel())[::-1]
    within = np.cumsum(ordered) / ordered.sum()
    levels = sorted({float(ordered[np.searchsorted(within, part)]) for part in LEVELS})
    if len(levels) == len(LEVELS) and levels[0] > 0:
        centre = [0.5 * (edge[1:] + edge[:-1]) for edge in (x_edge, y_edge)]
        axes.contour(*centre, smooth.T, levels=levels, colors=[style.BLUE], linewidths=[0.8, 1.2], zorder=3)


def _smoothed(count: Floats) -> Floats:
    """Return *count* under the kernel 1-2-1 of both axes: contours of few samples are ragged else."""
    for axis in (0, 1):
        padded = np.pad(count, [(1, 1) if axis == each else (0, 0) for each in (0, 1)])
        cut = [padded.take(range(at, at + count.shape[axis]), axis=axis) for at in (0, 1, 2)]
        count = 0.25 * cut[0] + 0.5 * cut[1] + 0.25 * cut[2]
    return np.asarray(count)


def _mark(axes: Axes, x: float | None, y: float | None) -> None:
    if x is not None and math.isfinite(x):
        axes.axvline(x, color=style.VERMILION, lw=0.8, zorder=4)
    if y is not None and math.isfinite(y):
        axes.axhline(y, color=style.VERMILION, lw=0.8, zorder=4)


def _name(
    axes: Axes, names: Mapping[str, str], x: str, y: str, x_shift: float, y_shift: float, *, is_bottom: bool,
    is_left: bool,
) -> None:  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(3, prune="both"))
    if is_left:
        axes.yaxis.set_major_locator(MaxNLocator(3, prune="both"))
    axes.tick_params(labelbottom=is_bottom, labelleft=is_left, labelsize=6)
    axes.minorticks_off()
    for axis, key, shift, is_named in (
        (axes.xaxis, x, x_shift, is_bottom),
        (axes.yaxis, y, y_shift, is_left),
    ):
        if is_named:
            words = names.get(key, key) + (f"\n− {shift:.10g}" if shift else "")
            axis.set_label_text(words.replace("$", r"\$"), fontsize=7)
            axis.set_major_formatter(_shortened(shift))
    # In inch, whatever the size of the panel.
    axes.xaxis.set_label_coords(0.5, -0.3 * style.DPI / axes.bbox.height)
    axes.yaxis.set_label_coords(-0.48 * style.DPI / axes.bbox.width, 0.5)


def _shortened(shift: float) -> FuncFormatter:
    return FuncFormatter(lambda value, _: f"{value - shift:.4g}".replace("-", "−"))


def _summary(values: Floats) -> str:
    low, middle, high = np.percentile(values, (15.87, 50, 84.13)).tolist()
    sigma = max(high - low, 0.0) / 2
    digits = max(0, 1 - math.floor(math.log10(sigma))) if sigma > 0 else 4
    return f"{middle:.{digits}f}\n+{high - middle:.{digits}f} −{middle - low:.{digits}f}"
