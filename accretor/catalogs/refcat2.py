"""ATLAS-REFCAT2: all-sky g r i z on the Pan-STARRS1 system, from VizieR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accretor.catalogs.source import Raw, Source, flags, has_bits, measured, numbers, vizier

if TYPE_CHECKING:
    from accretor.core.arrays import Strings

_BANDS = ("g", "r", "i", "z")
_COLUMNS = {
    "ra": "RA_ICRS",
    "dec": "DE_ICRS",
    "pm_ra": "pmRA",
    "pm_dec": "pmDE",
    **measured((*_BANDS, "G"), "{}mag", "e_{}mag"),
    "dupvar": "dupvar",
    "tenth": "rp1",
}
BLEND = 5.0
"""Arcsec within which the light of others reaches a tenth of the star's own (column rp1)."""
_VARIABLE, _DUPLICATE = 1, 4


def derive(raw: Raw) -> Raw:
    """Name each star by its position: the catalogue has no numbers."""
    import numpy as np

    raw["identifier"] = np.array(
        [f"{ra:.7f}{dec:+.7f}" for ra, dec in zip(raw["ra"].tolist(), raw["dec"].tolist(), strict=True)],
        dtype=np.str_,
    )
    return raw


def flag(raw: Raw) -> Strings:
    """Flag variable stars and duplicates of Gaia DR2, and stars with others near."""
    import numpy as np

    bits = np.nan_to_num(numbers(raw, "dupvar")).astype(np.int64)
    return flags(
        {
            "blend": numbers(raw, "tenth") < BLEND,
            "variable": (bits & 3) == _VARIABLE,
            "duplicate": has_bits(raw, "dupvar", _DUPLICATE),
        }
    )


SOURCE = Source(
    name="refcat2",
    title="ATLAS-REFCAT2 (Tonry et al. 2018, ApJ 867, 105)",
    epoch=2015.5,
    system={**dict.fromkeys(_BANDS, "AB"), "G": "Vega"},
    passbands="g r i z Pan-STARRS1, G Gaia DR2",
    main="r",
    bright=6.0,
    faint=18.5,
    density=300.0,
    tables=vizier("J/ApJ/867/105/refcat2", _COLUMNS),
    flag=flag,
    derive=derive,
)
