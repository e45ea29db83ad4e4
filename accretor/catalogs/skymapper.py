"""SkyMapper DR4: the southern sky, from the Australian National University or VizieR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accretor.catalogs.source import Raw, Source, Table, flags, has_bits, measured, numbers, vizier

if TYPE_CHECKING:
    from accretor.core.arrays import Strings

_BANDS = ("u", "v", "g", "r", "i", "z")
_OWN = {
    "identifier": "object_id",
    "ra": "raj2000",
    "dec": "dej2000",
    **measured(_BANDS, "{}_psf", "e_{}_psf"),
    "flags": "flags",
    "star": "class_star",
}
_VIZIER = {
    "identifier": "ObjectId",
    "ra": "RAICRS",
    "dec": "DEICRS",
    **measured(_BANDS, "{}PSF", "e_{}PSF"),
    "flags": "flags",
    "star": "ClassStar",
}
EXTENDED = 0.5
"""Classification of SExtractor, 0 galaxy to 1 star, below which it is taken for no star."""
_NEIGHBOUR, _SATURATED = 3, 4
"""Bits of SExtractor: neighbours or blended; a saturated pixel."""


def flag(raw: Raw) -> Strings:
    """Flag what is extended, blended or saturated."""
    return flags(
        {
            "extended": numbers(raw, "star") < EXTENDED,
            "blend": has_bits(raw, "flags", _NEIGHBOUR),
            "saturated": has_bits(raw, "flags", _SATURATED),
        }
    )


SOURCE = Source(
    name="skymapper_dr4",
    title="SkyMapper DR4 (Onken et al. 2024, PASA 41, e061)",
    epoch=2017.0,
    system=dict.fromkeys(_BANDS, "AB"),
    passbands="SkyMapper",
    main="g",
    bright=9.0,
    faint=19.5,
    density=300.0,
    tables=(
        Table("https://api.skymapper.nci.org.au/public/tap/sync", "TAP", "dr4.master", _OWN),
        *vizier("II/379/smssdr4", _VIZIER, is_all=True),
    ),
    flag=flag,
    declination=(-90.0, 2.0),
)
