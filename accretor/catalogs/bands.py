"""Names of bands, and whether their magnitudes are AB or Vega where nothing else is said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from accretor.core.errors import Unusable

System = Literal["AB", "Vega"]

OTHERS = ("identifier", "ra", "dec", "pm_ra", "pm_dec", "flag")
"""Columns of a catalogue that are not of a band."""

SYSTEMS: Mapping[str, System] = {
    **dict.fromkeys(("G", "BP", "RP", "Tmag", "BT", "VT"), "Vega"),
    **dict.fromkeys(("U", "B", "V", "R", "I", "Rc", "Ic", "J", "H", "K"), "Vega"),
    **dict.fromkeys(("u", "v", "g", "r", "i", "z", "y", "up", "gp", "rp", "ip", "zs"), "AB"),
}
"""Of bands by their usual names."""

ERROR = "_error"
"""After the name of a band: the column of its standard error."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def of_columns(names: Iterable[str]) -> tuple[str, ...]:
    """Return the bands among the *names* of columns, in their order."""
    return tuple(name for name in names if name not in OTHERS and not name.endswith(ERROR))


def system(band: str, told: Mapping[str, System]) -> System:
    """Return the magnitude system of *band*: what is *told*, else the usual one.

    Raises
    ------
    Unusable
        If nothing tells it, or *band* is no name of a band.
    """
    if not _NAME.fullmatch(band):
        raise Unusable(f"{band!r} is no name of a band: a letter, then letters, digits and _")
    found = told.get(band) or SYSTEMS.get(band)
    if found is None:
        raise Unusable(f'band {band}: nothing tells whether it is AB or Vega; add system = {{{band} = "AB"}}')
    return found
