"""What the transit fit was given, kept so that it can be done again: alone, or with other filters."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from accretor.core.dumps import FIT_POINTS
from accretor.core.errors import Unusable
from accretor.io import dump
from accretor.science import fit, solution
from accretor.science.joint import Band

if TYPE_CHECKING:
    from accretor.science.lightcurve import LightCurve

_TERMS = tuple(column.name for column in FIT_POINTS.columns if column.name.startswith("term_"))


def write(path: Path, found: LightCurve) -> None:
    """Write the points of the fit, averaged as it averages them; no row and the reason without a fit."""
    given = found.found
    if given.problem is None or given.solution is None or given.noise is None or found.prediction is None:
        dump.write(path, FIT_POINTS, [], {"reason": found.fit_reason})
        return
    problem = fit.condense(given.problem, solution.MAX_POINT)
    terms = [f"term_{term.name}" for term in found.terms]
    rows = [
        {
            "bjd_tdb": found.prediction.mid + problem.time[i],
            "exposure": problem.exposure[i],
            "flux": problem.flux[i],
            "error": problem.error[i],
            **dict.fromkeys(_TERMS, math.nan),
            **dict(zip(terms, problem.basis[i, 1:], strict=True)),
        }
        for i in range(len(problem.time))
    ]
    head = {
        "reason": "",
        "mid": found.prediction.mid,
        "terms": terms,
        "start": [float(value) for value in problem.start],
        "is_free": [bool(value) for value in problem.is_free],
        "log_prior_noise": [float(value) for value in given.noise.log_prior],
        "covariance": [float(value) for value in given.solution.covariance[:5, :5].ravel()],
        **{name: getattr(problem, name) for name in ("period", "limb_law", "limb_h", "tc_reach")},
        **{
            name: None if (prior := getattr(problem, name)) is None else list(asdict(prior).values())
            for name in ("limb_g", "impact", "a_rs", "full")
        },
    }
    dump.write(path, FIT_POINTS, rows, head)


def read(path: Path) -> Band:
    """Return the points and noise models of a fit, times counted from its prediction.

    Raises
    ------
    Unusable
        If there was no fit.
    """
    found = dump.read(path, FIT_POINTS)
    meta = found.meta
    if meta["reason"] or not found.rows:
        raise Unusable(f"the points of {path.parent.name} are not kept")

    def column(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array(dump.column(found.rows, name), dtype=np.float64)

    problem = fit.Problem(
        time=column("bjd_tdb") - meta["mid"],
        exposure=column("exposure"),
        flux=column("flux"),
        error=column("error"),
        basis=np.column_stack([np.ones(len(found.rows)), *(column(name) for name in meta["terms"])]),
        start=np.array(meta["start"]),
        is_free=np.array(meta["is_free"]),
        limb_g=fit.Prior(*meta["limb_g"]),
        impact=fit.Prior(*meta["impact"]),
        a_rs=None if meta["a_rs"] is None else fit.Prior(*meta["a_rs"]),
        full=fit.Prior(*meta["full"]),
        **{name: meta[name] for name in ("period", "limb_law", "limb_h", "tc_reach")},
    )
    return Band(
        problem,
        solution.prepare(problem, np.array(meta["log_prior_noise"])),
        float(meta["mid"]),
        np.reshape(meta["covariance"], (5, 5)),
    )
