"""Fit of a Moffat profile to many stars at once."""

from __future__ import annotations

import math

import numpy as np

from accretor.core.arrays import Floats, Image
from accretor.science.geometry import Stampable, stamp_pixels, stamps

N_ITERATION = 25
CONVERGED = 1e-6
"""Part of the sum of squares that a step still changes: a hundredth of a standard error of a parameter."""
LOWEST, HIGHEST = 1 / 50.0, 1 / 1.05
"""Of one over the exponent, which is near zero for a Gaussian."""


def fit_stars(image: Image | Stampable, x: Floats, y: Floats, guess: float) -> tuple[Floats, Floats]:
    """Fit stars of an image, each in a square of 5 FWHM.

    Parameters
    ----------
    image : (height, width), any unit
    x, y : (n_star,) float64, pixel
        Finite; a star whose square leaves the image is passed over.
    guess : float, pixel
        FWHM.

    Returns
    -------
    fwhm, beta : (n,) float64
        As `fit` returns; n is at most n_star.
    """
    half = math.ceil(2.5 * guess)
    columns, rows = stamp_pixels(x, y, half)
    # Wide stars have pixels to spare.
    step = max(1, int(guess / 4))
    columns, rows = columns[:, half % step :: step], rows[:, half % step :: step]
    values, is_inside = stamps(image, columns, rows)
    whole = np.all(is_inside, axis=(1, 2)) & np.all(np.isfinite(values), axis=(1, 2))
    n_star = int(whole.sum())
    if not n_star:
        return np.zeros(0), np.zeros(0)
    dx, dy = np.broadcast_arrays(
        (columns - x[:, np.newaxis])[whole][:, np.newaxis, :],
        (rows - y[:, np.newaxis])[whole][:, :, np.newaxis],
    )
    return fit(
        dx.reshape(n_star, -1),
        dy.reshape(n_star, -1),
        values[whole].reshape(n_star, -1).astype(np.float64),
        guess,
    )


def fit(dx: Floats, dy: Floats, value: Floats, fwhm: float) -> tuple[Floats, Floats]:
    """Fit A (1 + r^2/alpha^2)^-beta + B to each star, its centre free (Levenberg-Marquardt).

    Parameters
    ----------
    dx, dy : (n_star, n_pixel) float64, pixel
        Positions of the pixels from a first guess of the star's centre.
    value : (n_star, n_pixel) float64
        Brightness of the pixels.
    fwhm : float, pixel
        First guess.

    Returns
    -------
    fwhm : (n_star,) float64, pixel
        NaN where the fit did not end at a star.
    beta : (n_star,) float64
        Exponent; it tends to infinity for a Gaussian.
    """
    n_star = len(value)
    level = np.median(value, axis=1)
    scale = np.maximum(value.max(axis=1) - level, 1e-30)
    data = (value - level[:, np.newaxis]) / scale[:, np.newaxis]
    parameter = np.zeros((n_star, 6))  # x, y, ln FWHM, 1 / beta, amplitude, background
    parameter[:, 2] = math.log(fwhm)
    parameter[:, 3] = 1 / 3.0
    parameter[:, 4] = 1.0
    parameter = _fitted(parameter, dx, dy, data)
    width = np.exp(parameter[:, 2])
    is_star = (np.hypot(parameter[:, 0], parameter[:, 1]) < fwhm) & (parameter[:, 4] > 0)
    is_star &= (width > 0.2 * fwhm) & (width < 5 * fwhm)
    return np.where(is_star, width, np.nan), 1 / parameter[:, 3]


