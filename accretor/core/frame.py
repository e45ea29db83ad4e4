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
    width: int = 0
    """Pixel."""
    height: int = 0
    """Pixel."""
    hdu: int = 0
    """Index of the FITS HDU that holds the image."""
    binning: str = "1x1"
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
    has_wcs: bool = False
    remark: str = ""
    """What had to be assumed, or looks wrong, in words."""
