"""The figures of the check for eclipsing binaries nearby: curves, and scatter against brightness."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accretor.core.arrays import Floats
from accretor.plots import style
from accretor.plots.lightcurve import label_time
from accretor.plots.style import Mark
from accretor.science import neb
from accretor.science.statistics import MINUTES_PER_DAY

Row = Mapping[str, Any]

HEIGHT: Final = 4.7334
SMALL_DPI: Final = 900 / style.WIDTH
"""Dots per inch of the figures in the archive, which are 900 pixels wide as those of AstroImageJ."""
CLOSE: Final = 10.0
"""Arcsec within which a neighbour, or the target, is named in red."""
CLOSE_RADII: Final = 3.0
"""Aperture radii within which a star's own neighbour makes its name red."""

COLORS: Final = {
    neb.CLEARED: style.GREEN,
    neb.LIKELY: "#B26B00",
    neb.TOO_FAINT: style.BLACK,
    neb.NOT_CLEARED: style.COMPARISON,
    neb.FLUX_TOO_LOW: style.COMPARISON,
}
"""The colours of AstroImageJ's macro, darkened until they are read on white."""


@style.house_style()
def depth_curve(
    bin_time: Floats,
    bin_flux: Floats,
    row: Row,
    *,
    nearest: float,
    ingress: float,
    egress: float,
    scale: float,
    title: str,
) -> Figure:
    """Draw the light curve of a neighbour over the eclipse that it would need.

    Parameters
    ----------
    bin_time : (n_bin,) float64, BJD_TDB day
        May be empty: then the figure says that the star was not measured.
    bin_flux : (n_bin,) float64
        Normalised; NaN for a bin that was left out.
    row : mapping
        Of the neighbours' dump.
    nearest : float, arcsec
        Distance of the nearest other aperture.
    ingress, egress : float, BJD_TDB day
    scale : float, arcsec per pixel
    title : str

    Returns
    -------
    Figure
    """
    figure = style.new_figure(HEIGHT)
    is_low = row["disposition"] == neb.FLUX_TOO_LOW
    needed = math.nan if is_low else row["depth_needed"]
    style.heading(figure, title, _subtitle(row, needed, scale))
    _distances(figure, row, nearest)
    axes = style.add_axes(figure, 0.72, 0.5, style.WIDTH - 0.9, HEIGHT - 1.9)
    hour = 60 / MINUTES_PER_DAY
    start, end = (edge([*bin_time, limit]) for edge, limit in ((min, ingress - hour), (max, egress + hour)))
    day = math.floor(start)
    pad = 0.01 * (end - start)
    axes.set_xlim(start - pad - day, end + pad - day)
    label_time(axes, day)
    axes.set_ylabel("Normalised relative flux")
    color = COLORS[row["disposition"]]
    level = 1 - min(needed, neb.UNITY) / 1000 if math.isfinite(needed) else 1.0
    corners = [ingress - hour, ingress, ingress, egress, egress, egress + hour]
    axes.plot(
        np.array(corners) - day, [1, 1, level, level, 1, 1], color=color, linewidth=1.6, zorder=3,
        solid_joinstyle="miter",
    )  # fmt: skip
    kept = np.isfinite(bin_flux)
    axes.plot(bin_time[kept] - day, bin_flux[kept], "o", color=style.BLACK, ms=3.2, mec="none", zorder=2)
    if not kept.any():
        axes.text(
            0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", va="center",
            fontsize=11, color=style.GREY,
        )  # fmt: skip
    low, high = (edge([*bin_flux[kept], level, 1.0]) for edge in (min, max))
    room = max(high - low, 0.02)
    axes.set_ylim(low - 0.1 * room, high + 0.15 * room)
    marks = [
        Mark(ingress - day, "predicted ingress", style.BLUE),
        Mark(egress - day, "predicted egress", style.BLUE),
    ]
    style.draw_marks(axes, marks)
    style.name_marks(axes, marks)
    return figure


def save(figure: Figure) -> bytes:
    """Return a figure of the archive as PNG, 900 pixels wide: same figure, same bytes."""
    return style.save(figure, SMALL_DPI)


