"""Gaia synthetic photometry (GSPC): standard bands from the BP and RP spectra, G < 17.65."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accretor.catalogs.gaia_dr3 import ARCHIVE, ARI, ESA, excess_scatter
from accretor.catalogs.source import Raw, Source, Table, flags, numbers

if TYPE_CHECKING:
    from accretor.core.arrays import Strings

_BANDS = {
    **{band: f"{band[0].lower()}_jkc" for band in ("U", "B", "V", "Rc", "Ic")},
    **{band: f"{band}_sdss" for band in ("u", "g", "r", "i", "z")},
}
"""The table's y_ps1 is left out: it is known to be wrong."""

_TABLE = (
    "gaiadr3.synthetic_photometry_gspc AS gspc "
    "JOIN gaiadr3.gaia_source AS gaia_source ON gaia_source.source_id = gspc.source_id"
)
_COLUMNS = {**ARCHIVE, "c_star": "gspc.c_star"}
for _band, _theirs in _BANDS.items():
    _COLUMNS |= {
        _band: f"gspc.{_theirs}_mag",
        f"{_band}_flux": f"gspc.{_theirs}_flux",
        f"{_band}_flux_error": f"gspc.{_theirs}_flux_error",
        f"{_band}_flag": f"gspc.{_theirs}_flag",
    }

SNR = 30.0
"""Below it a synthetic magnitude is not believed (Montegriffo et al. 2023, section 6)."""
BLEND_SIGMA = 3.0


def derive(raw: Raw) -> Raw:
    """Keep magnitudes of enough signal, in the validated range (flag 1), and give them errors."""
    import numpy as np

    for band in _BANDS:
        snr = numbers(raw, f"{band}_flux") / numbers(raw, f"{band}_flux_error")
        is_good = (snr > SNR) & (numbers(raw, f"{band}_flag") == 1)
        raw[band] = np.where(is_good, raw[band], np.nan)
        raw[f"{band}_error"] = np.where(is_good, 2.5 / np.log(10) / snr, np.nan)
    return raw


def flag(raw: Raw) -> Strings:
    """Flag stars with light of others in their spectra."""
    import numpy as np

    return flags({"blend": np.abs(numbers(raw, "c_star")) > BLEND_SIGMA * excess_scatter(raw["G"])})


SOURCE = Source(
    name="gaia_synthetic",
    title="Gaia Synthetic Photometry Catalogue (Gaia Collaboration, Montegriffo et al. 2023, A&A 674, A33)",
    epoch=2016.0,
    system={
        **dict.fromkeys(("U", "B", "V", "Rc", "Ic"), "Vega"),
        **dict.fromkeys(("u", "g", "r", "i", "z"), "AB"),
        "G": "Vega",
    },
    passbands="U B V Rc Ic Johnson-Kron-Cousins, u g r i z SDSS, standardised; G Gaia DR3",
    main="G",
    bright=4.0,
    faint=17.6,
    density=150.0,
    tables=(Table(ESA, "TAP", _TABLE, _COLUMNS), Table(ARI, "TAP", _TABLE, _COLUMNS)),
    flag=flag,
    derive=derive,
)
