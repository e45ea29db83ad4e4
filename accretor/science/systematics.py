"""How the depth depends on what was chosen: comparison stars, and aperture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from accretor.core.arrays import Booleans, Floats
from accretor.science import curve as curves
from accretor.science import differential, fit, solution
from accretor.science.curve import Curve
from accretor.science.fit import K
from accretor.science.siblings import NOTHING

if TYPE_CHECKING:
    from accretor.science.differential import Differential
    from accretor.science.lightcurve import Photometry

SPREAD_SIZES = (20, 40, 80)
"""Numbers of comparison stars for which the depth is fitted again."""


@dataclass(frozen=True)
class Depth:
    """Radius ratio through one aperture."""

    rp_rs: float
    rp_rs_error: float


def by_comparison(
    photometry: Photometry, scintillation: Floats, night: Differential, found: Curve, is_used: Booleans
) -> tuple[tuple[int, float], ...]:
    """Return rp_rs of fits with the 20, 40 and 80 weightiest comparison stars, and with all.

    Parameters
    ----------
    photometry : Photometry
    scintillation : (n_frame,) float64
        Relative error by the atmosphere.
    night : Differential
    found : Curve
        The fit with all of them.
    is_used : (n_frame,) bool

    Returns
    -------
    tuple of (n_comparison, rp_rs)
        () without a fit.
    """
    if found.problem is None or found.solution is None:
        return ()
    n_comparison = int(night.stars.is_comparison.sum())
    aperture = differential.at_radius(photometry, scintillation, night.radius_index)
    order = np.argsort(-night.stars.weight, kind="stable")
    result: list[tuple[int, float]] = []
    for size in (*(size for size in SPREAD_SIZES if size < n_comparison), n_comparison):
        is_comparison = np.zeros(len(order), dtype=bool)
        is_comparison[order[:size]] = True
        flux, error = differential.target_over(aperture, photometry.target, is_comparison)
        # A frame that none of the few stars has must not stop the fit.
        good = np.isfinite(error[is_used])
        problem = curves.restrict(
            replace(found.problem, flux=flux[is_used], error=error[is_used]), good, found.problem.basis
        )
        problem = fit.condense(problem, solution.MAX_POINT)
        result.append((size, float(fit.least_squares(problem, found.solution.parameter)[0][K])))
    return tuple(result)


def by_aperture(
    photometry: Photometry, scintillation: Floats, night: Differential, found: Curve, is_used: Booleans
) -> tuple[Depth, ...]:
    """Return the radius ratio through every aperture, the same frames, comparison stars and trend terms.

    A neighbour's light within the larger ones makes a transit shallower there, and a
    transit of the neighbour deeper. () without a fit; NaN through an aperture that
    has fewer points than a fit needs. The arguments are those of `by_comparison`.
    """
    if found.problem is None or found.solution is None or found.noise is None:
        return ()
    result: list[Depth] = []
    for index in range(len(photometry.radii)):
        aperture = differential.at_radius(photometry, scintillation, index)
        flux, error = differential.target_over(aperture, photometry.target, night.stars.is_comparison)
        flux, error = flux[is_used], error[is_used]
        good = np.isfinite(error)
        if good.sum() < curves.FEWEST_POINTS:
            result.append(Depth(np.nan, np.nan))
            continue
        problem = replace(found.problem, flux=np.where(good, flux, 1.0), error=np.where(good, error, NOTHING))
        problem = fit.condense(problem, solution.MAX_POINT)
        result.append(Depth(*solution.rp_rs_of(problem, found.noise, found.solution.parameter)))
    return tuple(result)
