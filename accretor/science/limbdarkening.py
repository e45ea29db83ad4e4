"""Limb darkening of a star of known temperature, without tables and without a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from accretor.core.arrays import Floats

Law = Literal["power-2", "quadratic"]
"""Shapes of the limb darkening that a transit can be fitted with."""

SUN_TEFF = 5770.0
SUN_LOGG = 4.4

WAVELENGTH = {
    "U": 0.36,
    "B": 0.44,
    "V": 0.55,
    "R": 0.64,
    "Rc": 0.64,
    "I": 0.79,
    "Ic": 0.79,
    "up": 0.356,
    "gp": 0.475,
    "rp": 0.622,
    "ip": 0.755,
    "zs": 0.87,
    "zp": 0.90,
    "I+z": 0.85,
    "TESS": 0.75,
    "clear": 0.62,
    "CBB": 0.70,
}
"""Effective wavelength of the filters, micrometre; ``clear`` is a bare silicon CCD."""

SHORTEST, LONGEST = 0.51, 0.79
"""Range of wavelength in which the fit is good, micrometre."""

COOLEST, HOTTEST = 3500.0, 8000.0
"""Range of temperature in which the fit is good, K."""

# A least-squares fit to table 1 (ATLAS, 2 km/s) of Claret & Southworth 2022, A&A 664, A128, for
# 3500-8000 K, logg 3.5-5, [M/H] -1 to 0.5, 0.51-0.79 um. Its residuals change a transit of 10 ppt by
# 0.04 ppt (median), 0.28 ppt (95 per cent). Exponents are of t, l, s: see power2. The terms in [M/H] are
# left out: solar metallicity.
_EXPONENTS = (
    (0, 0, 0), (0, 1, 0), (0, 2, 0), (0, 3, 0), (1, 0, 0), (1, 1, 0), (1, 2, 0), (1, 3, 0), (2, 0, 0),
    (2, 1, 0), (2, 2, 0), (3, 0, 0), (3, 1, 0), (4, 0, 0), (0, 0, 1), (1, 0, 1), (0, 1, 1), (2, 0, 1),
    (0, 0, 2),
)  # fmt: skip
_G = (
    0.745788, -0.144047, -0.013472, 0.094019, -0.029765, -0.092161, -0.000748, 0.183662, 0.00103, 0.01486,
    -0.005234, -0.035222, -0.019103, 0.018712, -0.007072, -0.008273, 0.004946, 0.037216, 0.000581,
)  # fmt: skip
_H = (
    0.685393, -0.317442, -0.006399, 0.368011, -0.463815, 0.102548, -0.005467, 0.121069, 0.160348, 0.058365,
    -0.049335, 0.398533, -0.148121, -0.249224, 0.015325, 0.078723, 0.021673, -0.199673, -0.001232,
)  # fmt: skip


@dataclass(frozen=True)
class LimbDarkening:
    """Power-2 law I(mu) = 1 - g (1 - mu^h)."""

    g: float
    h: float
    g_error: float
    """How well g is known beforehand."""
    remarks: tuple[str, ...]
    """What had to be assumed, in words."""

    def coefficients(self, law: Law) -> tuple[float, float, float]:
        """Return what a fit needs of a law: first coefficient, second one, and the error of the first.

        The quadratic law is the nearest to the power-2 law. Its u1 has the error by which the
        light of the whole disc is as uncertain as it is by that of g; u2 is held, as h is.
        """
        if law == "power-2":
            return self.g, self.h, self.g_error
        # The nearest quadratic law is linear in g, and the disc has 1 - u1 / 3 - u2 / 6 of the light.
        slope = quadratic(1.0, self.h)
        return *quadratic(self.g, self.h), self.g_error * (slope[0] + slope[1] / 2)


def power2(teff: float, logg: float, wavelength: float) -> tuple[float, float]:
    """Return g and h of the law I(mu) = 1 - g (1 - mu^h), solar metallicity.

    Parameters
    ----------
    teff : float
        Effective temperature, K; held within 3500 to 8000.
    logg : float
        Surface gravity, log10(cm s-2); held within 3.5 to 5.
    wavelength : float
        Micrometre; held within 0.45 to 0.90, good within 0.51 to 0.79.
    """
    t = (np.clip(teff, COOLEST, HOTTEST) - 5750) / 2250
    l = 3 * np.log(np.clip(wavelength, 0.45, 0.90) / 0.63)  # noqa: E741  # the letter of the fit
    s = np.clip(logg, 3.5, 5.0) - 4.25
    basis = np.array([t**i * l**j * s**k for i, j, k in _EXPONENTS])
    g = float(np.clip(basis @ np.array(_G), 0.05, 0.95))
    h = float(np.clip(basis @ np.array(_H), 0.2, 1.5))
    return g, h


def of_star(teff: float | None, logg: float | None, filter_name: str) -> LimbDarkening:
    """Return the limb darkening of a star through a filter, and what had to be assumed for it.

    An unknown star is taken for the Sun: g hardly depends on the temperature. Outside
    the range of the fit the prior on g is twice as wide.
    """
    remarks: list[str] = []
    if teff is None:
        remarks.append("limb darkening of the Sun assumed: teff of the target is not given")
        teff = SUN_TEFF
    wavelength = WAVELENGTH.get(filter_name)
    if wavelength is None:
        remarks.append(
            f"limb darkening at 0.62 um assumed: the wavelength of filter {filter_name!r} is not known"
        )
        wavelength = WAVELENGTH["clear"]
    is_inside = True
    if not SHORTEST <= wavelength <= LONGEST:
        is_inside = False
        remarks.append(f"limb darkening extrapolated to filter {filter_name}")
    if not COOLEST <= teff <= HOTTEST:
        is_inside = False
        remarks.append(f"limb darkening extrapolated to {teff:.0f} K")
    g, h = power2(teff, SUN_LOGG if logg is None else logg, wavelength)
    return LimbDarkening(g, h, 0.1 if is_inside else 0.2, tuple(remarks))


def intensity(mu: Floats, g: float, h: float) -> Floats:
    """Return the power-2 intensity at *mu* (any shape), 1 at the centre of the disc."""
    return np.asarray(1 - g * (1 - mu**h))


def profile(law: Law, first: float, second: float, mu: Floats) -> Floats:
    """Return the intensity at *mu* (any shape) by the coefficients of a law, 1 at the centre of the disc."""
    plain, fading = parts(law, second, mu)
    return np.asarray(plain - first * fading)


def parts(law: Law, second: float, mu: Floats) -> tuple[Floats, Floats]:
    """Return the intensity at *mu* (any shape) without its first coefficient, and what that one takes off."""
    if law == "power-2":
        return np.ones(mu.shape), np.asarray(1 - mu**second)
    return np.asarray(1 - second * (1 - mu) ** 2), np.asarray(1 - mu)


def limits(law: Law, second: float) -> tuple[float, float]:
    """Return the least and the greatest first coefficient of a disc that darkens to its limb, down to black.

    For the quadratic law with u2 = *second* these are Kipping's (2013, MNRAS 435, 2152).
    """
    if law == "power-2":
        return 0.0, 1.0
    return max(0.0, -2 * second), 1 - second


def quadratic(g: float, h: float) -> tuple[float, float]:
    """Return u1, u2 of I = 1 - u1 (1 - mu) - u2 (1 - mu)^2 nearest to a power-2 law, equal weight in mu."""
    mu = np.linspace(0.01, 1.0, 100)
    basis = np.stack([1 - mu, (1 - mu) ** 2], axis=1)
    u1, u2 = np.linalg.lstsq(basis, 1 - intensity(mu, g, h), rcond=None)[0]
    return float(u1), float(u2)
