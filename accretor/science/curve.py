"""Trend and transit of one light curve: terms, outliers, fit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from accretor.core.arrays import Booleans, Floats, Integers
from accretor.science import (
    averaging,
    detrend,
    fit,
    limbdarkening,
    rednoise,
    siblings,
    solution,
    statistics,
    transit,
)
from accretor.science import ephemeris as ephemerides
from accretor.science.averaging import Averaged
from accretor.science.siblings import Siblings
from accretor.science.terms import Judge, Tried

if TYPE_CHECKING:
    from accretor.core.settings import Ephemeris, Target
    from accretor.science.ephemeris import Prediction

MOST_OUTLIERS = 0.05
"""Part of the frames that may be called outliers."""

BEFORE, AFTER = 5.0, 4.5
"""Limits of outliers, in errors: against the running median before the fit, against the model after it."""

FEWEST_POINTS = 20
"""With fewer points no transit is fitted."""

FEWEST_IN_TRANSIT = 5
"""With fewer points within the predicted transit no transit is fitted."""

SHORT_BASELINE = 0.25
"""Baseline over duration below which, on both sides, the shape of the transit is held."""


@dataclass(frozen=True)
class Term:
    """One linear term of the trend."""

    name: str
    coefficient: float
    """Relative flux per standard deviation of the quantity (per side of the pier for ``flip``)."""
    error: float


@dataclass(frozen=True)
class Series:
    """A light curve before any fit; all frames, those left out too."""

    time: Floats
    """(n,) BJD_TDB day."""
    exposure: Floats
    """(n,) second."""
    flux: Floats
    """(n,) about 1."""
    error: Floats
    """(n,) predicted."""
    is_used: Booleans
    """(n,)"""


@dataclass(frozen=True)
class Curve:
    """What was found under and in a light curve."""

    level: float
    """Flux out of transit in the unit of the series' flux; everything below is divided by it."""
    trend: Floats
    """(n,)"""
    model: Floats
    """(n,)"""
    terms: tuple[Term, ...]
    outlier: dict[int, str]
    """Frames left out, and why."""
    tried: tuple[Tried, ...]
    """Every term that there was, those kept too; empty without a fit."""
    problem: fit.Problem | None
    """The last problem solved, points used only; None without a fit."""
    solution: solution.Solution | None
    averaged: Averaged | None
    """Its errors, the choice of terms allowed for; None without a fit."""
    pull: Floats | None
    """(5,) what the same fit finds in the comparison stars over its errors; None without a fit."""
    covariance: Floats | None
    """(5, 5) of the transit's parameters with all this in it; None without a fit."""
    noise: rednoise.Noise | None
    """Noise models of the condensed problem; None without a fit."""


def set_up(
    series: Series,
    prediction: Prediction,
    ephemeris: Ephemeris,
    target: Target | None,
    law: limbdarkening.LimbDarkening,
    limb_law: limbdarkening.Law = "power-2",
) -> fit.Problem:
    """Return the problem of fitting a transit over a constant to all points of *series*.

    The orbit is known from the settings (a_rs to 5 per cent, impact to 0.05) or else
    from the duration of the ephemeris (to 10 per cent) and a weak prior on the impact.
    """
    k = min(math.sqrt(ephemeris.depth / 1000), 0.4)
    full = ephemeris.duration / 24
    known_impact = None if target is None else target.impact
    known_a_rs = None if target is None else target.a_rs
    impact = fit.Prior(0.3, 0.3) if known_impact is None else fit.Prior(known_impact, 0.05)
    period = ephemerides.orbital_period(ephemeris)
    a_rs = transit.a_rs_of_duration(period=period, k=k, impact=min(impact.mean, 0.95), full=full)
    time = series.time[series.is_used]
    baseline = max(prediction.ingress - time[0], time[-1] - prediction.egress)
    first, second, limb_error = law.coefficients(limb_law)
    is_free = np.ones(5, dtype=bool)
    if baseline < SHORT_BASELINE * full:
        is_free[[fit.A_RS, fit.IMPACT]] = False
    return fit.Problem(
        time=series.time - prediction.mid,
        exposure=series.exposure,
        flux=series.flux,
        error=series.error,
        basis=np.ones((len(series.time), 1)),
        period=period,
        limb_h=second,
        start=np.array([0.0, k, known_a_rs or a_rs, impact.mean, first]),
        is_free=is_free,
        tc_reach=min(max(3 * prediction.sigma, full / 2), period / 2),
        limb_g=fit.Prior(first, limb_error),
        impact=impact,
        a_rs=None if known_a_rs is None else fit.Prior(known_a_rs, 0.05 * known_a_rs),
        full=fit.Prior(full, 0.1 * full),
        limb_law=limb_law,
    )


