"""The field as SG1 asks for it: north up, east left, the apertures, and 2.5 arcmin about the target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrowPatch

from accretor.core.arrays import Booleans, Columns, Floats, Image
from accretor.plots import style
from accretor.plots.page import Orientation, Page

_COLORS: Final = {"target": style.TARGET, "comparison": style.COMPARISON, "neighbour": style.BLUE}
_NAMES: Final = {"target": "T  target", "comparison": "C  comparison star", "neighbour": "neighbour"}
_LEAST_RADIUS: Final = 0.06
"""Smallest circle that is seen on the page, inch."""
_LEFT, _BOTTOM, _TOP, _STRIP = 0.6, 0.5, 0.62, 1.45
_LARGEST: Final = 7.0
"""Greatest height of the image, inch."""
_BLANK: Final = "#E4ECF4"
"""What is outside the detector, or not a number."""


def orientation(cd: Floats) -> Orientation:
    """Return the orientation with north as near to up, and east as near to left, as can be.

    Parameters
    ----------
    cd : (2, 2) float64, degree per pixel
        Rows: east (xi) and north (eta) of the tangent plane; columns: x and y.

    Raises
    ------
    ValueError
        If the matrix is singular.
    """
    north, east = _north_and_east(cd)

    def merit(candidate: Orientation) -> float:
        # Rounded, so that at 45 degrees the choice does not hang on the last bit.
        return round(candidate.on_page(*north)[1] - candidate.on_page(*east)[0], 6)

    either = (False, True)
    return max((Orientation(a, b, c) for a in either for b in either for c in either), key=merit)


def _north_and_east(cd: Floats) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the unit vectors (x, y) of north and east in the image."""
    inverse = np.linalg.inv(np.asarray(cd, dtype=np.float64))
    north, east = (inverse[:, row] / math.hypot(*inverse[:, row]) for row in (1, 0))
    return (float(north[0]), float(north[1])), (float(east[0]), float(east[1]))


@style.house_style()
def field(
    image: Image,
    *,
    stars: Columns,
    radius_px: float,
    cd: Floats | None = None,
    pixel_scale: float | None = None,
    title: str,
    subtitle: str = "",
    circle_arcmin: float = 2.5,
    zoom: float | None = None,
) -> Figure:
    """Draw *image* with its apertures, as a whole or about the target.

    Parameters
    ----------
    image : (ny, nx)
        Calibrated frame, any unit; NaN is drawn as blank.
    stars : columns, each (n_star,)
        ``x``, ``y`` (pixel), ``label`` (``T1``, ``C2`` ...; "" for none) and ``role``
        (``target``, ``comparison``, ``neighbour``). The first target is the centre of the
        circle and of the zoom; without a target, the first star is.
    radius_px : float
        Aperture radius, pixel. In the whole image, circles too small to see are drawn larger, and
        the key says so.
    cd : (2, 2) float64, degree per pixel, optional
        Plate solution: rows east and north, columns x and y. None where there is none: then
        the image is not turned and has no arrows.
    pixel_scale : float, arcsec per pixel, optional
        Default: that of *cd*. Without either there is neither circle nor scale bar.
    title, subtitle : str
        First lines of the figure.
    circle_arcmin : float
        Radius of the circle about the target.
    zoom : float, arcmin, optional
        Half-width of what is drawn about the target, 60 pixel where there is no scale;
        None draws the whole image.

    Returns
    -------
    Figure
        7.1 inch wide.

    Raises
    ------
    ValueError
        If there is no star, or *cd* is singular.
    """
    if len(stars["x"]) == 0:
        raise ValueError("a field needs at least one star")
    if cd is not None and pixel_scale is None:
        pixel_scale = 3600 * math.sqrt(abs(float(np.linalg.det(np.asarray(cd, dtype=np.float64)))))
    roles = [str(role) for role in stars["role"]]
    centre = roles.index("target") if "target" in roles else 0
    x0, y0 = float(stars["x"][centre]), float(stars["y"][centre])
    turn = Orientation() if cd is None else orientation(cd)
    window = _window(image, x0, y0, zoom, pixel_scale)

    figure, axes = _layout(window, turn, has_compass=cd is not None)
    style.heading(figure, title, subtitle)
    page = Page(axes, turn)
    page.is_dark, page.origin = _draw_image(axes, image, window, turn, is_zoom=zoom is not None)

    # The zoom shows what is inside the aperture, so its circles are true.
    drawn = max(radius_px, _LEAST_RADIUS / page.inch_per_pixel) if zoom is None else radius_px
    circle = None if pixel_scale is None else 60 * circle_arcmin / pixel_scale
    words = "" if circle is None else f"Radius={circle_arcmin:g}'"
    is_inside = [page.holds(float(x), float(y)) for x, y in zip(stars["x"], stars["y"], strict=True)]
    seen = [
        star for star in np.argsort([role != "target" for role in roles], kind="stable") if is_inside[star]
    ]
    for star in seen:
        _draw_circle(axes, turn, (stars["x"][star], stars["y"][star]), drawn, _COLORS[roles[star]])
        page.circles.append((*page.inch(stars["x"][star], stars["y"][star]), drawn * page.inch_per_pixel))
    if circle is not None:
        _draw_circle(axes, turn, (x0, y0), circle, style.TARGET, linewidth=0.8, linestyle=(0, (6, 3)))
        page.label(
            x0,
            y0,
            circle * page.inch_per_pixel,
            words,
            style.TARGET,
            angles=(90, 270, 0, 180, 45, 135, 225, 315),
        )
    for star in seen:
        label, color = str(stars["label"][star]), _COLORS[roles[star]]
        if label:
            page.label(stars["x"][star], stars["y"][star], drawn * page.inch_per_pixel, label, color)

    key = [_key(role) for role in _COLORS if role in {roles[star] for star in seen}]
    arcsec = "" if pixel_scale is None else f" = {radius_px * pixel_scale:.1f}″"
    note = f"aperture radius\n{radius_px:.1f} px{arcsec}" + (
        "\n(circles enlarged)" if drawn > radius_px else ""
    )
    _draw_strip(figure, axes, key, note)
    if pixel_scale is not None:
        _draw_scale_bar(figure, axes, pixel_scale, page.inch_per_pixel)
    if cd is not None:
        _draw_compass(figure, axes, turn, cd)
    return figure


