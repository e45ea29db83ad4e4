"""One simulated night through the actions of all stages up to the light curve, and what came of it."""

from __future__ import annotations

import dataclasses
import math
import warnings
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from accretor.compute.pool import Pool
from accretor.core.arrays import Floats
from accretor.core.dumps import APERTURES, COMPARISON, FRAMES, LIGHT_CURVE, STARS, TEMPLATE_STARS
from accretor.core.errors import AccretorError
from accretor.core.settings import ComputeSettings
from accretor.io import dump
from accretor.stages import (
    calibration,
    nightflags,
    photometry,
    preprocess,
    registration,
    results,
    template,
)
from accretor.stages.bench import Bench
from accretor.stages.photometry import StarList
from accretor.stages.workspace import ObservationPlan, open_workspace
from accretor.synthetic import frames, scenarios, scene, transit
from accretor.synthetic.scenarios import Scenario
from accretor.synthetic.scene import Scene
from benchmarks import validation_apertures

Row: TypeAlias = dict[str, Any]

STAGES = (preprocess, registration, template, photometry, calibration)
MISPLACED = 0.5
"""Pixel; a frame that is registered further than this from the truth is registered wrongly."""
BRIGHT = 0.3
"""Stars of at least this part of the target's flux are bright."""


def night(name: str, seed: int, folder: Path) -> list[Row]:
    """Make the scenario *name* with *seed* in *folder*, reduce it, and return one row for each filter."""
    return [{"scenario": name, "seed": seed, **row} for row in reduced(scenarios.of(name, seed), folder)]


def reduced(scenario: Scenario, folder: Path) -> list[Row]:
    """Make a night in *folder*, reduce it, and return how each filter compares with the truth."""
    frames.write(scenario.night, folder)
    (folder / "workspace.toml").write_text(scenarios.workspace(scenario), encoding="utf-8")
    space = open_workspace(folder)
    bench = Bench(Pool(ComputeSettings(executor="serial")), lambda done, total: None)
    prepared = scene.prepare(scenario.night)
    rows: list[Row] = []
    for plan in space.observations:
        row: Row = {"filter": plan.observation.filter, "error": ""}
        try:
            for stage in STAGES:
                stage.run(plan, space.layout, space.settings, bench)
        except AccretorError as error:
            rows.append(row | {"error": str(error)})
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # medians of nothing
            wanted = photometry.foreseen(plan, space.settings)
            assert wanted is not None
            rows.append(row | judged(plan, scenario, prepared, wanted))
    return rows


def judged(plan: ObservationPlan, scenario: Scenario, prepared: Scene, wanted: StarList) -> Row:
    """Return how what was found compares with the truth; *wanted* is what was measured."""
    found = results.read(plan.paths.results)
    row: Row = {
        "n_frame": len(plan.frames),
        "n_good": found["n_frame_good"],
        "ratio": found["rms_per_point_ppt"] / found["predicted_rms_ppt"],
        "rms": found["rms_per_point_ppt"],
        "rms_10min": found["rms_10min_ppt"],
        "predicted": found["predicted_rms_ppt"],
        "beta": found["beta"],
        "n_comparison": found["n_comparison"],
    }
    planet = prepared.night.transit
    if found["has_fit"]:
        middle = float(prepared.bjd.mean())
        row |= {
            "k": found["rp_rs"],
            "k_pull": (found["rp_rs"] - planet.rp_rs) / found["rp_rs_error"],
            "tc_pull": (found["tc_bjd_tdb"] - transit.nearest_mid(middle, planet)) / found["tc_error_day"],
            "tc_error_s": 86400 * found["tc_error_day"],
            "tc_off_s": 86400 * (found["tc_bjd_tdb"] - transit.nearest_mid(middle, planet)),
            "delta_bic": found["delta_bic"],
        }
    measured, _ = photometry.columns(plan.paths)
    index = [_number(prepared, str(name)) for name in measured["image_name"]]
    stars = dump.read(plan.paths.template_stars, TEMPLATE_STARS)
    nominal = _nominal(prepared, _number(prepared, stars.meta["frame"]), stars.rows)
    row |= _registered(prepared, measured, index, _number(prepared, stars.meta["frame"]))
    row |= _centred(prepared, measured, index, nominal)
    row |= _sharp(plan, prepared)
    row |= _constant(plan, prepared, nominal, measured, wanted, index)
    row |= _left_out(plan, prepared)
    row |= _hits(plan, prepared, measured, index, nominal)
    row["flags"] = [flag.code for flag in nightflags.find(plan, measured, found)]
    if any(star.eclipse for star in scenario.night.companions):
        row |= _neighbour(prepared, measured, index, nominal)
    return row


