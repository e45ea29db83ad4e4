"""How faint a star each frame of a night would have shown."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from accretor.core.arrays import Columns
from accretor.plots import style
from accretor.plots.lightcurve import label_time, limit_time

_SYMBOLS = ("v", "s", "^", "D", "x", "+")
"""Of the apertures beside that of the light curve: they are all pale."""


@style.house_style()
def limits(rows: Columns, head: Mapping[str, Any], *, title: str, subtitle: str = "") -> Figure:
    """Draw the limiting magnitude of each frame through each aperture.

    Parameters
    ----------
    rows : columns of ``limits.ecsv``
    head : mapping
        Header of that table: ``band``, ``system``, ``significance``, ``radius``.
    title, subtitle : str
        First line of the figure, and the beginning of the second.

    Returns
    -------
    Figure
        7.1 x 3.6 inch; faint is up.

    Raises
    ------
    ValueError
        If no frame has a limit.
    """
    good = np.isfinite(rows["limiting_magnitude"])
    if not good.any():
        raise ValueError("a figure of limits needs one")
    figure = style.new_figure(3.6)
    said = f"{head['significance']:g} sigma; blank apertures (points), noise of the sky (lines)"
    style.heading(figure, title, f"{subtitle}: {said}" if subtitle else said)
    day = math.floor(float(np.nanmin(rows["bjd_tdb"])))
    axes = style.add_axes(figure, 0.75, 0.5, 6.1, 2.3)
    radii = np.unique(rows["radius"][good])
    symbols = itertools.cycle(_SYMBOLS)
    for radius in radii:
        here = good & (rows["radius"] == radius)
        is_main = radius == head["radius"]
        color, symbol = (style.BLUE, "o") if is_main else (style.PALE, next(symbols))
        time = rows["bjd_tdb"][here] - day
        axes.plot(time, rows["by_noise"][here], color=color, linewidth=0.8, zorder=1 + is_main)
        limit = rows["limiting_magnitude"][here]
        axes.plot(
            time, limit, symbol, color=color, markersize=3, zorder=2 + is_main, label=f"{radius:.1f} px"
        )
    limit_time(axes, rows["bjd_tdb"][good] - day)
    label_time(axes, day)
    axes.set_ylabel(f"Limit in {head['band']} (mag, {head['system']})")
    axes.legend(loc="lower left", ncols=len(radii), handletextpad=0.2, columnspacing=1.0)
    return figure
