"""The notes of a visit, from the dumps of its filters."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from accretor.core.dumps import TEMPLATE_STARS
from accretor.exofop import notes, notes_template
from accretor.io import dump
from accretor.science import depths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accretor.core.settings import WorkspaceSettings
    from accretor.io.dump import Row
    from accretor.io.layout import Layout
    from accretor.stages.provenance import Provenance
    from accretor.stages.table import Measured
    from accretor.stages.workspace import ObservationPlan

_COMPASS = (
    *("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE"),
    *("S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"),
)
_SECONDS = 86400.0


def text(
    found: list[Measured],
    origin: Sequence[Provenance],
    date: str,
    layout: Layout,
    settings: WorkspaceSettings,
) -> bytes:
    """Return ``notes.txt``, laid out by the user's template if there is one.

    Raises
    ------
    ConfigError
        If that template is wrong.
    """
    own = layout.notes_template
    made_with = [
        f"Made with {words} ({item.plan.observation.filter})."
        for item, words in zip(found, origin, strict=True)
    ]
    visit = _visit(found, date, settings)
    return notes.notes(visit, made_with, own if own.is_file() else None).encode("utf-8")


def template() -> str:
    """Return our template, for the user to change."""
    return notes_template.OURS.read_text(encoding="utf-8")


def _visit(found: list[Measured], date: str, settings: WorkspaceSettings) -> notes.NotesInput:
    plan, results = found[0].plan, found[0].results
    target = plan.target
    return notes.NotesInput(
        tic=target.tic,
        planet=target.planet,
        name="" if target.name.upper().startswith("TIC") else target.name,
        date=date,
        observatory=plan.observation.telescope,
        observers=settings.packaging.observers or settings.observer,
        filters=tuple(_filter(item) for item in found),
        prediction=_prediction(plan, results),
        telescope_diameter=plan.instrument.telescope_diameter or math.nan,
        neighbours=" ".join(filter(None, (_neighbours(item.plan) for item in found))),
        previous=settings.packaging.comments,
        goal=settings.packaging.goal,
        weather=settings.packaging.weather,
    )


def _neighbours(plan: ObservationPlan) -> str:
    """Return the outcome of the check for eclipsing binaries nearby, in words; "" if there was none."""
    about = dump.read_meta(plan.paths.neighbours)
    said, gaps = about.get("said", ""), [f"Not known: {gap}." for gap in about.get("remarks", [])]
    return " ".join([f"{plan.observation.filter}: {said}", *gaps]) if said else ""


def _prediction(plan: ObservationPlan, results: Row) -> notes.PredictionNotes | None:
    ephemeris = plan.target.ephemeris
    if ephemeris is None or results["mid_bjd_tdb"] is None:
        return None
    return notes.PredictionNotes(
        ingress=results["ingress_bjd_tdb"],
        mid=results["mid_bjd_tdb"],
        egress=results["egress_bjd_tdb"],
        mid_error=results["prediction_error_day"],
        depth=ephemeris.depth,
        duration=ephemeris.duration,
        source=ephemeris.source,
    )


def _filter(found: Measured) -> notes.FilterNotes:
    results = found.results
    time = dump.numbers(found.used, "bjd_tdb")
    airmass, fwhm, zero = (dump.numbers(found.used, name) for name in ("airmass", "fwhm", "zero_point"))
    x, y = found.columns["x"][:, 0], found.columns["y"][:, 0]
    return notes.FilterNotes(
        filter=found.plan.observation.filter,
        n_frame=len(found.curve),
        n_used=len(found.used),
        left_out=Counter(row["reason"] for row in found.curve if row["reason"]),
        exposure=results["exposure_s"],
        cadence=float(np.median(np.diff(time))) * _SECONDS if len(time) > 1 else math.nan,
        start=float(time[0]),
        end=float(time[-1]),
        airmass=(float(airmass[0]), float(airmass.min()), float(airmass[-1])),
        aperture=(results["aperture_radius_px"], results["annulus_inner_px"], results["annulus_outer_px"]),
        fwhm=results["fwhm_px"],
        pixel_scale=dump.or_nan(results["pixel_scale_arcsec"]),
        n_comparison=results["n_comparison"],
        detrend=tuple(
            zip(
                results["detrend"],
                results["detrend_coefficient_ppt"],
                results["detrend_error_ppt"],
                strict=True,
            )
        ),
        rms_per_point=dump.or_nan(results["rms_per_point_ppt"]),
        rms_10min=dump.or_nan(results["rms_10min_ppt"]),
        rms_predicted=dump.or_nan(results["predicted_rms_ppt"]),
        coverage=results["coverage"],
        has_flip=results["flip_bjd_tdb"] is not None,
        shift_max=(float(np.abs(x - np.median(x)).max()), float(np.abs(y - np.median(y)).max())),
        shift_sd=(float(x.std()), float(y.std())),
        fit=_fit(results),
        fit_reason=results["fit_reason"],
        beta=dump.or_nan(results["beta"]),
        contamination=_contamination(found),
        remarks=tuple(results["flags"]),
        fwhm_range=(float(fwhm.min()), float(fwhm.max())),
        least_transparency=float(10 ** (0.4 * zero.min())),
        smallest=_smallest(found),
        aperture_range=_range(found.scale, found.radius),
        is_weighted=not found.plan.is_table
        and dump.read_meta(found.plan.paths.photometry_info).get("is_target_weighted", False),
    )


def _fit(results: Row) -> notes.FitNotes | None:
    if not results["has_fit"]:
        return None
    return notes.FitNotes(
        tc=results["tc_bjd_tdb"],
        tc_error=results["tc_error_day"],
        rp_rs=results["rp_rs"],
        rp_rs_error=results["rp_rs_error"],
        duration=results["duration_hour"],
        duration_error=results["duration_error_hour"],
        delta_bic=results["delta_bic"],
    )


def _range(scale: tuple[float, ...], radius: float) -> tuple[float, float] | None:
    return (min(scale) * radius, max(scale) * radius) if scale and min(scale) < max(scale) else None


def _smallest(found: Measured) -> tuple[float, float, float] | None:
    """Return the smallest aperture in which the transit is as deep as in the light curve."""
    if not found.results["has_fit"]:
        return None
    is_comparison = np.array([name.startswith("C") for name in found.names])
    flux = found.columns["flux"]
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = flux[:, 0] / flux[:, is_comparison].sum(axis=1)
    trend, model = dump.numbers(found.used, "trend"), dump.numbers(found.used, "model")
    return depths.smallest_alike(
        np.array(found.radii), relative, trend, model, largest=found.results["aperture_radius_px"]
    )


def _contamination(found: Measured) -> str:
    """Return what other stars of the template's list are in or near the aperture, in words."""
    rows = dump.read(found.plan.paths.template_stars, TEMPLATE_STARS).rows
    target, others = rows[0], rows[1:]
    if not others:
        return ""
    results = found.results
    shown = (
        "of the measurement table"
        if found.plan.is_table
        else f"detected in the field{_depth(target, others)}"
    )
    reach = results["aperture_radius_px"] + results["fwhm_px"]
    apart = [math.hypot(star["x"] - target["x"], star["y"] - target["y"]) for star in others]
    inside = [i for i, distance in enumerate(apart) if distance < reach]
    if not inside:
        i = min(range(len(others)), key=lambda at: apart[at])
        return (
            f"uncontaminated by the stars {shown}; the nearest of them is "
            f"{_place(target, others[i], apart[i], results)}"
        )
    i = max(inside, key=lambda at: others[at]["flux"])
    number = f"{len(inside)} stars, the brightest" if len(inside) > 1 else "a star"
    share = 100 * others[i]["flux"] / target["flux"]
    return (
        f"contaminated by {number} {_place(target, others[i], apart[i], results)} with {share:.1f} % "
        "of the target's flux"
    )


