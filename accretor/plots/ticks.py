"""Minor ticks drawn all at once.

matplotlib makes an object with two lines and two labels of every tick; half the time of a figure
goes into those that have no label. As the markers of one line they are the same dots of ink.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import Locator, NullFormatter, NullLocator

from accretor.core.arrays import Floats

_CLOSE = 1e-10
"""Part of an axis by which a tick may be beyond its end, as matplotlib has it."""


@contextmanager
def together(figure: Figure) -> Iterator[None]:
    """Draw the minor ticks of *figure* as lines while it is saved; it is left as it was."""
    lines: list[Line2D] = []
    locators: list[tuple[Axis, Locator | None]] = []
    try:
        for axes in figure.axes:
            axes.apply_aspect()
            for axis in (axes.xaxis, axes.yaxis):
                if not axes.axison or not axis.get_visible() or not _is_plain(axis):
                    continue
                lines += _lines(axes, axis)
                locators.append((axis, axis.minor.locator))
        # Not before all have been looked at: axes that share a scale share the locator.
        for found, _ in locators:
            found.minor.locator = NullLocator()
        yield
    finally:
        for found, locator in locators:
            found.minor.locator = locator  # type: ignore[assignment]
        for line in lines:
            line.remove()


def _is_plain(axis: Axis) -> bool:
    """Return whether the minor ticks of *axis* are nothing but ticks."""
    if isinstance(axis.minor.locator, NullLocator) or not isinstance(axis.minor.formatter, NullFormatter):
        return False
    return not axis.get_minor_ticks(1)[0].gridline.get_visible()


def _lines(axes: Axes, axis: Axis) -> list[Line2D]:
    at = _places(axis)
    tick = axis.get_minor_ticks(1)[0]
    found = []
    for side, model in enumerate((tick.tick1line, tick.tick2line)):
        if not model.get_visible():
            continue
        across = np.full(len(at), float(side))
        line = Line2D(*((at, across) if axis is axes.xaxis else (across, at)))
        line.update_from(model)
        line.set_transform(model.get_transform())
        line.set_zorder(axis.get_zorder())
        axes.add_artist(line)
        line.set_clip_on(False)
        found.append(line)
    return found


def _places(axis: Axis) -> Floats:
    """Return where the minor ticks are that are not beyond the ends of *axis*."""
    at = np.asarray(axis.get_minorticklocs(), dtype=np.float64)
    transform = axis.get_transform()
    low, high = sorted(transform.transform(np.asarray(axis.get_view_interval(), dtype=np.float64)))
    there = transform.transform(at)
    near = _CLOSE * (high - low)
    return np.asarray(at[(there >= low - near) & (there <= high + near)])