def restrict(problem: fit.Problem, mask: Booleans, basis: Floats) -> fit.Problem:
    """Return *problem* for the points of *mask* (n,), with the terms *basis* (n, n_term)."""
    return replace(
        problem,
        time=problem.time[mask],
        exposure=problem.exposure[mask],
        flux=problem.flux[mask],
        error=problem.error[mask],
        basis=basis[mask],
    )


def with_transit(
    series: Series,
    whole: fit.Problem,
    quantities: Mapping[str, Floats],
    *,
    forced: tuple[str, ...] | None,
    max_terms: int,
    log_prior: Floats,
    stars: Siblings,
) -> Curve:
    """Fit transit and trend together.

    Parameters
    ----------
    series : Series
    whole : fit.Problem
        Of :func:`set_up`, all points.
    quantities : mapping
        Terms that the trend may have, (n,) each.
    forced : tuple of str, optional
        Terms that it shall have; default: chosen by the Bayesian information criterion.
    max_terms : int
        Most terms to choose.
    log_prior : (rednoise.N_MODEL,) float64
        Prior of the noise models.
    stars : Siblings
        Comparison stars that tell how true the errors are.
    """
    in_transit = np.abs(whole.time) < 0.5 * whole.full.mean
    outlier = _spikes(series, in_transit)
    mask = series.is_used & ~_mask(outlier, series)
    terms = detrend.candidates(quantities, mask)
    names = tuple(terms)
    columns = np.column_stack([np.ones(len(series.time)), *terms.values()])
    wide = fit.condense(restrict(whole, mask, columns), solution.MAX_POINT)
    noise = solution.prepare(wide, log_prior)
    judge = Judge(wide, names, noise, n_point=int(mask.sum()))
    chosen = detrend.independent(forced, terms, mask) if forced is not None else judge.choose(max_terms)

    def solved() -> tuple[fit.Problem, solution.Solution]:
        return restrict(whole, mask, basis), solution.solve(
            judge.with_terms(chosen), judge.noise, judge.fitted(chosen)
        )

    basis = columns[:, [0, *(1 + names.index(name) for name in chosen)]]
    problem, found = solved()
    late = _late_outliers(
        problem, found, mask, in_transit, int(MOST_OUTLIERS * series.is_used.sum()) - len(outlier)
    )
    if late:
        outlier |= late
        mask &= ~_mask(late, series)
        wide = fit.condense(restrict(whole, mask, columns), solution.MAX_POINT)
        judge = Judge(wide, names, solution.prepare(wide, log_prior), n_point=int(mask.sum()))
        problem, found = solved()
    averaged = (
        averaging.alone(found, chosen)
        if forced is not None
        else averaging.average(judge, chosen, found, max_terms)
    )
    pull = siblings.pull(stars, mask, problem, judge.with_terms(chosen), judge.noise, found)
    coefficient = _levelled(problem, found)
    level = float(coefficient[0])
    error = np.sqrt(np.diag(found.covariance))[6:]
    return Curve(
        level=level,
        trend=basis @ coefficient / level,
        model=fit.transit_model(whole, found.parameter),
        terms=tuple(
            Term(name, float(value) / level, float(sigma) / level)
            for name, value, sigma in zip(chosen, coefficient[1:], error, strict=True)
        ),
        outlier=outlier,
        tried=judge.tried(chosen, found),
        problem=problem,
        solution=found,
        averaged=averaged,
        pull=pull,
        covariance=siblings.stretched(averaged.covariance, pull),
        noise=judge.noise,
    )


