"""Ephemeris: the transits of all nights of a target together, and what they make of its period."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import groupby

import numpy as np

from accretor.core.arrays import Floats
from accretor.core.dumps import TRANSITS
from accretor.core.errors import Blocked, Unusable
from accretor.core.settings import Ephemeris
from accretor.io import atomic, dump
from accretor.io.dump import Row
from accretor.io.layout import Layout
from accretor.science import joint, timing, together
from accretor.science.joint import Joint
from accretor.science.timing import Linear
from accretor.stages import fitpoints
from accretor.stages import results as results_of
from accretor.stages.bench import Bench, Done
from accretor.stages.workspace import ObservationPlan

FIT = ("tc_bjd_tdb", "rp_rs", "a_rs", "impact", "limb_g")
FIT_ERROR = ("tc_error_day", "rp_rs_error", "a_rs_error", "impact_error", "limb_g_error")


def run(plans: Sequence[ObservationPlan], layout: Layout, bench: Bench) -> Done:
    """Write the mid-times of the observations of one target, and the ephemeris that they give.

    Raises
    ------
    Blocked
        If the target has no ephemeris by which transits could be counted, or no transit was fitted.
    """
    target = plans[0].target
    folder = plans[0].observation.target
    given = target.ephemeris
    if given is None:
        raise Blocked(f"{target.name}: no ephemeris to count transits by; add [target.ephemeris]")
    rows: list[Row] = []
    ordered = sorted(plans, key=lambda plan: plan.observation)
    for _, visit in groupby(ordered, key=lambda plan: plan.observation.visit):
        read = [(plan, results_of.read(plan.paths.results)) for plan in visit]
        rows.extend(_of_visit([(plan, found) for plan, found in read if found["has_fit"]], given))
    if not rows:
        raise Blocked(f"{target.name}: no transit was fitted; doit calibration:{folder} says why")
    rows.sort(key=lambda row: (row["tc"], row["telescope"], row["filters"]))
    used = [row for row in rows if row["is_used"]]
    fitted = _fit(used, None)
    with_given = _fit(used, given)
    out = {
        "target": target.name,
        "n_transit": len({row["epoch"] for row in used}),
        "n_time": len(used),
        "given": {
            "t0_bjd_tdb": given.t0,
            "t0_error_day": given.t0_error,
            "period_day": given.period or None,
            "period_error_day": given.period_error,
            "source": given.source,
        },
        "observed": _json(fitted),
        "observed_and_given": _json(with_given),
    }
    paths = layout.transits(folder), layout.ephemeris(folder)
    dump.write(paths[0], TRANSITS, rows, {})
    atomic.write_text(paths[1], json.dumps(out, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    return Done(paths, said(out))


def said(found: Row) -> str:
    """Return the ephemeris in one line."""
    best = found["observed_and_given"] or found["observed"]
    line = f"{found['n_time']} mid-times of {found['n_transit']} transits"
    if best is None:
        return f"{line}; a period needs two, or an ephemeris with errors"
    return (
        f"{line}; T0 {best['t0_bjd_tdb']:.6f} ± {best['t0_error_day']:.6f} BJD_TDB, "
        f"P {best['period_day']:.8f} ± {best['period_error_day']:.8f} d"
    )


def _of_visit(fitted: Sequence[tuple[ObservationPlan, Row]], given: Ephemeris) -> list[Row]:
    """Return a row for each filter of a night, and one for all of them together."""
    fits = [found for _, found in fitted]
    rows = [_row(found, given, found["filter"]) for found in fits]
    if len(fits) < 2:
        return rows
    product = _product(fits)
    if product is None:
        for row in rows:
            row["method"] += "; no joint fit: the filters say less than their priors"
        return rows
    found, common, method = _together([plan for plan, _ in fitted], fits, product)
    for row in rows:
        row["is_used"], row["reason"] = False, "part of the joint fit of its night"
    both = {
        "tc_bjd_tdb": fits[0]["mid_bjd_tdb"] + found.tc,
        "tc_error_day": found.tc_error,
        "rp_rs": common[0],
        "rp_rs_error": common[1],
        "a_rs": found.a_rs,
        "a_rs_error": found.a_rs_error,
        "impact": found.impact,
        "impact_error": found.impact_error,
        "is_detected": any(fit["is_detected"] for fit in fits),
    }
    rows.append(_row(fits[0] | both, given, " ".join(fit["filter"] for fit in fits)) | {"method": method})
    for row, rp_rs, error in zip(rows, found.rp_rs, found.rp_rs_error, strict=False):
        # Each filter has its own depth; the orbit under it is the common one.
        row["rp_rs"], row["rp_rs_error"] = rp_rs, error
        row["a_rs"], row["impact"] = found.a_rs, found.impact
        row["a_rs_error"], row["impact_error"] = found.a_rs_error, found.impact_error
        row["method"] = f"of the {method}"
    return rows


def _together(
    plans: Sequence[ObservationPlan], fits: list[Row], product: Joint
) -> tuple[Joint, tuple[float, float], str]:
    """Return the joint fit of the filters of a night, the radius ratio of all, and how it was made."""
    try:
        bands = [fitpoints.read(plan.paths.fit_points) for plan in plans]
        # Where errors that are larger have a product, smaller ones have.
        chosen = _product(fits, [band.covariance for band in bands]) or product
        found = together.fit_together(
            bands,
            chosen,
            np.array([fit["limb_g"] for fit in fits]),
            np.array([fit["limb_g_error"] for fit in fits]),
        )
    except Unusable as verdict:
        return product, _mean(product), f"product of the single fits: {verdict.reason}"
    grown = _mean(product)[1] / _mean(chosen)[1]
    return (
        joint.widened(found.separate, chosen, product),
        (found.rp_rs, found.rp_rs_error * grown),
        "joint fit",
    )


def _mean(product: Joint) -> tuple[float, float]:
    """Return the weighted mean of the radius ratios, and its error."""
    rp_rs, weight = np.array(product.rp_rs), np.array(product.rp_rs_error) ** -2.0
    return float(rp_rs @ weight / weight.sum()), float(weight.sum() ** -0.5)


def _product(fits: list[Row], covariances: Sequence[Floats] | None = None) -> Joint | None:
    """Return the product of the fits of the filters of a night; None if they say less than their priors.

    Their covariances are those of their results, the choice of terms in them, unless *covariances* are given.
    """
    origin = fits[0]["mid_bjd_tdb"]
    filters = []
    for number, found in enumerate(fits):
        error = np.array([found[name] for name in FIT_ERROR], dtype=np.float64)
        mean = np.array([found[name] for name in FIT], dtype=np.float64)
        mean[0] -= origin
        scale = np.outer(error, error)
        inverse = np.divide(1.0, error, out=np.zeros(5), where=error > 0)
        filters.append(
            joint.One(
                mean=mean,
                covariance=np.reshape(found["fit_correlation"], (5, 5)) * scale
                if covariances is None
                else covariances[number],
                prior_precision=np.reshape(found["fit_prior"], (5, 5)) * np.outer(inverse, inverse),
                prior_gradient=np.asarray(found["fit_prior_slope"]) * inverse,
            )
        )
    return joint.combine(filters)


def _row(found: Row, given: Ephemeris, filters: str) -> Row:
    tc, error = found["tc_bjd_tdb"], found["tc_error_day"]
    o_c = 1440 * (tc - found["mid_bjd_tdb"])
    o_c_error = 1440 * math.hypot(error, found["prediction_error_day"])
    return {
        "observation": f"{found['night']}/{found['telescope']}/{filters}",
        "night": found["night"],
        "telescope": found["telescope"],
        "filters": filters,
        "epoch": found["epoch"],
        "tc": tc,
        "tc_error": error,
        "o_c": o_c,
        "o_c_error": o_c_error,
        "o_c_sigma": o_c / o_c_error,
        **{
            name: found[name]
            for name in ("rp_rs", "rp_rs_error", "a_rs", "a_rs_error", "impact", "impact_error", "coverage")
        },
        "method": "single fit",
        "is_used": found["is_detected"],
        "reason": "" if found["is_detected"] else "the transit is not detected",
    }


def _fit(used: list[Row], given: Ephemeris | None) -> Linear | None:
    known = None if given is None else (given.t0, given.t0_error, given.period, given.period_error)
    if given is not None and given.period == 0:
        known = None
    return timing.linear(
        np.array([row["epoch"] for row in used], dtype=np.int64),
        np.array([row["tc"] for row in used], dtype=np.float64),
        np.array([row["tc_error"] for row in used], dtype=np.float64),
        known=known,
    )


def _json(found: Linear | None) -> Row | None:
    if found is None:
        return None
    return {
        "t0_bjd_tdb": round(found.t0, 9),
        "t0_error_day": round(found.t0_error, 9),
        "period_day": round(found.period, 12),
        "period_error_day": round(found.period_error, 12),
        "epoch": found.epoch,
        "chi2": round(found.chi2, 6),
        "n_time": found.n_time,
    }
