"""The light curve as SG1 reads it: target, model, residuals, and what may have disturbed them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accretor.core.arrays import Booleans, Columns, Floats
from accretor.plots import style
from accretor.plots.style import Mark
from accretor.science.statistics import MINUTES_PER_DAY, binned_rms, rms, time_bins

Results = Mapping[str, Any]

_LEFT: Final = 0.72
_WIDTH: Final = 4.5
_HEIGHT: Final = 8.15

_LANES: Final = (
    ("fwhm", "FWHM", "px", style.AIJ_WIDTH, "o"),
    ("sky", "Sky", "e/px", style.AIJ_SKY, "s"),
    ("airmass", "Airmass, inverted", "", style.AIJ_AIRMASS, "D"),
    ("total_comparison", "Comparison stars", "e", style.AIJ_COUNTS, "^"),
    ("x", "Target x", "px", style.AIJ_X, "v"),
    ("y", "Target y", "px", style.AIJ_Y, "P"),
)
"""Column, name, unit, colour and marker of each auxiliary curve, from the top."""


@style.house_style()
def light_curve(
    table: Columns,
    results: Results,
    *,
    title: str,
    subtitle: str = "",
    bin_minutes: float = 5.0,
    counted: Booleans | None = None,
    line: Columns | None = None,
) -> Figure:
    """Draw the light curve of the target in the layout that SG1 asks for.

    From the top: undetrended flux with trend times model; detrended flux, unbinned and in
    bins, with the model; residuals; and six auxiliary curves, each scaled to 15 % of its panel.

    Parameters
    ----------
    table : columns, each (n_frame,), in order of time
        ``bjd_tdb`` (day, finite), ``is_used``, ``relative_flux``, ``relative_flux_error``,
        ``trend``, ``detrended_flux``, ``model``, ``residual``, ``fwhm`` (pixel), ``sky``
        (electron per pixel), ``airmass``, ``total_comparison`` (electron), ``x``, ``y`` (pixel).
        NaN where nothing was measured.
    results : mapping
        Numbers of the observation; one that is missing, None or NaN is not written.
    title, subtitle : str
        First lines of the figure.
    bin_minutes : float
        Width of the binned points, minute.
    counted : (n_frame,) bool, optional
        Frames of which every rms of this figure is taken; default: those that are used.
    line : columns, each (n,), in order of time, optional
        ``bjd_tdb`` and ``model`` where the model is drawn; default: at the frames, and straight between.

    Returns
    -------
    Figure
        7.1 x 8.15 inch.

    Raises
    ------
    ValueError
        If the table has no row.
    """
    time = np.asarray(table["bjd_tdb"], dtype=np.float64)
    if time.size == 0:
        raise ValueError("a light curve needs at least one frame")
    used = np.asarray(table["is_used"], dtype=bool)
    counted = used if counted is None else counted
    day = math.floor(time.min())
    figure = style.new_figure(_HEIGHT)
    style.heading(figure, title, subtitle)
    flux_axes = style.add_axes(figure, _LEFT, 3.92, _WIDTH, 3.4)
    residual_axes = style.add_axes(figure, _LEFT, 2.82, _WIDTH, 1.04)
    auxiliary_axes = style.add_axes(figure, _LEFT, 0.76, _WIDTH, 2.0)
    panels = (flux_axes, residual_axes, auxiliary_axes)
    for axes in panels:
        limit_time(axes, time - day)
        axes.tick_params(labelbottom=axes is auxiliary_axes)
    label_time(auxiliary_axes, day)

    _draw_flux(
        flux_axes, table, results, time - day, used, counted, bin_minutes, model_line(table, used, line, day)
    )
    _draw_residuals(residual_axes, table, results, time - day, used, counted, bin_minutes)
    _draw_auxiliaries(auxiliary_axes, table, time - day, used)
    marks = _marks(results, day)
    for axes in panels:
        style.draw_marks(axes, marks)
    style.name_marks(flux_axes, marks)
    footer = _footer(results, used)
    style.write(figure, 0.1, 0.08, footer, width=style.WIDTH - 0.2, max_lines=2, va="bottom", fontsize=7.2)
    return figure


def quantity(results: Results, key: str) -> float:
    """Return the number *key* of *results*; NaN where it is missing or None."""
    value = results.get(key)
    return math.nan if value is None else float(value)


def limit_time(axes: Axes, time: Floats) -> None:
    """Let the x axis hold every *time* with a margin of 2 %."""
    margin = 0.02 * float(np.ptp(time)) or 0.01
    axes.set_xlim(float(time.min()) - margin, float(time.max()) + margin)


def label_time(axes: Axes, day: int) -> None:
    """Name the x axis, on which *day* is subtracted from BJD_TDB."""
    axes.set_xlabel(rf"BJD$_\mathrm{{TDB}}$ $-$ {day} (day)")


def transit_marks(ingress: float, egress: float, error: float, day: int) -> list[Mark]:
    """Return the marks of the predicted ingress and egress (BJD_TDB), with a band of *error* day."""
    return [
        Mark(when - day, f"Predicted\n{name}", style.BLUE, "--", error)
        for when, name in ((ingress, "ingress"), (egress, "egress"))
    ]


def _marks(results: Results, day: int) -> list[Mark]:
    """Return the vertical lines of the light curve."""
    contacts = transit_marks(
        quantity(results, "ingress_bjd_tdb"),
        quantity(results, "egress_bjd_tdb"),
        quantity(results, "prediction_error_day"),
        day,
    )
    middle = Mark(
        quantity(results, "tc_bjd_tdb") - day,
        "Observed\nmid",
        style.BLACK,
        ":",
        quantity(results, "tc_error_day"),
    )
    flip = Mark(quantity(results, "flip_bjd_tdb") - day, "Meridian\nflip", style.PURPLE, "-.")
    return [*contacts, *([middle] if _has_fit(results) else []), flip]


def _has_fit(results: Results) -> bool:
    return bool(results.get("has_fit"))


def reach(*series: Floats) -> tuple[float, float]:
    """Return limits that hold every series, but not a few points far from the others."""
    low, high = [], []
    for values in series:
        finite = values[np.isfinite(values)]
        if finite.size:
            first, last = np.percentile(finite, (1, 99))
            spare = 0.5 * (last - first)
            low.append(max(finite.min(), first - spare))
            high.append(min(finite.max(), last + spare))
    return (float(min(low)), float(max(high))) if low else (math.nan, math.nan)


def _draw_points(axes: Axes, time: Floats, flux: Floats, error: Floats, color: str) -> None:
    """Draw unbinned points; error bars only where there is room for them."""
    bar = error if time.size <= 400 else None
    axes.errorbar(
        time,
        flux,
        yerr=bar,
        fmt="o",
        ms=style.dot(time.size),
        mfc=color,
        mec="none",
        ecolor="#D9D9D9",
        elinewidth=0.5,
        zorder=2,
    )


def draw_bins(axes: Axes, time: Floats, value: Floats, error: Floats, color: str) -> None:
    """Draw binned points with dark edges."""
    axes.errorbar(
        time, value, yerr=error, fmt="o", ms=4 if time.size <= 150 else 2.8, mfc=color, mec="black", mew=0.5,
        ecolor="black", elinewidth=0.6, zorder=4,
    )  # fmt: skip


def _draw_left_out(axes: Axes, time: Floats, flux: Floats, used: Booleans) -> None:
    """Draw the frames left out as faint crosses, those out of range or not measured at the edge."""
    low, high = axes.get_ylim()
    place = np.clip(np.where(np.isfinite(flux), flux, low), low, high)[~used]
    axes.plot(time[~used], place, "x", color=style.PALE, ms=4, mew=0.8, zorder=1.8, clip_on=False)


def _draw_flux(
    axes: Axes, table: Columns, results: Results, time: Floats, used: Booleans, counted: Booleans,
    bin_minutes: float, line: tuple[Floats, Floats],
) -> None:  # fmt: skip
    """Draw the undetrended flux over the detrended one, with the models."""
    raw, detrended, error = table["relative_flux"], table["detrended_flux"], table["relative_flux_error"]
    moment, model = line
    expected = model * np.interp(moment, time[used], table["trend"][used]) if used.any() else model
    low, high = reach(detrended[used], table["model"][used])
    raw_low, raw_high = reach(raw[used])
    offset = _rounded_up(1.1 * (high - raw_low)) if high > raw_low else 0.0
    top = np.nanmax([high, raw_high + offset]) if math.isfinite(low) else 1.01
    low = low if math.isfinite(low) else 0.99
    margin = 0.05 * (top - low) or 0.01
    axes.set_ylim(low - margin, top + margin)
    axes.set_ylabel(f"Relative flux (undetrended + {offset:g})")

    _draw_points(axes, time[used], raw[used] + offset, error[used], style.GREY)
    axes.plot(moment, expected + offset, color=style.BLACK, linewidth=0.8, zorder=3)
    _draw_points(axes, time[used], detrended[used], error[used], "#74B88B")
    draw_bins(axes, *time_bins(time[used], detrended[used], error[used], bin_minutes), style.TARGET)
    if _has_fit(results):
        axes.plot(moment, model, color=style.BLACK, linewidth=1.3, zorder=5)
    _draw_left_out(axes, time, np.where(np.isfinite(detrended), detrended, raw), used)

    levels = [_level(raw[used], 1.0) + offset, _level(detrended[used], 1.0)]
    raw_rms = 1000 * rms((raw / np.where(np.isfinite(table["model"]), table["model"], 1) - 1)[counted])
    about = "about the model" if _has_fit(results) else "about 1"
    raw_label = "\n".join(
        ["T1, undetrended", "line: trend × model", *_if_finite(f"RMS {raw_rms:.2f} ppt {about}", raw_rms)]
    )
    labels = [raw_label, _detrended_label(results, bin_minutes)]
    labels.append(_fit_label(results))
    levels.append(low)
    style.write_beside(axes, levels, labels, (style.GREY, style.TARGET, style.BLACK), max_lines=2)


def model_line(table: Columns, used: Booleans, line: Columns | None, day: int) -> tuple[Floats, Floats]:
    """Return times (day) and values of the model that is drawn."""
    if line is None:
        return table["bjd_tdb"][used] - day, table["model"][used]
    return line["bjd_tdb"] - day, line["model"]


def _level(flux: Floats, default: float) -> float:
    finite = flux[np.isfinite(flux)]
    return float(np.median(finite)) if finite.size else default


def _rounded_up(value: float) -> float:
    """Return *value* rounded up to two digits."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(value / unit) * unit:.3g}")


