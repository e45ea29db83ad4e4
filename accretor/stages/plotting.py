"""Plotting: the figures of an observation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.core.dumps import COMPARISON, LIGHT_CURVE, TEMPLATE_STARS
from accretor.core.settings import WorkspaceSettings
from accretor.io import atomic, dump
from accretor.io import fits as io_fits
from accretor.io.dump import Row
from accretor.plots.registry import FIGURES
from accretor.stages import photometry as photometry_stage
from accretor.stages import results as results_of
from accretor.stages.bench import Bench, Done

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from accretor.core.arrays import Columns
    from accretor.io.layout import Layout, ObservationPaths
    from accretor.stages.workspace import ObservationPlan

ZOOM_ARCMIN = 3.0
"""Half the width of the zoomed field (TFOP SG1: about 6 by 6 arcmin)."""


def run(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings, bench: Bench) -> Done:
    """Draw every figure of an observation."""
    from accretor.plots import style

    paths = plan.paths
    results = results_of.read(paths.results)
    draw = {
        "light_curve": lambda: _light_curve(plan, results, settings),
        "comparison_stars": lambda: _comparison(paths, results, _title(plan, results, settings)),
        "field": lambda: _field(paths, results, _title(plan, results, settings), None),
        "field_zoom": lambda: _field(paths, results, _title(plan, results, settings), ZOOM_ARCMIN),
        "seeing_profile": lambda: _seeing(paths, results, _title(plan, results, settings)),
    }
    written = []
    for number, entry in enumerate(FIGURES, start=1):
        path = paths.plots / entry.tail
        atomic.write_bytes(path, style.save(draw[entry.name]()))
        written.append(path)
        bench.progress(number, len(FIGURES))
    return Done(tuple(written), f"{len(written)} figures")


def utc_date(results: Row) -> str:
    """Return the UT date of the start of the first exposure, YYYYMMDD."""
    from astropy.time import Time

    start = Time(results["start_jd_utc"], format="jd", scale="utc")
    return str(start.strftime("%Y%m%d"))


def _title(plan: ObservationPlan, results: Row, settings: WorkspaceSettings) -> str:
    if settings.plotting.title:
        return settings.plotting.title
    date = utc_date(results)
    target = plan.target
    return f"TIC {target.tic}.{target.planet} ({target.name})   UT{date[:4]}.{date[4:6]}.{date[6:]}"


def subtitle(results: Row, n_frame: int) -> str:
    """Return the second line of the SG1 layout: telescope, filter, exposures, aperture and annulus."""
    radii = "-".join(
        f"{results[name]:.3g}" for name in ("aperture_radius_px", "annulus_inner_px", "annulus_outer_px")
    )
    exposures = f"{n_frame} x {results['exposure_s']:g} s"
    return f"{results['telescope']} ({results['filter']} filter, {exposures}, fap {radii})"


def _table(rows: list[Row]) -> Columns:
    return {name: np.array(dump.column(rows, name)) for name in rows[0]}


def _light_curve(plan: ObservationPlan, results: Row, settings: WorkspaceSettings) -> Figure:
    from accretor.plots import lightcurve

    table = _table(dump.read(plan.paths.light_curve, LIGHT_CURVE).rows)
    return lightcurve.light_curve(
        table,
        results,
        title=_title(plan, results, settings),
        subtitle=subtitle(results, results["n_frame_good"]),
        bin_minutes=settings.plotting.bin_minutes,
    )


def _comparison(paths: ObservationPaths, results: Row, title: str) -> Figure:
    from accretor.plots import comparison

    stars = [row for row in dump.read(paths.comparison, COMPARISON).rows if row["label"]]
    stars.sort(key=lambda row: int(row["label"][1:]))
    curve = dump.read(paths.light_curve, LIGHT_CURVE).rows
    used = np.array([row["is_used"] for row in curve])
    flux, names, scatter = leave_one_out(paths, results, [row for row in stars if row["label"] != "T1"])
    return comparison.comparison_stars(
        np.array([row["bjd_tdb"] for row in curve])[used],
        flux[used],
        names,
        scatter,
        np.ones(int(used.sum()), dtype=bool),
        title=title,
        ingress=results["ingress_bjd_tdb"],
        egress=results["egress_bjd_tdb"],
    )


def leave_one_out(
    paths: ObservationPaths, results: Row, stars: list[Row]
) -> tuple[Any, list[str], list[float]]:
    """Return the relative flux of each star of the table against the others, for each row of the light curve.

    Returns
    -------
    flux : (n_frame, n_star)
        NaN where a frame was not measured.
    names : list of str
    scatter : list of float, ppt
    """
    from accretor.science import ensemble

    measured, meta = photometry_stage.columns(paths, "image_name", "flux")
    radius = int(np.argmin(np.abs(np.array(meta["radii"]) - results["aperture_radius_px"])))
    index = [row["star"] for row in stars]
    relative = ensemble.relative_flux(measured["flux"][:, index, radius], np.ones(len(index)))
    relative /= np.nanmedian(relative, axis=0)
    curve = dump.read(paths.light_curve, LIGHT_CURVE).rows
    place = {name: i for i, name in enumerate(measured["image_name"])}
    full = np.full((len(curve), len(index)), np.nan)
    for i, row in enumerate(curve):
        if row["image_name"] in place:
            full[i] = relative[place[row["image_name"]]]
    return full, [row["label"] for row in stars], [row["scatter"] for row in stars]


def _field(paths: ObservationPaths, results: Row, title: str, zoom: float | None) -> Figure:
    from accretor.plots import field

    image = io_fits.read_image(paths.template_image)
    chosen = dump.read(paths.template_stars, TEMPLATE_STARS)
    labels = {row["star"]: row["label"] for row in dump.read(paths.comparison, COMPARISON).rows}
    rows = [row for row in chosen.rows if labels[row["star"]]]
    stars = {
        "x": np.array(dump.column(rows, "x")),
        "y": np.array(dump.column(rows, "y")),
        "label": np.array([labels[row["star"]] for row in rows]),
        "role": np.array(["target" if row["star"] == 0 else "comparison" for row in rows]),
    }
    return field.field(
        image,
        stars=stars,
        radius_px=results["aperture_radius_px"],
        cd=_cd_matrix(chosen.meta["wcs"]),
        pixel_scale=results["pixel_scale_arcsec"],
        title=title,
        zoom=zoom,
    )


def _cd_matrix(cards: Row) -> Any:
    """Return the 2x2 matrix of a plate solution, degree per pixel; None without one."""
    if not cards:
        return None
    from astropy.io.fits import Header
    from astropy.wcs import WCS

    return np.asarray(WCS(Header(cards)).celestial.pixel_scale_matrix)


def _seeing(paths: ObservationPaths, results: Row, title: str) -> Figure:
    from accretor.plots import seeing

    image = io_fits.read_image(paths.template_image)
    chosen = dump.read(paths.template_stars, TEMPLATE_STARS)
    target = chosen.rows[0]
    return seeing.seeing_profile(
        image,
        target["x"],
        target["y"],
        radius=results["aperture_radius_px"],
        sky_inner=results["annulus_inner_px"],
        sky_outer=results["annulus_outer_px"],
        fwhm_px=chosen.meta["fwhm"],
        pixel_scale=results["pixel_scale_arcsec"] or math.nan,
        title=title,
    )
