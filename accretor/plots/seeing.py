"""The seeing profile: how sharp the target is, and where aperture and annulus lie."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accretor.core.arrays import Floats, Image
from accretor.plots import style
from accretor.plots.style import Mark

_TOP: float = 1.16
"""Height of the steps of aperture and annulus, in the unit of the profile."""


def radial_profile(
    image: Image, x: float, y: float, *, sky_inner: float, sky_outer: float
) -> tuple[Floats, Floats, Floats, Floats, float]:
    """Return pixels and ring means about (x, y), less the sky, over the largest ring mean.

    Parameters
    ----------
    image : (ny, nx)
        Cutout; NaN does not count.
    x, y : float, pixel
        Centre of the star in the cutout.
    sky_inner, sky_outer : float, pixel
        Annulus, whose median is the sky; rings of one pixel reach 10 % beyond it.

    Returns
    -------
    radius, value : (n_pixel,) float64
        Every pixel.
    ring_radius, ring_mean : (n_ring,) float64
        Mean radius (pixel) and mean value of each ring that has a pixel.
    peak : float
        The largest ring mean in the unit of *image*, less the sky.

    Raises
    ------
    ValueError
        If no pixel is finite.
    """
    rows, columns = np.indices(image.shape)
    distance = np.hypot(columns - x, rows - y)
    kept = np.isfinite(image) & (distance <= 1.1 * sky_outer)
    radius, value = distance[kept], np.asarray(image[kept], dtype=np.float64)
    if radius.size == 0:
        raise ValueError("the seeing profile needs a finite pixel near the star")
    is_sky = (radius >= sky_inner) & (radius <= sky_outer)
    value = value - np.median(value[is_sky] if is_sky.any() else value)
    ring = radius.astype(np.int64)
    count = np.bincount(ring)
    has_pixel = count > 0
    means = np.bincount(ring, value)[has_pixel] / count[has_pixel]
    radii = np.bincount(ring, radius)[has_pixel] / count[has_pixel]
    peak = float(means.max())
    scale = peak if peak > 0 else 1.0
    return radius, value / scale, radii, means / scale, peak


@style.house_style()
def seeing_profile(
    image: Image,
    x: float,
    y: float,
    *,
    radius: float,
    sky_inner: float,
    sky_outer: float,
    fwhm_px: float | None,
    pixel_scale: float | None = None,
    title: str,
    centre: tuple[float, float] | None = None,
) -> Figure:
    """Draw the radial profile of a star with its aperture and annulus, as AstroImageJ does.

    Parameters
    ----------
    image : (ny, nx)
        Cutout about the star, at least as large as the annulus; electron.
    x, y : float, pixel
        Centre of the star in the cutout; the first pixel's centre is 0.
    radius, sky_inner, sky_outer : float, pixel
        Aperture and annulus.
    fwhm_px : float or None, pixel
        Full width at half maximum; None or NaN where it was not measured.
    pixel_scale : float, arcsec per pixel, optional
        For the FWHM in arcsec.
    title : str
        First line of the figure.
    centre : (x, y), optional
        Centre in the whole frame as FITS counts (the first pixel is 1), for the header.

    Returns
    -------
    Figure
        7.1 x 5.2 inch.

    Raises
    ------
    ValueError
        If no pixel near the star is finite.
    """
    distance, value, ring_radius, ring_mean, peak = radial_profile(
        image, x, y, sky_inner=sky_inner, sky_outer=sky_outer
    )
    fwhm = math.nan if fwhm_px is None else float(fwhm_px)
    figure = style.new_figure(5.2)
    style.heading(figure, title, _header(fwhm, pixel_scale, centre))
    axes = style.add_axes(figure, 0.62, 0.5, 4.9, 3.65)
    axes.set_xlim(0, 1.1 * sky_outer)
    # The core, the sky and the steps; a bright neighbour may leave the panel.
    axes.set_ylim(min(-0.12, float(np.percentile(value, 0.5)) - 0.03), 1.3)
    axes.set(xlabel="Radius (pixel)", ylabel="Flux less sky (largest ring mean = 1)")

    size = 2.2 if distance.size < 2000 else 1.4
    axes.plot(distance, value, "s", color=style.BLUE, ms=size, mec="none", label="pixels", zorder=2)
    axes.plot(
        ring_radius,
        ring_mean,
        "o-",
        color=style.PURPLE,
        mec=style.BLACK,
        mew=0.4,
        ms=4,
        lw=1.4,
        label="ring means",
        zorder=4,
    )
    _draw_steps(axes, radius, sky_inner, sky_outer)
    marks = [
        Mark(radius, f"Radius\n{radius:.1f} px", style.VERMILION, "None"),
        Mark(sky_inner, f"Back>\n{sky_inner:.1f} px", style.VERMILION, "None"),
        Mark(sky_outer, f"<Back\n{sky_outer:.1f} px", style.VERMILION, "None"),
    ]
    if math.isfinite(fwhm):
        half = fwhm / 2
        axes.plot(
            [0, half, half],
            [0.5, 0.5, axes.get_ylim()[0]],
            "--",
            color=style.GREEN,
            lw=1.3,
            zorder=5,
            label="half maximum",
        )
        axes.axvline(half, color=style.GREEN, lw=0.6, ls=":", zorder=1)
        marks.append(Mark(half, f"HWHM\n{half:.2f} px", style.GREEN, "None"))
    style.name_marks(axes, marks)
    box = axes.get_position()
    figure.legend(loc="upper left", bbox_to_anchor=(box.x1 + 0.01, box.y1), borderaxespad=0, handlelength=1.6)
    words = f"largest ring mean\n{peak:,.0f} e above the sky"
    style.write(figure, 5.62, 3.0, words, width=1.4, fontsize=7.5, va="top", linespacing=1.3)
    return figure


def _draw_steps(axes: Axes, radius: float, sky_inner: float, sky_outer: float) -> None:
    """Draw the steps that mark source and background, with their names above."""
    path = [
        (0, _TOP),
        (radius, _TOP),
        (radius, 0),
        (sky_inner, 0),
        (sky_inner, _TOP),
        (sky_outer, _TOP),
        (sky_outer, 0),
    ]
    axes.plot(*zip(*path, strict=True), color=style.VERMILION, lw=1.2, zorder=3, label="aperture, annulus")
    figure = axes.get_figure(root=True)
    assert figure is not None
    page, box, (low, high) = figure.get_size_inches(), axes.get_position(), axes.get_ylim()
    texts = [
        style.write(
            figure,
            0,
            0,
            name,
            color=style.ink(style.VERMILION),
            fontsize=8,
            ha="center",
            va="bottom",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )
        for name in ("SOURCE", "BACKGROUND")
    ]
    sizes = [style.text_size(text)[0] + 0.1 for text in texts]
    left, width = box.x0 * page[0], box.width * page[0]
    wanted = [left + width * at / axes.get_xlim()[1] for at in (radius / 2, (sky_inner + sky_outer) / 2)]
    level = box.y0 + box.height * (_TOP + 0.015 - low) / (high - low)
    for text, place in zip(texts, style.spread(wanted, sizes, left, left + width), strict=True):
        text.set_position((place / page[0], level))


def _header(fwhm: float, pixel_scale: float | None, centre: tuple[float, float] | None) -> str:
    """Return the line of AstroImageJ's header: centre and FWHM."""
    words = [] if centre is None else [f"FITS Center: ({centre[0]:.2f}, {centre[1]:.2f})"]
    if not math.isfinite(fwhm):
        words.append("FWHM: not measured")
    else:
        arcsec = "" if pixel_scale is None else f" : {fwhm * pixel_scale:.2f} [arcsec]"
        words.append(f"FWHM: {fwhm:.2f} [pixels]{arcsec}")
    return "     ".join(words)
