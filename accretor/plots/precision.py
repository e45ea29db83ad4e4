"""How good the photometry is, and what limits it: red noise, noise budget, aperture, template."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from accretor.core.arrays import Booleans, Floats
from accretor.plots import style
from accretor.plots.lightcurve import label_time, limit_time, reach
from accretor.science.noise import Budget
from accretor.science.statistics import MINUTES_PER_DAY, binned_rms, rms

_LEFT: Final = 0.72
_WIDTH: Final = 4.5
_LEAST_BINS: Final = 4
"""With fewer bins the scatter of their means says little."""


@style.house_style()
def time_averaging(
    bjd_tdb: Floats,
    residuals: Mapping[str, Floats],
    *,
    title: str,
    subtitle: str = "",
    marks: Mapping[str, float] | None = None,
) -> Figure:
    """Draw the rms of means of several frames against their length, and what white noise would give.

    Parameters
    ----------
    bjd_tdb : (n_frame,) float64, day
        In order of time.
    residuals : mapping of name to (n_frame,) float64
        Residuals about 0 (fraction of the flux) with the transit removed, the one that matters first;
        others are drawn thin. NaN does not count.
    title, subtitle : str
    marks : mapping of name to minutes, optional
        Times to mark, such as the ingress.

    Returns
    -------
    Figure
        7.1 x 4.4 inch; both axes logarithmic. The bars of the points are 1/sqrt(2 M) of M bins.

    Raises
    ------
    ValueError
        If no series has two points.
    """
    curves = {name: _averaged(bjd_tdb, values) for name, values in residuals.items()}
    curves = {name: curve for name, curve in curves.items() if curve[0].size}
    if not curves:
        raise ValueError("time averaging needs two points")
    figure = style.new_figure(4.4)
    style.heading(figure, title, subtitle)
    axes = style.add_axes(figure, _LEFT, 0.55, _WIDTH, 3.0)
    axes.set(xscale="log", yscale="log", xlabel="Length of a mean (minute)", ylabel="RMS of the means (ppt)")
    colors = (style.TARGET, style.GREY, style.PURPLE, style.BLUE)
    longest = max(float(curve[0].max()) for curve in curves.values())
    shortest = min(float(curve[0].min()) for curve in curves.values())
    axes.set_xlim(shortest / 1.25, longest * 1.25)
    labels, levels = [], []
    everything: list[float] = []
    for number, ((name, (minutes, value, error, white)), color) in enumerate(
        zip(curves.items(), colors, strict=False)
    ):
        everything += [*value.tolist(), *white.tolist()]
        if number == 0:
            axes.plot(minutes, white, "--", color=style.BLACK, linewidth=1.0, zorder=2)
            axes.errorbar(
                minutes, value, yerr=error, fmt="o-", ms=3.5, mec="black", mew=0.4, color=color, lw=1.2,
                ecolor=style.PALE, elinewidth=0.8, zorder=4,
            )  # fmt: skip
            labels += [f"{name}\n{value[0]:.2f} ppt per point\n{_excess(value, white)}"]
            levels += [float(value[-1])]
            labels += ["white noise"]
            levels += [float(white[-1])]
        else:
            axes.plot(minutes, value, "-", color=color, linewidth=0.9, zorder=3)
            labels += [name]
            levels += [float(value[-1])]
    low, high = min(everything), max(everything)
    axes.set_ylim(low / 1.3, high * 1.3)
    _plain_ticks(axes)
    chosen = [colors[0], style.BLACK, *colors[1 : len(curves)]]
    style.write_beside(axes, np.clip(levels, *axes.get_ylim()).tolist(), labels, chosen, max_lines=2)
    shown = [
        style.Mark(when, name, style.BLUE, ":")
        for name, when in (marks or {}).items()
        if math.isfinite(when) and when > 0
    ]
    style.draw_marks(axes, shown)
    style.name_marks(axes, shown)
    return figure


def _averaged(time: Floats, residual: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return lengths (minute) of means of one point and more, their rms, its error and white noise (ppt)."""
    good = np.isfinite(time) & np.isfinite(residual)
    time, residual = time[good], residual[good]
    if time.size < 2:
        return np.empty(0), np.empty(0), np.empty(0), np.empty(0)
    cadence = float(np.median(np.diff(time))) * MINUTES_PER_DAY
    single = 1000 * rms(residual)
    rows = [(cadence, single, single / math.sqrt(2 * time.size), single)]
    whole = float(np.ptp(time)) * MINUTES_PER_DAY
    n_length = 24
    for length in np.geomspace(2 * cadence, max(whole / _LEAST_BINS, 2 * cadence), n_length).tolist():
        value, n_bin, n_point = binned_rms(time, residual, length)
        if n_bin < _LEAST_BINS or not value > 0:
            continue
        white = single / math.sqrt(n_point) * math.sqrt(n_bin / (n_bin - 1))
        rows.append((length, 1000 * value, 1000 * value / math.sqrt(2 * n_bin), white))
    minutes, value, error, white = np.array(sorted(set(rows))).T
    return minutes, value, error, white


