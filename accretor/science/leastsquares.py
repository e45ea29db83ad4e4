"""Least squares within bounds (Levenberg-Marquardt), for a few parameters and exact derivatives.

`scipy.optimize.least_squares`, by which it is tested, takes half a second to be loaded: longer than
all fits of a night take.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from accretor.core.arrays import Floats

MOST_STEPS = 60
F_TOLERANCE = 1e-8
"""It ends when a step takes off no more than this part of the cost."""
X_TOLERANCE = 1e-7
"""It ends when a step is no longer than this, in units of the scales."""

_FIRST_DAMPING = 1e-3
Evaluate = Callable[[Floats], tuple[Floats, Floats]]
"""Residuals (n,) and their derivatives (n, n_parameter) at some parameters (n_parameter,)."""


def minimise(
    evaluate: Evaluate, start: Floats, low: Floats, high: Floats, scale: Floats
) -> tuple[Floats, float]:
    """Return the parameters at the least sum of squares near *start*, and half that sum.

    Marquardt (1963, J. SIAM 11, 431); the steps end at the bounds.

    Parameters
    ----------
    evaluate : Evaluate
    start : (n_parameter,) float64
        Within the bounds.
    low, high : (n_parameter,) float64
    scale : (n_parameter,) float64
        Changes of the parameters that matter about as much as each other.

    Returns
    -------
    (n_parameter,) float64, float
        The best that was seen: after `MOST_STEPS` steps it ends wherever it is.
    """
    here = start
    residual, slope = evaluate(here)
    cost = 0.5 * float(residual @ residual)
    damping, growth = _FIRST_DAMPING, 2.0
    for _ in range(MOST_STEPS):
        scaled = slope * scale
        normal, gradient = scaled.T @ scaled, scaled.T @ residual
        step = _step(normal, gradient, damping, (low - here) / scale, (high - here) / scale)
        if float(np.max(np.abs(step))) <= X_TOLERANCE:
            break
        there = np.clip(here + scale * step, low, high)
        new_residual, new_slope = evaluate(there)
        with np.errstate(over="ignore"):
            new_cost = 0.5 * float(new_residual @ new_residual)
        gain = cost - new_cost
        if not gain > 0:
            damping, growth = damping * growth, 2 * growth
            continue
        foreseen = -float(gradient @ step + 0.5 * step @ normal @ step)
        here, residual, slope, cost = there, new_residual, new_slope, new_cost
        if gain <= F_TOLERANCE * cost:
            break
        # The better the linear model foresaw the gain, the longer the next step (Nielsen 1999, Damping
        # parameter in Marquardt's method, IMM-REP-1999-05).
        damping *= max(1 / 3, 1 - (2 * min(gain / foreseen, 1.0) - 1) ** 3) if foreseen > 0 else 1.0
        growth = 2.0
    return here, cost


def _step(normal: Floats, gradient: Floats, damping: float, low: Floats, high: Floats) -> Floats:
    """Return the damped step, (n_parameter,), of which no part leaves *low* to *high*.

    Where one would, it ends at the bound, and the others are solved for once more.
    """
    weight = np.diag(normal)
    # What the residuals do not depend on at all must not make the matrix singular.
    damped = normal + np.diag(damping * weight + 1e-12 * float(np.max(weight)) + 1e-300)
    step = np.zeros(len(gradient))
    is_free = np.ones(len(gradient), dtype=bool)
    while is_free.any():
        pull = gradient[is_free] + damped[np.ix_(is_free, ~is_free)] @ step[~is_free]
        step[is_free] = -np.linalg.solve(damped[np.ix_(is_free, is_free)], pull)
        leaves = is_free & ((step < low) | (step > high))
        if not leaves.any():
            break
        step[leaves] = np.clip(step, low, high)[leaves]
        is_free &= ~leaves
    return step
