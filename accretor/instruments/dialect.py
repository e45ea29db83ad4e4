"""What a header dialect is: which card means what, at one observatory or in one program."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Value: TypeAlias = str | int | float | bool
"""Value of one header card."""

Cards: TypeAlias = Mapping[str, Value]
"""A header: values by keyword, the first of a repeated keyword."""


@dataclass(frozen=True)
class Site:
    """Where a telescope stands."""

    latitude: float = math.nan
    """Degree, north positive; NaN leaves it to the header."""
    longitude: float = math.nan
    """Degree, east positive; NaN leaves it to the header."""
    elevation: float = math.nan
    """Metre above the sea; NaN leaves it to the header."""
    source: str = ""
    """Where the numbers are from."""


@dataclass(frozen=True)
class Dialect:
    """Cards of one observatory or program; each list of keywords is tried from the left."""

    name: str
    """As the ``dialect`` key of ``[instrument]`` has it."""
    is_mine: Mapping[str, str] = field(default_factory=dict)
    """Regular expression that must be found in the value of each of these keywords, in any case;
    ``CREATOR|SWCREATE`` is whichever of them has it."""
    telescope: str = ""
    """Telescope token where the workspace gives none; ``{KEYWORD}`` stands for a card's value."""
    telescope_words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Words that replace the value of a keyword in ``telescope``."""

    mid: tuple[str, ...] = ("DATE-AVG", "MJD-AVG", "MJD-MID", "JD-MID", "UTMIDDLE")
    """Cards with the middle of the exposure."""
    start: tuple[str, ...] = (
        "DATE-BEG",
        "DATE-OBS",
        "DATE-OBS+UT",
        "DATE-OBS+UTC-OBS",
        "DATE-OBS+UT-OBS",
        "DATE-OBS+UTCSTART",
        "DATE-OBS+UTSTART",
        "DATE-OBS+UTC",
        "DATE-OBS+TIME-OBS",
        "DATE-OBS+EXP-STRT",
        "MJD-BEG",
        "MJD-OBS",
        "MJD-STRT",
        "JD-OBS",
        "JD",
    )
    """Cards with its start; ``DATE+TIME`` joins a date and a time of day."""
    end: tuple[str, ...] = ("DATE-END", "DATE-OBS+UTCEND", "DATE-OBS+UTSTOP", "MJD-END")
    """Cards with its end."""
    time_stamp: Literal["", "start", "middle", "end"] = ""
    """What the cards of ``start`` are; "": their names, their comments or the card of the end must tell."""
    julian: tuple[str, ...] = ("JD", "JD-OBS", "JD_UTC", "MJD-OBS", "MJD")
    """Cards with another clock, UTC: start, middle or end of the exposure; a cross-check."""
    time_system: str = "TIMESYS"
    """Card with the time scale; UTC where it is missing."""
    doubt: str = ""
    """What is known to be doubtful about these headers; a remark on each light frame."""

    exposure: Mapping[str, float] = field(
        default_factory=lambda: {"EXPTIME": 1.0, "EXPOSURE": 1.0, "EXP_TIME": 1.0, "ITIME": 1.0}
    )
    """Cards with the exposure, and how many seconds their unit has."""
    filter: tuple[str, ...] = ("FILTER", "FILTNAME", "FILTER1", "FILTERS", "INSFILTE")
    filters: Mapping[str, str] = field(default_factory=dict)
    """Names of filters here, and what they are to ExoFOP; before the common names."""
    object: tuple[str, ...] = ("OBJECT", "OBJNAME", "TARGET", "FIELD")
    kind: tuple[str, ...] = ("IMAGETYP", "IMGTYPE", "OBSTYPE", "FRAME", "FRAMETYP", "PICTTYPE")
    """Cards with the kind of image; the number of PICTTYPE is SBIG's."""
    temperature: Mapping[str, Literal["C", "K", "C or K"]] = field(
        default_factory=lambda: {"CCD-TEMP": "C", "CCDTEMP": "C", "DET-TEMP": "C", "DETTEMP": "C"}
    )
    """Cards with the temperature of the detector, and their unit; what no detector has in degree Celsius is
    kelvin, where either may be meant."""

    camera: tuple[str, ...] = ("INSTRUME", "CAMERA", "DETECTOR", "DETNAM")
    """Cards with the camera; two at one telescope do not share an observation, nor calibration frames."""
    mode: tuple[str, ...] = ("READOUTM", "READMODE", "CONFMODE")
    """Cards with the read-out mode; frames of different modes do not calibrate one another."""
    calibrated: Mapping[str, Mapping[str, str]] = field(
        default_factory=lambda: {
            "CALSTAT": {"B": "B", "D": "D", "F": "F"},  # MaxIm DL, AstroImageJ: the letters of what was done
            "ACC_ID": {".": "BDF"},  # the calibrated frames of `accretor.stages.calibrated`
            # ccdproc writes a card for each of its functions, real ones of Feder Observatory among others.
            "SUBTRACT_BIAS": {".": "B"},
            "SUBTRACT_DARK": {".": "D"},
            "FLAT_CORRECT": {".": "F"},
            # IRAF's ccdproc: the date and the name of what was taken off.
            "ZEROCOR": {".": "B"},
            "DARKCOR": {".": "D"},
            "FLATCOR": {".": "F"},
        }
    )
    """Cards that tell what was done to the pixels before: by regular expression of the value, the letters of
    bias, dark, flat."""
    combined: tuple[str, ...] = ("STACKCNT", "NCOMBINE", "SNAPSHOT", "COMBINED", "ISMASTER")
    """Cards that are true, or above 1, where several exposures were made one: of Siril; IRAF, AstroImageJ;
    SBFITSEXT and MaxIm DL; ccdproc; BANZAI."""
    masks: Mapping[str, tuple[int, int]] = field(default_factory=lambda: {"BPM": (0, 0), "MASK": (0, 0)})
    """EXTNAME of maps of bad pixels beside the image (ccdproc's is MASK): the bits that make a pixel bad, 0
    for any, and those of a pixel that is full."""
    no_masters: str = ""
    """Why masters in this dialect are not used; "" if they are."""

    gain: tuple[str, ...] = ("EGAIN", "CVF", "CCDGAIN", "GAIN", "GAIN1", "AGAIN_01")
    """Cards with electrons per ADU."""
    gain_is_setting: tuple[str, ...] = ("GAIN",)
    """Those of them that may hold the camera's setting instead: 0 and whole numbers from 10 are not
    believed."""
    read_noise: tuple[str, ...] = ("RDNOISE", "READNOIS", "RON", "ARDNS_01")
    """Cards with electrons."""
    saturation: tuple[str, ...] = ("SATURATE", "MAXLIN", "DATAMAX")
    """Cards with ADU."""
    overscan: tuple[str, ...] = ()
    """Cards with the section of the pixels without light; none, for many programs copy what is not so."""
    trim: tuple[str, ...] = ()
    """Cards with the section of the pixels to keep."""
    is_trimmed: tuple[str, ...] = ()
    """Cards that are true, or not 0, where a program has taken off overscan or rims already."""
    planes: Mapping[int, tuple[Mapping[str, str], ...]] = field(default_factory=dict)
    """Where the planes of a cube are amplifiers: the sections of each, by the fewest rows that a plane then
    has."""
    pixel_scale: tuple[str, ...] = ("SECPIX", "PIXSCALE", "IM_SCALE", "SCALE")
    """Cards with arcsec per (binned) pixel."""

    ra: tuple[str, ...] = ("OBJCTRA", "RA", "TELRA", "RA-MNT", "OBJRA")
    """Cards with the pointing; a text with separators is in hours, all else in degrees."""
    dec: tuple[str, ...] = ("OBJCTDEC", "DEC", "TELDEC", "DEC-MNT", "OBJDEC")
    equinox: Literal["J2000", "date"] = "J2000"
    """Equinox of these, whatever the EQUINOX card may claim."""
    altitude: tuple[str, ...] = ("OBJCTALT", "CENTALT", "TELALT", "ALT-OBJ", "ALT_OBJ", "ALTITUDE")
    """Cards with the altitude of the telescope, degree."""
    sidereal: tuple[str, ...] = ("LST", "LST-OBS", "ST")
    """Cards with the local sidereal time at the start, hour; they prove the sign of the longitude."""

    latitude: tuple[str, ...] = ("LATITUDE", "LAT-OBS", "SITELAT", "OBSGEO-B", "OBSLAT", "GEOLAT")
    longitude: tuple[str, ...] = (
        "LONGITUD",
        "LONG-OBS",
        "SITELONG",
        "OBSGEO-L",
        "OBSLONG",
        "GEOLON",
        "LONGITUDE",
    )
    west_is_positive: bool = False
    """The longitude card counts towards the west."""
    elevation: tuple[str, ...] = (
        "HEIGHT",
        "ALT-OBS",
        "SITEELEV",
        "OBSGEO-H",
        "ELEV-OBS",
        "ELEVATIO",
        "ALTITUDE",
    )
    """Cards with the height above the sea, m."""
    site: Site = Site()
    """Position that is better known than from the header."""
    scale_of_filter: Mapping[str, float] = field(default_factory=dict)
    """Arcsec per unbinned pixel by TFOP filter, where each has a camera of its own."""
    constants: Mapping[str, float] = field(default_factory=dict)
    """``gain``, ``read_noise``, ``saturation``, ``pixel_scale`` that are better known
    than from cards."""

    def planes_of(self, header: Cards) -> tuple[Mapping[str, str], ...]:
        """Return the sections of each plane of a cube whose planes are amplifiers; none of another cube."""
        rows, depth = header.get("NAXIS2", 0), header.get("NAXIS3", 0)
        fitting = [
            cards for least, cards in sorted(self.planes.items()) if isinstance(rows, int) and rows >= least
        ]
        return fitting[-1] if fitting and len(fitting[-1]) == depth else ()

    def matches(self, header: Cards) -> bool:
        """Tell whether *header* is in this dialect; a dialect that names no card is never recognised."""
        return bool(self.is_mine) and matches(self.is_mine, header)


def matches(patterns: Mapping[str, str], header: Cards) -> bool:
    """Tell whether the value of every keyword of *patterns* has its regular expression in it, in any case."""
    return all(
        any(
            keyword in header and re.search(pattern, str(header[keyword]), re.IGNORECASE) is not None
            for keyword in keywords.split("|")
        )
        for keywords, pattern in patterns.items()
    )
