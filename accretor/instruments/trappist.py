"""TRAPPIST, SPECULOOS and SAINT-EX, as their own package prose 3.3.4 (``builtins.py``) describes them.

ACP runs most of them. Gain 1.02 electron/ADU, 10 ADU of read noise, saturation at 55,000 ADU, 0.33
arcsec per pixel and the sites are prose's; the height is its default of 2,000 m where nothing better
is published, so it is taken from the header first.
"""

from __future__ import annotations

import dataclasses

from accretor.instruments.dialect import Dialect, Site
from accretor.instruments.maximdl import MAXIMDL

_SOURCE = "prose 3.3.4, builtins.py"
_NAMES = "TELESCOP|OBSERVAT|INSTRUME"

SPECULOOS_SOUTH = dataclasses.replace(
    MAXIMDL,
    name="speculoos-south",
    is_mine={_NAMES: r"^(?:SPECULOOS-|ACP->|Astra->)?(?:Callisto|Io|Ganymede|Europa)$"},
    telescope="SPECULOOS-{TELESCOP}",
    telescope_words={
        "TELESCOP": {
            prefix + spelling: moon
            for moon in ("Callisto", "Io", "Ganymede", "Europa")
            for spelling in (moon, moon.upper())
            for prefix in ("", "SPECULOOS-", "ACP->", "Astra->")
        }
    },
    mode=(),
    constants={"gain": 1.02, "read_noise": 10.2, "saturation": 55_000.0, "pixel_scale": 0.33},
    site=Site(-24.6275, -70.4044, source=_SOURCE),
)

SPECULOOS_NORTH = dataclasses.replace(
    SPECULOOS_SOUTH,
    name="speculoos-north",
    is_mine={_NAMES: r"^(?:SPECULOOS-|ACP->)?Artemis$"},
    telescope="SPECULOOS-Artemis",
    # prose's latlong, 28.4754 and -16.3089, is at La Laguna, 27 km off: its own link to the Transit
    # Finder has the telescope at Teide Observatory.
    site=Site(28.2999, -16.5058, source="prose 3.3.4, builtins.py, TTF_link of artemis"),
)

SAINT_EX = dataclasses.replace(
    SPECULOOS_SOUTH,
    name="saint-ex",
    is_mine={_NAMES: r"^(?:ACP->)?SAINT-?EX$"},
    telescope="SAINT-EX-1m0",
    site=Site(31.0439, -115.4637, source=_SOURCE),
)

TRAPPIST_SOUTH = dataclasses.replace(
    SPECULOOS_SOUTH,
    name="trappist-south",
    is_mine={_NAMES: r"^(?:ACP->)?TRAPPIST(?:-S(?:outh)?)?$"},
    telescope="TRAPPIST-South-0m6",
    constants={**SPECULOOS_SOUTH.constants, "pixel_scale": 0.64},
    site=Site(-29.2563, -70.7380, source=_SOURCE),
)

TRAPPIST_NORTH = dataclasses.replace(
    SPECULOOS_SOUTH,
    name="trappist-north",
    is_mine={_NAMES: r"^(?:ACP->)?(?:TRAPPIST-N(?:orth)?|NTM)$"},
    telescope="TRAPPIST-North-0m6",
    constants={**SPECULOOS_SOUTH.constants, "pixel_scale": 0.60},
    site=Site(31.2027, -7.8586, source=_SOURCE),
)

TRAPPIST: tuple[Dialect, ...] = (SPECULOOS_SOUTH, SPECULOOS_NORTH, SAINT_EX, TRAPPIST_SOUTH, TRAPPIST_NORTH)
