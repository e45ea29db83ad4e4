"""What noise a night gives to its stars: learned from the comparison stars for the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from accretor.core.arrays import Booleans, Floats
from accretor.science import rednoise, solution, statistics
from accretor.science.siblings import Siblings

if TYPE_CHECKING:
    from accretor.science.differential import Differential
    from accretor.science.lightcurve import Photometry

LIKE_STARS = 24
"""Comparison stars, those nearest to the target in brightness, that tell what noise to expect."""

LIKE_MEASURED = 0.98
"""Part of the frames in which such a star must be measured."""

FEWEST_POINTS = 20
"""With fewer points nothing is learned."""


def siblings(photometry: Photometry, night: Differential, is_used: Booleans) -> Siblings:
    """Return the light curves of the comparison stars that are nearest to the target in brightness."""
    flux = np.nanmedian(photometry.flux[is_used, :, night.radius_index], axis=0)
    star = np.nonzero(night.stars.is_comparison & (flux > 0))[0]
    unlike = np.abs(np.log(flux[star] / flux[photometry.target]))
    star = star[np.argsort(unlike, kind="stable")[:LIKE_STARS]]
    value, error = night.comparison_flux[:, star] - 1, night.comparison_error[:, star]
    is_seen = np.isfinite(value[is_used]).mean(axis=0) >= LIKE_MEASURED
    return Siblings(value[:, is_seen], error[:, is_seen])


def log_prior(photometry: Photometry, stars: Siblings, is_used: Booleans) -> Floats:
    """Return the prior of the noise models for the target of this night, (rednoise.N_MODEL,).

    A detector without flat fields gives all its stars slow waves, a clean night gives
    none: the comparison stars tell which, and are not the target.
    """
    value, error = stars.value, stars.error
    good = is_used & np.isfinite(value).all(axis=1) & np.isfinite(error).all(axis=1)
    n_good = int(good.sum())
    if n_good < FEWEST_POINTS:
        return rednoise.plain_prior()
    time = photometry.time[good]
    start = statistics.blocks(time, -(-n_good // solution.MAX_POINT))
    size = np.diff(np.append(start, n_good))[:, np.newaxis]
    airmass = photometry.airmass[good]
    tilt = (airmass - airmass.mean()) / max(float(airmass.std()), 1e-9)
    basis = np.column_stack([np.ones(n_good), tilt])
    weight = error[good] ** -2.0
    total = np.add.reduceat(weight, start)
    return rednoise.learned_prior(
        time[0] + np.add.reduceat(time - time[0], start) / size[:, 0],
        np.add.reduceat(value[good] * weight, start) / total,
        total**-0.5,
        np.add.reduceat(basis, start) / size,
    )
