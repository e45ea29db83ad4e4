"""The posterior of the transit fit, where the settings ask for it: samples, their numbers, their picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.core.dumps import POSTERIOR
from accretor.io import atomic, dump
from accretor.science import fit, solution
from accretor.science import posterior as sampling

if TYPE_CHECKING:
    from accretor.core.settings import CalibrationSettings
    from accretor.io.dump import Row
    from accretor.science.lightcurve import LightCurve
    from accretor.stages.workspace import ObservationPlan

NOTHING: dict[str, Any] = {
    "posterior_median": [],
    "posterior_minus": [],
    "posterior_plus": [],
    "posterior_autocorrelation": [],
    "posterior_acceptance": None,
    "posterior_is_converged": None,
}
"""What is said of it in the results where there is none."""

NAMES = {"tc": "Tc (BJD_TDB)", "rp_rs": "Rp/R*", "a_rs": "a/R*", "impact": "b", "limb_g": "limb darkening"}


@dataclass(frozen=True)
class Sampled:
    """What is written of it, and what is said."""

    numbers: Row = field(default_factory=dict)
    """For the results."""
    remarks: tuple[str, ...] = ()
    written: tuple[Path, ...] = ()


def run(plan: ObservationPlan, found: LightCurve, settings: CalibrationSettings) -> Sampled:
    """Sample, and write the samples and their figure; files that hold no longer are removed.

    Raises
    ------
    Blocked
        If emcee is not installed.
    """
    paths = plan.paths
    picture = paths.plots / _entry_tail()
    if not settings.sampling:
        for path in (paths.posterior, picture):
            path.unlink(missing_ok=True)
        return Sampled()
    given = found.found
    if given.problem is None or given.solution is None or given.noise is None or found.prediction is None:
        picture.unlink(missing_ok=True)
        dump.write(paths.posterior, POSTERIOR, [], {"reason": f"no fit: {found.fit_reason}"})
        return Sampled(written=(paths.posterior,))
    result = sampling.sample(
        fit.condense(given.problem, solution.MAX_POINT),
        given.noise,
        given.solution,
        n_step=settings.sampling_steps,
        n_walker=settings.sampling_walkers,
        seed=settings.sampling_seed,
    )
    names = [column.name for column in POSTERIOR.columns]
    values = np.column_stack([result.sample, result.log_probability])
    values[:, 0] += found.prediction.mid
    rows = [dict(zip(names, map(float, value), strict=True)) for value in values]
    dump.write(paths.posterior, POSTERIOR, rows, _head(result, settings))
    _draw(plan, found, values, picture)
    middle, minus, plus = result.intervals()
    numbers = {
        "posterior_median": [float(found.prediction.mid + middle[0]), *map(float, middle[1:])],
        "posterior_minus": [float(value) for value in minus],
        "posterior_plus": [float(value) for value in plus],
        "posterior_autocorrelation": [float(value) for value in result.autocorrelation],
        "posterior_acceptance": result.acceptance,
        "posterior_is_converged": result.is_converged,
    }
    remarks = () if result.is_converged else (f"posterior not converged: {result.doubt}",)
    return Sampled(numbers, remarks, (paths.posterior, picture))


def _head(result: sampling.Posterior, settings: CalibrationSettings) -> Row:
    return {
        "reason": "",
        "n_walker": settings.sampling_walkers,
        "n_step": result.n_step,
        "n_burn": result.n_burn,
        "thin": result.thin,
        "seed": settings.sampling_seed,
        "acceptance": round(result.acceptance, 4),
        "autocorrelation": [round(float(value), 2) for value in result.autocorrelation],
        "is_converged": result.is_converged,
        "doubt": result.doubt,
    }


def _entry_tail() -> str:
    from accretor.plots.registry import OPTIONAL

    return next(entry.tail for entry in OPTIONAL if entry.name == "posterior")


def _draw(plan: ObservationPlan, found: LightCurve, values: Any, path: Path) -> None:
    from accretor.plots import posterior as figure
    from accretor.plots import style
    from accretor.stages import figures

    assert found.fit is not None
    marks = {name: getattr(found.fit, name) for name in NAMES}
    samples = {name: values[:, i] for i, name in enumerate(NAMES) if np.ptp(values[:, i]) > 0}
    drawn = figure.corner(
        samples,
        names=NAMES,
        marks=marks,
        title=figures.title_before_results(plan),
        subtitle=f"{plan.observation.telescope} ({plan.observation.filter} filter): "
        f"{len(values)} samples; lines: the fit by generalised least squares",
    )
    atomic.write_bytes(path, style.save(drawn))
