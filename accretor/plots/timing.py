"""Observed minus predicted mid-transit, of all nights of a target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from accretor.plots import style
from accretor.plots.lightcurve import with_error

if TYPE_CHECKING:
    from accretor.core.settings import Ephemeris


@dataclass(frozen=True)
class MidTransit:
    """One observed mid-transit."""

    epoch: int
    o_c: float
    """Observed minus predicted, minute."""
    error: float
    """Of the observation alone, minute."""
    filter: str
    label: str
    """Night and telescope."""


@style.house_style()
def o_c(transits: Sequence[MidTransit], ephemeris: Ephemeris, *, title: str, subtitle: str = "") -> Figure:
    """Draw observed minus predicted mid-transits against the epoch, with the error of the prediction.

    Parameters
    ----------
    transits : sequence of MidTransit
        In any order.
    ephemeris : Ephemeris
        Its errors make the band about zero.
    title, subtitle : str

    Returns
    -------
    Figure
        7.1 x 4.2 inch.

    Raises
    ------
    ValueError
        If there is no transit with a time.
    """
    known = sorted(
        (one for one in transits if math.isfinite(one.o_c)),
        key=lambda one: (one.epoch, one.filter, one.label),
    )
    if not known:
        raise ValueError("there is no mid-transit to draw")
    epoch = np.array([one.epoch for one in known], dtype=np.float64)
    value = np.array([one.o_c for one in known])
    error = np.array([one.error if math.isfinite(one.error) else 0.0 for one in known])
    figure = style.new_figure(4.2)
    style.heading(figure, title, subtitle)
    axes = style.add_axes(figure, 0.72, 0.75, 4.5, 2.7)
    margin = 0.06 * float(np.ptp(epoch)) or 1.0
    axes.set_xlim(float(epoch.min()) - margin, float(epoch.max()) + margin)
    grid = np.linspace(*axes.get_xlim(), 200)
    sigma = 1440 * np.hypot(ephemeris.t0_error, grid * ephemeris.period_error)
    half = 1.15 * max(
        float(np.abs(value).max() + error.max()), min(float(sigma.max()), 10 * float(error.max()))
    )
    axes.set_ylim(-(half or 1.0), half or 1.0)
    axes.axhline(0, color=style.BLACK, lw=0.8)
    if sigma.max() > 0:
        axes.fill_between(grid, -sigma, sigma, color=style.BLUE, alpha=0.12, lw=0, zorder=0)
    axes.set(xlabel="Epoch (periods since T0)", ylabel="Observed − predicted (minute)")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.tick_params(axis="x", which="minor", bottom=False, top=False)
    filters = sorted({one.filter for one in known})
    for number, name in enumerate(filters):
        here = np.array([one.filter == name for one in known])
        # Filters of one night stand beside each other.
        offset = (number - (len(filters) - 1) / 2) * 0.012 * float(np.ptp(axes.get_xlim()))
        axes.errorbar(epoch[here] + offset, value[here], yerr=error[here], fmt="os^Dv"[number % 5], ms=4.5,
                      mfc=style.of_band(name), mec="black", mew=0.4, ecolor=style.of_band(name), lw=0,
                      elinewidth=0.9, label=name, zorder=3)  # fmt: skip
    box = axes.get_position()
    figure.legend(loc="lower left", bbox_to_anchor=(box.x0, box.y1 + 0.01), ncols=6, borderaxespad=0,
                  handletextpad=0.3, columnspacing=1.2)  # fmt: skip
    last: dict[int, tuple[str, float]] = {}
    for one in known:
        last[one.epoch] = (one.label, one.o_c)
    # The latest nights are named; more would not be read.
    names = sorted(last.items())[-12:]
    style.write_beside(
        axes,
        [level for _, (_, level) in names],
        [f"E {number}  {label}".replace("-", "−", 1) if number < 0 else f"E {number}  {label}"
         for number, (label, _) in names],
        [style.GREY] * len(names),
    )  # fmt: skip
    footer = (
        f"T0 {with_error(ephemeris.t0, ephemeris.t0_error)} BJD_TDB  ·  P "
        f"{with_error(ephemeris.period, ephemeris.period_error)} d"
        + ("  ·  band: error of the prediction" if sigma.max() > 0 else "")
        + (f"  ·  {_mean(value, error)}" if len(known) > 1 else "")
    )
    style.write(figure, 0.1, 0.08, footer, width=style.WIDTH - 0.2, max_lines=2, va="bottom", fontsize=7.2)
    return figure


def _mean(value: np.ndarray, error: np.ndarray) -> str:
    if not np.all(error > 0):
        return f"mean {value.mean():+.2f} min".replace("-", "−")
    weight = error**-2.0
    return (
        f"mean {with_error(float(weight @ value / weight.sum()), float(weight.sum() ** -0.5), sign='+')} min"
    )
