"""What may have disturbed the light curve: frames, drift, and the target's way over the sky."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from accretor.core.arrays import Booleans, Columns, Floats
from accretor.plots import style
from accretor.plots.lightcurve import label_time, limit_time, reach, span

_LEFT: Final = 0.72
_WIDTH: Final = 4.5

_STRIPS: Final = (
    ("fwhm", "FWHM", "px", style.AIJ_WIDTH, "o"),
    ("sky", "Sky", "e/px", style.AIJ_SKY, "s"),
    ("zero_point", "Transparency", "mag", style.BLACK, "^"),
    ("shift_x", "Shift in x", "px", style.AIJ_X, "v"),
    ("shift_y", "Shift in y", "px", style.AIJ_Y, "P"),
    ("elongation", "Elongation", "", style.BLUE, "D"),
)
"""Column, name, unit, colour and marker of each strip, from the top."""

_MOST_REASONS: Final = 5


@style.house_style()
def frame_strip(table: Columns, *, title: str, subtitle: str = "") -> Figure:
    """Draw what is known of every frame against time, and which frames were left out and why.

    Parameters
    ----------
    table : columns, each (n_frame,)
        ``bjd_tdb`` (day), ``is_used``, ``reason``, ``fwhm`` (pixel), ``sky`` (electron per pixel),
        ``zero_point`` (magnitude), ``shift_x``, ``shift_y`` (pixel), ``elongation``. NaN where it was
        not measured; a frame without a time is only counted.
    title, subtitle : str

    Returns
    -------
    Figure
        7.1 inch wide.

    Raises
    ------
    ValueError
        If no frame has a time.
    """
    time = np.asarray(table["bjd_tdb"], dtype=np.float64)
    is_timed = np.isfinite(time)
    if not is_timed.any():
        raise ValueError("a frame strip needs a frame with a time")
    used = np.asarray(table["is_used"], dtype=bool)
    day = math.floor(float(time[is_timed].min()))
    height, gap, bottom = 0.86, 0.05, 0.55
    reason = [str(words) for words in table["reason"]]
    reasons = _reasons(reason, used)
    flags = 0.3 + 0.26 * max(1, len(reasons))
    figure = style.new_figure(bottom + flags + gap + len(_STRIPS) * (height + gap) + 0.62)
    style.heading(figure, title, subtitle)
    axes = style.add_axes(figure, _LEFT, bottom, _WIDTH, flags)
    limit_time(axes, time[is_timed] - day)
    label_time(axes, day)
    _draw_flags(axes, time - day, used, reason, reasons)
    for number, (column, name, unit, color, marker) in enumerate(reversed(_STRIPS)):
        strip = style.add_axes(figure, _LEFT, bottom + flags + gap + number * (height + gap), _WIDTH, height)
        strip.set_xlim(axes.get_xlim())
        strip.tick_params(labelbottom=False)
        _draw_strip(strip, time - day, np.asarray(table[column], np.float64), used, color, marker)
        finite = np.asarray(table[column], np.float64)[used]
        finite = finite[np.isfinite(finite)]
        words = f"{name}\n{span(finite, unit)}"
        style.write_beside(strip, [float(np.mean(strip.get_ylim()))], [words], [color], max_lines=2)
    return figure


def _draw_strip(axes: Axes, time: Floats, value: Floats, used: Booleans, color: str, marker: str) -> None:
    low, high = reach(value[used])
    if not low < high:
        middle = low if math.isfinite(low) else 0.0
        low, high = middle - 0.5, middle + 0.5
    margin = 0.12 * (high - low)
    axes.set_ylim(low - margin, high + margin)
    axes.locator_params(axis="y", nbins=4)
    axes.tick_params(axis="y", labelsize=7)
    # The lowest and highest label would meet those of the strips beside it.
    inside = [tick for tick in axes.get_yticks() if low - 0.4 * margin <= tick <= high + 0.4 * margin]
    axes.set_yticks(inside)
    size = style.dot(time.size)
    axes.plot(time[used], value[used], marker, color=color, ms=size, mec="none", zorder=3, clip_on=True)
    at_edge = np.clip(np.where(np.isfinite(value), value, low - margin), low - margin, high + margin)
    axes.plot(time[~used], at_edge[~used], "x", color=style.PALE, ms=3.5, mew=0.8, zorder=2)


def _reasons(reason: Sequence[str], used: Booleans) -> list[tuple[str, int]]:
    """Return the kinds of reasons, the most frequent first, with their counts; numbers do not make a kind."""
    counts = Counter(_kind(words) for words, is_used in zip(reason, used, strict=True) if not is_used)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if len(ordered) <= _MOST_REASONS:
        return ordered
    rest = ordered[_MOST_REASONS - 1 :]
    return [*ordered[: _MOST_REASONS - 1], ("other reasons", sum(count for _, count in rest))]


def _kind(words: str) -> str:
    """Return a reason with its numbers as ``#``: ``2 stars found`` and ``3 stars found`` are one kind."""
    return (
        " ".join(
            "#" if part.strip("(),;:%").replace(".", "", 1).lstrip("-+").isdigit() else part
            for part in words.split()
        )
        or "no reason given"
    )


