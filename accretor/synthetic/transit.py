"""The transit of the simulator: the dimmed light summed over rings of the star.

It shares no code with the model that is fitted, so that the two can be compared.
"""

from __future__ import annotations

import math

import numpy as np

from accretor.core.arrays import Floats
from accretor.synthetic.night import Transit

N_RING = 400
"""Rings under the planet; doubling it changes the flux by less than 1e-7."""


def dimmed_flux(distance: Floats, rp_rs: float, limb_darkening: tuple[float, float]) -> Floats:
    """Return the flux of a star before which stands a dark planet.

    A ring of radius r loses the part of its circumference that the planet
    covers, arccos((r^2 + z^2 - k^2) / (2 r z)) / pi. The radii are spaced like a
    cosine, which takes the roots at both ends of the integral away.

    Parameters
    ----------
    distance : (n,) float64, stellar radius
        From the centre of the star to that of the planet, z.
    rp_rs : float
        Radius of the planet in stellar radii, k; below 1.
    limb_darkening : (c, alpha)
        Power-2 law, I(mu) = 1 - c (1 - mu^alpha).

    Returns
    -------
    (n,) float64
        1 where the planet is off the star.
    """
    c, alpha = limb_darkening
    z = np.maximum(np.asarray(distance, dtype=np.float64), 1e-9)[:, np.newaxis]
    inner, outer = np.abs(z - rp_rs), np.minimum(1.0, z + rp_rs)
    angle = (np.arange(N_RING) + 0.5) * np.pi / N_RING
    half = np.maximum(outer - inner, 0.0) / 2
    r = np.minimum(inner + half * (1 - np.cos(angle)), 1.0)
    width = half * np.sin(angle) * np.pi / N_RING
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = (r**2 + z**2 - rp_rs**2) / (2 * r * z)
    covered = np.arccos(np.clip(np.nan_to_num(cosine, nan=1.0), -1, 1)) / np.pi
    mu = np.sqrt(1 - r**2)
    lost = np.sum((1 - c * (1 - mu**alpha)) * covered * 2 * r * width, axis=1)
    # Rings so small that the planet covers them whole.
    lost += _light_within(np.maximum(rp_rs - z[:, 0], 0.0), c, alpha)
    return np.asarray(1 - lost / _light_within(np.ones(1), c, alpha))


def _light_within(radius: Floats, c: float, alpha: float) -> Floats:
    """Return the light inside *radius* over pi, the integral of I(r) 2 r dr."""
    square = 1 - radius**2
    return np.asarray((1 - c) * (1 - square) + 2 * c / (alpha + 2) * (1 - square ** (alpha / 2 + 1)))


def separation(time: Floats, transit: Transit) -> Floats:
    """Return the distance of the centres at *time* (BJD_TDB), stellar radius; infinite behind the star."""
    phase = 2 * np.pi * (time - transit.t0) / transit.period
    across = transit.a_rs * np.sin(phase)
    along = transit.impact * np.cos(phase)
    return np.asarray(np.where(np.cos(phase) > 0, np.hypot(across, along), np.inf))


def mean_flux(time: Floats, exposure: float, transit: Transit, n_sample: int = 15) -> Floats:
    """Return the flux of the star at mid-exposures *time*, averaged over *exposure* seconds.

    Parameters
    ----------
    time : (n,) float64, BJD_TDB
    exposure : float, second
    transit : Transit
    n_sample : int
        Instants in each exposure.

    Returns
    -------
    (n,) float64
        Relative to the flux out of transit.
    """
    offset = ((np.arange(n_sample) + 0.5) / n_sample - 0.5) * exposure / 86400
    instants = (time[:, np.newaxis] + offset).ravel()
    distance = np.minimum(separation(instants, transit), 1 + 2 * transit.rp_rs)
    flux = dimmed_flux(distance, transit.rp_rs, transit.limb_darkening)
    return np.asarray(flux.reshape(time.size, n_sample).mean(axis=1))


def duration(transit: Transit) -> float:
    """Return the time from first to fourth contact, hour (Winn 2010, eq. 14)."""
    cos_i = transit.impact / transit.a_rs
    sin_i = math.sqrt(1 - cos_i**2)
    chord = math.sqrt(max((1 + transit.rp_rs) ** 2 - transit.impact**2, 0.0))
    return transit.period * 24 / math.pi * math.asin(chord / (transit.a_rs * sin_i))


def nearest_mid(time: float, transit: Transit) -> float:
    """Return the mid-transit time nearest to *time*, BJD_TDB."""
    return transit.t0 + round((time - transit.t0) / transit.period) * transit.period
