"""SharpCap; whether its time is the start or the end of a frame stands in the comment of the card."""

from __future__ import annotations

from accretor.instruments.dialect import Dialect

SHARPCAP = Dialect(
    name="sharpcap",
    is_mine={"SWCREATE": r"SharpCap"},
    # Version 4.1 (2025): DATE-OBS "Est. Frame Start", DATE-AVG "Est. Frame Mid Point". Version 3.2 (2019):
    # DATE-OBS "System Clock-Frame Grabbed", when the frame came from the camera: the end of the exposure.
    start=("DATE-OBS",),
    julian=("JD_UTC",),  # "at mid exposure"
    gain=("EGAIN",),
    sidereal=(),
    ra=("OBJCTRA", "RA"),
    dec=("OBJCTDEC", "DEC"),  # "Epoch : JNOW" in the comment is obeyed
)
