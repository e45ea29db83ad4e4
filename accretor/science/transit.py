"""A planet before a star: orbit, contacts, and the light lost under any law of limb darkening."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Floats

Law = Callable[[Floats], Floats]
"""Intensity as a function of mu, the cosine of the angle from the centre of the disc."""

Parts = Callable[[Floats], tuple[Floats, Floats]]
"""Intensity as a function of mu in two parts: without its first coefficient, and what that one takes off."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
_ANGLE = 0.5 * np.pi * _NODES
_SINE, _COSINE_WEIGHT = np.sin(_ANGLE), 0.5 * np.pi * np.cos(_ANGLE) * _WEIGHTS


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
    rings = _rings(distance[touching], k)
    lost = np.sum(law(rings.mu) * rings.area, axis=1) + _disc(rings.core, law)
    result[touching] = 1 - lost / _disc(np.zeros(1), law)
    return result


@dataclass(frozen=True)
class Slopes:
    """Flux and its derivatives."""

    flux: Floats
    """As :func:`flux` returns it."""
    by_z: Floats
    by_k: Floats
    by_first: Floats
    """By the first coefficient of the limb darkening."""


def slopes(z: Floats, k: float, first: float, parts: Parts) -> Slopes:
    """Return the flux of a star with a dark planet before it, and its derivatives.

    What a planet that grows or moves takes away lies on its limb: the derivatives are integrals of
    the intensity along the part of the limb that is before the star, by k as it is, by z times
    the cosine of the angle to the line of centres.

    Parameters
    ----------
    z : (...) float64
        Distance of the centres, stellar radii; not negative.
    k : float
        Planet radius over stellar radius; positive.
    first : float
        First coefficient of the limb darkening.
    parts : Parts
        Intensity of the star: its first part less *first* times its second.
    """

    def law(mu: Floats) -> Floats:
        plain, fading = parts(mu)
        return plain - first * fading

    def fade(mu: Floats) -> Floats:
        return parts(mu)[1]

    found = Slopes(np.ones(z.shape), np.zeros(z.shape), np.zeros(z.shape), np.zeros(z.shape))
    touching = z < 1 + k
    if not touching.any():
        return found
    near = z[touching]
    rings = _rings(near, k)
    plain, fading = parts(rings.mu)
    lost = np.sum((plain - first * fading) * rings.area, axis=1) + _disc(rings.core, law)
    lost_fading = np.sum(fading * rings.area, axis=1) + _disc(rings.core, fade)
    whole, whole_fading = _disc(np.zeros(1), law), _disc(np.zeros(1), fade)

    # From where the limb of the planet enters the star, counted from its far side, to its near side.
    reach = (1 - near**2 - k**2) / np.maximum(2 * k * near, 1e-300)
    start = np.arccos(np.clip(reach, -1.0, 1.0))[:, np.newaxis]
    half = 0.5 * (np.pi - start)
    cosine = np.cos(start + half * (1 + _SINE))
    r2 = near[:, np.newaxis] ** 2 + k**2 + 2 * k * near[:, np.newaxis] * cosine
    along = law(np.sqrt(np.maximum(0.0, 1 - r2))) * half * _COSINE_WEIGHT
    by_k, by_z = 2 * k * along.sum(axis=1), 2 * k * (along * cosine).sum(axis=1)
    found.flux[touching] = 1 - lost / whole
    found.by_z[touching] = -by_z / whole
    found.by_k[touching] = -by_k / whole
    found.by_first[touching] = (lost_fading - lost * whole_fading / whole) / whole
    return found


@dataclass(frozen=True)
class _Rings:
    """The rings of a star that a planet covers in part, one row for each distance of the centres."""

    mu: Floats
    """(n, n_ring)"""
    area: Floats
    """(n, n_ring) that is covered."""
    core: Floats
    """(n,) mu at the edge of the central disc that is covered whole; 1 where there is none."""


def _rings(distance: Floats, k: float) -> _Rings:
    near = distance[:, np.newaxis]
    inner, outer = np.minimum(np.abs(near - k), 1.0), np.minimum(1.0, near + k)
    half = 0.5 * (outer - inner)
    radius = 0.5 * (inner + outer) + half * _SINE
    # At z = 0 the rings are covered wholly or not at all, and the interval has no length.
    cosine = (radius**2 + near**2 - k**2) / np.maximum(2 * radius * near, 1e-300)
    covered = 2 * np.arccos(np.clip(cosine, -1.0, 1.0))
    mu = np.sqrt(np.maximum(0.0, 1 - radius**2))
    core = np.clip(k - distance, 0.0, 1.0)
    return _Rings(mu, covered * radius * half * _COSINE_WEIGHT, np.sqrt(1 - core**2))


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
    moment = _moments(time, exposure)
    z = separation(moment, tc=tc, period=period, a_rs=a_rs, impact=impact)
    return np.asarray(flux(z, k, law).mean(axis=1))


def light_curve_slopes(
    time: Floats,
    exposure: Floats,
    *,
    tc: float,
    period: float,
    k: float,
    a_rs: float,
    impact: float,
    first: float,
    parts: Parts,
) -> tuple[Floats, Floats]:
    """Return the light curve of :func:`light_curve`, and its derivatives.

    Parameters
    ----------
    time, exposure, tc, period, k, a_rs, impact
        As of :func:`light_curve`.
    first, parts
        As of :func:`slopes`.

    Returns
    -------
    flux : (n,) float64
    slope : (n, 5) float64
        By tc (per day), k, a_rs, impact and first.
    """
    moment = _moments(time, exposure)
    z = separation(moment, tc=tc, period=period, a_rs=a_rs, impact=impact)
    found = slopes(z, k, first, parts)
    phase = 2 * np.pi * (moment - tc) / period
    sine, cosine = np.sin(phase), np.cos(phase)
    # z^2 = (a sin)^2 + (b cos)^2; at z = 0 the flux has no slope in z.
    by_z = found.by_z / np.where(z > 0, z, 1.0)
    columns = (
        by_z * (impact**2 - a_rs**2) * sine * cosine * 2 * np.pi / period,
        found.by_k,
        by_z * a_rs * sine**2,
        by_z * impact * cosine**2,
        found.by_first,
    )
    return found.flux.mean(axis=1), np.stack([column.mean(axis=1) for column in columns], axis=1)


def _moments(time: Floats, exposure: Floats) -> Floats:
    """Return the middles of the parts that exposures are divided in, (n, n_part), day."""
    n_part = max(3, math.ceil(float(np.max(exposure, initial=0.0)) / 120))
    offset = (np.arange(n_part) + 0.5) / n_part - 0.5
    return np.asarray(time[:, np.newaxis] + offset * (exposure / 86400)[:, np.newaxis])


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
