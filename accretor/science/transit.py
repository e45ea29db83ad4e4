"""A planet before a star: orbit, contacts, and the light lost under any law of limb darkening."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from accretor.core.arrays import Floats

Law = Callable[[Floats], Floats]
"""Intensity as a function of mu, the cosine of the angle from the centre of the disc."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)


def flux(z: Floats, k: float, law: Law) -> Floats:
    """Return the flux of a star with a dark planet before it.

    The light under the planet is summed over rings of the star: a ring of radius
    r is covered along the angle 2 arccos[(r^2 + z^2 - k^2) / (2 r z)]. With
    r = middle + half sin(theta) the square roots at both ends of the integral
    vanish, and 24 Gauss-Legendre nodes give 1e-6 of the depth (the idea is in
    Kreidberg 2015, PASP 127, 1161).

    Parameters
    ----------
    z : (...) float64
        Distance of the centres, stellar radii.
    k : float
        Planet radius over stellar radius; not negative.
    law : Law
        Intensity of the star.

    Returns
    -------
    (...) float64
        1 where the planet is off the disc.
    """
    distance = np.abs(np.asarray(z, dtype=np.float64))
    result = np.ones(distance.shape)
    touching = distance < 1 + k
    if k <= 0 or not touching.any():
        return result
    near = distance[touching][:, np.newaxis]
    inner, outer = np.minimum(np.abs(near - k), 1.0), np.minimum(1.0, near + k)
    angle = 0.5 * np.pi * _NODES
    radius = 0.5 * (inner + outer) + 0.5 * (outer - inner) * np.sin(angle)
    # At z = 0 the rings are covered wholly or not at all, and the interval has no length.
    cosine = (radius**2 + near**2 - k**2) / np.maximum(2 * radius * near, 1e-300)
    covered = 2 * np.arccos(np.clip(cosine, -1.0, 1.0))
    mu = np.sqrt(np.maximum(0.0, 1 - radius**2))
    step = 0.5 * (outer - inner) * np.cos(angle) * 0.5 * np.pi
    lost = np.sum(law(mu) * covered * radius * step * _WEIGHTS, axis=1)
    core = np.clip(k - near[:, 0], 0.0, 1.0)
    lost += _disc(np.sqrt(1 - core**2), law)
    result[touching] = 1 - lost / _disc(np.zeros(1), law)
    return result


def _disc(mu: Floats, law: Law) -> Floats:
    """Return the light of the central disc out to *mu*: the integral of 2 pi I(mu) mu dmu up to 1."""
    low = mu[:, np.newaxis]
    node = 0.5 * (1 + low) + 0.5 * (1 - low) * _NODES
    return np.asarray(np.pi * (1 - mu) * np.sum(law(node) * node * _WEIGHTS, axis=1))


def separation(time: Floats, *, tc: float, period: float, a_rs: float, impact: float) -> Floats:
    """Return the sky-projected distance of planet and star on a circular orbit, stellar radii.

    Where the planet is behind the star the distance is infinite: no light is lost.

    Parameters
    ----------
    time : any shape, float64, day
    tc, period : float, day
        Of mid-transit; of the orbit.
    a_rs : float
        Semi-major axis in stellar radii.
    impact : float
        Impact parameter.

    Returns
    -------
    float64, shape of *time*
    """
    phase = 2 * np.pi * (time - tc) / period
    z = np.hypot(a_rs * np.sin(phase), impact * np.cos(phase))
    return np.where(np.cos(phase) > 0, z, np.inf)


def light_curve(
    time: Floats,
    exposure: Floats,
    *,
    tc: float,
    period: float,
    k: float,
    a_rs: float,
    impact: float,
    law: Law,
) -> Floats:
    """Return the flux of the star at each exposure, 1 out of transit, averaged over the exposure.

    Parameters
    ----------
    time : (n,) float64
        Mid-exposure, day.
    exposure : (n,) float64
        Second. It is divided in at least three parts, of at most two minutes
        (Kipping 2010, MNRAS 408, 1758).
    tc, period : float
        Day.
    k, a_rs, impact : float
        Planet radius, semi-major axis and impact parameter, stellar radii.
    law : Law
        Intensity of the star.
    """
    n_part = max(3, math.ceil(float(np.max(exposure, initial=0.0)) / 120))
    offset = (np.arange(n_part) + 0.5) / n_part - 0.5
    moment = time[:, np.newaxis] + offset * (exposure / 86400)[:, np.newaxis]
    z = separation(moment, tc=tc, period=period, a_rs=a_rs, impact=impact)
    return np.asarray(flux(z, k, law).mean(axis=1))


def duration(*, period: float, k: float, a_rs: float, impact: float, inner: bool = False) -> float:
    """Return the time from first to fourth contact, in the unit of *period* (Winn 2010, equation 14).

    With *inner*, from second to third contact. 0 if these contacts do not happen.
    """
    reach = (1 - k if inner else 1 + k) ** 2 - impact**2
    if reach <= 0 or impact >= a_rs:
        return 0.0
    sine = math.sqrt(reach / (a_rs**2 - impact**2))
    return period / math.pi * math.asin(min(1.0, sine))


def a_rs_of_duration(*, period: float, k: float, impact: float, full: float) -> float:
    """Return the semi-major axis, stellar radii, at which a transit lasts *full* (unit of *period*)."""
    sine = math.sin(math.pi * min(full / period, 0.5))
    return math.sqrt(impact**2 + max((1 + k) ** 2 - impact**2, 1e-6) / sine**2)