def without_transit(
    series: Series,
    quantities: Mapping[str, Floats],
    *,
    forced: tuple[str, ...] | None,
    max_terms: int,
    is_level: Booleans,
) -> Curve:
    """Fit the trend alone, to the points of *is_level* (those outside a transit, if that is known).

    Parameters
    ----------
    series : Series
    quantities : mapping
        Terms that the trend may have, (n,) each.
    forced : tuple of str, optional
        Terms that it shall have; default: chosen by the Bayesian information criterion.
    max_terms : int
        Most terms to choose.
    is_level : (n,) bool
    """
    outlier = _spikes(series, ~is_level)
    mask = series.is_used & ~_mask(outlier, series) & is_level
    terms = detrend.candidates(quantities, mask)
    value, error = series.flux[mask], series.error[mask]
    scale = _white_scale(value, error)

    def solve(names: tuple[str, ...]) -> tuple[Floats, Floats, float]:
        basis = np.column_stack([np.ones(len(series.time)), *(terms[name] for name in names)])
        design = basis[mask] / error[:, np.newaxis]
        coefficient: Floats = np.asarray(np.linalg.lstsq(design, value / error, rcond=None)[0], np.float64)
        return basis, coefficient, float(np.sum((value / error - design @ coefficient) ** 2)) / scale**2

    if forced is not None:
        chosen = detrend.independent(forced, terms, mask)
    else:
        chosen = detrend.select(
            terms, lambda names: solve(tuple(names))[2], n_point=int(mask.sum()), max_terms=max_terms
        )
    basis, coefficient, chi2 = solve(chosen)
    design = basis[mask] / error[:, np.newaxis]
    spare = max(1, int(mask.sum()) - basis.shape[1])
    covariance = np.linalg.pinv(design.T @ design) * max(1.0, chi2 * scale**2 / spare)
    level = float(coefficient[0])
    return Curve(
        level=level,
        trend=basis @ coefficient / level,
        model=np.ones(len(series.time)),
        terms=tuple(
            Term(name, float(coefficient[i]) / level, math.sqrt(covariance[i, i]) / level)
            for i, name in enumerate(chosen, start=1)
        ),
        outlier=outlier,
        tried=(),
        problem=None,
        solution=None,
        averaged=None,
        pull=None,
        covariance=None,
        noise=None,
    )


def _white_scale(residual: Floats, error: Floats) -> float:
    """Return by how much the point-to-point scatter exceeds the errors; a trend does not enter it."""
    scale = statistics.point_to_point(residual) / float(np.median(error))
    return max(1.0, scale) if math.isfinite(scale) else 1.0


def _mask(frames: Mapping[int, str], series: Series) -> Booleans:
    mask = np.zeros(len(series.time), dtype=bool)
    mask[list(frames)] = True
    return mask


def _spikes(series: Series, in_transit: Booleans) -> dict[int, str]:
    """Return the points that lie off their neighbours."""
    frames = np.nonzero(series.is_used)[0]
    flux, error = series.flux[frames], series.error[frames]
    if len(frames) < FEWEST_POINTS:
        return {}
    residual = flux - statistics.running_median(flux, 11)
    size = np.abs(residual) / np.maximum(error, statistics.scatter(residual))
    return _worst(frames, size, BEFORE, in_transit, int(MOST_OUTLIERS * len(frames)), "off its neighbours by")


def _late_outliers(
    problem: fit.Problem, found: solution.Solution, mask: Booleans, in_transit: Booleans, most: int
) -> dict[int, str]:
    """Return the points that lie off the converged model."""
    model = fit.transit_model(problem, found.parameter) * (problem.basis @ _levelled(problem, found))
    size = np.abs(problem.flux - model) / problem.error
    scale = max(1.0, math.sqrt(float(np.sum(size**2)) / max(1, len(model) - 5 - problem.basis.shape[1])))
    size = size / scale
    return _worst(np.nonzero(mask)[0], size, AFTER, in_transit, most, "off the model by")


def _levelled(problem: fit.Problem, found: solution.Solution) -> Floats:
    """Return the coefficients of the trend with the level at which the residuals have the mean 0.

    Slow correlated noise has a mean of its own that no one night can tell from the level: what
    generalised least squares takes for the level may lie beside all points. Whoever looks at the
    curve, or at its scatter, wants the level that these points have.
    """
    model = fit.transit_model(problem, found.parameter)
    residual = problem.flux - model * (problem.basis @ found.coefficient)
    weight = model / problem.error**2
    coefficient = found.coefficient.copy()
    coefficient[0] += float(weight @ residual) / float(weight @ model)
    return coefficient


def _worst(
    frames: Integers,
    size: Floats,
    limit: float,
    in_transit: Booleans,
    most: int,
    words: str,
) -> dict[int, str]:
    """Return the frames beyond *limit*, at most *most*, with the reason in words.

    Neighbours that are both beyond it in the transit are kept: that is the transit,
    not a cosmic ray.
    """
    beyond = size > limit
    neighbour = np.zeros(len(beyond), dtype=bool)
    neighbour[1:] |= beyond[:-1]
    neighbour[:-1] |= beyond[1:]
    beyond &= ~(neighbour & in_transit[frames])
    order = [int(i) for i in np.argsort(-size, kind="stable") if beyond[i]][: max(0, most)]
    return {int(frames[i]): f"{words} {size[i]:.1f} sigma" for i in sorted(order)}