def _excess(value: Floats, white: Floats) -> str:
    return f"up to {float(np.max(value / white)):.2f} × white noise"


def _plain_ticks(axes: Axes) -> None:
    """Put ticks at 1, 2 and 5 of each decade, written as plain numbers."""
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        places = [step * 10.0**power for power in decades for step in (1, 2, 5)]
        inside = [place for place in places if low <= place <= high]
        if len(inside) > 7:
            inside = [place for place in inside if f"{place:e}".startswith("1")]
        axis.set_major_locator(FixedLocator(inside))
        axis.set_minor_locator(NullLocator())
        axis.set_minor_formatter(NullFormatter())
        axis.set_major_formatter(lambda value, _: f"{value:g}")


@style.house_style()
def rms_magnitude(
    flux: Floats,
    scatter_ppt: Floats,
    role: Sequence[str],
    *,
    exposure: float,
    budget: Budget | None = None,
    target_ppt: float | None = None,
    title: str,
    subtitle: str = "",
) -> Figure:
    """Draw the scatter of every star against its instrumental magnitude, with the noise budget.

    Parameters
    ----------
    flux : (n_star,) float64, electron
        Median flux through the aperture; stars without a positive one are left out.
    scatter_ppt : (n_star,) float64, ppt
        Scatter of each star over the others.
    role : (n_star,) sequence
        ``target``, ``comparison`` (in the ensemble), ``saturated`` or anything else.
    exposure : float, second
    budget : Budget, optional
        Expected noise on a grid of fluxes.
    target_ppt : float, optional
        Scatter of the target with trend and transit removed; in the place of its own, that holds both.
    title, subtitle : str

    Returns
    -------
    Figure
        7.1 x 4.6 inch.

    Raises
    ------
    ValueError
        If no star has a flux and a scatter.
    """
    kind = np.array([str(one) for one in role])
    value = np.array(scatter_ppt, dtype=np.float64)
    if target_ppt is not None and math.isfinite(target_ppt):
        value[kind == "target"] = target_ppt
    good = (flux > 0) & np.isfinite(value) & (value > 0)
    if not good.any():
        raise ValueError("no star has a flux and a scatter")
    magnitude = np.full(len(flux), math.nan)
    magnitude[good] = -2.5 * np.log10(flux[good] / exposure)
    figure = style.new_figure(4.6)
    style.heading(figure, title, subtitle)
    axes = style.add_axes(figure, _LEFT, 0.55, _WIDTH, 3.4)
    low, high = float(np.nanmin(magnitude)), float(np.nanmax(magnitude))
    margin = 0.04 * (high - low) + 0.1
    axes.set_xlim(low - margin, high + margin)
    axes.set_yscale("log")
    shown = value[good]
    least = float(shown.min())
    if budget is not None and budget.scintillation.max() > 0:
        least = min(least, 1000 * float(budget.scintillation.min()))
    axes.set_ylim(0.75 * least, 1.6 * float(shown.max()))
    axes.set_xlabel("Instrumental magnitude, −2.5 log10 (electron / s)")
    axes.set_ylabel("Scatter per frame (ppt)")
    labels: list[str] = []
    levels: list[float] = []
    colors: list[str] = []
    if budget is not None:
        _draw_budget(axes, budget, exposure, labels, levels, colors)
    styles = {
        "other": (style.PALE, "o", 3.0, "other stars"),
        "saturated": (style.PURPLE, "x", 3.5, "saturated"),
        "comparison": (style.COMPARISON, "o", 3.4, "comparison stars"),
        "target": (style.TARGET, "*", 10.0, "T1, trend and model removed" if target_ppt else "T1"),
    }
    handles = []
    for name, (color, marker, size, words) in styles.items():
        is_kind = good & ((kind == name) if name != "other" else ~np.isin(kind, list(styles)[1:]))
        if is_kind.any():
            face = "none" if marker == "x" else "black"
            (handle,) = axes.plot(
                magnitude[is_kind], value[is_kind], marker, color=color, ms=size, zorder=4, label=words,
                mec=color if face == "none" else face, mew=0.9 if face == "none" else 0.25,
            )  # fmt: skip
            handles.append(handle)
    _plain_y(axes)
    if labels:
        style.write_beside(axes, levels, labels, colors)
    box = axes.get_position()
    figure.legend(
        handles=handles[::-1], loc="lower left", bbox_to_anchor=(box.x0, box.y1 + 0.01), ncols=4,
        borderaxespad=0, handletextpad=0.3, columnspacing=1.2, fontsize=7.2,
    )  # fmt: skip
    return figure


