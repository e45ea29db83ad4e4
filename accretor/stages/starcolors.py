"""Colours of the stars of an observation, by the catalogues of its field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from accretor.core.arrays import Floats
from accretor.core.errors import DumpError, Unusable
from accretor.io import dump
from accretor.science import identify, times
from accretor.science.likeness import Colors
from accretor.stages import catalogs as kept
from accretor.stages.zeropoint import MATCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accretor.core.catalog import Catalog
    from accretor.core.settings import WorkspaceSettings
    from accretor.io.dump import Row
    from accretor.io.layout import Layout
    from accretor.stages.workspace import ObservationPlan

PAIRS = (("BP", "RP", 1.0), ("BT", "VT", 1.06), ("B", "V", 1.25), ("g", "r", 1.5))
"""Bands of a colour, and by what it must be multiplied to be nearly BP - RP for stars of types A to K (Riello
et al. 2021, A&A 649, A3, appendix C)."""


def find(
    plan: ObservationPlan,
    layout: Layout,
    settings: WorkspaceSettings,
    stars: dump.Dump,
    jd_utc: float,
    target: int = 0,
) -> tuple[Colors | None, str]:
    """Return the colours that know the target and most others, and what must be said.

    None where there is no catalogue, or none that has a colour of the target.

    Parameters
    ----------
    stars : Dump
        Of ``template_stars.ecsv``.
    jd_utc : float
        When it was observed, day.
    target : int
        Its row.
    """
    scale = stars.meta["pixel_scale"]
    if not scale or not scale > 0:
        return None, ""
    try:
        catalogs = kept.stored(layout, settings, plan.target)
    except (DumpError, Unusable) as error:
        return None, f"colours of the stars not known: {error}"
    found = [_of(catalog, stars.rows, float(scale), jd_utc) for catalog in catalogs.values()]
    usable = [colors for colors in found if colors is not None and np.isfinite(colors.value[target])]
    if not usable:
        return None, ""
    return max(usable, key=lambda colors: (int(np.isfinite(colors.value).sum()), colors.name)), ""


def _of(catalog: Catalog, stars: Sequence[Row], scale: float, jd_utc: float) -> Colors | None:
    pair = next((pair for pair in PAIRS if {pair[0], pair[1]} <= catalog.magnitude.keys()), None)
    if pair is None:
        return None
    blue, red, factor = pair
    ra, dec = kept.positions(catalog, times.julian_year(jd_utc))
    pixels, least, most = MATCH
    own_ra: Floats = np.array(dump.column(stars, "ra"), dtype=np.float64)
    own_dec: Floats = np.array(dump.column(stars, "dec"), dtype=np.float64)
    entry = identify.nearest(own_ra, own_dec, ra, dec, min(max(pixels * scale, least), most))
    color = factor * (catalog.magnitude[blue] - catalog.magnitude[red])
    value = np.full(len(stars), np.nan)
    value[entry >= 0] = color[entry[entry >= 0]]
    return Colors(f"{blue} - {red} of {catalog.name}", value)
