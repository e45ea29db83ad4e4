"""All catalogues that can be fetched, in the order in which they are."""

from __future__ import annotations

from accretor.catalogs import apass, gaia_dr3, gaia_synthetic, ps1, refcat2, skymapper, tic, tycho2

SOURCES = {
    module.SOURCE.name: module.SOURCE
    for module in (gaia_dr3, tic, refcat2, gaia_synthetic, apass, ps1, skymapper, tycho2)
}

WIDE = 0.5
"""Degree; Tycho-2 is too sparse for fields of a smaller radius."""


def chosen(names: tuple[str, ...], radius: float) -> tuple[str, ...]:
    """Return the catalogues to fetch: those of *names*, or all that suit a field of *radius* degree."""
    return names or tuple(name for name in SOURCES if name != "tycho2" or radius >= WIDE)
