"""One exposure, as its header tells it, in the house's units and names."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Kind = Literal["light", "bias", "dark", "flat"]


@dataclass(frozen=True)
class Exposure:
    """What the header of a raw frame says, normalised; NaN or "" where it says nothing."""

    kind: Kind
    object: str = ""
    filter: str = ""
    """Canonical (TFOP) name; "" for bias and dark."""
    exposure: float = math.nan
    """Second."""
    mid: str = ""
    """UTC of mid-exposure, ISO 8601 to the microsecond, without zone."""
    instrument: str = ""
    """Telescope token."""
    camera: str = ""
    """By the settings, or the header."""
    width: int = 0
    """Pixel."""
    height: int = 0
    """Pixel."""
    hdu: int = 0
    """Index of the FITS HDU that holds the image."""
    mask_hdu: int = 0
    """HDU of a map of bad pixels beside the image; 0: there is none."""
    mask_bits: int = 0
    """Bits of that map that make a pixel bad; 0: any."""
    n_combined: int = 1
    """Exposures that were made one: 1 for a single frame, 0 for a master whose header tells no number."""
    part: str = ""
    """Which of its pixels are taken (`accretor.core.part`); width, height, gain, read noise and pixel scale
    are those of the pixels that come of it."""
    binning: str = "1x1"
    mode: str = ""
    """Read-out mode, and the settings of gain and offset where they are no gain; frames of different modes
    do not calibrate one another."""
    calibrated: str = ""
    """Letters of B bias, D dark, F flat: what a program did to the pixels before."""
    temperature: float = math.nan
    """Detector, degree Celsius."""
    gain: float = math.nan
    """Electron per ADU."""
    read_noise: float = math.nan
    """Electron."""
    saturation: float = math.nan
    """ADU."""
    ra: float = math.nan
    """Pointing according to the header, degree; a search centre, never the target's position."""
    dec: float = math.nan
    """Degree."""
    latitude: float = math.nan
    """Degree, north positive."""
    longitude: float = math.nan
    """Degree, east positive."""
    elevation: float = math.nan
    """Metre above the sea."""
    altitude: float = math.nan
    """Altitude of the telescope according to the header, degree; a cross-check."""
    pixel_scale: float = math.nan
    """Arcsec per pixel."""
    overscan: str = ""
    """Section of the pixels without light, by the settings or by a header that is believed."""
    trim: str = ""
    """Section of the pixels to keep."""
    julian_offset: float = math.nan
    """By how much a Julian date of the header is ahead of its time stamps, second; a cross-check."""
    sidereal_offset: float = math.nan
    """By how much the sidereal time of the header is ahead of its time stamps, second; a cross-check."""
    time_rule: str = ""
    """Why ``mid`` is the middle: which card it is from, and what that is taken for."""
    has_wcs: bool = False
    remark: str = ""
    """What had to be assumed, or looks wrong, in words."""
