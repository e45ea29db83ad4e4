"""Cameras that run themselves, of ZWO: the ASIAIR, and the Seestar telescopes."""

from __future__ import annotations

import dataclasses

from accretor.instruments.dialect import Dialect

ASIAIR = Dialect(
    name="asiair",
    is_mine={"CREATOR|SWCREATE": r"ASI(?:AIR|Studio|Cap)"},
    # Since 2025 its comment is "Image exposure start time", which is obeyed; the name of that file, with the
    # local time at which it was written, proves it. "Image created time", of others, does not tell of what.
    start=("DATE-OBS",),
    gain=("EGAIN",),  # GAIN is ZWO's setting, 0 to 570
    ra=("OBJCTRA", "RA"),
    dec=("OBJCTDEC", "DEC"),
    sidereal=(),
    doubt="'Image created time' of ASIAIR and Seestar may be start or end: set time_stamp once you know",
)

SEESTAR = dataclasses.replace(
    ASIAIR,
    name="seestar",
    is_mine={"CREATOR|INSTRUME": r"Seestar"},
    telescope="Seestar-{INSTRUME}",
    telescope_words={"INSTRUME": {"Seestar S50": "S50", "Seestar S30": "S30", "imx585": "S30-Pro"}},
    filters={"IRCUT": "IRCUT", "LP": "LP"},  # UV/IR cut and dual-band: neither is a TFOP band
    # APERTURE = 5. is "Name of field of view aperture": not a diameter. TELESCOP ends with a serial number.
    pixel_scale=(),  # of XPIXSZ and FOCALLEN: 2.39 arcsec per pixel
)
