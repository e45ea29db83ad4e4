"""The zero points of a night, and how the stars agree with the catalogue."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accretor.core.arrays import Booleans, Columns, Floats
from accretor.plots import style
from accretor.plots.lightcurve import label_time, limit_time


@style.house_style()
def zero_points(
    frames: Columns, stars: Columns, head: Mapping[str, Any], *, title: str, subtitle: str = ""
) -> Figure:
    """Draw the zero point of each frame, and below it each star against the catalogue.

    Parameters
    ----------
    frames : columns of ``zeropoints.ecsv``
        In order of time; a frame without a zero point is left out.
    stars : columns of ``magnitudes.ecsv``
    head : mapping
        Header of these tables: ``band``, ``catalog``, ``color``.
    title, subtitle : str
        First lines of the figure.

    Returns
    -------
    Figure
        7.1 x 6 inch.

    Raises
    ------
    ValueError
        If no frame has a zero point.
    """
    good = np.isfinite(frames["zero_point"])
    if not good.any():
        raise ValueError("a figure of zero points needs one")
    figure = style.new_figure(6.0)
    style.heading(figure, title, subtitle)
    day = math.floor(float(np.nanmin(frames["bjd_tdb"])))
    time = frames["bjd_tdb"] - day
    upper = style.add_axes(figure, 0.75, 3.15, 6.1, 2.1)
    upper.errorbar(
        time[good],
        frames["zero_point"][good],
        frames["relative_error"][good],
        fmt="o",
        color=style.BLUE,
        ecolor=style.PALE,
        elinewidth=0.7,
    )
    limit_time(upper, time)
    label_time(upper, day)
    upper.set_ylabel("Zero point (mag)")

    difference = stars["catalog_magnitude"] - stars["magnitude"]
    error = np.hypot(stars["catalog_error"], stars["magnitude_error"])
    used = np.asarray(stars["is_used"], dtype=bool)
    limit = _limit(difference[used])
    name = str(head["band"])
    left = style.add_axes(figure, 0.75, 0.5, 2.85, 2.0)
    _against(left, stars["catalog_magnitude"], difference, error, used, limit)
    left.set(xlabel=f"{name} of {head['catalog']} (mag)", ylabel="Catalogue − measured (mag)")
    right = style.add_axes(figure, 4.0, 0.5, 2.85, 2.0)
    _against(right, stars["color"], difference, error, used, limit)
    color = list(head.get("color") or ())
    right.set_xlabel(f"{color[0]} − {color[1]} (mag)" if color else "Colour (mag)")
    right.tick_params(labelleft=False)
    if used.any():
        left.legend(loc="upper left", ncols=2, handletextpad=0.2, columnspacing=1.0)
    return figure


def _against(axes: Axes, x: Floats, difference: Floats, error: Floats, used: Booleans, limit: float) -> None:
    axes.axhline(0, color=style.GREY, linewidth=0.7, zorder=0)
    for which, color, label in ((~used, style.PALE, "left out"), (used, style.VERMILION, "used")):
        shown = which & np.isfinite(x) & np.isfinite(difference)
        if shown.any():
            axes.errorbar(
                x[shown], difference[shown], error[shown], fmt="o", color=color, elinewidth=0.6, label=label
            )
    axes.set_ylim(-limit, limit)


def _limit(difference: Floats) -> float:
    """Return half the height of a panel that shows all stars used, and others that are not far off."""
    known = np.abs(difference[np.isfinite(difference)])
    return max(0.05, 1.6 * float(known.max())) if known.size else 0.5
