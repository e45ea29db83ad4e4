"""All observations of a target under each other, each against its own predicted transit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accretor.core.arrays import Floats
from accretor.plots import style
from accretor.plots.lightcurve import with_error
from accretor.science import ephemeris as ephemerides
from accretor.science.statistics import point_to_point, time_bins

if TYPE_CHECKING:
    from accretor.core.settings import Ephemeris

PER_PAGE: Final = 16
"""Observations of one page; more are too small to be read on it."""

_LEFT: Final = 0.6
_WIDTH: Final = 4.5
_LANE: Final = 0.56
"""Height of one observation, inch."""
_LOWEST: Final = 1.7
"""Height of all of them, inch, at least."""
_BOTTOM: Final = 0.75
_TOP: Final = 0.62


@dataclass(frozen=True)
class Curve:
    """One observation."""

    label: str
    """Date and telescope."""
    filter: str
    time: Floats
    """(n,) BJD_TDB day, in order; finite."""
    flux: Floats
    """(n,) relative flux."""
    error: Floats
    """(n,) its error; NaN where it is not known."""
    origin: str = ""
    """Such as the tag on ExoFOP."""
    is_ours: bool = False
    """Made in this workspace: its label is bold."""


@style.house_style()
def phased(
    curves: Sequence[Curve],
    ephemeris: Ephemeris,
    *,
    title: str,
    subtitle: str = "",
    bin_minutes: float = 10.0,
) -> Figure:
    """Draw observations under each other, against the hours from the predicted mid-transit.

    Each is divided by its median outside the predicted transit (of all points, where it has
    none outside), and drawn at a level of its own; the scale is the same for all.

    Parameters
    ----------
    curves : sequence of `Curve`
        From the top; at most `PER_PAGE` are readable. A curve without points is an empty lane.
    ephemeris : Ephemeris
        Its transit nearest to the middle of an observation is that of its lane.
    title, subtitle : str
    bin_minutes : float
        Width of the binned points, minute.

    Returns
    -------
    Figure
        7.1 inch wide, as high as the curves need.

    Raises
    ------
    ValueError
        If there is no curve.
    """
    if not curves:
        raise ValueError("there is no observation to draw")
    height = max(_LANE * len(curves), _LOWEST)
    figure = style.new_figure(_BOTTOM + _TOP + height)
    style.heading(figure, title, subtitle)
    axes = style.add_axes(figure, _LEFT, _BOTTOM, _WIDTH, height)
    hours = [_hours(curve, ephemeris) for curve in curves]
    fluxes = [
        normalised(curve.flux, hour, ephemeris.duration) for curve, hour in zip(curves, hours, strict=True)
    ]
    step = _step(fluxes, ephemeris.depth / 1000)
    # The transit goes down from the level, so there is more room below than above it.
    axes.set_ylim(-(len(curves) - 0.35) * step, 0.35 * step)
    _limit(axes, hours, ephemeris.duration)
    _draw_window(axes, ephemeris.duration)
    levels, labels, colors = [], [], []
    for number, (curve, hour, flux) in enumerate(zip(curves, hours, fluxes, strict=True)):
        level = -number * step
        color = style.of_band(curve.filter)
        _draw(axes, hour, flux - 1 + level, curve.error, color, bin_minutes)
        levels.append(level)
        labels.append(_label(curve, flux, ephemeris))
        colors.append(color)
        if number:
            axes.axhline(level + 0.35 * step, color="#E6E6E6", linewidth=0.5, zorder=0)
    style.write_beside(axes, levels, labels, colors, max_lines=2)
    _embolden(figure, labels, curves)
    axes.set_xlabel("Hours from predicted mid-transit")
    axes.set_ylabel("Relative flux, moved apart")
    axes.yaxis.set_major_formatter(lambda value, _: "")
    axes.yaxis.set_ticks(levels)
    axes.tick_params(axis="y", which="minor", left=False, right=False)
    footer = _footer(ephemeris, step, bin_minutes)
    style.write(figure, 0.1, 0.08, footer, width=style.WIDTH - 0.2, max_lines=2, va="bottom", fontsize=7.2)
    return figure


def normalised(flux: Floats, hours: Floats, duration: float) -> Floats:
    """Return *flux* over its median outside the transit of *duration* hours about 0.

    Where fewer than five points are outside, the median of all of them is taken.
    """
    outside = flux[(np.abs(hours) > duration / 2) & np.isfinite(flux)]
    known = outside if outside.size >= 5 else flux[np.isfinite(flux)]
    level = float(np.median(known)) if known.size else math.nan
    return flux / level if level > 0 else np.full(flux.size, math.nan)


def _hours(curve: Curve, ephemeris: Ephemeris) -> Floats:
    if curve.time.size == 0:
        return curve.time
    middle = float(curve.time[0] + curve.time[-1]) / 2
    return 24 * (curve.time - ephemerides.predict(ephemeris, middle).mid)


def _step(fluxes: Sequence[Floats], depth: float) -> float:
    """Return the distance of two levels: room for the transit, and for the noise of most."""
    noise = [point_to_point(flux) for flux in fluxes]
    finite = [value for value in noise if math.isfinite(value)]
    return max(2.3 * depth, 5.0 * float(np.median(finite)) if finite else 0.0, 1e-3)


def _limit(axes: Axes, hours: Sequence[Floats], duration: float) -> None:
    """Show what was observed, but not more than three durations to each side."""
    every = np.concatenate([np.array([-0.8 * duration, 0.8 * duration]), *hours])
    furthest = 3.0 * duration
    low, high = (float(np.clip(value, -furthest, furthest)) for value in (every.min(), every.max()))
    margin = 0.02 * (high - low)
    axes.set_xlim(low - margin, high + margin)


def _draw_window(axes: Axes, duration: float) -> None:
    axes.axvspan(-duration / 2, duration / 2, color=style.BLUE, alpha=0.07, lw=0, zorder=0)
    for edge in (-duration / 2, duration / 2):
        axes.axvline(edge, color=style.BLUE, linestyle="--", linewidth=0.7, zorder=0.5)
    axes.axvline(0, color=style.BLUE, linestyle=":", linewidth=0.7, zorder=0.5)


def _draw(axes: Axes, hours: Floats, flux: Floats, error: Floats, color: str, bin_minutes: float) -> None:
    if hours.size == 0:
        return
    axes.plot(hours, flux, ".", color=style.PALE, ms=2.2, mec="none", zorder=1.5, clip_on=True)
    is_measured = bool(np.all(error > 0))
    weights = error if is_measured else np.ones(hours.size)
    time, mean, sigma = time_bins(hours / 24, flux, weights, bin_minutes)
    axes.errorbar(
        24 * time,
        mean,
        yerr=sigma if is_measured else None,
        fmt="o",
        ms=2.8,
        mec="none",
        color=color,
        elinewidth=0.7,
        zorder=2.5,
    )


def _label(curve: Curve, flux: Floats, ephemeris: Ephemeris) -> str:
    first = f"{curve.label} {curve.filter}".rstrip()
    if curve.time.size == 0:
        return f"{first}\nno point"
    noise = 1000 * point_to_point(flux)
    middle = float(curve.time[0] + curve.time[-1]) / 2
    epoch = f"{ephemerides.predict(ephemeris, middle).epoch}".replace("-", "−")
    scatter = f"{noise:.1f} ppt per point" if math.isfinite(noise) else ""
    return f"{first}\n" + ", ".join(part for part in (curve.origin, f"E = {epoch}", scatter) if part)


def _embolden(figure: Figure, labels: Sequence[str], curves: Sequence[Curve]) -> None:
    """Make the labels of our own observations bold."""
    texts = figure.texts[-len(labels) :]
    for text, curve in zip(texts, curves, strict=True):
        if curve.is_ours:
            text.set_fontweight("bold")
            text.set_fontsize(0.88 * float(text.get_fontsize()))  # bold type is wider


def _footer(ephemeris: Ephemeris, step: float, bin_minutes: float) -> str:
    parts = [
        f"T0 {with_error(ephemeris.t0, ephemeris.t0_error)} BJD_TDB",
        f"P {with_error(ephemeris.period, ephemeris.period_error)} d",
        f"duration {ephemeris.duration:g} h (dashed: predicted contacts)",
        f"depth {ephemeris.depth:g} ppt",
        f"distance of two levels {1000 * step:.3g} ppt",
        f"large points: {bin_minutes:g} min",
    ]
    return "  ·  ".join([*parts, *([f"from: {ephemeris.source}"] if ephemeris.source else [])])
