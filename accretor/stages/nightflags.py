"""What is known of a night, gathered from its dumps for `accretor.science.biasflags`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.core.dumps import COMPARISON, FRAMES, MASTERS, TEMPLATE_STARS
from accretor.io import dump
from accretor.io import fits as io_fits
from accretor.science import biasflags, cosmic
from accretor.stages import masters, measured_gain

if TYPE_CHECKING:
    from accretor.core.arrays import Booleans, Floats
    from accretor.io.dump import Row
    from accretor.science.biasflags import Flag
    from accretor.stages.workspace import ObservationPlan

SATURATED = 1
"""Bit of the column ``flag`` of the photometry."""


def find(plan: ObservationPlan, measured: Mapping[str, Any], results: Row) -> tuple[Flag, ...]:
    """Return what can bias the light curve of an observation.

    Parameters
    ----------
    measured : mapping
        Columns of the photometry, good rows only: ``flag``, ``peak``, ``x``, ``y``, ``shift_x``,
        ``shift_y``.
    results : dict
        What is, or is to be, in ``results.json``: ``fwhm_px``, ``coverage``, ``ingress_bjd_tdb``,
        ``egress_bjd_tdb``, ``start_bjd_tdb``, ``end_bjd_tdb`` and ``flip_bjd_tdb`` are looked at.
    """
    record, frames = dump.read(plan.paths.masters, MASTERS), dump.read(plan.paths.frames, FRAMES)
    made = masters.of_rows(plan.paths, record.rows, masters.readout_of(record.meta.get("readout", {})))
    kinds = {row["kind"]: row["n_frame"] for row in record.rows}
    stars = dump.read(plan.paths.template_stars, TEMPLATE_STARS).rows
    detector: Row = record.meta.get("detector", {})
    is_saturated = (np.nan_to_num(measured["flag"]).astype(np.int64) & SATURATED) > 0
    used = [row["star"] for row in dump.read(plan.paths.comparison, COMPARISON).rows if row["is_comparison"]]
    exposure = plan.frames[0].exposure
    assert exposure is not None
    peak = measured["peak"][:, 0] / plan.detector.saturation
    return biasflags.flags(
        biasflags.Night(
            fwhm=results["fwhm_px"],
            drift=(_range(measured["shift_x"]), _range(measured["shift_y"])),
            has_flat="flat" in kinds or "F" in plan.calibrated,
            n_flat=kinds.get("flat", 0),
            has_dark="dark" in kinds or "D" in plan.calibrated,
            has_self_dark="selfdark" in kinds,
            has_zero_level=made.has_zero_level,
            n_hot=_n_hot(plan) if "bad" in kinds else None,
            n_pixel=exposure.width * exposure.height,
            n_target_bad=_n_bad(plan, measured, results["fwhm_px"]) if "bad" in kinds else 0,
            n_target_saturated=int(is_saturated[:, 0].sum()),
            n_comparison_saturated=int(is_saturated[:, used].any(axis=0).sum()),
            n_frame=len(is_saturated),
            gain_estimate=measured_gain.words(detector) if "gain" in detector else "",
            is_read_noise_assumed=math.isnan(plan.declared.read_noise) and "read_noise" not in detector,
            seen_saturation=detector["saturation"] if detector.get("is_saturation_seen") else math.nan,
            is_median_filtered=made.readout.is_median_filtered,
            is_nonlinearity_known=bool(made.readout.nonlinearity),
            target_peak=float(np.nanmax(peak)) if np.isfinite(peak).any() else math.nan,
            neighbour_light=stars[0]["contrast"],
            coverage=results["coverage"],
            baseline=_baseline(results),
            has_flip=results["flip_bjd_tdb"] is not None,
            time_rule=frames.meta.get("time_rule", ""),
            n_clock_problem=len(frames.meta.get("problems", [])),
            misfit=_misfit(plan),
            no_flats=plan.calibrations.none_of("flat", "flats"),
            no_darks=plan.calibrations.none_of("dark", "darks"),
            has_diameter=plan.instrument.telescope_diameter is not None,
        )
    )


def hits(measured: Mapping[str, Any], level: Floats, radius_index: int) -> Booleans:
    """Return which points a cosmic ray or a satellite has added light to, (n_frame, n_star).

    Parameters
    ----------
    measured : mapping
        Columns of the photometry, good rows only: ``flux``, ``flux_error``, ``peak``.
    level : (n_frame,) float64, ADU
        Of the raw frames: the column of ``frames.ecsv``.
    radius_index : int
        Radius of the light curve.
    """
    return cosmic.hits(
        measured["flux"],
        measured["flux_error"],
        measured["peak"] - level[:, np.newaxis],
        chosen=radius_index,
    )


def _range(shift: Floats) -> float:
    low, high = np.nanpercentile(shift, (1, 99))
    return float(high - low)


def _n_hot(plan: ObservationPlan) -> int | None:
    found = io_fits.read_header(plan.paths.master("bad")).get("N_HOT")
    return None if found is None else int(found)


def _n_bad(plan: ObservationPlan, measured: Mapping[str, Any], fwhm: float) -> int:
    """Return in how many frames a pixel that no dark makes good is within one FWHM of the target."""
    from accretor.science import detector

    image = io_fits.read_image(plan.paths.master("bad")).astype(np.int64)
    is_bad = (image & (masters.DEAD | masters.LISTED)) > 0
    near = detector.bad_near(is_bad, measured["x"][:, 0], measured["y"][:, 0], fwhm)
    return int(np.count_nonzero(near))


def _misfit(plan: ObservationPlan) -> float:
    """Return how far the profile is from the stars where that kept the target from being weighted; else 0."""
    said = dump.read_meta(plan.paths.photometry_info)
    return 0.0 if said.get("is_target_weighted", True) else float(said["profile_misfit"])


def _baseline(results: Row) -> tuple[float, float]:
    """Return the time before ingress and after egress over that between them; NaN where not known."""
    ingress, egress = results["ingress_bjd_tdb"], results["egress_bjd_tdb"]
    if ingress is None or egress is None:
        return math.nan, math.nan
    duration = egress - ingress
    return (ingress - results["start_bjd_tdb"]) / duration, (results["end_bjd_tdb"] - egress) / duration