def _if_finite(text: str, *values: float) -> list[str]:
    return [text] if all(math.isfinite(value) for value in values) else []


def _detrended_label(results: Results, bin_minutes: float) -> str:
    terms = ", ".join(str(term) for term in results.get("detrend") or ()) or "constant only"
    single, ten, predicted = (
        quantity(results, key) for key in ("rms_per_point_ppt", "rms_10min_ppt", "predicted_rms_ppt")
    )
    lines = [
        "T1, detrended",
        f"({terms})",
        *_if_finite(f"RMS {single:.2f} ppt per point", single),
        *_if_finite(f"RMS {ten:.2f} ppt in 10 min", ten),
        *_if_finite(f"predicted {predicted:.2f} ppt per point", predicted),
        f"large points: {bin_minutes:g} min",
    ]
    return "\n".join(lines)


def _fit_label(results: Results) -> str:
    if not _has_fit(results):
        return "No transit fit"
    depth, ratio, ratio_error, tc, tc_error, mid, mid_error, duration = (
        quantity(results, key)
        for key in (
            "depth_ppt", "rp_rs", "rp_rs_error", "tc_bjd_tdb", "tc_error_day", "mid_bjd_tdb",
            "prediction_error_day", "duration_hour",
        )
    )  # fmt: skip
    late = (tc - mid) * MINUTES_PER_DAY
    late_error = math.hypot(tc_error, 0.0 if math.isnan(mid_error) else mid_error) * MINUTES_PER_DAY
    lines = [
        "Transit model",
        *_if_finite(f"depth {depth:.2f} ppt", depth),
        *_if_finite(f"Rp/R* {with_error(ratio, ratio_error)}", ratio),
        *_if_finite(f"Tc {with_error(tc, tc_error)}", tc),
        *_if_finite(f"Tc − predicted {with_error(late, late_error, sign='+')} min", late),
        *_if_finite(f"duration {duration:.2f} h", duration),
    ]
    return "\n".join(lines)


