"""The part of a measurement table that joint fits are made from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from accretor.aij.table import Cells

COLUMNS = {
    "BJD_TDB": 8,
    "rel_flux_T1_n": 7,
    "rel_flux_err_T1_n": 7,
    "AIRMASS": 6,
    "FWHM_T1": 4,
    "Width_T1": 4,
    "Sky/Pixel_T1": 4,
    "X(FITS)_T1": 4,
    "Y(FITS)_T1": 4,
    "tot_C_cnts": 1,
    "Meridian_Flip": 0,
    "EXPTIME": 3,
}
"""Columns, and their decimals; those that a table does not have are left out."""


def write(table: Mapping[str, Cells]) -> bytes:
    """Return ``subset.csv``: the undetrended light curve and what it may be detrended with.

    The header begins with #, as in the data subsets of AstroImageJ, which reads it back.
    """
    names = [name for name in COLUMNS if name in table]
    columns = [np.asarray(table[name], dtype=np.float64) for name in names]
    lines = ["#" + ",".join(names)]
    lines += [
        ",".join(f"{value:.{COLUMNS[name]}f}" for name, value in zip(names, row, strict=True))
        for row in zip(*columns, strict=True)
    ]
    return "".join(f"{line}\n" for line in lines).encode("ascii")