def _draw_flags(
    axes: Axes, time: Floats, used: Booleans, reason: Sequence[str], reasons: Sequence[tuple[str, int]]
) -> None:
    """Draw one lane for each kind of reason, with a bar for each frame that it holds for."""
    axes.set_yticks([])
    axes.set_yticks([], minor=True)
    n_lane = max(1, len(reasons))
    axes.set_ylim(0, n_lane)
    axes.set_ylabel("Left out", fontsize=7)
    if not reasons:
        style.write_beside(axes, [0.5], ["no frame is left out"], [style.GREY])
        return
    names = [name for name, _ in reasons]
    kinds = np.array([_kind(words) for words in reason])
    for lane, name in enumerate(names):
        is_here = ~used & ((kinds == name) if name != "other reasons" else ~np.isin(kinds, names))
        level = n_lane - 1 - lane
        axes.vlines(time[is_here], level + 0.15, level + 0.85, color=style.VERMILION, linewidth=1.2)
    levels = [n_lane - 0.5 - lane for lane in range(n_lane)]
    texts = {
        name: {words for words, kind in zip(reason, kinds, strict=True) if kind == name} for name in names
    }
    labels = [
        f"{count} × {next(iter(texts[name])) if len(texts[name]) == 1 else name}" for name, count in reasons
    ]
    style.write_beside(axes, levels, labels, [style.VERMILION] * n_lane, max_lines=1)


@style.house_style()
def centroid_drift(
    bjd_tdb: Floats,
    x: Floats,
    y: Floats,
    is_used: Booleans,
    *,
    title: str,
    subtitle: str = "",
    pixel_scale: float | None = None,
    flip: float | None = None,
) -> Figure:
    """Draw how the target moved over the detector: in time, and as a path.

    Parameters
    ----------
    bjd_tdb : (n_frame,) float64, day
    x, y : (n_frame,) float64, pixel
        Centre of the target; NaN where it was not measured.
    is_used : (n_frame,) bool
    title, subtitle : str
    pixel_scale : float or None, arcsec per pixel
    flip : float or None, BJD_TDB day
        Meridian flip.

    Returns
    -------
    Figure
        7.1 x 4.7 inch.

    Raises
    ------
    ValueError
        If the target was measured in no frame.
    """
    seen = is_used & np.isfinite(x) & np.isfinite(y) & np.isfinite(bjd_tdb)
    if not seen.any():
        raise ValueError("a drift needs a frame in which the target was measured")
    day = math.floor(float(bjd_tdb[seen].min()))
    time, middle = bjd_tdb[seen] - day, (float(np.median(x[seen])), float(np.median(y[seen])))
    right, up = x[seen] - middle[0], y[seen] - middle[1]
    figure = style.new_figure(4.7)
    style.heading(figure, title, subtitle)
    path = style.add_axes(figure, 0.62, 0.55, 2.75, 2.75)
    half = 1.08 * max(float(np.abs(right).max()), float(np.abs(up).max()), 0.5)
    path.set_xlim(-half, half)
    path.set_ylim(-half, half)
    path.set(xlabel="Shift in x (pixel)", ylabel="Shift in y (pixel)")
    path.axhline(0, color="#E0E0E0", linewidth=0.5, zorder=0)
    path.axvline(0, color="#E0E0E0", linewidth=0.5, zorder=0)
    path.plot(right, up, color=style.PALE, linewidth=0.5, zorder=1)
    path.scatter(right, up, c=time, cmap="cividis", s=6, linewidths=0, zorder=2)
    is_return = math.hypot(right[-1] - right[0], up[-1] - up[0]) < 0.3 * half
    for place, name in ((0, "first, last"),) if is_return else ((0, "first"), (-1, "last")):
        path.plot(right[place], up[place], "o", mfc="none", mec=style.VERMILION, ms=6, mew=1.0, zorder=3)
        # Across the path there, on the side that has more room.
        other = min(len(right) - 1, 8) if place == 0 else max(-len(right), -9)
        away = _across(right[place] - right[other], up[place] - up[other], right[place], up[place])
        path.annotate(
            name, (right[place], up[place]), (-16 * away[0], -11 * away[1]), textcoords="offset points",
            fontsize=7, color=style.ink(style.VERMILION), ha="center", va="center",
        )  # fmt: skip
    for number, (name, values, color, marker) in enumerate(
        (("y", up, style.AIJ_Y, "P"), ("x", right, style.AIJ_X, "v"))
    ):
        axes = style.add_axes(figure, 4.1, 0.55 + number * 1.4, 2.75, 1.35)
        limit_time(axes, time)
        low, high = reach(values)
        spare = 0.08 * (high - low) or 0.5
        axes.set_ylim(low - spare, high + spare)
        axes.locator_params(axis="both", nbins=5)
        axes.set_ylabel(f"{name} (pixel)")
        axes.plot(time, values, marker, color=color, ms=style.dot(time.size), mec="none")
        if flip is not None and math.isfinite(flip):
            axes.axvline(flip - day, color=style.PURPLE, linestyle="-.", linewidth=0.9)
        if number:
            axes.tick_params(labelbottom=False)
            inside = [tick for tick in axes.get_yticks() if low - 0.5 * spare <= tick <= high + spare]
            axes.set_yticks(inside)
        else:
            label_time(axes, day)
    style.write(figure, 0.62, 4.05, _drift_words(right, up, pixel_scale, flip, seen), width=6.3, fontsize=7.5,
                va="top", linespacing=1.4)  # fmt: skip
    return figure