def with_error(value: float, error: float, *, sign: str = "") -> str:
    """Return ``value ± error`` to two digits of the error; to five digits where there is no error.

    >>> with_error(0.14891, 0.0021)
    '0.1489 ± 0.0021'
    """
    if not (math.isfinite(error) and error > 0):
        digits = 5 if abs(value) > 1e5 else max(0, 4 - math.floor(math.log10(abs(value) or 1)))
        return f"{value:{sign}.{min(digits, 6)}f}".replace("-", "−")
    digits = max(0, 1 - math.floor(math.log10(float(f"{error:.1e}"))))
    return f"{value:{sign}.{digits}f} ± {error:.{digits}f}".replace("-", "−")


def _draw_residuals(
    axes: Axes, table: Columns, results: Results, time: Floats, used: Booleans, counted: Booleans,
    bin_minutes: float,
) -> None:  # fmt: skip
    """Draw detrended flux minus model in ppt."""
    residual, error = 1000 * table["residual"], 1000 * table["relative_flux_error"]
    low, high = reach(residual[used])
    half = 1.2 * max(abs(low), abs(high)) if low < high else 1.0
    axes.set_ylim(-half, half)
    axes.axhline(0, color=style.BLACK, linewidth=0.8, zorder=3)
    axes.set_ylabel("Residual (ppt)")
    _draw_points(axes, time[used], residual[used], error[used], style.PALE)
    bins = time_bins(time[used], residual[used], error[used], bin_minutes)
    draw_bins(axes, *bins, style.TARGET)
    binned = binned_rms(time[counted], residual[counted], bin_minutes)[0]
    _draw_left_out(axes, time, residual, used)
    single = quantity(results, "rms_per_point_ppt")
    n = int(np.sum(~used))
    lines = [
        "Residuals" if _has_fit(results) else "Residuals to the trend",
        *_if_finite(f"RMS {single:.2f} ppt per point", single),
        *_if_finite(f"RMS {binned:.2f} ppt in {bin_minutes:g} min bins", binned),
        *([] if counted.sum() == used.sum() else [f"of {counted.sum()} frames, in the intervals"]),
        *([] if not n else [f"× {n} frame{'' if n == 1 else 's'} left out"]),
    ]
    style.write_beside(axes, [0.0], ["\n".join(lines)], [style.BLACK])


