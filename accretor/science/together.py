"""One transit fitted to the points of several filters at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from accretor.core.arrays import Floats
from accretor.core.errors import Unusable
from accretor.science import fit, likelihood
from accretor.science.fit import A_RS, IMPACT, TC
from accretor.science.joint import Band, Joint

N_DRAW = 2000
"""Draws of a round; errors are known to some 3 per cent when a third of them count."""

N_ROUND = 5
"""Rounds in which the draws come to where the posterior is; the last two tell the answer."""

FREEDOM = 6.0
"""Degrees of freedom of the t distribution that is drawn from: its wings are wider than the posterior's."""

FEWEST = 100.0
"""Draws that must count, else nothing is said."""

BATCH = 50
"""Transits that are computed at a time; it bounds the memory."""

SEED = 20170316


@dataclass(frozen=True)
class Together:
    """The posterior of one orbit seen through several filters."""

    separate: Joint
    """With a radius ratio for each filter."""
    rp_rs: float
    """Of all filters, if it is the same."""
    rp_rs_error: float
    n_effective: float
    """Draws that count."""


@dataclass(frozen=True)
class _Posterior:
    """Mean and covariance, by importance sampling."""

    mean: Floats
    covariance: Floats
    n_effective: float


def fit_together(bands: Sequence[Band], start: Joint, limb: Floats, limb_error: Floats) -> Together:
    """Fit the same mid-time and orbit to all filters, with a radius ratio for each and with one for all.

    The likelihood is the product of those of the filters (trend and noise models of each summed over);
    the priors on the orbit and the mid-time count once, those of the limb darkening for each filter. The
    posterior is integrated by adaptive importance sampling (Cappe et al. 2008, Stat. Comput. 18, 447),
    with the same draws each time.

    Parameters
    ----------
    bands : sequence of Band
        At least two, of the same transit.
    start : Joint
        The product of the single fits, :func:`accretor.science.joint.combine`.
    limb, limb_error : (n_band,) float64
        First coefficients of the limb darkening, of the single fits.

    Raises
    ------
    Unusable
        If the draws do not reach the posterior.
    """
    n = len(bands)
    bands = [
        replace(band, problem=replace(band.problem, time=band.problem.time + band.mid - bands[0].mid))
        for band in bands
    ]
    is_held = not all(band.problem.is_free[A_RS] for band in bands)
    first = bands[0].problem
    held = np.array([start.tc, first.start[A_RS], first.start[IMPACT]])
    mean = np.array([start.tc, start.a_rs, start.impact, *start.rp_rs, *limb])
    error = np.array([start.tc_error, start.a_rs_error, start.impact_error, *start.rp_rs_error, *limb_error])
    free = [0, *([] if is_held else [1, 2]), *range(3, 3 + 2 * n)]

    def separate(unit: Floats) -> Floats:
        point = np.tile(
            np.where(np.isin(np.arange(3 + 2 * n), free), mean, [*held, *mean[3:]]), (len(unit), 1)
        )
        point[:, free] += unit * error[free]
        return _posterior(bands, point[:, :3], point[:, 3 : 3 + n], point[:, 3 + n :])

    scale = np.outer(error[free], error[free])
    guess = start.covariance[np.ix_(free, free)] / scale
    found = _integrate(separate, np.zeros(len(free)), guess)
    value, sigma = mean.copy(), np.zeros(len(mean))
    value[:3] = held if is_held else value[:3]
    value[free] += found.mean * error[free]
    sigma[free] = np.sqrt(np.diag(found.covariance)) * error[free]

    # One radius ratio for all: the draws begin where the separate ones are all the same.
    covariance = found.covariance * scale
    spread = np.zeros((len(free), len(free) - n + 1))
    k_at = [free.index(3 + i) for i in range(n)]
    other = [i for i in range(len(free)) if i not in k_at]
    for column, i in enumerate(other):
        spread[i, column] = 1.0
    spread[k_at, -1] = 1.0
    precision = np.linalg.inv(covariance)
    narrow = np.linalg.inv(spread.T @ precision @ spread)
    centre = narrow @ spread.T @ precision @ value[free]
    unit_error = np.sqrt(np.diag(narrow))

    def common(unit: Floats) -> Floats:
        point = np.tile(value, (len(unit), 1))
        point[:, free] = (centre + unit * unit_error) @ spread.T
        return _posterior(bands, point[:, :3], point[:, 3 : 3 + n], point[:, 3 + n :])

    one = _integrate(common, np.zeros(len(centre)), narrow / np.outer(unit_error, unit_error))
    mid = float(value[0])
    return Together(
        Joint(
            tc=mid,
            tc_error=float(sigma[0]),
            a_rs=float(value[1]),
            a_rs_error=float(sigma[1]),
            impact=abs(float(value[2])),
            impact_error=float(sigma[2]),
            rp_rs=tuple(float(k) for k in value[3 : 3 + n]),
            rp_rs_error=tuple(float(k) for k in sigma[3 : 3 + n]),
            covariance=np.diag(sigma**2),
            chi2=start.chi2,
        ),
        rp_rs=float(centre[-1] + one.mean[-1] * unit_error[-1]),
        rp_rs_error=float(np.sqrt(one.covariance[-1, -1]) * unit_error[-1]),
        n_effective=min(found.n_effective, one.n_effective),
    )


