"""MaxIm DL of Diffraction Limited, and ACP, which runs it."""

from __future__ import annotations

import dataclasses

from accretor.instruments.dialect import Dialect

MAXIMDL = Dialect(
    name="maximdl",
    is_mine={"SWCREATE": r"MaxIm"},
    # Real headers of versions 5 and 6 say "exposure start" or nothing; JD is "at start of exposure".
    time_stamp="start",
    # LAT-OBS and LONG-OBS of ACP have more digits than SITELAT and SITELONG of MaxIm.
    latitude=("LAT-OBS", "SITELAT"),
    longitude=("LONG-OBS", "SITELONG"),
    elevation=("ALT-OBS", "SITEELEV", "ALTITUDE"),
    # ST, "of exp. start", is of the moment at which PinPoint solved the frame: 342 s later at iTelescope (its
    # HISTORY has the same time), 468 s at Feder Observatory. So it is no clock.
    sidereal=(),
)

ACP = dataclasses.replace(
    MAXIMDL,
    name="acp",
    is_mine={"TELESCOP": r"^ACP->"},  # as TRAPPIST and SPECULOOS write it: prose 3.3.4, builtins
    telescope="{TELESCOP}",
)
"""The cards of MaxIm DL; the name of the telescope behind ``ACP->``."""