def _number(prepared: Scene, name: str) -> int:
    """Return the number of a light frame, from 0, by its name."""
    return int(name.rsplit("-", 1)[1].split(".")[0]) - 1


def _nominal(prepared: Scene, frame: int, rows: list[dump.Row]) -> list[int]:
    """Return the true star at each place of the template's list; -1 where there is none."""
    true = scene.positions(prepared, frame)
    apart = [np.hypot(*(true - np.array([row["x"], row["y"]])).T) for row in rows]
    return [int(distance.argmin()) if distance.min() < 2 else -1 for distance in apart]


def _registered(prepared: Scene, measured: Row, index: list[int], frame: int) -> Row:
    """Return how many frames were aligned, how many of them wrongly, and how well."""
    turned = prepared.flip[index] * prepared.flip[frame]
    true = prepared.shift[index] - turned[:, np.newaxis] * prepared.shift[frame]
    off = np.column_stack([measured["shift_x"], measured["shift_y"]]) - true
    distance = np.hypot(*off.T)
    right = distance < MISPLACED
    return {
        "n_registered": int(np.isfinite(distance).sum()),
        "n_misplaced": int((~right).sum()),
        "registration_rms": float(np.sqrt(np.mean(off[right] ** 2))) if right.any() else math.nan,
    }


def _centred(prepared: Scene, measured: Row, index: list[int], nominal: list[int]) -> Row:
    """Return the scatter of the centres of bright stars around the truth, pixel."""
    bright = [
        star
        for star, true in enumerate(nominal)
        if true >= 0 and prepared.flux[true] > BRIGHT * prepared.flux[0]
    ]
    off = []
    for row, frame in enumerate(index):
        true = scene.positions(prepared, frame)[[nominal[star] for star in bright]]
        off.append(np.column_stack([measured["x"][row, bright], measured["y"][row, bright]]) - true)
    off_array = np.array(off)
    near = np.hypot(off_array[..., 0], off_array[..., 1]) < 1
    return {"centroid_rms": float(np.sqrt(np.nanmean(off_array[near] ** 2)))}


def _sharp(plan: ObservationPlan, prepared: Scene) -> Row:
    """Return the measured FWHM over the true one of the profile that the pixels see: median and scatter."""
    if prepared.night.defocus:
        return {}
    rows = [row for row in dump.read(plan.paths.image_info, STARS).rows if row["status"] == "good"]
    wanted = np.linspace(prepared.fwhm.min(), prepared.fwhm.max(), 9)
    seen = [pixel_fwhm(float(fwhm), prepared.night.beta) for fwhm in wanted]
    true = np.interp([prepared.fwhm[_number(prepared, row["image_name"])] for row in rows], wanted, seen)
    ratio = np.array([row["fwhm"] for row in rows]) / true
    return {"fwhm_ratio": float(np.median(ratio)), "fwhm_scatter": float(np.std(ratio))}


def pixel_fwhm(fwhm: float, beta: float) -> float:
    """Return the FWHM along a row of a Moffat profile that is averaged over square pixels."""
    scale = fwhm / (2 * math.sqrt(2 ** (1 / beta) - 1))
    node, weight = np.polynomial.legendre.leggauss(10)
    node, weight = node / 2, np.outer(weight, weight) / 4

    def height(x: float) -> float:
        square = ((x + node) ** 2 + node[:, np.newaxis] ** 2) / scale**2
        return float((weight * (1 + square) ** -beta).sum())

    low, high = 0.0, fwhm + 1
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if height(middle) > height(0) / 2 else (low, middle)
    return low + high