def _posterior(bands: Sequence[Band], orbit: Floats, k: Floats, limb: Floats) -> Floats:
    """Return the logarithm of the posterior; minus infinity beyond the bounds.

    Parameters
    ----------
    orbit : (m, 3) float64
        tc, a_rs, impact.
    k, limb : (m, n_band) float64
    """
    result = np.zeros(len(orbit))
    for i, band in enumerate(bands):
        point = np.column_stack([orbit[:, 0], k[:, i], orbit[:, 1], orbit[:, 2], limb[:, i]])
        low, high = fit.bounds(band.problem)
        is_inside = ((point >= low) & (point <= high)).all(axis=1) & np.isfinite(result)
        part = np.full(len(point), -np.inf)
        where = np.nonzero(is_inside)[0]
        for begin in range(0, len(where), BATCH):
            some = where[begin : begin + BATCH]
            part[some] = likelihood.log_likelihood(band.problem, band.noise, point[some])
            # The first filter brings the priors that all share; its radius ratio there is the mean one.
            shared = np.column_stack([point[some, TC], k[some].mean(axis=1), point[some, A_RS:]])
            prior = np.array([fit.prior_residual(band.problem, one) for one in shared])
            prior = prior if i == 0 else prior[:, 2:3]
            part[some] -= 0.5 * (prior**2).sum(axis=1)
        result = result + part
    return result


def _integrate(log_density: Callable[[Floats], Floats], mean: Floats, covariance: Floats) -> _Posterior:
    """Return mean and covariance of a density, from a guess of both."""
    random = np.random.Generator(np.random.PCG64(SEED))
    size = len(mean)
    effective = 0.0
    value, weight = np.zeros((0, size)), np.zeros(0)
    kept: list[tuple[Floats, Floats]] = []
    for number in range(N_ROUND):
        root = np.linalg.cholesky(covariance + 1e-12 * np.eye(size))
        half = random.normal(size=(N_DRAW // 2, size)) / np.sqrt(
            random.chisquare(FREEDOM, (N_DRAW // 2, 1)) / FREEDOM
        )
        # Each draw and its mirror image: the mean is known much better so.
        normal = np.concatenate([half, -half])
        draw = mean + normal @ root.T
        log_drawn = -0.5 * (FREEDOM + size) * np.log1p((normal**2).sum(axis=1) / FREEDOM)
        log_drawn -= np.log(np.diag(root)).sum()
        log_weight = log_density(draw) - log_drawn
        if number < N_ROUND - 2:
            weight = _normalised(log_weight, is_tempered=True)
            value = draw
        else:
            kept.append((draw, log_weight))
            value = np.concatenate([item[0] for item in kept])
            weight = _normalised(np.concatenate([item[1] for item in kept]), is_tempered=False)
        mean = weight @ value
        deviation = value - mean
        covariance = np.einsum("i,ij,ik->jk", weight, deviation, deviation)
        effective = 1 / float((weight**2).sum())
    if not effective >= FEWEST:
        raise Unusable(f"the joint fit has {effective:.0f} draws that count, {FEWEST:.0f} needed")
    return _Posterior(mean, covariance, effective)


def _normalised(log_weight: Floats, *, is_tempered: bool) -> Floats:
    """Return weights of sum 1; tempered, none of them outweighs all others."""
    greatest = log_weight.max()
    if not np.isfinite(greatest):
        raise Unusable("the joint fit has no draw where the posterior is")
    power = 1.0
    weight = np.exp(log_weight - greatest)
    while is_tempered and power > 0.05 and weight.sum() ** 2 / (weight**2).sum() < len(weight) / 10:
        power *= 0.7
        weight = np.exp(power * (log_weight - greatest))
    return np.asarray(weight / weight.sum())
