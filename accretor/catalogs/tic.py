"""The TESS Input Catalog 8.2, from VizieR or MAST."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accretor.catalogs.source import Raw, Source, Table, flags, measured, texts, vizier

if TYPE_CHECKING:
    from accretor.core.arrays import Strings

_VIZIER = {
    "identifier": "TIC",
    "ra": "RAJ2000",
    "dec": "DEJ2000",
    "pm_ra": "pmRA",
    "pm_dec": "pmDE",
    **measured(("Tmag",), "{}", "e_{}"),
    **measured(("B", "V"), "{}mag", "e_{}mag"),
    "disposition": "Disp",
}
_MAST = {
    "identifier": "id",
    "ra": "ra",
    "dec": "dec",
    "pm_ra": "pmra",
    "pm_dec": "pmdec",
    "Tmag": "tmag",
    "Tmag_error": "e_tmag",
    "B": "bmag",
    "B_error": "e_bmag",
    "V": "vmag",
    "V_error": "e_vmag",
    "disposition": "disposition",
    "kind": "objtype",
}


def flag(raw: Raw) -> Strings:
    """Flag what the catalogue says is an artifact, a duplicate, or no star."""
    import numpy as np

    disposition = np.char.upper(texts(raw, "disposition"))
    return flags(
        {
            "artifact": disposition == "ARTIFACT",
            "duplicate": np.isin(disposition, ("DUPLICATE", "SPLIT", "JOIN")),
            "extended": np.char.upper(texts(raw, "kind")) == "EXTENDED",
        }
    )


SOURCE = Source(
    name="tic",
    title="TESS Input Catalog 8.2 (Stassun et al. 2019, AJ 158, 138; Paegert et al. 2021, arXiv:2108.04778)",
    epoch=2000.0,
    system={"Tmag": "Vega", "B": "Vega", "V": "Vega"},
    passbands="Tmag TESS, B V Johnson as compiled",
    main="Tmag",
    bright=-2.0,
    faint=19.5,
    density=500.0,
    tables=(
        *vizier("IV/39/tic82", _VIZIER),
        Table("https://mast.stsci.edu/vo-tap/api/v0.1/tic/sync", "TAP", "dbo.catalogrecord", _MAST),
    ),
    flag=flag,
)