@style.house_style()
def scatter(
    rows: Sequence[Row],
    *,
    depth: float,
    nearest: Sequence[float],
    scale: float,
    title: str,
    search_radius: float = 2.5,
) -> Figure:
    """Draw the scatter of each neighbour against its brightness, with the lines from which it is cleared.

    Parameters
    ----------
    rows : sequence of mapping
        Of the neighbours' dump; stars without scatter, or with too little flux, are counted only.
    depth : float, ppt
        Predicted, of the target.
    nearest : sequence of float, arcsec
        Distance of each star's nearest other aperture.
    scale : float, arcsec per pixel
    title : str
    search_radius : float, arcmin

    Returns
    -------
    Figure
    """
    shown = [
        (row, distance)
        for row, distance in zip(rows, nearest, strict=True)
        if row["disposition"] != neb.FLUX_TOO_LOW and row["rms"] > 0 and math.isfinite(row["delta_mag"])
    ]
    left_out = len(rows) - len(shown)
    figure = style.new_figure(5.2)
    said = f"Radius: {search_radius:g} arcmin; red: another star within 3 aperture radii"
    if left_out:
        said += f"; {left_out} stars not shown: too little flux, or not measured"
    style.heading(figure, title, said)
    axes = style.add_axes(figure, 0.72, 0.5, style.WIDTH - 0.9, 4.05)
    x = np.array([row["delta_mag"] for row, _ in shown])
    y = np.array([row["rms"] for row, _ in shown])
    low, high = (min(x), max(x)) if len(x) else (0.0, neb.magnitude_limit(depth))
    axes.set_xlim(low - 0.5, high + 0.5)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    grid = np.linspace(low - 0.5, high + 0.5, 300)
    line = depth / 10 ** (-(grid + neb.BAND) / 2.5)
    for ratio, color, words in (
        (neb.LIKELY_RATIO, style.PURPLE, "likely cleared below (NEBdepth / 3)"),
        (neb.CLEAR_RATIO, style.GREEN, "cleared below (NEBdepth / 5)"),
    ):
        axes.plot(grid, line / ratio, color=color, label=words)
    every = [*y, *(line / neb.CLEAR_RATIO)]
    axes.set_ylim(
        0.6 * min(every), 1.8 * max(*y, line[-1] / neb.LIKELY_RATIO) if len(y) else 1.8 * max(every)
    )
    _points(axes, shown, scale)
    axes.set(xlabel="Magnitude difference from the target", ylabel="RMS (ppt)")
    axes.legend(loc="lower right")
    return figure


def _points(axes: Axes, shown: Sequence[tuple[Row, float]], scale: float) -> None:
    """Draw the stars, the name of each above or below, where it meets the fewest others."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    at = np.array([(row["delta_mag"], row["rms"]) for row, _ in shown]).reshape(-1, 2)
    spots = axes.transData.transform(at)
    taken = [(float(x), float(y)) for x, y in spots]
    point = figure.dpi / 72
    for (row, distance), (x, y) in zip(shown, spots, strict=True):
        meets = {
            side: sum(abs(x - a) < 15 * point and abs(y + side * point - b) < 7 * point for a, b in taken)
            for side in (8.0, -10.0)
        }
        side = min(meets, key=meets.__getitem__)
        taken.append((float(x), float(y) + side * point))
        is_close = distance < CLOSE_RADII * row["radius"] * scale
        color = style.COMPARISON if is_close else style.BLACK
        axes.plot(row["delta_mag"], row["rms"], "x", color=color, ms=4, mew=0.9)
        axes.annotate(
            f"T{row['neighbour']}",
            (row["delta_mag"], row["rms"]),
            xytext=(0, side),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=7,
            color=color,
        )


def _subtitle(row: Row, needed: float, scale: float) -> str:
    radius = row["radius"]
    depth = f"{needed:.1f} ppt" if math.isfinite(needed) else "N/A"
    parts = [f"Star: T{row['neighbour']}", f"dmag: {_number(row['delta_mag'])}", f"Required depth: {depth}"]
    parts.append(f"RMS: {_number(row['rms'])} ppt")
    if math.isfinite(radius):
        parts.append(f'ap = {radius:.1f} px ({radius * scale:.2f}")')
    return "   ".join(parts)


def _number(value: float) -> str:
    return f"{value:.1f}" if math.isfinite(value) else "N/A"


def _distances(figure: Figure, row: Row, nearest: float) -> None:
    """Write where the star is and what is found of it, in two lines below the heading."""
    top = HEIGHT - 0.56
    near = style.COMPARISON
    parts = [
        (f'Distance to target: {row["separation"]:.1f}"', near if row["separation"] < CLOSE else style.BLACK),
        (f'to nearest aperture: {nearest:.1f}"', near if nearest < CLOSE else style.BLACK),
        (f"PA: {row['position_angle']:.1f}°", style.BLACK),
        (f"Disposition: {row['disposition']}", COLORS[row["disposition"]]),
    ]
    x = 0.1
    for words, color in parts:
        text = style.write(figure, x, top, words, va="top", fontsize=7.5, color=color)
        x += style.text_size(text)[0] + 0.22
    seen = f"Our test: {row['verdict']}"
    if math.isfinite(row["box_depth"]) and " ppt" not in row["reason"]:
        seen += f"; box {row['box_depth']:.2f} ± {row['box_depth_error']:.2f} ppt"
    if row["reason"]:
        seen += f"; {row['reason']}"
    style.write(figure, 0.1, top - 0.17, seen, width=style.WIDTH - 0.2, max_lines=2, va="top", fontsize=7.5)