def _plain_y(axes: Axes) -> None:
    limits = axes.get_xlim()
    locator, formatter = axes.xaxis.get_major_locator(), axes.xaxis.get_major_formatter()
    minor = axes.xaxis.get_minor_locator()
    axes.set_xlim(1, 10)
    _plain_ticks(axes)
    axes.set_xlim(limits)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(formatter)
    axes.xaxis.set_minor_locator(minor)


def _draw_budget(
    axes: Axes, budget: Budget, exposure: float, labels: list[str], levels: list[float], colors: list[str]
) -> None:
    magnitude = -2.5 * np.log10(budget.flux / exposure)
    order = np.argsort(magnitude)
    parts = (
        ("total, expected", budget.total, style.BLACK, "-", 1.3),
        ("photons of the star", budget.photon, style.BLUE, "--", 1.0),
        ("sky and read-out", budget.background, style.AIJ_SKY, "-.", 1.0),
        ("scintillation", budget.scintillation, style.GREEN, ":", 1.2),
    )
    right = axes.get_xlim()[1]
    for name, value, color, dashes, width in parts:
        if not np.any(value > 0):
            continue
        axes.plot(magnitude[order], 1000 * value[order], dashes, color=color, linewidth=width, zorder=3)
        level = 1000 * float(np.interp(right, magnitude[order], value[order]))
        labels.append(name)
        levels.append(float(np.clip(level, *axes.get_ylim())))
        colors.append(color)


@style.house_style()
def aperture_curve(
    radius: Floats,
    scatter_ppt: Floats,
    chosen: float,
    *,
    fwhm: float | None = None,
    pixel_scale: float | None = None,
    title: str,
    subtitle: str = "",
) -> Figure:
    """Draw the scatter of the target through each aperture, and which one was chosen.

    Parameters
    ----------
    radius : (n_radius,) float64, pixel
    scatter_ppt : (n_radius,) float64, ppt
        Point-to-point scatter, blind to the transit; NaN where there is none.
    chosen : float, pixel
    fwhm : float or None, pixel
        Of the frames; the upper axis is in its unit.
    pixel_scale : float or None, arcsec per pixel
    title, subtitle : str

    Returns
    -------
    Figure
        7.1 x 4.0 inch.

    Raises
    ------
    ValueError
        If no radius has a scatter.
    """
    good = np.isfinite(scatter_ppt)
    if not good.any():
        raise ValueError("no aperture has a scatter")
    figure = style.new_figure(4.0)
    style.heading(figure, title, subtitle)
    axes = style.add_axes(figure, _LEFT, 0.55, _WIDTH, 2.5)
    low, high = float(radius.min()), float(radius.max())
    margin = 0.05 * (high - low) or 1.0
    axes.set_xlim(low - margin, high + margin)
    least, most = float(scatter_ppt[good].min()), float(scatter_ppt[good].max())
    # A hopeless small aperture must not flatten the minimum.
    top = min(most, 3 * least)
    spare = 0.08 * (top - least) or 0.1 * least or 0.1
    axes.set_ylim(least - spare, top + spare)
    axes.set(xlabel="Aperture radius (pixel)", ylabel="Scatter of T1 (ppt)")
    axes.plot(radius[good], scatter_ppt[good], "o-", color=style.BLUE, ms=4, lw=1.0, zorder=3)
    beyond = good & (scatter_ppt > top)
    if beyond.any():
        axes.plot(radius[beyond], np.full(beyond.sum(), top + spare), "^", color=style.BLUE, ms=5,
                  clip_on=False, zorder=5)  # fmt: skip
    at = int(np.argmin(np.abs(radius - chosen)))
    axes.plot(radius[at], min(float(scatter_ppt[at]), top + spare) if good[at] else least, "o",
              mfc="none", mec=style.VERMILION, ms=10, mew=1.5, zorder=6, clip_on=False)  # fmt: skip
    if fwhm and math.isfinite(fwhm) and fwhm > 0:
        upper = axes.secondary_xaxis(
            "top", functions=(lambda value: np.asarray(value) / fwhm, lambda value: np.asarray(value) * fwhm)
        )
        upper.set_xlabel(f"in FWHM ({fwhm:.2f} px)", labelpad=4)
        axes.tick_params(axis="x", which="both", top=False)
    arcsec = f" = {chosen * pixel_scale:.1f}″" if pixel_scale and math.isfinite(pixel_scale) else ""
    words = [f"chosen: {chosen:.2f} px{arcsec}"]
    words += [f"scatter {scatter_ppt[at]:.2f} ppt"] if good[at] else []
    words += [f"least {least:.2f} ppt at {radius[good][np.argmin(scatter_ppt[good])]:.2f} px"]
    words += [f"▲ beyond: up to {most:.1f} ppt"] if beyond.any() else []
    words += ["point to point,", "blind to the transit"]
    middle = float(np.mean(axes.get_ylim()))
    style.write_beside(axes, [middle], ["\n".join(words)], [style.BLACK], max_lines=2)
    return figure