@dataclass(frozen=True)
class _Window:
    """Part of the image that is drawn: edges in pixel."""

    left: float
    right: float
    bottom: float
    top: float


def _window(image: Image, x: float, y: float, zoom: float | None, pixel_scale: float | None) -> _Window:
    ny, nx = image.shape
    if zoom is None:
        return _Window(-0.5, nx - 0.5, -0.5, ny - 0.5)
    half = 60.0 if pixel_scale is None else 60 * zoom / pixel_scale
    return _Window(x - half, x + half, y - half, y + half)


def _layout(window: _Window, turn: Orientation, *, has_compass: bool) -> tuple[Figure, Axes]:
    """Return a figure just high enough for the image, and its axes with pixel coordinates of the image."""
    spans = window.right - window.left, window.top - window.bottom
    across, along = spans[::-1] if turn.is_transposed else spans
    room = style.WIDTH - _LEFT - _STRIP
    scale = min(room / across, _LARGEST / along)
    width, height = across * scale, along * scale
    # The strip beside the image needs some height of its own.
    page = max(height, 2.6 if has_compass else 1.3) + _BOTTOM + _TOP
    figure = style.new_figure(page)
    axes = style.add_axes(figure, _LEFT + (room - width) / 2, page - _TOP - height, width, height)
    horizontal, vertical = (window.left, window.right), (window.bottom, window.top)
    names = ("x (pixel)", "y (pixel)")
    if turn.is_transposed:
        horizontal, vertical, names = vertical, horizontal, names[::-1]
    axes.set_xlim(*(horizontal[::-1] if turn.is_mirrored else horizontal))
    axes.set_ylim(*(vertical[::-1] if turn.is_upside_down else vertical))
    axes.set(xlabel=names[0], ylabel=names[1], facecolor=_BLANK)
    return figure, axes


def _draw_image(
    axes: Axes, image: Image, window: _Window, turn: Orientation, *, is_zoom: bool
) -> tuple[Booleans, tuple[float, float, int]]:
    """Draw the pixels inside the window in inverted grey, and tell where it is dark.

    Returns
    -------
    is_dark : (ny, nx) bool
        Where there are stars, in the image's own axes.
    origin : (x, y, block)
        Edge of its first element, and width of each element, pixel.
    """
    ny, nx = image.shape
    x_first, x_last = max(0, math.floor(window.left)), min(nx, math.ceil(window.right) + 1)
    y_first, y_last = max(0, math.floor(window.bottom)), min(ny, math.ceil(window.top) + 1)
    # The page has fewer dots than a large image has pixels; then whole blocks are averaged.
    limits = axes.get_xlim(), axes.get_ylim()
    dots = float(axes.get_window_extent().width / abs(limits[0][1] - limits[0][0]))
    block = max(1, int(1 / dots))
    n_row, n_column = max(0, y_last - y_first) // block, max(0, x_last - x_first) // block
    part = np.asarray(image[y_first:, x_first:][: n_row * block, : n_column * block], dtype=np.float32)
    origin = (x_first - 0.5, y_first - 0.5, block)
    if part.size == 0:
        return np.zeros((0, 0), dtype=bool), origin
    if block > 1:
        part = part.reshape(n_row, block, n_column, block).mean(axis=(1, 3))
    shown = stretched(part, contrast=2.0 if is_zoom else 1.0)
    extent = (origin[0], origin[0] + n_column * block, origin[1], origin[1] + n_row * block)
    if turn.is_transposed:
        extent = (*extent[2:], *extent[:2])
    axes.imshow(
        shown.T if turn.is_transposed else shown, cmap="gray_r", vmin=0, vmax=1, extent=extent,
        aspect="auto", interpolation="nearest" if dots >= 1 else "auto",
    )  # fmt: skip
    axes.set(xlim=limits[0], ylim=limits[1])
    return shown > 0.6, origin


