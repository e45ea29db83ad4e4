"""Fit of a Moffat profile to many stars at once."""

from __future__ import annotations

import math

import numpy as np

from accretor.core.arrays import Floats, Image
from accretor.science.geometry import Stampable, stamp_pixels, stamps

N_ITERATION = 25
LOWEST, HIGHEST = math.log(1.05), math.log(50.0)
"""Of the logarithm of the exponent."""


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
    scale = np.maximum(value.max(axis=1) - np.median(value, axis=1), 1e-30)
    level = np.median(value, axis=1)
    data = (value - level[:, np.newaxis]) / scale[:, np.newaxis]
    parameter = np.zeros((n_star, 6))  # x, y, ln alpha, ln beta, amplitude, background
    parameter[:, 3] = np.log(3.0)
    parameter[:, 2] = np.log(fwhm / 2 / np.sqrt(2 ** (1 / 3.0) - 1))
    parameter[:, 4] = 1.0
    damping = np.full(n_star, 1e-2)
    model, jacobian = _profile(parameter, dx, dy)
    cost = ((data - model) ** 2).sum(axis=1)
    eye = np.eye(6)
    for _ in range(N_ITERATION):
        residual = data - model
        gradient = (jacobian @ residual[:, :, np.newaxis])[:, :, 0]
        hessian = jacobian @ jacobian.transpose(0, 2, 1)
        diagonal = np.einsum("nii->ni", hessian) + 1e-12
        damped = hessian + eye * (damping[:, np.newaxis] * diagonal)[:, :, np.newaxis]
        step = np.linalg.solve(damped, gradient[:, :, np.newaxis])[:, :, 0]
        # Half a pixel in e-folds at a time: a wild first step leaves the star for good.
        trial = parameter + np.minimum(np.maximum(step, -0.7), 0.7)
        trial[:, 3] = np.minimum(np.maximum(trial[:, 3], LOWEST), HIGHEST)
        trial_model, trial_jacobian = _profile(trial, dx, dy)
        trial_cost = ((data - trial_model) ** 2).sum(axis=1)
        better = trial_cost < cost
        gain = np.where(better, (cost - trial_cost) / cost, 0.0)
        if better.all():
            parameter, model, jacobian, cost = trial, trial_model, trial_jacobian, trial_cost
        elif better.any():
            parameter[better] = trial[better]
            model[better], jacobian[better], cost[better] = (
                trial_model[better],
                trial_jacobian[better],
                trial_cost[better],
            )
        damping = np.where(better, damping * 0.2, damping * 5.0)
        if np.all((better & (gain < 1e-6)) | (damping > 1e6)):
            break
    alpha, beta = np.exp(parameter[:, 2]), np.exp(parameter[:, 3])
    width = 2 * alpha * np.sqrt(2 ** (1 / beta) - 1)
    is_star = (np.hypot(parameter[:, 0], parameter[:, 1]) < fwhm) & (parameter[:, 4] > 0)
    is_star &= (width > 0.2 * fwhm) & (width < 5 * fwhm)
    return np.where(is_star, width, np.nan), beta


def _profile(parameter: Floats, dx: Floats, dy: Floats) -> tuple[Floats, Floats]:
    """Return the model (n_star, n_pixel) and its derivatives (n_star, 6, n_pixel)."""
    x, y, log_alpha, log_beta, amplitude, background = (p[:, np.newaxis] for p in parameter.T)
    beta = np.exp(log_beta)
    u, v = dx - x, dy - y
    inverse = np.exp(-2 * log_alpha)
    q = 1 + (u * u + v * v) * inverse
    log_q = np.log(q)
    shape = np.exp(-beta * log_q)
    slope = amplitude * beta * shape / q
    jacobian = np.empty((len(parameter), 6, dx.shape[1]))
    jacobian[:, 0] = 2 * slope * u * inverse
    jacobian[:, 1] = 2 * slope * v * inverse
    jacobian[:, 2] = 2 * slope * (q - 1)
    jacobian[:, 3] = -amplitude * shape * beta * log_q
    jacobian[:, 4] = shape
    jacobian[:, 5] = 1.0
    return amplitude * shape + background, jacobian
