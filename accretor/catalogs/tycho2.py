"""Tycho-2, from VizieR: bright stars, for wide fields.

Stars without a mean position (4 % of them, close doubles mostly) are not found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accretor.catalogs.source import Raw, Source, flags, texts, vizier

if TYPE_CHECKING:
    from accretor.core.arrays import Strings

_COLUMNS = {
    "region": "TYC1",
    "number": "TYC2",
    "component": "TYC3",
    "ra": "RAmdeg",
    "dec": "DEmdeg",
    "pm_ra": "pmRA",
    "pm_dec": "pmDE",
    "BT": "BTmag",
    "BT_error": "e_BTmag",
    "VT": "VTmag",
    "VT_error": "e_VTmag",
    "photocentre": "pflag",
}


def derive(raw: Raw) -> Raw:
    """Put the three numbers of a star together."""
    import numpy as np

    parts = (raw[name].astype(np.int64).tolist() for name in ("region", "number", "component"))
    raw["identifier"] = np.array(["-".join(map(str, row)) for row in zip(*parts, strict=True)], dtype=np.str_)
    return raw


def flag(raw: Raw) -> Strings:
    """Flag positions that are of the light of two stars."""
    return flags({"blend": texts(raw, "photocentre") == "P"})


SOURCE = Source(
    name="tycho2",
    title="Tycho-2 (Høg et al. 2000, A&A 355, L27)",
    epoch=2000.0,
    system={"BT": "Vega", "VT": "Vega"},
    passbands="Tycho",
    main="VT",
    bright=2.0,
    faint=11.0,
    density=8.0,
    tables=vizier("I/259/tyc2", _COLUMNS),
    flag=flag,
    derive=derive,
)