def _drift_words(
    right: Floats, up: Floats, pixel_scale: float | None, flip: float | None, seen: Booleans
) -> str:
    def both(a: float, b: float) -> str:
        scale = pixel_scale if pixel_scale and math.isfinite(pixel_scale) else math.nan
        arcsec = f" = {a * scale:.1f}″, {b * scale:.1f}″" if math.isfinite(scale) else ""
        return f"x {a:.2f} px, y {b:.2f} px{arcsec}"

    lines = [
        f"standard deviation: {both(float(right.std()), float(up.std()))}",
        f"farthest from the median: {both(float(np.abs(right).max()), float(np.abs(up).max()))}",
        f"{int(seen.sum())} frames; in the path, dark is early and bright is late",
    ]
    if flip is not None and math.isfinite(flip):
        lines.append("dash-dotted: meridian flip")
    return "\n".join(lines)


@style.house_style()
def sky_track(
    hours: Floats, altitude: Floats, azimuth: Floats, airmass: Floats, is_used: Booleans, *, title: str,
    subtitle: str = "",
) -> Figure:  # fmt: skip
    """Draw the target's way over the sky with its times, and its airmass against time.

    Parameters
    ----------
    hours : (n_frame,) float64
        UTC of mid-exposure, hour from the midnight (UTC) before the first frame; ascending.
    altitude, azimuth : (n_frame,) float64, degree
        Without refraction; azimuth from north through east.
    airmass : (n_frame,) float64
    is_used : (n_frame,) bool
    title, subtitle : str

    Returns
    -------
    Figure
        7.1 x 4.6 inch; north is up and east to the right, as on a map of the ground, the zenith is
        in the middle.

    Raises
    ------
    ValueError
        If there is no frame.
    """
    if len(hours) == 0:
        raise ValueError("a track needs a frame")
    figure = style.new_figure(4.6)
    style.heading(figure, title, subtitle)
    disc = style.add_axes(figure, 0.25, 0.35, 3.4, 3.4)
    disc.set(xlim=(-105, 105), ylim=(-105, 105))
    disc.set_axis_off()
    disc.set_xticks([])
    disc.set_yticks([])
    disc.minorticks_off()
    for height, words in ((0, "horizon"), (30, "30°, X = 2.0"), (60, "60°, X = 1.15")):
        disc.add_patch(Circle((0, 0), 90 - height, fill=False, ec=style.PALE, lw=0.7 if height else 1.0))
        if height:
            # Where the target never is.
            side = -1 if np.nanmean(np.sin(np.radians(azimuth)) * (90 - altitude)) > 0 else 1
            disc.text(
                side * (90 - height) * 0.707, -(90 - height) * 0.707, words, fontsize=6, color=style.GREY,
                ha="center", va="center", bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            )  # fmt: skip
    disc.plot(0, 0, "+", color=style.GREY, ms=6, mew=0.8)
    for angle, name in ((0, "N"), (90, "E"), (180, "S"), (270, "W")):
        right, up = math.sin(math.radians(angle)), math.cos(math.radians(angle))
        disc.plot([87 * right, 93 * right], [87 * up, 93 * up], color=style.GREY, lw=0.8)
        disc.text(99 * right, 99 * up, name, fontsize=8.5, fontweight="bold", ha="center", va="center")
    across = np.asarray((90 - altitude) * np.sin(np.radians(azimuth)))
    along = np.asarray((90 - altitude) * np.cos(np.radians(azimuth)))
    disc.plot(across, along, "-", color=style.PALE, lw=0.8, zorder=2)
    disc.plot(across[is_used], along[is_used], "o", color=style.BLUE, ms=2.4, mec="none", zorder=3)
    disc.plot(across[~is_used], along[~is_used], "x", color=style.PALE, ms=3.5, mew=0.8, zorder=3)
    _name_hours(disc, hours, across, along)

    axes = style.add_axes(figure, 4.25, 0.55, 2.25, 3.0)
    limit_time(axes, hours / 24)
    low, high = axes.get_xlim()
    axes.set_xlim(24 * low, 24 * high)
    axes.locator_params(axis="x", nbins=6)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value % 24:g}")
    finite = airmass[np.isfinite(airmass)]
    spare = 0.08 * float(np.ptp(finite)) + 0.01 if finite.size else 0.1
    axes.set_ylim(*((finite.max() + spare, finite.min() - spare) if finite.size else (3, 1)))
    axes.set(xlabel="UTC (hour)", ylabel="Airmass")
    axes.plot(hours[is_used], airmass[is_used], "o", color=style.AIJ_AIRMASS, ms=2.4, mec="none")
    axes.plot(hours[~is_used], airmass[~is_used], "x", color=style.PALE, ms=3.5, mew=0.8)
    if finite.size:
        first, last = (f"{airmass[at]:.2f} at {_clock(hours[at])}" for at in (0, -1))
        words = f"{first} → {finite.min():.2f} → {last}"
        style.write(figure, 4.25, 3.62, words, width=2.75, fontsize=7.2, va="bottom")
    return figure


