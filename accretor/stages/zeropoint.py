"""Zero points: what brings the instrumental magnitudes of a night to those of a catalogue."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from accretor.core import exclusions
from accretor.core.arrays import Booleans, Floats
from accretor.core.dumps import FRAMES, MAGNITUDES, TEMPLATE_STARS, ZERO_POINTS
from accretor.core.errors import DumpError, Unusable
from accretor.core.settings import WorkspaceSettings
from accretor.io import atomic, dump, records
from accretor.io.dump import Row
from accretor.science import identify, noise, times, transformations, zeropoint
from accretor.science.transformations import Tie
from accretor.science.zeropoint import Magnitudes, Solution
from accretor.stages import catalogs as kept
from accretor.stages import photometry as photometry_stage
from accretor.stages import results
from accretor.stages.bench import Bench, Done
from accretor.stages.photometry import NEAR_EDGE, SATURATED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from accretor.core.catalog import Catalog
    from accretor.io.layout import Layout
    from accretor.stages.workspace import ObservationPlan


MATCH = (2.0, 1.2, 4.0)
"""A star is that of the catalogue within so many pixels, but at least and at most so many arcsec."""
MOST_CONTRAST = 0.05
"""Light of neighbours over its own, above which a star tells no zero point."""
MOST_ERROR = 0.1
"""Magnitude: a star of the catalogue with a greater error tells no zero point."""
N_OTHER = 3
"""Further surveys that the magnitudes are compared with."""


@dataclass(frozen=True)
class Sky:
    """The stars of an observation, and what was measured of them."""

    stars: list[Row]
    """Of ``template_stars.ecsv``."""
    ra: Floats
    dec: Floats
    magnitude: Floats
    """(n_frame, n_star, n_radius) instrumental."""
    error: Floats
    is_saturated: Booleans
    """(n_star,) in half of the frames or more."""
    radii: list[float]
    pixel_scale: float
    """Arcsec per pixel; NaN without a plate solution."""
    fwhm: float
    epoch: float
    """Julian year."""


class Reference(NamedTuple):
    """A catalogue, brought to the band of the filter, for the stars of the observation."""

    name: str
    tie: Tie
    system: transformations.System
    identifier: list[str]
    magnitude: Floats
    """(n_star,)."""
    error: Floats
    color: Floats
    is_usable: Booleans
    flag: list[str]
    """Why a star is not usable."""


def run(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings, bench: Bench) -> Done:
    """Write the zero points of the frames, and the magnitudes of the stars.

    Where there is no catalogue, or none for the filter, that is the reason in every row.
    """
    paths = plan.paths
    frames = dump.read(paths.frames, FRAMES).rows
    measured, meta = photometry_stage.columns(paths, "input", "flux", "flux_error", "flag")
    sky = _sky(plan, settings, frames, measured, meta)
    outcome: tuple[Reference, list[Solution], int, Magnitudes] | None = None
    others: list[Row] = []
    reason = ""
    try:
        references = _references(plan, layout, settings, sky)
        outcome = _solved(references, sky, settings)
        others = _compared(references, outcome[0], outcome[3])
    except (Unusable, DumpError) as error:
        reason = str(error)
    head = _head(outcome, sky, others, reason)
    rows = _frame_rows(frames, measured["input"], outcome, sky, reason)
    shape = {"radius": len(sky.radii), "star": len(sky.stars)}
    dump.write(paths.zero_points, ZERO_POINTS, rows, head)
    records.write(paths.magnitude_frames, ZERO_POINTS, rows, shape, head)
    dump.write(paths.magnitudes, MAGNITUDES, _star_rows(sky, outcome, reason), head)
    written = (paths.zero_points, paths.magnitude_frames, paths.magnitudes, *_drawn(plan, head))
    bench.progress(1, 1)
    return Done(written, results.said_of_zero_point(head))


def _drawn(plan: ObservationPlan, head: Row) -> tuple[Path, ...]:
    """Draw the figure where there are zero points; take one away that holds no longer."""
    from accretor.plots.registry import OPTIONAL

    entry = next(entry for entry in OPTIONAL if entry.name == "zero_points")
    path = plan.paths.plots / entry.tail
    if head["reason"]:
        if path.is_file():
            path.unlink()
        return ()
    from accretor.plots import style

    atomic.write_bytes(path, style.save(_figure(plan, head)))
    return (path,)


def _figure(plan: ObservationPlan, head: Row) -> Figure:
    from accretor.plots import zeropoint as figure
    from accretor.stages import figures

    frames, stars = (
        {name: np.array(dump.column(rows, name)) for name in rows[0]}
        for rows in (
            dump.read(plan.paths.zero_points, ZERO_POINTS).rows,
            dump.read(plan.paths.magnitudes, MAGNITUDES).rows,
        )
    )
    return figure.zero_points(
        frames,
        stars,
        head,
        title=figures.title_before_results(plan),
        subtitle=f"{plan.observation.telescope} ({plan.observation.filter} filter): "
        f"{results.said_of_zero_point(head)}",
    )


def _sky(
    plan: ObservationPlan, settings: WorkspaceSettings, frames: list[Row], measured: Row, meta: Row
) -> Sky:
    chosen = dump.read(plan.paths.template_stars, TEMPLATE_STARS)
    by_input = {row["input"]: row for row in frames}
    rows = [by_input[item] for item in measured["input"]]
    exposure = dump.numbers(rows, "exptime")
    flag = np.nan_to_num(measured["flag"]).astype(np.int64)
    # What is saturated or cut off has no magnitude.
    is_bad = ((flag & (SATURATED | NEAR_EDGE)) > 0)[:, :, np.newaxis]
    flux = np.where(is_bad, np.nan, measured["flux"])
    magnitude, error = zeropoint.instrumental(flux, measured["flux_error"], exposure)
    if plan.instrument.telescope_diameter and len(rows):
        twinkle = noise.scintillation(
            dump.numbers(rows, "airmass"),
            exposure,
            diameter=plan.instrument.telescope_diameter,
            height=plan.site[2],
            coefficient=settings.calibration.scintillation,
        )
        error = np.hypot(error, 1.0857 * twinkle[:, np.newaxis, np.newaxis])
    return Sky(
        stars=chosen.rows,
        ra=dump.numbers(chosen.rows, "ra"),
        dec=dump.numbers(chosen.rows, "dec"),
        magnitude=magnitude,
        error=error,
        is_saturated=2 * ((flag & SATURATED) > 0).sum(axis=0) > len(flag),
        radii=list(meta["radii"]),
        pixel_scale=chosen.meta["pixel_scale"] or math.nan,
        fwhm=float(chosen.meta["fwhm"]),
        epoch=times.julian_year(float(np.median(dump.numbers(rows, "jd_utc")))) if rows else 2000.0,
    )


def _references(
    plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings, sky: Sky
) -> list[Reference]:
    """Return the catalogues to which the filter can be tied, the best first.

    Raises
    ------
    Unusable
        If there is none.
    """
    if not np.isfinite(sky.ra).any():
        raise Unusable("there is no plate solution, and so no star is known")
    catalogs = kept.stored(layout, settings, plan.target)
    if not catalogs:
        raise Unusable("there is no catalogue of the field; doit fetch gets one")
    wanted = settings.magnitudes.catalog
    if wanted and wanted not in catalogs:
        raise Unusable(
            f"[magnitudes] catalog = {wanted!r} is not there; there are {', '.join(sorted(catalogs))}"
        )
    if wanted:
        catalogs = {wanted: catalogs[wanted]}
    name = plan.observation.filter
    found = transformations.ties(name, catalogs)
    if not found:
        known = "" if transformations.is_known(name) else "not a filter with a known transformation; "
        raise Unusable(f"filter {name}: {known}no band of {', '.join(sorted(catalogs))} can be tied to it")
    return [_reference(catalogs[key], tie, sky, settings) for key, tie in found]


def _reference(catalog: Catalog, tie: Tie, sky: Sky, settings: WorkspaceSettings) -> Reference:
    factor, least, most = MATCH
    radius = min(max(factor * sky.pixel_scale, least), most)
    ra, dec = kept.positions(catalog, sky.epoch)
    entry = identify.nearest(sky.ra, sky.dec, ra, dec, radius)
    there, error, color = tie.magnitudes(catalog)
    crowd = identify.crowding(ra, dec, catalog.magnitude[tie.base], entry, sky.fwhm * sky.pixel_scale)
    system = tie.system if tie.coefficients else catalog.system.get(tie.base, tie.system)
    step = 0.0
    if (wanted := settings.magnitudes.system) != "catalogue":
        step = transformations.offset(tie.band, system, wanted)
        system = wanted
    is_found = entry >= 0
    excluded = frozenset(settings.magnitudes.exclude)
    flag = [
        _verdict(row, entry[star], sky.is_saturated[star], crowd[star], there, error, catalog, excluded)
        for star, row in enumerate(sky.stars)
    ]
    return Reference(
        catalog.name,
        tie,
        system,
        [str(catalog.identifier[i]) if i >= 0 else "" for i in entry],
        np.where(is_found, there[entry] + step, np.nan),
        # An error that the catalogue does not tell is taken to be an ordinary one.
        np.where(is_found, np.nan_to_num(error[entry], nan=0.03), np.nan),
        np.where(is_found, color[entry], np.nan),
        np.array([not why for why in flag]),
        flag,
    )


def _verdict(
    row: Row,
    entry: int,
    is_saturated: bool,
    crowd: float,
    magnitude: Floats,
    error: Floats,
    catalog: Catalog,
    excluded: frozenset[str],
) -> str:
    """Return why a star must not tell the zero point; empty if it may."""
    if row["role"] == "target":
        return "target"
    if is_saturated:
        return "saturated"
    if entry < 0:
        return "not in the catalogue"
    if str(catalog.identifier[entry]) in excluded:
        return exclusions.REASON
    if catalog.flag[entry]:
        return f"by the catalogue: {catalog.flag[entry]}"
    if not np.isfinite(magnitude[entry]):
        return "no magnitude in the catalogue, or a colour out of range"
    if error[entry] > MOST_ERROR:
        return f"error of {error[entry]:.2f} mag in the catalogue"
    if row["contrast"] > MOST_CONTRAST or crowd > MOST_CONTRAST:
        return "blended"
    return ""


def _solved(
    references: list[Reference], sky: Sky, settings: WorkspaceSettings
) -> tuple[Reference, list[Solution], int, Magnitudes]:
    """Return the first reference that gives zero points, these through each radius, and the radius to use."""
    options = settings.magnitudes
    reasons = []
    for reference in references:
        try:
            solutions = [
                zeropoint.solve(
                    sky.magnitude[:, :, k],
                    sky.error[:, :, k],
                    np.where(reference.is_usable, reference.magnitude, np.nan),
                    reference.error,
                    reference.color,
                    min_star=options.min_stars,
                    clip=options.clip,
                    with_color=options.color_term == "auto",
                )
                for k in range(len(sky.radii))
            ]
        except Unusable as verdict:
            reasons.append(f"{reference.name} {reference.tie.band}: {verdict.reason}")
            continue
        standard = [
            zeropoint.calibrated(sky.magnitude[:, :, k], sky.error[:, :, k], reference.color, found)
            for k, found in enumerate(solutions)
        ]
        k = _radius(solutions, standard, sky, options.radius)
        return reference, solutions, k, standard[k]
    raise Unusable("; ".join(dict.fromkeys(reasons)))


def _radius(solutions: list[Solution], standard: list[Magnitudes], sky: Sky, wanted: float | None) -> int:
    """Return the index of the radius through which the stars scatter least, or the one that is wanted."""
    radii = np.array(sky.radii)
    if wanted is not None:
        return int(np.argmin(np.abs(radii - wanted)))
    used = np.all([found.is_used for found in solutions], axis=0)
    scatter = [np.nanmedian(found.scatter[used]) if used.any() else np.nan for found in standard]
    if not np.isfinite(scatter).all() or len(sky.magnitude) < 5:
        return int(np.argmin(np.abs(radii - 1.5 * sky.fwhm)))
    return int(np.argmin(scatter))


def _compared(references: list[Reference], chosen: Reference, standard: Magnitudes) -> list[Row]:
    """Return by how much the magnitudes of other surveys in the same band differ from ours."""
    found: list[Row] = []
    for reference in references:
        if reference.name == chosen.name or reference.tie.band != chosen.tie.band:
            continue
        if any(item["catalog"] == reference.name for item in found):
            continue
        good = reference.is_usable & np.isfinite(standard.mean)
        difference = np.where(good, reference.magnitude - standard.mean, np.nan)
        mean = zeropoint.mean(difference, np.hypot(reference.error, standard.mean_error))
        if mean.is_used.sum() > 1:
            found.append(
                {
                    "catalog": reference.name,
                    "band": reference.tie.band,
                    "n_star": int(mean.is_used.sum()),
                    "offset": round(mean.value, 4),
                    "offset_error": round(mean.error, 4),
                }
            )
    return found[:N_OTHER]


def _head(
    outcome: tuple[Reference, list[Solution], int, Magnitudes] | None,
    sky: Sky,
    others: list[Row],
    reason: str,
) -> Row:
    if outcome is None:
        return {"reason": reason, "radii": sky.radii}
    reference, solutions, k, _ = outcome
    found = solutions[k]
    tie = reference.tie
    return {
        "reason": "",
        "catalog": reference.name,
        "band": tie.band,
        "system": reference.system,
        "is_standard": tie.is_standard,
        "source": tie.source,
        "color": list(tie.color or ()),
        "color_term": round(found.color.slope, 5),
        "color_reason": found.color.reason,
        "zero_point": _rounded(float(np.nanmedian(found.zero_point))),
        "zero_point_error": _rounded(float(np.nanmedian(found.error))),
        "n_star": int(found.is_used.sum()),
        "radius": sky.radii[k],
        "radii": sky.radii,
        "others": others,
    }


def _frame_rows(
    frames: list[Row],
    inputs: Any,
    outcome: tuple[Reference, list[Solution], int, Magnitudes] | None,
    sky: Sky,
    reason: str,
) -> list[Row]:
    place = {str(item): i for i, item in enumerate(inputs)}
    blank: Row = {column.name: math.nan for column in ZERO_POINTS.columns if column.kind == "float64"}
    blank |= {"n_star": 0, "n_clipped": 0, "catalog": "", "band": "", "system": ""}
    blank |= {column.name: None for column in ZERO_POINTS.arrays}
    rows = []
    for frame in frames:
        row: Row = {**blank, "image_name": frame["image_name"], "bjd_tdb": frame["bjd_tdb"]}
        i = place.get(frame["input"])
        if i is None:
            row["reason"] = frame["reason"] or "it was not measured"
        elif outcome is None:
            row["reason"] = reason
        else:
            row |= _frame_row(i, outcome)
        rows.append(row)
    return rows


def _frame_row(i: int, outcome: tuple[Reference, list[Solution], int, Magnitudes]) -> Row:
    reference, solutions, k, standard = outcome
    found = solutions[k]
    has_one = math.isfinite(found.zero_point[i])
    return {
        "zero_point": found.zero_point[i],
        "zero_point_error": found.error[i],
        "relative_error": found.relative_error[i],
        "scatter": found.scatter[i],
        "n_star": found.n_star[i],
        "n_clipped": found.n_clipped[i],
        "color_term": found.color.slope,
        "color_term_error": found.color.error,
        "color_reference": found.color.reference,
        "catalog": reference.name,
        "band": reference.tie.band,
        "system": reference.system,
        "reason": "" if has_one else f"{int(found.n_star[i])} stars are measured, too few",
        "zero_points": np.array([solution.zero_point[i] for solution in solutions]),
        "zero_point_errors": np.array([solution.error[i] for solution in solutions]),
        "magnitude": standard.magnitude[i],
        "magnitude_error": standard.error[i],
    }


def _star_rows(
    sky: Sky, outcome: tuple[Reference, list[Solution], int, Magnitudes] | None, reason: str
) -> list[Row]:
    rows = []
    for star, listed in enumerate(sky.stars):
        row: Row = {name: listed[name] for name in ("star", "role", "ra", "dec")}
        if outcome is None:
            unknown = (
                "catalog_magnitude",
                "catalog_error",
                "magnitude",
                "magnitude_error",
                "scatter",
                "color",
            )
            row |= dict.fromkeys(unknown, math.nan)
            row |= {"identifier": "", "n_frame": 0, "is_used": False, "flag": reason}
        else:
            row |= _star_row(star, outcome)
        rows.append(row)
    return rows


def _star_row(star: int, outcome: tuple[Reference, list[Solution], int, Magnitudes]) -> Row:
    reference, solutions, k, standard = outcome
    found = solutions[k]
    flags = [reference.flag[star]] if reference.flag[star] else []
    if found.is_clipped[star]:
        flags.append("too far from the others")
    elif not flags and not found.is_used[star]:
        flags.append("not measured in most frames")
    if found.color.slope and not math.isfinite(reference.color[star]):
        flags.append("colour unknown: no colour term")
    return {
        "identifier": reference.identifier[star],
        "catalog_magnitude": reference.magnitude[star],
        "catalog_error": reference.error[star],
        "magnitude": standard.mean[star],
        "magnitude_error": standard.mean_error[star],
        "scatter": standard.scatter[star],
        "n_frame": standard.n_frame[star],
        "color": reference.color[star],
        "is_used": found.is_used[star],
        "flag": "; ".join(flags),
    }


def _rounded(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None
