"""The zero point of each frame from many comparison stars, and one star over the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Booleans, Floats

TRIM = 0.02
"""Part of a star's points that its scatter ignores: a cosmic ray does not make a variable star."""

_TRIMMED_SIGMA = 0.9346  # standard deviation of a normal distribution without its outer 2 per cent


@dataclass(frozen=True)
class ZeroPoint:
    """Solution of ln flux = level of the star + zero point of the frame."""

    zero: Floats
    """(n,) natural logarithm; NaN in a frame without a comparison star."""
    error: Floats
    """(n,) of the same."""
    level: Floats
    """(n_star,) natural logarithm; NaN for stars outside the ensemble."""
    weight: Floats
    """(n, n_star) inverse variance given to each point; 0 outside the ensemble."""
    variance: Floats | None = None
    """(n, n_star) weight^2 times the variance of the noise alone; None where the weight is the noise's."""


def zero_point(
    log_flux: Floats,
    error: Floats,
    is_comparison: Booleans,
    *,
    penalty: Floats | None = None,
    n_round: int = 60,
) -> ZeroPoint:
    """Solve for the zero point of every frame, robustly.

    Alternating weighted means of ln f = a_star + z_frame (Honeycutt 1992, PASP 104,
    435). A point weighs 1 / [sigma^2 chi^2 (1 + (u / 2.5)^2)], u being its residual
    in units of sigma chi and chi >= 1 the excess scatter of its star: a variable star
    loses its weight, and so does a single bad point.

    Parameters
    ----------
    log_flux : (n, n_star) float64
        Natural logarithm of the flux; NaN where it was not measured.
    error : (n, n_star) float64
        Relative error of the flux.
    is_comparison : (n_star,) bool
        Stars in the ensemble.
    penalty : (n_star,) float64, optional
        Relative error that stars unlike the target bring, slowly and without scatter: it
        takes weight from them, and is not in the errors.

    Returns
    -------
    ZeroPoint
        Its median over the frames is 0.
    """
    n, n_star = log_flux.shape
    value, noise = log_flux[:, is_comparison], error[:, is_comparison]
    sigma = noise if penalty is None else np.hypot(noise, penalty[is_comparison])
    good = np.isfinite(value) & np.isfinite(sigma) & (sigma > 0)
    value, precision = np.where(good, value, 0.0), np.where(good, 1 / np.where(good, sigma, 1.0), 0.0)
    weight = precision**2
    level = _mean(value, weight, axis=0)
    zero = np.zeros(n)
    for _ in range(n_round):
        before = zero
        zero = _mean(value - level, weight, axis=1)
        level = _mean(value - zero[:, np.newaxis], weight, axis=0)
        u = (value - level - zero[:, np.newaxis]) * precision
        count = np.maximum(good.sum(axis=0), 1)
        chi = np.maximum(1.0, np.sqrt((u**2).sum(axis=0) / count))
        weight = (precision / chi) ** 2 / (1 + (u / chi / 2.5) ** 2)
        if np.max(np.abs(zero - before), initial=0.0) < 1e-10:
            break
    total = weight.sum(axis=1)
    has_star = total > 0
    middle = float(np.median(zero[has_star])) if has_star.any() else 0.0
    full_level, full_weight = np.full(n_star, np.nan), np.zeros((n, n_star))
    full_level[is_comparison], full_weight[:, is_comparison] = level + middle, weight
    variance: Floats | None = None
    zero_error = 1 / np.sqrt(np.where(has_star, total, 1.0))
    if penalty is not None:
        # Without a penalty this sum is that of the weights.
        variance = np.zeros((n, n_star))
        part = np.where(good, noise / np.where(good, sigma, 1.0), 0.0) ** 2
        variance[:, is_comparison] = weight * part
        zero_error = np.sqrt(variance.sum(axis=1)) * zero_error**2
    return ZeroPoint(
        zero=np.where(has_star, zero - middle, np.nan),
        error=np.where(has_star, zero_error, np.nan),
        level=full_level,
        weight=full_weight,
        variance=variance,
    )


def _mean(value: Floats, weight: Floats, axis: int) -> Floats:
    """Return the weighted mean along *axis*; 0 where nothing has a weight."""
    total = weight.sum(axis=axis)
    return np.asarray((value * weight).sum(axis=axis) / np.where(total > 0, total, 1.0))


def leave_one_out(log_flux: Floats, solution: ZeroPoint) -> tuple[Floats, Floats]:
    """Return ln flux of every star less the zero point that the other stars give.

    The weights and levels are those of the common solution. A star is so never part
    of its own ensemble, and an eclipse of a comparison star shows at its full depth.

    Parameters
    ----------
    log_flux : (n, n_star) float64

    Returns
    -------
    relative : (n, n_star) float64
        Median 0 for each star; NaN where the star, or all others, were not measured.
    error : (n, n_star) float64
        Of the zero point used.
    """
    used = solution.weight > 0
    with np.errstate(invalid="ignore"):
        own = np.where(used, (log_flux - solution.level) * solution.weight, 0.0)
    rest = solution.weight.sum(axis=1, keepdims=True) - solution.weight
    # A rest that is nothing but rounding is no ensemble.
    has_rest = rest > 1e-9 * solution.weight.sum(axis=1, keepdims=True)
    rest = np.where(has_rest, rest, np.nan)
    relative = log_flux - (own.sum(axis=1, keepdims=True) - own) / rest
    some = np.isfinite(relative).any(axis=0)
    relative[:, some] -= np.nanmedian(relative[:, some], axis=0)
    if solution.variance is None:
        return np.asarray(relative), np.asarray(rest**-0.5)
    variance = solution.variance.sum(axis=1, keepdims=True) - solution.variance
    return np.asarray(relative), np.asarray(np.sqrt(np.maximum(variance, 0.0)) / rest)


def excess(relative: Floats, error: Floats) -> Floats:
    """Return the scatter of each star in units of its errors, without its outermost 2 per cent.

    Parameters
    ----------
    relative, error : (n, n_star) float64

    Returns
    -------
    (n_star,) float64
        About 1 for a constant star; NaN with fewer than three points.
    """
    u = relative / error
    result = np.full(u.shape[1], np.nan)
    for star in range(u.shape[1]):
        finite = np.sort(np.abs(u[np.isfinite(u[:, star]), star]))
        if finite.size >= 3:
            kept = finite[: finite.size - int(np.ceil(TRIM * finite.size))]
            result[star] = np.sqrt(np.mean(kept**2)) / _TRIMMED_SIGMA
    return result


def relative_flux(flux: Floats, weight: Floats) -> Floats:
    """Return the flux of every star over the sum of the others, as AstroImageJ defines it.

    Collins et al. (2017), AJ 153, 77: a comparison star is divided by the sum of the
    other comparison stars, any other star by the sum of all.

    Parameters
    ----------
    flux : (n, n_star) float64, electron
    weight : (n_star,) float64
        1 for the comparison stars, 0 for others.

    Returns
    -------
    (n, n_star) float64
        Not normalised; NaN in a frame that misses a comparison star.

    Raises
    ------
    ValueError
        If no star has a weight.
    """
    used = weight > 0
    if not used.any():
        raise ValueError("an ensemble needs a star with a weight")
    others = (flux[:, used] @ weight[used])[:, np.newaxis] - np.where(used, flux * weight, 0.0)
    # The only comparison star has no others to be divided by.
    alone = used & (used.sum() == 1)
    return np.asarray(np.where(alone, np.nan, flux / np.where(alone, np.nan, others)))
