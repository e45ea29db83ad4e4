"""What errors a relative flux should have: the sky above the telescope and the ensemble."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Floats


def scintillation(
    airmass: Floats, exposure: Floats, *, diameter: float, height: float, coefficient: float
) -> Floats:
    """Return the standard deviation of relative flux from scintillation, long exposures.

    Osborn et al. (2015), MNRAS 452, 1707, equation 7:
    sigma^2 = 1e-5 C_Y^2 D^(-4/3) t^-1 X^3 exp(-2 h / 8000 m).

    Parameters
    ----------
    airmass : (n,) float64
    exposure : (n,) float64
        Second.
    diameter : float
        Clear aperture of the telescope, m.
    height : float
        Of the site above the sea, m.
    coefficient : float
        C_Y, m^(2/3) s^(1/2): 1.56 is the median of their sites, 1.3 to 1.7 the range.

    Returns
    -------
    (n,) float64
        Fraction of the flux.
    """
    variance = (
        1e-5 * coefficient**2 * diameter ** (-4 / 3) / exposure * airmass**3 * np.exp(-2 * height / 8000)
    )
    return np.asarray(np.sqrt(variance))


def fractional_error(flux: Floats, flux_error: Floats, scintillation_error: Floats) -> Floats:
    """Return the relative error of each flux: photons, sky and read-out with scintillation.

    Parameters
    ----------
    flux, flux_error : (n, ...) float64, electron
        NaN, or a flux that is not positive, gives NaN.
    scintillation_error : (n,) float64
        Fraction of the flux, for each frame; zeros if the telescope is not known.
    """
    shape = (-1,) + (1,) * (flux.ndim - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(flux > 0, flux_error / flux, np.nan)
    return np.asarray(np.hypot(ratio, scintillation_error.reshape(shape)))


@dataclass(frozen=True)
class Budget:
    """What the scatter of a star should be, by its flux."""

    flux: Floats
    """(n,) electron."""
    photon: Floats
    """(n,) from the star's own photons; fraction of the flux, as all that follow."""
    background: Floats
    """(n,) from sky, dark current, read-out, and the error of the sky level."""
    scintillation: Floats
    """(n,)"""

    @property
    def total(self) -> Floats:
        """(n,) of all three."""
        return np.asarray(np.sqrt(self.photon**2 + self.background**2 + self.scintillation**2))


def budget(
    flux: Floats,
    *,
    area: float,
    sky_variance: float,
    sky_area: float,
    scintillation_error: float,
    level_variance: float = math.pi / 2,
) -> Budget:
    """Return the expected noise of stars of *flux* electron, by the CCD equation.

    Merline & Howell (1995), Experimental Astronomy 6, 163.

    Parameters
    ----------
    flux : (n,) float64, electron
    area : float, pixel
        Of the aperture.
    sky_variance : float, electron^2
        Of one pixel of sky, read-out included.
    sky_area : float, pixel
        Pixels from which the sky level is taken.
    scintillation_error : float
        Fraction of the flux; 0 where the telescope is not known.
    level_variance : float
        Variance of the sky level, times that of a pixel over their number: that of a median.
    """
    variance = area * (1 + level_variance * area / sky_area) * sky_variance
    return Budget(
        flux=flux,
        photon=1 / np.sqrt(flux),
        background=np.sqrt(variance) / flux,
        scintillation=np.full(len(flux), scintillation_error),
    )
