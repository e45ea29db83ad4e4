"""The comparison stars, each against the others, to see whether one of them varies."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from accretor.core.arrays import Booleans, Floats
from accretor.plots import style
from accretor.plots.lightcurve import draw_bins, label_time, limit_time, transit_marks
from accretor.science.statistics import scatter, time_bins


@style.house_style()
def comparison_stars(
    bjd_tdb: Floats,
    flux: Floats,
    names: Sequence[str],
    rms_ppt: Sequence[float],
    is_used: Booleans,
    *,
    title: str,
    subtitle: str = "",
    ingress: float | None = None,
    egress: float | None = None,
    target: Floats | None = None,
    bin_minutes: float = 5.0,
) -> Figure:
    """Draw the relative flux of each comparison star, one below the other on one scale.

    Parameters
    ----------
    bjd_tdb : (n_frame,) float64, day
        In order of time, finite.
    flux : (n_frame, n_star) float64
        Relative flux of each star over the others, median 1; NaN where it was not measured.
    names : (n_star,) sequence
        Name of each star, as in the AstroImageJ table.
    rms_ppt : (n_star,) sequence
        Scatter of each star, ppt; None or NaN where it is not known.
    is_used : (n_frame,) bool
        Frames of the light curve; the others are not drawn.
    title, subtitle : str
        First lines of the figure.
    ingress, egress : float or None, BJD_TDB day
        Predicted contacts of the target's transit; None or NaN for no line.
    target : (n_frame,) float64, optional
        Relative flux of the target, drawn pale at the top.
    bin_minutes : float
        Width of the binned points, minute.

    Returns
    -------
    Figure
        7.1 inch wide; the more stars, the higher.

    Raises
    ------
    ValueError
        If there is no frame, or neither a star nor a target.
    """
    curves = [flux[is_used, star] for star in range(len(names))]
    labels = [f"{name}\n{_rms(value)}" for name, value in zip(names, rms_ppt, strict=True)]
    colors, pales = [style.COMPARISON] * len(names), ["#E8A9A9"] * len(names)
    if target is not None:
        curves.insert(0, target[is_used])
        labels.insert(0, "T1")
        colors.insert(0, style.TARGET)
        pales.insert(0, "#B5DBC0")
    if not curves or len(bjd_tdb) == 0:
        raise ValueError("a figure of comparison stars needs a star and a frame")

    height = 1.6 + max(2.0, 0.52 * len(curves))
    figure = style.new_figure(height)
    style.heading(figure, title, subtitle)
    axes = style.add_axes(figure, 0.72, 0.5, 4.5, height - 1.5)
    day = math.floor(float(bjd_tdb.min()))
    time = bjd_tdb[is_used] - day
    limit_time(axes, bjd_tdb - day)
    label_time(axes, day)
    axes.set_ylabel("Relative flux + offset")

    steps, rooms = _offsets(curves)
    levels = [1.0 - step for step in steps]
    axes.set_ylim(levels[-1] - rooms[-1], levels[0] + rooms[0])
    for index, (curve, step, room) in enumerate(zip(curves, steps, rooms, strict=True)):
        # A point further off would be taken for one of the star above or below.
        is_far = np.abs(curve - 1) > 1.2 * room
        labels[index] += f"\n{is_far.sum()} points beyond" if is_far.sum() > 0.03 * time.size else ""
        size = 1.6 if time.size > 400 else 2.4
        axes.plot(
            time[~is_far], curve[~is_far] - step, "o", color=pales[index], ms=size, mec="none", zorder=2
        )
        axes.axhline(1.0 - step, color=style.PALE, linewidth=0.5, zorder=1)
        # Equal errors: the bins show the plain mean, and how well the scatter averages.
        error = np.full(time.size, scatter(np.diff(curve)) / math.sqrt(2))
        when, mean, bar = time_bins(time, curve, error, bin_minutes)
        is_near = np.abs(mean - 1) <= 1.2 * room
        draw_bins(axes, when[is_near], mean[is_near] - step, bar[is_near], colors[index])
    style.write_beside(axes, levels, labels, colors, max_lines=2)
    style.write(figure, 0.1, 0.08, f"large points: {bin_minutes:g} min", width=1.9, va="bottom", fontsize=7.2)
    first, last = (math.nan if when is None else when for when in (ingress, egress))
    marks = transit_marks(first, last, math.nan, day)
    style.draw_marks(axes, marks)
    style.name_marks(axes, marks)
    return figure


def _rms(value: float | None) -> str:
    return "RMS unknown" if value is None or not math.isfinite(value) else f"RMS {value:.2f} ppt"


def _offsets(curves: Sequence[Floats]) -> tuple[list[float], list[float]]:
    """Return how far each curve is moved down, and the room above and below each.

    Each has 3.5 times its own scatter, at most that of three usual curves, so that one
    bad star does not flatten all others.
    """
    sigma = np.array([_half_range(curve) for curve in curves])
    usual = float(np.median(sigma[sigma > 0])) if np.any(sigma > 0) else 1e-3
    room = np.clip(np.where(sigma > 0, sigma, usual), 0.5 * usual, 3 * usual)
    steps = np.concatenate([[0.0], np.cumsum(room[:-1] + room[1:])])
    return steps.tolist(), room.tolist()


def _half_range(curve: Floats) -> float:
    """Return how far the curve goes from 1, but for its few wildest points; 0 if it has none."""
    finite = curve[np.isfinite(curve)]
    return float(1.15 * np.percentile(np.abs(finite - 1), 98)) if finite.size else 0.0
