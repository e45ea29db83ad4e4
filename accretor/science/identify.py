"""Which star of a catalogue a star of ours is, by their directions."""

from __future__ import annotations

import numpy as np

from accretor.core.arrays import Floats, Integers


def nearest(ra: Floats, dec: Floats, other_ra: Floats, other_dec: Floats, radius: float) -> Integers:
    """Return for each star the index of the other that is meant, -1 if there is none.

    Two stars are the same if each is the nearest to the other, so that no star of a
    catalogue is taken for two of ours.

    Parameters
    ----------
    ra, dec : (n,) float64, degree
        NaN for a star of unknown place.
    other_ra, other_dec : (m,) float64, degree
    radius : float, arcsec
        Greatest distance.
    """
    from scipy.spatial import cKDTree

    found = np.full(len(ra), -1, dtype=np.int64)
    placed = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    listed = np.flatnonzero(np.isfinite(other_ra) & np.isfinite(other_dec))
    if not len(placed) or not len(listed):
        return found
    ours, theirs = _unit(ra[placed], dec[placed]), _unit(other_ra[listed], other_dec[listed])
    distance, there = cKDTree(theirs).query(ours, distance_upper_bound=_chord(radius))
    near = np.flatnonzero(np.isfinite(distance))
    _, back = cKDTree(ours).query(theirs[there[near]])
    mutual = near[back == near]
    found[placed[mutual]] = listed[there[mutual]]
    return found


def crowding(ra: Floats, dec: Floats, magnitude: Floats, star: Integers, radius: float) -> Floats:
    """Return the light of other stars of a catalogue within *radius* arcsec, over the star's own.

    Parameters
    ----------
    ra, dec, magnitude : (m,) float64
        Of the catalogue.
    star : (n,) int64
        Indices of the stars asked about; -1 gives NaN.
    """
    from scipy.spatial import cKDTree

    found = np.full(len(star), np.nan)
    listed = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec) & np.isfinite(magnitude))
    if not len(listed):
        return found
    unit = _unit(ra, dec)
    tree = cKDTree(unit[listed])
    for i, own in enumerate(star.tolist()):
        if own < 0 or not np.isfinite(magnitude[own]):
            continue
        around = listed[tree.query_ball_point(unit[own], _chord(radius))]
        others = magnitude[around[around != own]]
        found[i] = float((10 ** (-0.4 * (others - magnitude[own]))).sum())
    return found


def _unit(ra: Floats, dec: Floats) -> Floats:
    a, d = np.radians(ra), np.radians(dec)
    return np.column_stack((np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)))


def _chord(arcsec: float) -> float:
    return float(2 * np.sin(np.radians(arcsec / 3600) / 2))