def _depth(target: Row, others: list[Row]) -> str:
    """Return in words how much fainter than the target the stars of the list may be: it has the brightest."""
    faintest = min(star["flux"] for star in others)
    if not (faintest > 0 and target["flux"] > 0):
        return ""
    depth = 2.5 * math.log10(target["flux"] / faintest)
    return f", down to {abs(depth):.1f} mag {'fainter' if depth >= 0 else 'brighter'}"


def _place(target: Row, star: Row, apart: float, results: Row) -> str:
    """Return where a star is as seen from the target, and how much fainter."""
    scale = results["pixel_scale_arcsec"]
    where = f'{apart * scale:.1f}"' if scale else f"{apart:.1f} px"
    if math.isfinite(star["ra"]) and math.isfinite(target["ra"]):
        east = ((star["ra"] - target["ra"] + 180) % 360 - 180) * math.cos(math.radians(target["dec"]))
        angle = math.degrees(math.atan2(east, star["dec"] - target["dec"])) % 360
        where += f" {_COMPASS[round(angle / 22.5) % 16]}"
    if star["flux"] > 0 and target["flux"] > 0:
        fainter = -2.5 * math.log10(star["flux"] / target["flux"])
        where += f", {abs(fainter):.1f} mag {'fainter' if fainter >= 0 else 'brighter'}"
    return f"at {where}"
