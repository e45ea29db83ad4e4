"""One transit seen through several filters: the same mid-time and orbit, a radius ratio for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from accretor.core.arrays import Floats
from accretor.science import rednoise
from accretor.science.fit import A_RS, IMPACT, LIMB_G, TC, K, Problem

_SHARED = (TC, A_RS, IMPACT)
_OWN = (K, LIMB_G)


@dataclass(frozen=True)
class Band:
    """The points of one filter, and its noise."""

    problem: Problem
    noise: rednoise.Noise
    mid: float
    """BJD_TDB from which the problem's time is counted."""
    covariance: Floats
    """(5, 5) of its single fit, the terms of the trend taken as certain; 0 for what was held."""


@dataclass(frozen=True)
class One:
    """The fit of one filter, as a normal distribution about its solution."""

    mean: Floats
    """(5,) tc (day from a time common to all), k, a_rs, impact, limb_g."""
    covariance: Floats
    """(5, 5); 0 for what was held."""
    prior_precision: Floats
    """(5, 5) inverse covariance of the priors, which *covariance* has in it; 0 for what was held."""
    prior_gradient: Floats
    """(5,) slope of the priors' logarithm at the mean."""


@dataclass(frozen=True)
class Joint:
    """What the filters say together."""

    tc: float
    """Day, from the time common to all."""
    tc_error: float
    a_rs: float
    a_rs_error: float
    impact: float
    impact_error: float
    rp_rs: tuple[float, ...]
    """For each filter."""
    rp_rs_error: tuple[float, ...]
    chi2: float
    """Of the mid-times of the filters about the joint one."""
    covariance: Floats
    """(3 + 2 n_filter, same) of tc, a_rs, impact, all radius ratios, all limb_g; 0 for what was held."""


def combine(filters: Sequence[One]) -> Joint | None:
    """Multiply the distributions of the filters, the priors on the orbit counted once.

    Exact where the fits are linear within their errors. The noise of two filters is
    taken as independent.

    Parameters
    ----------
    filters : sequence of One
        At least one.

    Returns
    -------
    Joint or None
        None where the product has no maximum: the filters say less than their priors.
    """
    size = len(_SHARED) + len(_OWN) * len(filters)
    matrix, right = np.zeros((size, size)), np.zeros(size)
    at_of = [_places(number) for number in range(len(filters))]
    for number, (one, at) in enumerate(zip(filters, at_of, strict=True)):
        free = np.nonzero(np.diag(one.covariance) > 0)[0]
        place = at[free]
        precision = np.linalg.inv(one.covariance[np.ix_(free, free)])
        value = precision @ one.mean[free]
        if number:
            is_orbit = free != LIMB_G
            common = one.prior_precision[np.ix_(free, free)] * np.outer(is_orbit, is_orbit)
            precision = precision - common
            value = value - common @ one.mean[free] - one.prior_gradient[free] * is_orbit
        matrix[np.ix_(place, place)] += precision
        right[place] += value
    is_free = np.diag(matrix) != 0
    small = matrix[np.ix_(is_free, is_free)]
    # Lengths of the axes differ by orders: their signs are judged at equal ones.
    unit = np.sqrt(np.abs(np.diag(small)))
    if np.linalg.eigvalsh(small / np.outer(unit, unit)).min() <= 0:
        return None
    covariance = np.zeros((size, size))
    covariance[np.ix_(is_free, is_free)] = np.linalg.inv(small)
    value = np.zeros(size)
    for one, at in zip(filters, at_of, strict=True):
        value[at] = one.mean  # of what was held
    value[is_free] = covariance[np.ix_(is_free, is_free)] @ right[is_free]
    error = np.sqrt(np.diag(covariance))
    k_at = [int(at[K]) for at in at_of]
    order = [0, 1, 2, *k_at, *(int(at[LIMB_G]) for at in at_of)]
    return Joint(
        tc=float(value[0]),
        tc_error=float(error[0]),
        a_rs=float(value[1]),
        a_rs_error=float(error[1]),
        impact=float(value[2]),
        impact_error=float(error[2]),
        rp_rs=tuple(float(value[i]) for i in k_at),
        rp_rs_error=tuple(float(error[i]) for i in k_at),
        covariance=covariance[np.ix_(order, order)],
        chi2=float(sum((one.mean[TC] - value[0]) ** 2 / one.covariance[TC, TC] for one in filters)),
    )


def widened(found: Joint, chosen: Joint, averaged: Joint) -> Joint:
    """Return *found* with the errors grown as those of the product of the single fits grow.

    A fit of all points takes the terms of each filter's trend as certain, and a product of single
    fits can have in it that they were chosen.

    Parameters
    ----------
    found : Joint
        Fit of all points; its covariance becomes that of its errors alone.
    chosen, averaged : Joint
        Products of the single fits without and with the choice of terms in their errors.
    """

    def grown(error: float, certain: float, uncertain: float) -> float:
        return error * uncertain / certain if certain > 0 else error

    rp_rs_error = tuple(map(grown, found.rp_rs_error, chosen.rp_rs_error, averaged.rp_rs_error))
    tc_error = grown(found.tc_error, chosen.tc_error, averaged.tc_error)
    a_rs_error = grown(found.a_rs_error, chosen.a_rs_error, averaged.a_rs_error)
    impact_error = grown(found.impact_error, chosen.impact_error, averaged.impact_error)
    error = np.sqrt(np.diag(found.covariance))
    error[: 3 + len(rp_rs_error)] = [tc_error, a_rs_error, impact_error, *rp_rs_error]
    return replace(
        found,
        tc_error=tc_error,
        a_rs_error=a_rs_error,
        impact_error=impact_error,
        rp_rs_error=rp_rs_error,
        covariance=np.diag(error**2),
    )


def _places(number: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return where the five parameters of a filter are among those of all."""
    place = np.zeros(5, dtype=np.int64)
    place[list(_SHARED)] = np.arange(len(_SHARED))
    place[list(_OWN)] = len(_SHARED) + len(_OWN) * number + np.arange(len(_OWN))
    return place
