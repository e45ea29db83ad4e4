"""Packaging: one flat folder for each visit, with what TFOP SG1 asks for, named as it asks."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from accretor.core.settings import WorkspaceSettings
from accretor.exofop import naming, notes, validate
from accretor.io import atomic, dump
from accretor.plots.registry import FIGURES
from accretor.stages import plotting, table
from accretor.stages.bench import Bench, Done

if TYPE_CHECKING:
    from accretor.io.dump import Row
    from accretor.io.layout import Layout
    from accretor.stages.table import Measured
    from accretor.stages.workspace import ObservationPlan


def run(
    plans: tuple[ObservationPlan, ...], layout: Layout, settings: WorkspaceSettings, bench: Bench
) -> Done:
    """Make the package of a visit from all its filters, and the manifest beside it.

    A package that lacks something SG1 requires is made as far as it can be; the
    manifest says what is missing, and the upload refuses it.
    """
    visit = plans[0].observation.visit
    paths = layout.visit(visit)
    found = [table.collect(plan) for plan in plans]
    date = min(plotting.utc_date(item.results) for item in found)
    files: dict[str, bytes] = {}
    for item in found:
        for tail, content in _contents(item, settings).items():
            files[_name(item.plan, date, tail)] = content
    files[_name(plans[0], date, "notes.txt")] = notes.notes(_notes_input(found, date, settings)).encode(
        "utf-8"
    )
    for name, content in sorted(files.items()):
        atomic.write_bytes(paths.package / name, content)
    for stray in paths.package.iterdir():
        if stray.name not in files:
            stray.unlink()
    target = plans[0].target
    problems = validate.problems(paths.package, tic=target.tic, planet=target.planet) + _wrong_clocks(plans)
    atomic.write_text(paths.manifest, _manifest(files, problems))
    said = f"{len(files)} files" + (f"; NOT complete: {'; '.join(problems)}" if problems else ", complete")
    return Done((*(paths.package / name for name in sorted(files)), paths.manifest), said)


def _wrong_clocks(plans: tuple[ObservationPlan, ...]) -> list[str]:
    """Return in what the clocks of the headers disagree by more than a minute, for each filter."""
    return [
        f"filter {plan.observation.filter}: {said}; correct it in [[instrument]], or set [preprocess] "
        "believe_clock = true when you know that the time stamps are right"
        for plan in plans
        for said in dump.read_meta(plan.paths.frames).get("problems", [])
    ]


def _name(plan: ObservationPlan, date: str, tail: str) -> str:
    observation = plan.observation
    return naming.file_name(
        plan.target.tic, plan.target.planet, date, observation.telescope, observation.filter, tail
    )


def _contents(found: Measured, settings: WorkspaceSettings) -> dict[str, bytes]:
    """Return the files of one filter by the last part of their names."""
    paths = found.plan.paths
    files = {entry.tail: (paths.plots / entry.tail).read_bytes() for entry in FIGURES}
    files["measurements.tbl"] = table.measurements(found)
    files["measurements.plotcfg"] = table.plot_configuration(found)
    if found.results["plate_solution"] != "none":
        files["measurements.radec"] = table.apertures(found)
        files["WCS.fits"] = paths.template_image.read_bytes()
    return files


def _manifest(files: dict[str, bytes], problems: list[str]) -> str:
    content = {
        "problems": problems,
        "files": {
            name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in sorted(files.items())
        },
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _notes_input(found: list[Measured], date: str, settings: WorkspaceSettings) -> notes.NotesInput:
    plan, results = found[0].plan, found[0].results
    target = plan.target
    return notes.NotesInput(
        tic=target.tic,
        planet=target.planet,
        name=target.name,
        date=date,
        observatory=plan.observation.telescope,
        observers=settings.packaging.observers or settings.observer,
        filters=tuple(_filter_notes(item) for item in found),
        prediction=_prediction(plan, results),
        telescope_diameter=plan.instrument.telescope_diameter or float("nan"),
    )


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


def _filter_notes(found: Measured) -> notes.FilterNotes:
    results = found.results
    time = np.array(dump.column(found.used, "bjd_tdb"))
    airmass = np.array(dump.column(found.used, "airmass"))
    x, y = found.columns["x"][:, 0], found.columns["y"][:, 0]
    return notes.FilterNotes(
        filter=found.plan.observation.filter,
        n_frame=len(found.curve),
        n_used=len(found.used),
        left_out=Counter(row["reason"] for row in found.curve if row["reason"]),
        exposure=results["exposure_s"],
        cadence=float(np.median(np.diff(time))) * table.SECONDS if len(time) > 1 else float("nan"),
        start=float(time[0]),
        end=float(time[-1]),
        airmass=(float(airmass[0]), float(airmass.min()), float(airmass[-1])),
        aperture=(results["aperture_radius_px"], results["annulus_inner_px"], results["annulus_outer_px"]),
        fwhm=results["fwhm_px"],
        pixel_scale=_or_nan(results["pixel_scale_arcsec"]),
        n_comparison=results["n_comparison"],
        detrend=tuple(
            zip(
                results["detrend"],
                results["detrend_coefficient_ppt"],
                results["detrend_error_ppt"],
                strict=True,
            )
        ),
        rms_per_point=results["rms_per_point_ppt"],
        rms_10min=_or_nan(results["rms_10min_ppt"]),
        rms_predicted=_or_nan(results["predicted_rms_ppt"]),
        coverage=results["coverage"],
        has_flip=results["flip_bjd_tdb"] is not None,
        shift_max=(float(np.abs(x - np.median(x)).max()), float(np.abs(y - np.median(y)).max())),
        shift_sd=(float(x.std()), float(y.std())),
        fit=_fit(results),
        fit_reason=results["fit_reason"],
        beta=_or_nan(results["beta"]),
        remarks=tuple(results["flags"]),
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


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