def _constant(
    plan: ObservationPlan,
    prepared: Scene,
    nominal: list[int],
    measured: Row,
    wanted: StarList,
    index: list[int],
) -> Row:
    """Return how much the magnitude of a star depends on the aperture, once the mean of all is off."""
    rows = dump.read(plan.paths.comparison, COMPARISON).rows
    stars = [
        row["star"]
        for row in rows
        if row["is_comparison"]
        and nominal[row["star"]] >= 0
        and prepared.flux[nominal[row["star"]]] > BRIGHT * prepared.flux[0]
    ]
    found = validation_apertures.constancy(
        prepared,
        index,
        [nominal[star] for star in stars],
        **{name: measured[name][:, stars] for name in ("flux", "flux_error", "sky", "n_sky")},
        radii=np.array(wanted.radii),
        chosen=_chosen(plan),
        number=stars,
        place=np.stack([measured["x"], measured["y"]], axis=2),
        wanted=wanted,
    )
    if found is None:
        return {}
    return {f"aperture_{name}_mmag": value for name, value in dataclasses.asdict(found).items()}


def _chosen(plan: ObservationPlan) -> int:
    """Return the index of the aperture radius of the light curve."""
    return next(
        i for i, row in enumerate(dump.read(plan.paths.apertures, APERTURES).rows) if row["is_chosen"]
    )


def _left_out(plan: ObservationPlan, prepared: Scene) -> Row:
    """Return how many frames the light curve leaves out, and which of those hit on the target it has."""
    curve = {row["image_name"]: row for row in dump.read(plan.paths.light_curve, LIGHT_CURVE).rows}
    hit = {frames.light_name(prepared.night, hit.frame) for hit in prepared.night.hits if hit.star == 0}
    seen = [row for row in dump.read(plan.paths.frames, FRAMES).rows if row["status"] == "good"]
    return {
        "n_left_out": sum(not row["is_used"] for row in curve.values()),
        "n_hit": len(hit),
        "n_hit_kept": sum(curve[name]["is_used"] for name in hit if name in curve),
        "n_preprocessed": len(seen),
    }


def _hits(plan: ObservationPlan, prepared: Scene, measured: Row, index: list[int], nominal: list[int]) -> Row:
    """Return how many of the hits that matter were found, and how many points were flagged besides.

    A hit matters that adds 8 standard errors within the light curve's aperture, and one per cent.
    """
    apertures = dump.read(plan.paths.apertures, APERTURES).rows
    chosen = next(i for i, row in enumerate(apertures) if row["is_chosen"])
    level = {row["image_name"]: row["level"] for row in dump.read(plan.paths.frames, FRAMES).rows}
    found = nightflags.hits(measured, np.array([level[str(name)] for name in measured["image_name"]]), chosen)
    bright = [
        i for i, true in enumerate(nominal) if true >= 0 and prepared.flux[true] > BRIGHT * prepared.flux[0]
    ]
    added = np.zeros(found.shape)
    for row, frame in enumerate(index):
        for x, y, electrons in scene.rays(prepared, frame):
            near = (
                np.hypot(measured["x"][row] - x, measured["y"][row] - y) < apertures[chosen]["radius"] - 0.5
            )
            added[row, near] += electrons
    flux, error = measured["flux"][:, :, chosen], measured["flux_error"][:, :, chosen]
    matters = ((added > 8 * error) & (added > 0.01 * flux))[:, bright]
    is_clean = (added == 0)[:, bright] & ~np.isin(index, prepared.night.satellites)[:, np.newaxis]
    return {
        "n_ray": int(matters.sum()),
        "n_ray_found": int((found[:, bright] & matters).sum()),
        "n_clean": int(is_clean.sum()),
        "n_ray_false": int((found[:, bright] & is_clean).sum()),
    }


def _neighbour(prepared: Scene, measured: Row, index: list[int], nominal: list[int]) -> Row:
    """Return depth and error of the eclipse of the last companion through the smallest aperture."""
    star = prepared.flux.size - 1
    if star not in nominal:
        return {"neb_found": False}
    flux = measured["flux"][:, :, 0]
    chosen = [i for i, true in enumerate(nominal) if true > 0 and prepared.flux[true] > prepared.flux[0] / 2]
    curve: Floats = flux[:, nominal.index(star)] / flux[:, chosen].sum(axis=1)
    inside = prepared.variation[index, star] < 1 - 0.5 * prepared.night.companions[-1].eclipse
    outside = prepared.variation[index, star] == 1
    curve = curve / np.nanmedian(curve[outside])
    scatter = float(np.nanstd(curve[outside]))
    depth = 1 - float(np.nanmean(curve[inside]))
    error = scatter * math.sqrt(1 / inside.sum() + 1 / outside.sum())
    return {"neb_found": depth > 5 * error, "neb_depth": depth, "neb_error": error}