@style.house_style()
def template_score(
    bjd_tdb: Floats,
    score: Floats,
    reason: Sequence[str],
    chosen: int | None,
    *,
    best: int | None = None,
    title: str,
    subtitle: str = "",
) -> Figure:
    """Draw the score of every frame as a template, and which one was chosen.

    Parameters
    ----------
    bjd_tdb : (n_frame,) float64, day
    score : (n_frame,) float64
        NaN for a frame that cannot be the template.
    reason : (n_frame,) sequence
        Why it cannot.
    chosen, best : int or None
        Number of the frame that is the template, and of the one that would now be chosen.
    title, subtitle : str

    Returns
    -------
    Figure
        7.1 x 3.6 inch.

    Raises
    ------
    ValueError
        If no frame has a time.
    """
    is_timed = np.isfinite(bjd_tdb)
    if not is_timed.any():
        raise ValueError("a figure of scores needs a frame with a time")
    day = math.floor(float(bjd_tdb[is_timed].min()))
    time = bjd_tdb - day
    figure = style.new_figure(3.6)
    style.heading(figure, title, subtitle)
    axes = style.add_axes(figure, _LEFT, 0.55, _WIDTH, 2.35)
    limit_time(axes, time[is_timed])
    label_time(axes, day)
    axes.set_ylabel("Score as a template")
    good: Booleans = np.isfinite(score) & is_timed
    low, high = reach(score[good])
    low, high = (low, high) if low < high else (-1.0, 1.0)
    if chosen is not None and good[chosen]:
        high = max(high, float(score[chosen]))
    margin = 0.08 * (high - low)
    axes.set_ylim(low - margin, high + margin)
    axes.plot(time[good], np.clip(score[good], *axes.get_ylim()), "o", color=style.BLUE, mec="none",
              ms=style.dot(time.size) + 0.5, zorder=3)  # fmt: skip
    axes.plot(time[~good & is_timed], np.full(int((~good & is_timed).sum()), low - margin), "x",
              color=style.VERMILION, ms=4, mew=1.0, zorder=4, clip_on=False)  # fmt: skip
    words = [f"{int(good.sum())} frames could be", "the template"]
    if (~good).any():
        words.append(
            f"× {int((~good).sum())} cannot: {next(filter(None, map(str, reason)), '')}".rstrip(": ")
        )
    if chosen is not None and good[chosen]:
        axes.plot(time[chosen], score[chosen], "o", mfc="none", mec=style.VERMILION, ms=10, mew=1.5, zorder=6)
        words.append("circle: the template")
    if best is not None and best != chosen and good[best]:
        axes.plot(time[best], score[best], "s", mfc="none", mec=style.GREEN, ms=9, mew=1.2, zorder=5)
        words.append("square: would now be chosen")
    middle = float(np.mean(axes.get_ylim()))
    style.write_beside(axes, [middle], ["\n".join(words)], [style.BLACK], max_lines=3)
    return figure
