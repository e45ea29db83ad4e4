"""APASS DR9, from VizieR.

DR10 is given out by the AAVSO only, by a web form; it goes into ``[[catalogs.file]]`` under the
name ``apass_dr10``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accretor.catalogs.source import Raw, Source, flags, measured, numbers, vizier

if TYPE_CHECKING:
    from accretor.core.arrays import Strings

_COLUMNS = {
    "identifier": "recno",
    "ra": "RAJ2000",
    "dec": "DEJ2000",
    **measured(("B", "V"), "{}mag", "e_{}mag"),
    **measured(("g", "r", "i"), "{}'mag", "e_{}'mag"),
    "n": "nobs",
}
_BANDS = ("B", "V", "g", "r", "i")
BRIGHT, FAINT = 10.0, 17.0


def derive(raw: Raw) -> Raw:
    """Take an error of 0, which the catalogue gives for a single measurement, for none."""
    import numpy as np

    for band in _BANDS:
        error = numbers(raw, f"{band}_error")
        raw[f"{band}_error"] = np.where(error > 0, error, np.nan)
    return raw


def flag(raw: Raw) -> Strings:
    """Flag stars of one observation, and those that were saturated."""
    return flags({"single": numbers(raw, "n") < 2, "saturated": numbers(raw, "V") < BRIGHT})


SOURCE = Source(
    name="apass_dr9",
    title="APASS DR9 (Henden et al. 2016, VizieR II/336)",
    epoch=2012.0,
    system={"B": "Vega", "V": "Vega", "g": "AB", "r": "AB", "i": "AB"},
    passbands="B V Johnson, g r i SDSS (g' r' i')",
    main="V",
    bright=BRIGHT,
    faint=FAINT - 1,  # its crowded and its northern fields are shallower than its limit
    density=40.0,
    tables=vizier("II/336/apass9", _COLUMNS, is_all=True),
    flag=flag,
    derive=derive,
)
