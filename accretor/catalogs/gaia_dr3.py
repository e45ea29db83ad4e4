"""Gaia DR3, from the archive of ESA, its mirror in Heidelberg, or VizieR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accretor.catalogs.source import Raw, Source, Table, flags, numbers, texts, vizier

if TYPE_CHECKING:
    from accretor.core.arrays import Floats, Strings

ESA = "https://gea.esac.esa.int/tap-server/tap/sync"
ARI = "https://gaia.ari.uni-heidelberg.de/tap/sync"

ARCHIVE = {
    "identifier": "gaia_source.source_id",
    "ra": "gaia_source.ra",
    "dec": "gaia_source.dec",
    "pm_ra": "gaia_source.pmra",
    "pm_dec": "gaia_source.pmdec",
    "G": "gaia_source.phot_g_mean_mag",
}
"""Columns that all tables of the archive are joined with."""

_COLUMNS = {
    **ARCHIVE,
    "BP": "gaia_source.phot_bp_mean_mag",
    "RP": "gaia_source.phot_rp_mean_mag",
    "G_snr": "gaia_source.phot_g_mean_flux_over_error",
    "BP_snr": "gaia_source.phot_bp_mean_flux_over_error",
    "RP_snr": "gaia_source.phot_rp_mean_flux_over_error",
    "excess": "gaia_source.phot_bp_rp_excess_factor",
    "ruwe": "gaia_source.ruwe",
    "variable": "gaia_source.phot_variable_flag",
}
_VIZIER = {
    "identifier": "Source",
    "ra": "RA_ICRS",
    "dec": "DE_ICRS",
    "pm_ra": "pmRA",
    "pm_dec": "pmDE",
    "G": "Gmag",
    "G_error": "e_Gmag",
    "BP": "BPmag",
    "BP_error": "e_BPmag",
    "RP": "RPmag",
    "RP_error": "e_RPmag",
    "excess": "E(BP/RP)",
    "ruwe": "RUWE",
    "variable": "VarFlag",
}
_ZERO_POINT_ERROR = {"G": 0.0028, "BP": 0.0028, "RP": 0.0038}
"""Of the Vega zero points (Riello et al. 2021, A&A 649, A3); VizieR's errors hold them too."""

RUWE = 1.4
"""Above it the star is not seen as a single one (Lindegren 2018, GAIA-C3-TN-LU-LL-124)."""
BLEND_SIGMA = 5.0
"""Flux excess of BP and RP, in its scatter at this magnitude, above which there is light of others in it."""


def excess(factor: Floats, colour: Floats) -> Floats:
    """Return the flux excess of BP and RP over that of single stars (Riello et al. 2021, table 2)."""
    import numpy as np

    blue = 1.154360 + 0.033772 * colour + 0.032277 * colour**2
    middle = 1.162004 + 0.011464 * colour + 0.049255 * colour**2 - 0.005879 * colour**3
    red = 1.057572 + 0.140537 * colour
    return np.asarray(factor - np.where(colour < 0.5, blue, np.where(colour < 4.0, middle, red)))


def excess_scatter(magnitude: Floats) -> Floats:
    """Return the scatter of `excess` of well measured stars at G *magnitude* (Riello et al. 2021, eq. 18)."""
    return 0.0059898 + 8.817481e-12 * magnitude**7.618399


def flag(raw: Raw) -> Strings:
    """Flag what is no single, steady star."""
    import numpy as np

    blended = np.abs(excess(numbers(raw, "excess"), raw["BP"] - raw["RP"])) > BLEND_SIGMA * excess_scatter(
        raw["G"]
    )
    return flags(
        {
            "ruwe": numbers(raw, "ruwe") > RUWE,
            "blend": blended,
            "variable": texts(raw, "variable") == "VARIABLE",
        }
    )


def derive(raw: Raw) -> Raw:
    """Turn signal to noise into errors."""
    import numpy as np

    for band, floor in _ZERO_POINT_ERROR.items():
        if f"{band}_snr" in raw:
            raw[f"{band}_error"] = np.hypot(2.5 / np.log(10) / raw[f"{band}_snr"], floor)
    return raw


SOURCE = Source(
    name="gaia_dr3",
    title="Gaia DR3 (Gaia Collaboration, Vallenari et al. 2023, A&A 674, A1)",
    epoch=2016.0,
    system={"G": "Vega", "BP": "Vega", "RP": "Vega"},
    passbands="Gaia DR3",
    main="G",
    bright=3.0,
    faint=20.5,
    density=500.0,
    tables=(
        Table(ESA, "TAP", "gaiadr3.gaia_source AS gaia_source", _COLUMNS),
        Table(ARI, "TAP", "gaiadr3.gaia_source AS gaia_source", _COLUMNS),
        *vizier("I/355/gaiadr3", _VIZIER),
    ),
    flag=flag,
    derive=derive,
)
