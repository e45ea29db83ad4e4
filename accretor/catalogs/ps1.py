"""Pan-STARRS1 DR1, from VizieR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accretor.catalogs.source import Raw, Source, flags, has_bits, measured, numbers, vizier

if TYPE_CHECKING:
    from accretor.core.arrays import Strings

_SATURATED = {"g": 14.5, "r": 15.0, "i": 15.0, "z": 14.0, "y": 13.0}
"""AB magnitudes of saturation (Magnier et al. 2013, ApJS 205, 20)."""

_COLUMNS = {
    "identifier": "objID",
    "ra": "RAJ2000",
    "dec": "DEJ2000",
    **measured(_SATURATED, "{}mag", "e_{}mag"),
    "i_kron": "iKmag",
    "quality": "Qual",
}
EXTENDED = 0.05
"""Mag by which the Kron magnitude of a galaxy is brighter than that of a point (Farrow et al. 2014)."""
_SUSPICIOUS, _POOR = 64, 128


def flag(raw: Raw) -> Strings:
    """Flag what is extended, saturated in a band, or of poor quality by the catalogue's own bits."""
    import numpy as np

    is_saturated = np.any([numbers(raw, band) < limit for band, limit in _SATURATED.items()], axis=0)
    return flags(
        {
            "extended": (numbers(raw, "i") - numbers(raw, "i_kron") > EXTENDED) & (numbers(raw, "i") < 21),
            "saturated": is_saturated,
            "poor": has_bits(raw, "quality", _SUSPICIOUS | _POOR),
        }
    )


SOURCE = Source(
    name="ps1",
    title="Pan-STARRS1 DR1 (Chambers et al. 2016, arXiv:1612.05560)",
    epoch=2013.0,
    system=dict.fromkeys(_SATURATED, "AB"),
    passbands="Pan-STARRS1",
    main="i",
    bright=15.0,
    faint=21.5,
    density=1000.0,
    tables=vizier("II/349/ps1", _COLUMNS),
    flag=flag,
    declination=(-30.0, 90.0),
)