def _clock(hour: float) -> str:
    minutes = round(60 * hour) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _name_hours(disc: Axes, hours: Floats, right: Floats, up: Floats) -> None:
    """Mark the full hours on the track, and name as many as there is room for."""
    whole = np.arange(math.ceil(hours[0]), math.floor(hours[-1]) + 1)
    places = np.column_stack([np.interp(whole, hours, right), np.interp(whole, hours, up)])
    last: tuple[float, float] | None = None
    for hour, (x, y) in zip(whole.tolist(), places.tolist(), strict=True):
        disc.plot(x, y, "o", mfc="white", mec=style.BLACK, ms=4, mew=0.8, zorder=4)
        if last is not None and math.hypot(x - last[0], y - last[1]) < 11:
            continue
        last = x, y
        at = int(np.clip(np.searchsorted(hours, hour), 1, len(hours) - 1)) if len(hours) > 1 else 0
        step = (float(right[at] - right[at - 1]), float(up[at] - up[at - 1])) if at else (1.0, 0.0)
        away = _across(step[0], step[1], x, y)
        # Outwards, unless the label would leave the disc.
        outward = 9.0 if math.hypot(x, y) < 78 else -9.0
        disc.text(
            x + outward * away[0], y + outward * away[1], f"{hour % 24:.0f}h",
            fontsize=7, ha="center", va="center", zorder=5,
        )  # fmt: skip


def _across(along_x: float, along_y: float, x: float, y: float) -> tuple[float, float]:
    """Return the unit vector across a path, on the side that points away from the origin at (x, y)."""
    length = math.hypot(along_x, along_y)
    if not length > 0:
        return (0.0, 1.0)
    across = -along_y / length, along_x / length
    sign = 1.0 if across[0] * x + across[1] * y >= 0 else -1.0
    return sign * across[0], sign * across[1]
