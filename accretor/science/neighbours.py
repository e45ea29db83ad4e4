"""The stars around a target: where, how bright in the band of TESS, how near to one another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from accretor.core.arrays import Booleans, Floats, Integers

SAME_STAR = 1.5
"""Arcsec within which stars of two catalogues are one; the pixel of TESS's own catalogue is not smaller."""
TARGET_REACH = 4.0
"""Arcsec from the target's coordinates up to which a star can be the target."""
COLOURS = (-0.2, 3.5)
"""BP - RP for which the magnitude of TESS follows from Gaia's."""


def tess_magnitude(magnitude: Mapping[str, Floats]) -> Floats:
    """Return magnitudes in the band of TESS.

    ``Tmag`` where it is known; else T = G - 0.00522555 c^3 + 0.0891337 c^2 - 0.633923 c + 0.0324473
    with c = BP - RP, or T = G - 0.430 where that colour is not known or not within -0.2 to 3.5
    (Stassun et al. 2019, AJ 158, 138, section 2.2.1).

    Parameters
    ----------
    magnitude : mapping of band to (n,) float64
        ``Tmag``, ``G``, ``BP``, ``RP``, as far as there are any.

    Returns
    -------
    (n,) float64
        NaN for a star of which none of these is known.
    """
    n = len(next(iter(magnitude.values()), np.empty(0)))
    unknown = np.full(n, np.nan)
    green, blue, red = (magnitude.get(band, unknown) for band in ("G", "BP", "RP"))
    colour = blue - red
    with np.errstate(invalid="ignore"):
        is_usual = (colour >= COLOURS[0]) & (colour <= COLOURS[1])
    c = np.where(is_usual, colour, 0.0)
    polynomial = -0.00522555 * c**3 + 0.0891337 * c**2 - 0.633923 * c + 0.0324473
    found = green + np.where(is_usual, polynomial, -0.430)
    told = magnitude.get("Tmag", unknown)
    return np.where(np.isfinite(told), told, found)


def offsets(ra: Floats, dec: Floats, target: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return separation (arcsec) and position angle (degree, east of north) of stars from the *target*.

    Parameters
    ----------
    ra, dec : (n,) float64, degree
    target : (float, float)
        Right ascension and declination, degree.
    """
    a, d = np.radians(ra - target[0]), np.radians(dec)
    d0 = math.radians(target[1])
    east = np.cos(d) * np.sin(a)
    north = np.sin(d) * math.cos(d0) - np.cos(d) * math.sin(d0) * np.cos(a)
    half = np.sin((d - d0) / 2) ** 2 + np.cos(d) * math.cos(d0) * np.sin(a / 2) ** 2
    separation = 2 * np.arcsin(np.minimum(1.0, np.sqrt(half)))
    return np.degrees(separation) * 3600, np.degrees(np.arctan2(east, north)) % 360


def find_target(separation: Floats, magnitude: Floats) -> int:
    """Return which star is the target: the brightest within 1.5 arcsec, or the nearest within 4; else -1.

    Parameters
    ----------
    separation : (n,) float64, arcsec
        From the coordinates of the target.
    magnitude : (n,) float64
        NaN counts as faint.
    """
    near = np.flatnonzero(separation <= SAME_STAR)
    if near.size:
        return int(near[np.argmin(np.where(np.isfinite(magnitude[near]), magnitude[near], np.inf))])
    if separation.size and separation.min() <= TARGET_REACH:
        return int(separation.argmin())
    return -1


def unmatched(ra: Floats, dec: Floats, known_ra: Floats, known_dec: Floats) -> Booleans:
    """Return which stars are further than 1.5 arcsec from every known one, (n,).

    Parameters
    ----------
    ra, dec : (n,) float64, degree
    known_ra, known_dec : (m,) float64, degree
    """
    if not len(known_ra):
        return np.ones(len(ra), dtype=bool)
    return np.asarray(_nearest(ra, dec, known_ra, known_dec) > SAME_STAR)


def nearest(ra: Floats, dec: Floats) -> Floats:
    """Return how far the nearest other star is from each, (n,) arcsec; inf for a star alone.

    *ra* and *dec* are (n,), degree.
    """
    if len(ra) < 2:
        return np.full(len(ra), np.inf)
    plane = _plane(ra, dec, float(ra[0]), float(dec[0]))
    distance = np.hypot(*(plane[:, np.newaxis] - plane).transpose(2, 0, 1))
    np.fill_diagonal(distance, np.inf)
    return np.asarray(distance.min(axis=1))


def match(xy: Floats, other: Floats, reach: float) -> tuple[Integers, Integers]:
    """Return indices of positions that are each other's nearest and within *reach*.

    Parameters
    ----------
    xy : (n, 2) float64
    other : (m, 2) float64
    reach : float
        In the same unit.

    Returns
    -------
    (k,) int64, (k,) int64
        Indices into *xy* and into *other*.
    """
    if not len(xy) or not len(other):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    distance = np.hypot(*(xy[:, np.newaxis] - other).transpose(2, 0, 1))
    there = distance.argmin(axis=1)
    is_mutual = distance.argmin(axis=0)[there] == np.arange(len(xy))
    one = np.flatnonzero(is_mutual & (distance[np.arange(len(xy)), there] <= reach))
    return one, there[one]


def _nearest(ra: Floats, dec: Floats, other_ra: Floats, other_dec: Floats) -> Floats:
    centre = float(other_ra[0]), float(other_dec[0])
    first, second = _plane(ra, dec, *centre), _plane(other_ra, other_dec, *centre)
    return np.asarray(np.hypot(*(first[:, np.newaxis] - second).transpose(2, 0, 1)).min(axis=1))


def _plane(ra: Floats, dec: Floats, ra0: float, dec0: float) -> Floats:
    """Return (n, 2) places on the tangent plane, arcsec."""
    a, d, d0 = np.radians(ra - ra0), np.radians(dec), math.radians(dec0)
    toward = math.sin(d0) * np.sin(d) + math.cos(d0) * np.cos(d) * np.cos(a)
    east = np.cos(d) * np.sin(a) / toward
    north = (math.cos(d0) * np.sin(d) - math.sin(d0) * np.cos(d) * np.cos(a)) / toward
    return np.degrees(np.column_stack([east, north])) * 3600
