"""N.I.N.A. (Nighttime Imaging 'N' Astronomy)."""

from __future__ import annotations

from accretor.instruments.dialect import Dialect

NINA = Dialect(
    name="nina",
    is_mine={"SWCREATE": r"N\.I\.N\.A\."},
    # DATE-OBS is "Time of observation (UTC)" in versions 1 and 2; version 3 adds DATE-AVG, the middle. The
    # start: IImageData's ExposureStart, FITSHeader.cs of the N.I.N.A. sources.
    time_stamp="start",
    gain=("EGAIN",),  # GAIN is the camera's setting
    sidereal=(),
)
