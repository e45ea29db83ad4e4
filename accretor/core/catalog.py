"""A catalogue of stars, in the same words whoever made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accretor.core.arrays import Floats, Strings


@dataclass(frozen=True)
class Catalog:
    """Stars of a part of the sky.

    All arrays have one element per star; what is unknown is nan.
    """

    name: str
    """Short name of the catalogue: ``gaia_dr3``, ``tic``, ``apass_dr9`` ..."""
    epoch: float
    """Julian year of the positions."""
    identifier: Strings
    """Name of each star in the catalogue, digits only where it is a number."""
    ra: Floats
    """Right ascension, ICRS, degree, at the epoch."""
    dec: Floats
    """Declination, ICRS, degree, at the epoch."""
    pm_ra: Floats
    """Proper motion in right ascension times cos(dec), milliarcsec per year."""
    pm_dec: Floats
    """Proper motion in declination, milliarcsec per year."""
    magnitude: Mapping[str, Floats]
    """By band: ``G BP RP`` of Gaia, ``Tmag``, ``B V g r i z`` ..."""
    magnitude_error: Mapping[str, Floats]
    """Standard errors, by the same bands."""
    system: Mapping[str, Literal["AB", "Vega"]]
    """Of each band."""
    flag: Strings
    """Why a star is not to be trusted (``blend``, ``variable`` ...); empty if nothing is known against it."""

    def __len__(self) -> int:
        """Return the number of stars."""
        return len(self.ra)
