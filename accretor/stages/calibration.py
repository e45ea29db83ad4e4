"""Calibration: comparison stars, aperture, light curve, trend and transit fit, from the photometry alone."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.core import exclusions, versions
from accretor.core.dumps import APERTURES, COMPARISON, FRAMES, LIGHT_CURVE, RESULTS, STARS, TEMPLATE_STARS
from accretor.core.errors import Blocked
from accretor.core.settings import CalibrationSettings, WorkspaceSettings
from accretor.io import atomic, dump
from accretor.io.dump import Row
from accretor.science import lightcurve, likeness
from accretor.science.fit import TC, K
from accretor.science.lightcurve import Photometry
from accretor.science.systematics import Depth
from accretor.stages import aijchoice, fitpoints, nightflags, starcolors
from accretor.stages import photometry as photometry_stage
from accretor.stages import posterior as posterior_of
from accretor.stages.bench import Bench, Done
from accretor.stages.photometry import NEAR_EDGE, SATURATED
from accretor.stages.results import said

if TYPE_CHECKING:
    from accretor.core.arrays import Booleans, Floats
    from accretor.io.layout import Layout
    from accretor.science.biasflags import Flag
    from accretor.science.lightcurve import LightCurve
    from accretor.stages.workspace import ObservationPlan

MIN_FRAMES = 5
"""With fewer measured frames there is no light curve to speak of."""

Columns = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """What earlier stages have left of an observation."""

    photometry: Photometry
    columns: Columns
    """Of the frames measured."""
    meta: Row
    """Of the photometry."""
    frames: dump.Dump
    info: dict[str, Row]
    """Measurements of each frame alone, by its digest."""
    stars: dump.Dump


def load(plan: ObservationPlan) -> Measured:
    """Read the photometry of an observation.

    Raises
    ------
    Blocked
        If fewer than five frames are measured.
    """
    paths = plan.paths
    frames = dump.read(paths.frames, FRAMES)
    stars = dump.read(paths.template_stars, TEMPLATE_STARS)
    info = {row["input"]: row for row in dump.read(paths.image_info, STARS).rows}
    measured, meta = photometry_stage.columns(
        paths,
        *("input", "flux", "flux_error", "sky", "x", "y", "peak", "flag", "shift_x", "shift_y", "rotation"),
    )
    if (n_measured := len(measured["input"])) < MIN_FRAMES:
        n_frame = len(frames.rows)
        why = f"; see {paths.photometry_info.name} for the reasons" if n_measured < n_frame else ""
        slug = plan.observation.slug
        raise Blocked(f"{slug}: {n_measured} of {n_frame} frames are measured, {MIN_FRAMES} needed{why}")
    by_input = {row["input"]: row for row in frames.rows}
    rows = [by_input[item] for item in measured["input"]]
    photometry = _photometry(measured, meta, rows, [info[row["input"]] for row in rows], stars)
    return Measured(photometry, measured, meta, frames, info, stars)


def run(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings, bench: Bench) -> Done:
    """Write the light curve, the ensemble, the apertures and the results of an observation."""
    paths = plan.paths
    given = load(plan)
    photometry = given.photometry
    colors, doubt = starcolors.find(
        plan, layout, settings, given.stars, float(np.median(dump.numbers(given.frames.rows, "jd_utc")))
    )
    if colors is not None:
        photometry = replace(photometry, color=colors.value)
    own = settings.calibration
    photometry = replace(photometry, left_out=_left_out(given, own))
    choice, radii = aijchoice.stars(plan, given.stars.rows, given.stars.meta), aijchoice.radii(plan.aij)
    _, _, height = plan.site
    found = lightcurve.calibrate(
        photometry,
        ephemeris=plan.target.ephemeris,
        filter_name=plan.observation.filter,
        target=plan.target,
        diameter=plan.instrument.telescope_diameter,
        site_height=height,
        settings=aijchoice.applied(choice, radii, settings.calibration),
    )
    is_whole = np.asarray(np.isfinite(photometry.flux[found.is_used, :, found.radius_index]).all(axis=0))
    if choice is None:
        labels = _labels(found, is_whole, settings.packaging.n_comparison)
        remarks: tuple[str, ...] = ()
    else:
        labels, remarks = aijchoice.labels(choice, is_whole)
    curve = _curve_rows(given, found, labels)
    dump.write(paths.light_curve, LIGHT_CURVE, curve, {})
    dump.write(paths.comparison, COMPARISON, _star_rows(given.stars.rows, photometry, found, labels), {})
    dump.write(paths.apertures, APERTURES, _aperture_rows(photometry, found), {})
    fitpoints.write(paths.fit_points, found)
    sampled = posterior_of.run(plan, found, settings.calibration)
    results = _results(plan, curve, found, given)
    results |= sampled.numbers
    results["comparison_colors"] = "" if colors is None else colors.name
    results["flags"] += [*([doubt] if doubt else []), *sampled.remarks, *remarks]
    results["flags"] += [
        f"exclude_frames: no frame is named {pattern}"
        for pattern in exclusions.idle([row["image_name"] for row in given.frames.rows], own.exclude_frames)
    ]
    if not plan.is_table:
        results["flags"] = with_biases(results["flags"], nightflags.find(plan, given.columns, results))
    atomic.write_text(
        paths.results, json.dumps(results, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    )
    written = (paths.light_curve, paths.comparison, paths.apertures, paths.fit_points, paths.results)
    return Done((*written, *sampled.written), said(results))


def _left_out(given: Measured, settings: CalibrationSettings) -> tuple[str, ...]:
    """Return why the user leaves frames out of the light curve, of the frames measured."""
    by_input = {row["input"]: row for row in given.frames.rows}
    rows = [by_input[item] for item in given.columns["input"]]
    return tuple(
        exclusions.reason(
            row["image_name"], row["bjd_tdb"], row["jd_utc"], settings.exclude_frames, settings.exclude_times
        )
        for row in rows
    )


def _photometry(
    measured: Columns, meta: Row, rows: list[Row], info: list[Row], chosen: dump.Dump
) -> Photometry:
    flag = np.nan_to_num(measured["flag"]).astype(np.int64)
    return lightcurve.Photometry(
        time=dump.numbers(rows, "bjd_tdb"),
        exposure=dump.numbers(rows, "exptime"),
        airmass=dump.numbers(rows, "airmass"),
        fwhm=dump.numbers(info, "fwhm"),
        flip=np.where(np.abs(measured["rotation"]) > 90, -1.0, 1.0),
        flux=measured["flux"],
        flux_error=measured["flux_error"],
        sky=measured["sky"],
        x=measured["x"],
        y=measured["y"],
        is_saturated=(flag & SATURATED) > 0,
        is_near_edge=(flag & NEAR_EDGE) > 0,
        radii=np.array(meta["radii"], dtype=np.float64),
        template_fwhm=float(chosen.meta["fwhm"]),
        position=np.column_stack([dump.numbers(chosen.rows, "x"), dump.numbers(chosen.rows, "y")]),
        target=0,
        neighbour_contrast=dump.numbers(chosen.rows, "contrast"),
        height=_height(measured, rows),
    )


def _height(measured: Columns, rows: list[Row]) -> Floats | None:
    """Return the highest pixel of each star above the level of its frame; None where no level is known."""
    level = dump.numbers(rows, "level")
    return measured["peak"] - level[:, np.newaxis] if np.isfinite(level).any() else None


def _labels(found: LightCurve, is_whole: Booleans, n_comparison: int) -> dict[int, str]:
    """Name the stars of the AstroImageJ table: the target, and the comparison stars with the most weight.

    Its sums need every star in every frame that is used.
    """
    weight = np.where(found.stars.is_comparison & is_whole, found.stars.weight, 0.0)
    heaviest = np.argsort(-weight, kind="stable")[:n_comparison]
    used = [int(star) for star in heaviest if weight[star] > 0]
    return {0: "T1"} | {star: f"C{number}" for number, star in enumerate(used, start=2)}


def _curve_rows(given: Measured, found: LightCurve, labels: dict[int, str]) -> list[Row]:
    photometry, info = given.photometry, given.info
    comparison = [star for star, label in labels.items() if label.startswith("C")]
    total = photometry.flux[:, comparison, found.radius_index].sum(axis=1)
    place = {item: i for i, item in enumerate(given.columns["input"])}
    rows = []
    for frame in given.frames.rows:
        row = {name: frame[name] for name in ("image_name", "jd_utc", "bjd_tdb", "exptime", "airmass")}
        i = place.get(frame["input"])
        if i is None:
            blank = {column.name: math.nan for column in LIGHT_CURVE.columns if column.name not in row}
            rows.append(
                {**blank, **row, "is_used": False, "reason": frame["reason"] or _earlier(frame, info)}
            )
            continue
        rows.append(
            row
            | {
                "is_used": found.is_used[i],
                "reason": found.reason[i],
                "relative_flux": found.relative_flux[i],
                "relative_flux_error": found.relative_flux_error[i],
                "trend": found.trend[i],
                "detrended_flux": found.detrended_flux[i],
                "model": found.model[i],
                "residual": found.residual[i],
                "zero_point": found.zero_point[i],
                "zero_point_error": found.zero_point_error[i],
                "fwhm": photometry.fwhm[i],
                "sky": photometry.sky[i, 0],
                "x": photometry.x[i, 0],
                "y": photometry.y[i, 0],
                "total_comparison": total[i],
            }
        )
    return rows


def _earlier(frame: Row, info: dict[str, Row]) -> str:
    """Return why an earlier stage left a frame out."""
    row = info.get(frame["input"])
    return row["reason"] if row and row["reason"] else "it cannot be aligned with the template"


def _star_rows(
    stars: list[Row], photometry: Photometry, found: LightCurve, labels: dict[int, str]
) -> list[Row]:
    flux = np.nanmedian(photometry.flux[:, :, found.radius_index], axis=0)
    weight = found.stars.weight / max(float(np.nanmax(found.stars.weight)), 1e-300)
    distance = likeness.distances(photometry.position, photometry.target)
    color = np.full(len(stars), np.nan) if photometry.color is None else photometry.color
    redder = likeness.differences(color, photometry.target)
    return [
        {
            "star": row["star"],
            "label": labels.get(star, ""),
            "is_comparison": found.stars.is_comparison[star],
            "reason": found.stars.reason[star],
            "x": row["x"],
            "y": row["y"],
            "flux": flux[star],
            "weight": weight[star],
            "scatter": found.stars.scatter_ppt[star],
            "chi": found.stars.chi[star],
            "color": color[star],
            "color_difference": redder[star],
            "distance": distance[star],
        }
        for star, row in enumerate(stars)
    ]


def _aperture_rows(photometry: Photometry, found: LightCurve) -> list[Row]:
    rows = []
    for i, (radius, scatter) in enumerate(zip(photometry.radii, found.radius_scatter, strict=True)):
        depth = found.aperture_depth[i] if found.aperture_depth else Depth(math.nan, math.nan)
        rows.append(
            {
                "radius": radius,
                "scatter": scatter,
                "is_chosen": i == found.radius_index,
                "rp_rs": depth.rp_rs,
                "rp_rs_error": depth.rp_rs_error,
                "depth": 1000 * depth.rp_rs**2,
                "depth_error": 2000 * depth.rp_rs * depth.rp_rs_error,
            }
        )
    return rows


def _results(plan: ObservationPlan, curve: list[Row], found: LightCurve, given: Measured) -> Row:
    photometry, measured, meta = given.photometry, given.columns, given.meta
    chosen, frames = given.stars, given.frames
    fit, prediction, noise = found.fit, found.prediction, found.noise
    averaged = found.found.averaged
    sets = averaged.sets if fit and averaged else ()
    used = found.is_used
    n_good = int(used.sum())
    results = {
        "target": plan.target.name,
        "night": plan.observation.night,
        "telescope": plan.observation.telescope,
        "filter": plan.observation.filter,
        "n_frame_good": n_good,
        "n_frame_poor": len(curve) - n_good,
        "exposure_s": float(np.median(photometry.exposure[used])),
        "start_jd_utc": _start(curve),
        "start_bjd_tdb": float(photometry.time[used][0]),
        "end_bjd_tdb": float(photometry.time[used][-1]),
        "aperture_radius_px": found.radius,
        "annulus_inner_px": meta["annulus"][0],
        "annulus_outer_px": meta["annulus"][1],
        "fwhm_px": float(np.median(photometry.fwhm[used])),
        "pixel_scale_arcsec": chosen.meta["pixel_scale"],
        "plate_solution": chosen.meta["solution"],
        "template": chosen.meta["frame"],
        "n_comparison": found.n_comparison,
        "rms_per_point_ppt": noise.rms_per_point_ppt,
        "rms_5min_ppt": noise.rms_5min_ppt,
        "rms_10min_ppt": noise.rms_10min_ppt,
        "rms_30min_ppt": noise.rms_30min_ppt,
        "predicted_rms_ppt": noise.predicted_rms_ppt,
        "beta": noise.beta,
        "time_averaging_minute": [item[0] for item in noise.averaging],
        "time_averaging_rms_ppt": [item[1] for item in noise.averaging],
        "time_averaging_white_ppt": [item[2] for item in noise.averaging],
        "airmass_min": found.airmass_min,
        "airmass_max": found.airmass_max,
        "flip_bjd_tdb": _flip_time(photometry),
        "shift_max_px": [_greatest(measured[name]) for name in ("shift_x", "shift_y")],
        "shift_sd_px": [float(np.std(measured[name])) for name in ("shift_x", "shift_y")],
        "coverage": found.coverage,
        "epoch": prediction.epoch if prediction else None,
        "ingress_bjd_tdb": prediction.ingress if prediction else None,
        "mid_bjd_tdb": prediction.mid if prediction else None,
        "egress_bjd_tdb": prediction.egress if prediction else None,
        "prediction_error_day": prediction.sigma if prediction else None,
        "has_fit": fit is not None,
        "fit_reason": found.fit_reason,
        "rp_rs": fit.rp_rs if fit else None,
        "rp_rs_error": fit.rp_rs_error if fit else None,
        "rp_rs_error_chosen": fit.rp_rs_error_chosen if fit else None,
        "rp_rs_comparison_pull": float(found.found.pull[K]) if fit and found.found.pull is not None else None,
        "rp_rs_error_white": fit.rp_rs_error_white if fit else None,
        "depth_ppt": fit.depth_ppt if fit else None,
        "depth_error_ppt": fit.depth_error_ppt if fit else None,
        "dip_ppt": fit.dip_ppt if fit else None,
        "tc_bjd_tdb": fit.tc if fit else None,
        "tc_error_day": fit.tc_error if fit else None,
        "tc_error_chosen_day": fit.tc_error_chosen if fit else None,
        "tc_comparison_pull": float(found.found.pull[TC]) if fit and found.found.pull is not None else None,
        "tc_error_white_day": fit.tc_error_white if fit else None,
        "correlated_noise": fit.correlated_noise if fit else None,
        "duration_hour": fit.duration_hour if fit else None,
        "duration_error_hour": fit.duration_error_hour if fit else None,
        "a_rs": fit.a_rs if fit else None,
        "a_rs_error": fit.a_rs_error if fit else None,
        "impact": fit.impact if fit else None,
        "impact_error": fit.impact_error if fit else None,
        "limb_law": fit.limb_law if fit else None,
        "limb_g": fit.limb_g if fit else None,
        "limb_g_error": fit.limb_g_error if fit else None,
        "limb_h": fit.limb_h if fit else None,
        "u1": fit.u1 if fit else None,
        "u2": fit.u2 if fit else None,
        "o_c_minute": fit.o_c_minute if fit else None,
        "o_c_error_minute": fit.o_c_error_minute if fit else None,
        "o_c_sigma": fit.o_c_sigma if fit else None,
        "is_detected": fit.is_detected if fit else False,
        "delta_bic": fit.delta_bic if fit else None,
        "detrend": [term.name for term in found.terms],
        "detrend_coefficient_ppt": [1000 * term.coefficient for term in found.terms],
        "detrend_error_ppt": [1000 * term.error for term in found.terms],
        "detrend_tried": [term.name for term in found.tried],
        "detrend_tried_bic": [term.gain for term in found.tried],
        "detrend_tried_depth_ppt": [term.depth_change_ppt for term in found.tried],
        "detrend_sets": [" + ".join(one.terms) for one in sets],
        "detrend_sets_weight": [one.weight for one in sets],
        "detrend_sets_tc_minute": [1440 * (one.tc - fit.tc + prediction.mid) for one in sets]
        if fit and prediction
        else [],
        "detrend_sets_rp_rs": [one.rp_rs for one in sets],
        "comparison_spread": [list(item) for item in found.comparison_spread],
        "comparison_systematic": _half_range([k for _, k in found.comparison_spread]),
        "fit_correlation": list(fit.correlation) if fit else [],
        "fit_prior": list(fit.prior) if fit else [],
        "fit_prior_slope": list(fit.prior_slope) if fit else [],
        "comparison_colors": "",
        **posterior_of.NOTHING,
        "flags": [*found.flags, *frames.meta["remarks"], *dump.read_meta(plan.paths.masters)["remarks"]],
        "science_version": versions.SCIENCE,
    }
    return {key.name: _plain(results[key.name]) for key in RESULTS}


_IN_OTHER_WORDS = {
    "self-dark": ("no darks: self-dark",),
    "no-zero-level": ("no bias: the sky holds the zero level",),
    "gain-estimated": ("gain not known: ",),
    "target-saturated": ("target saturated in ",),
    "blend": ("neighbours within 3 FWHM of the target ",),
    "no-diameter": ("scintillation not in the errors: ",),
}
"""Beginnings of the remarks on masters and light curve that say what the flag of this code says."""


def with_biases(said: list[str], found: tuple[Flag, ...]) -> list[str]:
    """Return what is *said* of a night with what can bias it first; what that repeats is left out."""
    codes = {flag.code.partition("-drift")[0].replace("-", " ") for flag in found}
    repeated = tuple(line for flag in found for line in _IN_OTHER_WORDS.get(flag.code, ()))
    kept = [
        line
        for line in dict.fromkeys(said)
        if (plain := line.replace("no fitting ", "no ", 1)).partition(":")[0] not in codes
        and not plain.startswith(repeated)
    ]
    return [*(flag.sentence for flag in found), *kept]


def _half_range(values: list[float]) -> float | None:
    return 0.5 * (max(values) - min(values)) if values else None


def _start(curve: list[Row]) -> float:
    """Return the start of the first exposure that is used, JD UTC."""
    first = next(row for row in curve if row["is_used"])
    return float(first["jd_utc"] - first["exptime"] / 2 / 86400)


def _flip_time(photometry: Photometry) -> float | None:
    """Return the time half way between the frames before and after the first meridian flip."""
    turned = np.flatnonzero(np.diff(photometry.flip))
    if not len(turned):
        return None
    return float(photometry.time[turned[0] : turned[0] + 2].mean())


def _greatest(shift: Floats) -> float:
    return float(np.max(np.abs(shift - np.median(shift))))


def _plain(value: Any) -> Any:
    """Return *value* as JSON has it, with 9 significant digits beyond the point and null for NaN."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, 9) if math.isfinite(value) else None
    return value
