"""Where stars are at another time: proper motion on the sphere."""

from __future__ import annotations

import numpy as np

from accretor.core.arrays import Floats

_MAS = np.radians(1 / 3.6e6)


def moved(ra: Floats, dec: Floats, pm_ra: Floats, pm_dec: Floats, years: float) -> tuple[Floats, Floats]:
    """Return the directions of stars *years* later, by their proper motions.

    A star moves along a straight line in space, seen from far away (ESA 1997, SP-1200, vol. 1, section
    1.5.5, without parallax and radial velocity); nothing is special at the poles or at 0 h.

    Parameters
    ----------
    ra, dec : (n_star,) float64, degree
    pm_ra, pm_dec : (n_star,) float64, milliarcsec per year
        That of ra times cos(dec). A star with a NaN in either is taken to stand still.
    years : float
        Julian years; negative for earlier.

    Returns
    -------
    ra, dec : (n_star,) float64, degree
        With 0 <= ra < 360.
    """
    a, d = np.radians(ra), np.radians(dec)
    is_known = np.isfinite(pm_ra) & np.isfinite(pm_dec)
    east = np.where(is_known, pm_ra, 0.0) * _MAS * years
    north = np.where(is_known, pm_dec, 0.0) * _MAS * years
    radial = np.cos(d) - north * np.sin(d)
    x = radial * np.cos(a) - east * np.sin(a)
    y = radial * np.sin(a) + east * np.cos(a)
    z = np.sin(d) + north * np.cos(d)
    new_ra = np.degrees(np.arctan2(y, x)) % 360
    new_dec = np.degrees(np.arctan2(z, np.hypot(x, y)))
    # A star that does not move keeps its bits.
    stays = (east == 0) & (north == 0)
    return np.where(stays, ra, new_ra % 360), np.where(stays, dec, new_dec)