def stretched(image: Image, *, contrast: float = 1.0) -> Image:
    """Return *image* between 0 (just below the sky) and 1 (bright stars), by an arcsinh.

    Parameters
    ----------
    image : (ny, nx)
        Any unit; NaN stays.
    contrast : float
        The greater, the darker faint stars; 1 still tells bright ones apart.

    Returns
    -------
    (ny, nx) float32
        The sky's noise takes about a tenth of the range.
    """
    # About 250,000 pixels tell the sky as well as all do.
    step = max(1, math.isqrt(image.size // 250_000))
    sample = image[::step, ::step]
    sample = sample[np.isfinite(sample)]
    if sample.size == 0:
        return np.asarray(image, dtype=np.float32)
    low, sky, bright = np.percentile(sample, (15.87, 50.0, 99.8))
    sigma = max(float(sky - low), 1e-6 * max(abs(float(sky)), 1.0))
    reach = max(float(bright - sky) / contrast, 10 * sigma)
    value = np.arcsinh((image - (sky - 1.5 * sigma)) / (3 * sigma)) / math.asinh(
        (reach + 1.5 * sigma) / (3 * sigma)
    )
    return np.asarray(np.clip(value, 0, 1), dtype=np.float32)


def _draw_circle(
    axes: Axes, turn: Orientation, place: Sequence[float], radius: float, color: str, **properties: Any
) -> None:
    x, y = float(place[0]), float(place[1])
    centre = (y, x) if turn.is_transposed else (x, y)
    line = {"linewidth": 1.1, "fill": False, "zorder": 3, **properties}
    axes.add_patch(Circle(centre, radius, edgecolor=color, **line))


def _key(role: str) -> Line2D:
    return Line2D([], [], marker="o", ls="", ms=7, mfc="none", mew=1.1, mec=_COLORS[role], label=_NAMES[role])


def _strip_left(axes: Axes) -> float:
    """Return where the strip beside the image begins, inch."""
    return float(axes.get_position().x1) * style.WIDTH + 0.1


def _draw_strip(figure: Figure, axes: Axes, key: Sequence[Line2D], note: str) -> None:
    """Write the key to the right of the image: nothing in the image is hidden by it."""
    left, top = _strip_left(axes), float(figure.get_size_inches()[1]) - _TOP
    height = float(figure.get_size_inches()[1])
    figure.legend(
        handles=list(key), loc="upper left", bbox_to_anchor=(left / style.WIDTH, top / height),
        borderaxespad=0, borderpad=0, handletextpad=0.2, fontsize=7.2, labelspacing=0.7,
    )  # fmt: skip
    style.write(
        figure,
        left + 0.05,
        top - 0.2 * len(key) - 0.08,
        note,
        width=_STRIP - 0.2,
        fontsize=7.2,
        va="top",
        linespacing=1.3,
    )


def _draw_scale_bar(figure: Figure, axes: Axes, pixel_scale: float, inch_per_pixel: float) -> None:
    """Draw a bar of a round length, true to the scale of the image, in the strip."""
    inch_per_arcsec = inch_per_pixel / pixel_scale
    lengths = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 18000)
    length = max((each for each in lengths if each * inch_per_arcsec <= 1.0), default=lengths[0])
    left = _strip_left(axes) + 0.1
    page = figure.get_size_inches()
    level = float(page[1]) - _TOP - 1.38
    ends = [left / page[0], (left + length * inch_per_arcsec) / page[0]], [level / page[1]] * 2
    figure.add_artist(
        Line2D(*ends, color="black", linewidth=1.5, marker="|", ms=5, mew=1.2, transform=figure.transFigure)
    )
    words = f"{length}″" if length < 60 else f"{length // 60}′"
    style.write(figure, left, level + 0.07, words, fontsize=8, va="bottom")


def _draw_compass(figure: Figure, axes: Axes, turn: Orientation, cd: Floats) -> None:
    """Draw arrows to north and east as the plate solution has them, in the strip."""
    page = figure.get_size_inches()
    foot_x, foot_y, length = _strip_left(axes) + 0.72, float(page[1]) - _TOP - 2.35, 0.45
    for name, direction in zip("NE", _north_and_east(cd), strict=True):
        right, up = turn.on_page(*direction)
        tip = foot_x + length * right, foot_y + length * up
        figure.add_artist(
            FancyArrowPatch(
                (foot_x / page[0], foot_y / page[1]), (tip[0] / page[0], tip[1] / page[1]),
                arrowstyle="-|>", mutation_scale=8, linewidth=1.2, color="black", shrinkA=0, shrinkB=0,
                transform=figure.transFigure,
            )
        )  # fmt: skip
        style.write(
            figure, foot_x + 1.28 * length * right, foot_y + 1.28 * length * up, name,
            fontsize=9, fontweight="bold", ha="center", va="center",
        )  # fmt: skip