def _draw_auxiliaries(axes: Axes, table: Columns, time: Floats, used: Booleans) -> None:
    """Draw each auxiliary curve in a lane of its own, 15 % of the panel high."""
    n_lane = len(_LANES)
    axes.set_ylim(-0.1, n_lane + 0.1)
    axes.set_yticks([])
    axes.set_yticks([], minor=True)
    axes.set_ylabel("Scaled to 15 % each")
    labels = []
    for lane, (column, name, unit, color, marker) in enumerate(reversed(_LANES)):
        values = np.asarray(table[column], dtype=np.float64)
        finite = values[used & np.isfinite(values)]
        if lane:
            axes.axhline(lane, color="#E0E0E0", linewidth=0.5, zorder=0)
        labels.append(f"{name}\n{span(finite, unit)}")
        if finite.size == 0:
            continue
        low, high = float(finite.min()), float(finite.max())
        place = (values - low) / (high - low) if high > low else np.where(np.isfinite(values), 0.5, np.nan)
        if column == "airmass":
            place = 1 - place
        # 15 % of the panel, in lanes of a sixth of it
        place = lane + 0.5 + 0.15 * n_lane * (np.clip(place, 0, 1) - 0.5)
        axes.plot(
            time[used],
            place[used],
            marker,
            color=color,
            ms=min(2.6, style.dot(time.size) + 0.2),
            mec="none",
            zorder=3,
        )
        axes.plot(time[~used], place[~used], "x", color=style.PALE, ms=3, mew=0.7, zorder=1.8)
    colors = [lane[3] for lane in reversed(_LANES)]
    style.write_beside(axes, [lane + 0.5 for lane in range(n_lane)], labels, colors)


def span(values: Floats, unit: str) -> str:
    """Return the least and the greatest value in words."""
    if values.size == 0:
        return "not measured"
    low, high = float(values.min()), float(values.max())
    power = math.floor(math.log10(max(abs(low), abs(high)) or 1))
    factor = ""
    if power >= 5:
        low, high, factor = low / 10**power, high / 10**power, f" ×10{_superscript(power)}"
    digits = min(3, max(0, 2 - math.floor(math.log10(high - low)))) if high > low else 2
    words = f"{low:.{digits}f} – {high:.{digits}f}{factor} {unit}".rstrip()
    return words.replace("-", "−")


def _superscript(power: int) -> str:
    return str(power).translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))


def _footer(results: Results, used: Booleans) -> str:
    """Return the last line: frames, exposure, aperture, ensemble, coverage."""
    good, poor = quantity(results, "n_frame_good"), quantity(results, "n_frame_poor")
    exposure, scale = quantity(results, "exposure_s"), quantity(results, "pixel_scale_arcsec")
    radius, inner, outer = (
        quantity(results, key) for key in ("aperture_radius_px", "annulus_inner_px", "annulus_outer_px")
    )
    n_comparison, coverage = quantity(results, "n_comparison"), results.get("coverage")
    arcsec = "".join(_if_finite(f" ({radius * scale:.1f}″)", scale))
    parts = [
        *_if_finite(f"{good:.0f} frames" + (f" and {poor:.0f} poor" if poor else ""), good, poor),
        *([] if np.sum(used) == good else [f"{np.sum(used)} in the light curve"]),
        *_if_finite(f"exposure {exposure:g} s", exposure),
        *_if_finite(f"aperture {radius:.1f} px{arcsec}", radius),
        *_if_finite(f"annulus {inner:.1f}–{outer:.1f} px", inner, outer),
        *_if_finite(f"{n_comparison:.0f} comparison stars", n_comparison),
        *([f"coverage: {coverage}"] if coverage else []),
    ]
    return "  ·  ".join(parts)
