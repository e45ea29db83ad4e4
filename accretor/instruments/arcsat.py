"""ARCSAT, the 0.5 m of Apache Point Observatory: MaxIm DL with ACP, and cards of its own."""

from __future__ import annotations

import dataclasses

from accretor.instruments.dialect import Site
from accretor.instruments.maximdl import MAXIMDL

ARCSAT = dataclasses.replace(
    MAXIMDL,
    name="arcsat",
    is_mine={"TELESCOP|OBSERVAT": r"ARCSAT"},
    telescope="ARCSAT-0m5",
    julian=("JD", "JD-OBS"),  # BJD-OBS and HJD-OBS are of the start too
    sidereal=("ST",),  # of the start, to 0.02 s: the 40 light frames at hand, all of one night, 2025-05-30
    altitude=("OBJCTALT", "ALTITUDE"),
    elevation=(),
    # LAT-OBS, LONG-OBS and ALT-OBS of these 40; the calibration frames of that night have no height.
    site=Site(32.780278, -105.820278, 2788.0, "headers of ARCSAT"),
)
