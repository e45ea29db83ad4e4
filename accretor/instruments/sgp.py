"""Sequence Generator Pro."""

from __future__ import annotations

from accretor.instruments.dialect import Dialect

SGP = Dialect(
    name="sgp",
    is_mine={"CREATOR": r"Sequence Generator"},
    start=("DATE-OBS",),
    gain=("EGAIN",),
    temperature={"CCD-TEMP": "C", "TEMPERAT": "C"},
    pixel_scale=("PIXSCALE", "SCALE"),
    sidereal=(),
    # help.sequencegeneratorpro.com, "Data stored in the FITS header", of DATE-LOC, the same moment.
    doubt="the help of Sequence Generator Pro calls its time that of writing: set time_stamp once you know",
)