def _fitted(parameter: Floats, dx: Floats, dy: Floats, data: Floats) -> Floats:
    """Return the parameters of least squares; each star is left alone as soon as it is there."""
    found = np.empty_like(parameter)
    star = np.arange(len(data))
    damping = np.full(len(data), 1e-3)
    model, jacobian = _profile(parameter, dx, dy)
    cost = ((data - model) ** 2).sum(axis=1)
    for _ in range(N_ITERATION):
        gradient = jacobian @ (data - model)[:, :, np.newaxis]
        damped = jacobian @ jacobian.transpose(0, 2, 1)
        diagonal = damped.reshape(len(star), 36)[:, ::7]
        diagonal += damping[:, np.newaxis] * (diagonal + 1e-12)
        step = _step(damped, gradient, parameter[:, 3])
        # Half a pixel in e-folds at a time: a wild first step leaves the star for good.
        trial = parameter + np.minimum(np.maximum(step, -0.7), 0.7)
        trial[:, 3] = np.minimum(np.maximum(trial[:, 3], LOWEST), HIGHEST)
        trial_model, trial_jacobian = _profile(trial, dx, dy)
        trial_cost = ((data - trial_model) ** 2).sum(axis=1)
        better = trial_cost < cost
        is_there = (np.abs(cost - trial_cost) <= CONVERGED * cost) | (damping > 1e6)
        if better.all():
            parameter, model, jacobian, cost = trial, trial_model, trial_jacobian, trial_cost
        elif better.any():
            parameter[better] = trial[better]
            model[better], jacobian[better], cost[better] = (
                trial_model[better],
                trial_jacobian[better],
                trial_cost[better],
            )
        damping = np.where(better, damping * 0.1, damping * 5.0)
        if is_there.any():
            found[star[is_there]] = parameter[is_there]
            going = ~is_there
            star, damping, cost, parameter = star[going], damping[going], cost[going], parameter[going]
            if not len(star):
                break
            model, jacobian = model[going], jacobian[going]
            dx, dy, data = dx[going], dy[going], data[going]
    found[star] = parameter
    return found


def _step(matrix: Floats, gradient: Floats, inverse: Floats) -> Floats:
    """Return the step of each star; one that leads beyond the range of the exponent ends there."""
    step = np.linalg.solve(matrix, gradient)[:, :, 0]
    goal = inverse + step[:, 3]
    beyond = np.flatnonzero((goal < LOWEST) | (goal > HIGHEST))
    if len(beyond):
        # The others go where it is best with the exponent at the end of its range.
        move = np.minimum(np.maximum(goal[beyond], LOWEST), HIGHEST) - inverse[beyond]
        rest, side = matrix[beyond], gradient[beyond]
        side[:, :, 0] -= rest[:, :, 3] * move[:, np.newaxis]
        side[:, 3, 0] = move
        rest[:, 3, :] = rest[:, :, 3] = 0.0
        rest[:, 3, 3] = 1.0
        step[beyond] = np.linalg.solve(rest, side)[:, :, 0]
    return np.asarray(step)


def _profile(parameter: Floats, dx: Floats, dy: Floats) -> tuple[Floats, Floats]:
    """Return the model (n_star, n_pixel) and its derivatives (n_star, 6, n_pixel)."""
    x, y, log_width, inverse, amplitude, background = (p[:, np.newaxis] for p in parameter.T)
    u, v = dx - x, dy - y
    doubled = 2.0**inverse
    # One over the square of alpha, of which the width is 2 alpha sqrt(2^(1 / beta) - 1).
    narrow = 4 * np.exp(-2 * log_width) * (doubled - 1)
    part = u * u
    part += v * v
    part *= narrow
    q = 1 + part
    log_q = np.log(q)
    shape = np.exp(-log_q / inverse)
    part /= q
    light = amplitude * shape / inverse
    slope = light * (2 * narrow) / q
    jacobian = np.empty((len(parameter), 6, dx.shape[1]))
    np.multiply(slope, u, out=jacobian[:, 0])
    np.multiply(slope, v, out=jacobian[:, 1])
    np.multiply(2 * light, part, out=jacobian[:, 2])
    np.multiply(light, log_q / inverse - part * (math.log(2.0) * doubled / (doubled - 1)), out=jacobian[:, 3])
    jacobian[:, 4] = shape
    jacobian[:, 5] = 1.0
    return amplitude * shape + background, jacobian
