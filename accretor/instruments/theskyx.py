"""TheSkyX: longitudes count towards the west."""

from __future__ import annotations

from accretor.instruments.dialect import Dialect

THESKYX = Dialect(
    name="theskyx",
    is_mine={"SWCREATE": r"TheSky"},
    west_is_positive=True,  # MIT Wallace Observatory, at 71.5 degrees west, writes SITELONG = '+71 29 06'
    sidereal=("LST",),
)
