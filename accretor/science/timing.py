"""A linear ephemeris from the mid-times of several transits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Floats, Integers


@dataclass(frozen=True)
class Linear:
    """T(E) = t0 + E * period."""

    t0: float
    """Mid-transit of *epoch*, BJD_TDB day."""
    t0_error: float
    period: float
    """Day."""
    period_error: float
    epoch: int
    """Where the errors of t0 and period are hardly correlated, counted as the mid-times are."""
    chi2: float
    n_time: int


def linear(
    epoch: Integers,
    time: Floats,
    error: Floats,
    *,
    known: tuple[float, float, float, float] | None = None,
) -> Linear | None:
    """Fit a linear ephemeris, weights 1 / error^2.

    Parameters
    ----------
    epoch : (n,) int
    time, error : (n,) float64
        Mid-times, BJD_TDB day.
    known : (t0, t0_error, period, period_error), optional
        An ephemeris from elsewhere, at epoch 0; it counts as a measurement of both. Errors
        of 0 are unknown, and the ephemeris then gives no information.

    Returns
    -------
    Linear or None
        None unless there are two epochs, or one and a known ephemeris with errors. Errors are
        those of the mid-times, enlarged by sqrt(chi2 / dof) where that is above 1.
    """
    has_known = known is not None and known[1] > 0 and known[3] > 0
    if len(time) == 0 or (len(np.unique(epoch)) < 2 and not has_known):
        return None
    # From the first time and the nearest whole day, so that no digits are lost.
    origin = float(time[0])
    weight = error**-2.0
    known_weight = known[1] ** -2.0 if has_known and known is not None else 0.0
    reference = int(np.rint(np.sum(epoch * weight) / (weight.sum() + known_weight)))
    count = (epoch - reference).astype(np.float64)
    design = np.column_stack([np.ones(len(count)), count]) / error[:, np.newaxis]
    value = (time - origin) / error
    if has_known and known is not None:
        t0, t0_error, period, period_error = known
        rows = np.array([[1.0 / t0_error, -reference / t0_error], [0.0, 1.0 / period_error]])
        design = np.vstack([design, rows])
        value = np.concatenate([value, [(t0 - origin) / t0_error, period / period_error]])
    normal = design.T @ design
    found = np.linalg.solve(normal, design.T @ value)
    chi2 = float(np.sum((value - design @ found) ** 2))
    spare = len(value) - 2
    scale = max(1.0, chi2 / spare) if spare > 0 else 1.0
    sigma = np.sqrt(np.diag(np.linalg.inv(normal)) * scale)
    return Linear(
        origin + float(found[0]),
        float(sigma[0]),
        float(found[1]),
        float(sigma[1]),
        reference,
        chi2,
        len(time),
    )
