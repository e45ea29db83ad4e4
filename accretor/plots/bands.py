"""All filters of a night at one glance: under each other, or over each other with what disturbed them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accretor.core.arrays import Columns, Floats
from accretor.plots import style
from accretor.plots.lightcurve import (
    draw_bins,
    label_time,
    limit_time,
    model_line,
    reach,
    span,
    transit_marks,
)
from accretor.science.statistics import binned_rms, rms, time_bins

_LEFT: Final = 0.72
_WIDTH: Final = 4.5
_MARKERS: Final = "os^Dv"
_PANELS: Final = (
    ("airmass", "Airmass", ""),
    ("fwhm", "FWHM (px)", "px"),
    ("total_comparison", "Comparison\nstars", "e"),
    ("sky", "Sky (e/px)", "e/px"),
)


@dataclass(frozen=True)
class Band:
    """One filter of a night."""

    filter: str
    table: Columns
    """Columns of the light curve, as `accretor.plots.lightcurve.light_curve` takes them; ``is_counted``,
    where it is there, tells the frames of which the rms is taken."""
    note: str = ""
    """A further line of its label, such as the radius ratio."""
    line: Columns | None = None
    """The model that is drawn, as `accretor.plots.lightcurve.light_curve` takes it."""


@style.house_style()
def panels(
    bands: Sequence[Band],
    *,
    ingress: float | None = None,
    egress: float | None = None,
    error: float | None = None,
    bin_minutes: float = 5.0,
    title: str,
    subtitle: str = "",
) -> Figure:
    """Draw each filter in a panel of its own, all on one scale.

    Parameters
    ----------
    bands : sequence of Band
        From the top.
    ingress, egress, error : float or None
        Predicted contacts (BJD_TDB) and their standard error (day); None or NaN for no line.
    bin_minutes : float
        Width of the binned points, minute.
    title, subtitle : str

    Returns
    -------
    Figure
        7.1 inch wide; the more filters, the higher.

    Raises
    ------
    ValueError
        If there is no band, or none has a frame.
    """
    day, whole = _days(bands)
    height, gap, bottom = 1.55, 0.06, 0.55
    figure = style.new_figure(bottom + len(bands) * (height + gap) + 1.0)
    style.heading(figure, title, subtitle)
    limits = _limits([_used(band, "detrended_flux") for band in bands])
    marks = transit_marks(*_numbers(ingress, egress, error), day)
    top: Axes | None = None
    for number, band in enumerate(reversed(bands)):
        axes = style.add_axes(figure, _LEFT, bottom + number * (height + gap), _WIDTH, height)
        limit_time(axes, whole - day)
        axes.set_ylim(*limits)
        axes.locator_params(axis="y", nbins=5)
        axes.tick_params(labelbottom=number == 0)
        axes.set_ylabel("Relative flux")
        _draw_band(axes, band, day, bin_minutes, style.of_band(band.filter), "o", has_points=True)
        time, model = model_line(band.table, np.asarray(band.table["is_used"], dtype=bool), band.line, day)
        if np.ptp(model[np.isfinite(model)]) > 0 if np.isfinite(model).any() else False:
            axes.plot(time, model, color=style.BLACK, lw=1.1, zorder=5)
        style.draw_marks(axes, marks)
        words = "\n".join([band.filter, _scatter(band, bin_minutes), *([band.note] if band.note else [])])
        style.write_beside(axes, [float(np.mean(limits))], [words], [style.of_band(band.filter)], max_lines=2)
        _spare_ticks(axes)
        if number == 0:
            label_time(axes, day)
        top = axes
    assert top is not None
    style.name_marks(top, marks)
    return figure


@style.house_style()
def stacked(
    bands: Sequence[Band],
    *,
    ingress: float | None = None,
    egress: float | None = None,
    error: float | None = None,
    bin_minutes: float = 10.0,
    title: str,
    subtitle: str = "",
) -> Figure:
    """Draw all filters over each other, and below them airmass, FWHM, comparison stars, sky and shift.

    The flux is drawn in bins only; comparison stars are over their median; the shift is the first filter's,
    from its median. Parameters, return value and errors as in `panels`.
    """
    day, whole = _days(bands)
    bottom, gap = 0.55, 0.06
    heights = [0.85, *([0.8] * len(_PANELS)), 2.2]
    figure = style.new_figure(bottom + sum(heights) + gap * len(heights) + 1.0)
    style.heading(figure, title, subtitle)
    places = bottom + np.concatenate([[0.0], np.cumsum(np.array(heights[:-1]) + gap)])
    boxes = [
        style.add_axes(figure, _LEFT, float(place), _WIDTH, height)
        for place, height in zip(places, heights, strict=True)
    ]
    marks = transit_marks(*_numbers(ingress, egress, error), day)
    for axes in boxes:
        limit_time(axes, whole - day)
        axes.tick_params(labelbottom=axes is boxes[0])
    label_time(boxes[0], day)
    flux_axes = boxes[-1]
    flux_axes.set_ylim(*_limits([_used(band, "detrended_flux") for band in bands], share=0.02))
    flux_axes.set_ylabel("Relative flux, detrended")
    for number, band in enumerate(bands):
        marker = _MARKERS[number % len(_MARKERS)]
        _draw_band(flux_axes, band, day, bin_minutes, style.of_band(band.filter), marker, has_points=False)
    # Of labels at one level, the first is the lowest.
    labels = [f"{band.filter}\n{_scatter(band, bin_minutes)}" for band in reversed(bands)]
    middle = float(np.mean(flux_axes.get_ylim()))
    colors = [style.of_band(band.filter) for band in reversed(bands)]
    style.write_beside(flux_axes, [middle] * len(bands), labels, colors, max_lines=2)
    for axes, (column, name, unit) in zip(boxes[-2:0:-1], _PANELS, strict=True):
        _draw_auxiliary(axes, bands, column, name, unit, day)
    _draw_shift(boxes[0], bands[0], day)
    for axes in boxes:
        style.draw_marks(axes, marks)
        _spare_ticks(axes)
    style.name_marks(flux_axes, marks)
    return figure


def _draw_auxiliary(axes: Axes, bands: Sequence[Band], column: str, name: str, unit: str, day: int) -> None:
    """Draw one column of all filters; where filters tell the same, the last one hides the others."""
    is_ratio = column == "total_comparison"
    series = []
    for band in bands:
        value = _used(band, column)
        finite = value[np.isfinite(value)]
        series.append(value / np.median(finite) if is_ratio and finite.size else value)
    axes.set_ylim(*_limits(series))
    axes.locator_params(axis="y", nbins=4)
    axes.tick_params(axis="y", labelsize=7)
    axes.set_ylabel(name, fontsize=7)
    for number, (band, value) in enumerate(zip(bands, series, strict=True)):
        axes.plot(
            _used(band, "bjd_tdb") - day, value, _MARKERS[number % len(_MARKERS)], mec="none",
            color=style.of_band(band.filter), ms=min(2.4, style.dot(value.size)),
        )  # fmt: skip
    if column == "airmass":
        axes.invert_yaxis()
        finite = np.concatenate(series)
        style.write_beside(axes, [float(np.mean(axes.get_ylim()))], [span(finite[np.isfinite(finite)], unit)],
                           [style.BLACK])  # fmt: skip
        return
    finite_of = [value[np.isfinite(value)] for value in series]
    told = [
        f"± {100 * float(np.std(value)):.1f} %" if is_ratio and value.size else span(value, unit)
        for value in finite_of
    ]
    words = [f"{band.filter}  {said}" for band, said in zip(bands, told, strict=True)][::-1]
    middle = float(np.mean(axes.get_ylim()))
    style.write_beside(
        axes,
        [middle] * len(bands),
        words,
        [style.of_band(band.filter) for band in reversed(bands)],
        max_lines=2,
    )


def _draw_shift(axes: Axes, band: Band, day: int) -> None:
    time = _used(band, "bjd_tdb") - day
    series, words = [], []
    for name in ("x", "y"):
        value = _used(band, name)
        finite = value[np.isfinite(value)]
        series.append(value - (np.median(finite) if finite.size else 0.0))
        words.append(f"{name} of {band.filter}")
    axes.set_ylim(*_limits(series))
    axes.locator_params(axis="y", nbins=4)
    axes.tick_params(axis="y", labelsize=7)
    axes.set_ylabel("Shift (px)", fontsize=7)
    colors = [style.AIJ_X, style.AIJ_Y]
    for value, color, marker in zip(series, colors, "vP", strict=True):
        axes.plot(time, value, marker, color=color, ms=min(2.4, style.dot(time.size)), mec="none")
    style.write_beside(axes, [float(np.mean(axes.get_ylim()))] * 2, words, colors)


def _draw_band(
    axes: Axes, band: Band, day: int, bin_minutes: float, color: str, marker: str, *, has_points: bool
) -> None:
    time, flux = _used(band, "bjd_tdb") - day, _used(band, "detrended_flux")
    error = _used(band, "relative_flux_error")
    if has_points:
        axes.plot(time, flux, "o", color=color, alpha=0.3, mec="none", ms=style.dot(time.size), zorder=2)
        draw_bins(axes, *time_bins(time, flux, error, bin_minutes), color)
        return
    when, mean, bar = time_bins(time, flux, error, bin_minutes)
    axes.errorbar(when, mean, yerr=bar, fmt=marker, ms=4, mfc=color, mec="black", mew=0.4, ecolor=color,
                  elinewidth=0.7, zorder=4)  # fmt: skip


def _scatter(band: Band, bin_minutes: float) -> str:
    counted = np.asarray(band.table.get("is_counted", band.table["is_used"]), dtype=bool)
    time, residual = (np.asarray(band.table[name], np.float64)[counted] for name in ("bjd_tdb", "residual"))
    residual = 1000 * residual
    single = rms(residual)
    if not math.isfinite(single):
        return "RMS unknown"
    binned = binned_rms(time, residual, bin_minutes)[0]
    return f"RMS {single:.2f} ppt\n{binned:.2f} ppt in {bin_minutes:g} min"


def _used(band: Band, column: str) -> Floats:
    used = np.asarray(band.table["is_used"], dtype=bool)
    return np.asarray(np.asarray(band.table[column], dtype=np.float64)[used])


def _days(bands: Sequence[Band]) -> tuple[int, Floats]:
    """Return the day to subtract, and the times of all frames."""
    if not bands:
        raise ValueError("there is no filter to draw")
    whole = np.concatenate([_used(band, "bjd_tdb") for band in bands])
    if whole.size == 0:
        raise ValueError("no filter has a frame")
    return math.floor(float(whole.min())), whole


def _limits(series: Sequence[Floats], share: float = 0.06) -> tuple[float, float]:
    low, high = reach(*series)
    if not low < high:
        middle = low if math.isfinite(low) else 0.0
        return middle - 0.5, middle + 0.5
    margin = max(share, 0.06) * (high - low)
    return low - margin, high + margin


def _numbers(*values: float | None) -> tuple[float, float, float]:
    first, second, third = (math.nan if value is None else float(value) for value in values)
    return first, second, third


def _spare_ticks(axes: Axes) -> None:
    """Leave out the labels so near the ends that they would meet those of the next panel."""
    low, high = sorted(axes.get_ylim())
    spare = 0.07 * (high - low)
    axes.set_yticks([tick for tick in axes.get_yticks() if low + spare <= tick <= high - spare])
