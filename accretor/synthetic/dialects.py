"""The headers, and the files, that observatories and programs would have made of a simulated night.

The cards, their units and their rounding are those of the headers in ``tests/headers``; the code that
reads headers has no part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from accretor.synthetic.night import Night

if TYPE_CHECKING:
    from astropy.io.fits import Header

Found: TypeAlias = "dict[str, Any]"
"""Cards by keyword: a value, or a value with its comment."""
ALWAYS = ("CTYPE", "CUNIT", "CRVAL", "CRPIX", "CD1_", "CD2_")
"""Begin of the cards of a plate solution, which every program writes in the same way."""
BLIND = 32
"""Columns of overscan of an amplifier, of which the first six are not used, as of a Sinistro."""
TICK = 1e-3
"""Second to which most programs write the time."""


@dataclass(frozen=True)
class Program:
    """How one observatory or program writes a frame."""

    name: str
    """Of the dialect that must read it."""
    cards: Callable[[Header, datetime], Found]
    """Cards of a frame, given ours and the start of its exposure."""
    settings: str = ""
    """Lines of ``[[instrument]]`` for what the headers do not tell."""
    is_packed: bool = False
    """The image is Rice-compressed, in HDU 1."""
    bayer: str = ""
    """Colours of a colour camera; its two green pixels have the value that a pixel of the night has."""
    rounding: float = TICK
    """Second up to which the header's time is off."""
    amplifiers: tuple[tuple[int, int], ...] = ()
    """The image is read through four amplifiers, each with an HDU and an overscan: zero level, ADU, and
    ADU of the file for one of the night."""

    def split(self, image: NDArray[Any], header: Header) -> list[tuple[NDArray[Any], dict[str, Any]]]:
        """Return what each amplifier writes of *image*: pixels with overscan, and their cards.

        The last columns are its overscan, 3 ADU above and below the level in turn.
        """
        height, width = (side // 2 for side in image.shape)
        found = []
        for number, (level, factor) in enumerate(self.amplifiers):
            right, high = number in (1, 2), number in (2, 3)
            piece = image[high * height : (1 + high) * height, right * width : (1 + right) * width]
            raw = np.full((height, width + BLIND), level, dtype=np.int32)
            raw[:, width + 6 :] += np.where(np.arange(BLIND - 6) % 2, 3, -3).astype(np.int32)
            raw[:, :width] = (
                piece.astype(np.int32)[:: -1 if high else 1, :: -1 if right else 1] * factor + level
            )
            x = f"{2 * width}:{width + 1}" if right else f"1:{width}"
            y = f"{2 * height}:{height + 1}" if high else f"1:{height}"
            cards = {
                "GAIN": float(header["GAIN"]) / factor,
                "RDNOISE": header["RDNOISE"],
                "SATURATE": float(header["SATURATE"]) * factor + level,
                "BIASSEC": f"[{width + 7}:{width + BLIND},1:{height}]",
                "DATASEC": f"[1:{width},1:{height}]",
                "TRIMSEC": f"[1:{width},1:{height}]",
                "DETSEC": f"[{x},{y}]",
                "CCDSUM": "1 1",
            }
            found.append((raw, cards))
        return found

    def translate(self, header: Header) -> Header:
        """Return what this program would have written instead of our *header*."""
        from astropy.io.fits import Header as New

        start = datetime.fromisoformat(str(header["DATE-OBS"]))
        found = New()
        for key, value in self.cards(header, start).items():
            found[key] = value
        for key in header:
            if key.startswith(ALWAYS):
                found[key] = header[key]
        return found


def settings_of(night: Night, *keys: str) -> str:
    """Return lines of ``[[instrument]]`` that tell *keys* of a night."""
    known = {
        "gain": night.gain,
        "read_noise": night.read_noise,
        "saturation": night.saturation,
        "latitude": night.site.latitude,
        "longitude": night.site.longitude,
        "height": night.site.height,
    }
    return "".join(f"{key} = {known[key]}\n" for key in keys)


def _iso(moment: datetime, digits: int = 3) -> str:
    """Return the time rounded to *digits* of a second."""
    unit = 10 ** (6 - digits)
    rounded = moment + timedelta(microseconds=unit // 2)
    text = rounded.replace(microsecond=rounded.microsecond // unit * unit).isoformat(timespec="microseconds")
    return text[: len(text) - 6 + digits] if digits else text[:-7]


def _sexagesimal(value: float, digits: int = 0) -> str:
    unit = 10**digits
    whole, rest = divmod(round(abs(value) * 3600 * unit), unit)
    fraction = f".{rest:0{digits}d}" if digits else ""
    sign = "-" if value < 0 else "+"
    return f"{sign}{whole // 3600:02d} {whole // 60 % 60:02d} {whole % 60:02d}{fraction}"


def _kind(header: Header, light: str, frame: str = "{}") -> str:
    kind = str(header["IMAGETYP"])
    return light if kind == "LIGHT" else frame.format(kind)


def _if_there(header: Header, pairs: Mapping[str, str]) -> Found:
    return {new: header[old] for new, old in pairs.items() if old in header}


def _sbig(header: Header) -> Found:
    """Return the cards of SBFITSEXT that most programs share, without those of the time."""
    return {
        "EXPTIME": header["EXPTIME"],
        "IMAGETYP": _kind(header, "Light Frame", "{} Frame"),
        "OBJECT": header["OBJECT"],
        "TELESCOP": header["TELESCOP"],
        "INSTRUME": header["INSTRUME"],
        "CCD-TEMP": header["CCD-TEMP"],
        "XBINNING": 1,
        "YBINNING": 1,
        **_if_there(header, {"FILTER": "FILTER"}),
        **{
            new: str(header[old]).replace(":", " ")
            for new, old in (("OBJCTRA", "RA"), ("OBJCTDEC", "DEC"))
            if old in header
        },
    }


def _site(header: Header, digits: int = 0, *, west: bool = False) -> Found:
    longitude = -header["SITELONG"] if west else header["SITELONG"]
    return {
        "SITELAT": _sexagesimal(header["SITELAT"], digits),
        "SITELONG": _sexagesimal(longitude, digits),
    }


def _julian(moment: datetime) -> float:
    return (moment - datetime(2000, 1, 1, 12)).total_seconds() / 86400 + 2451545.0  # noqa: DTZ001


def _lco(h: Header, start: datetime) -> Found:
    end = start + timedelta(seconds=float(h["EXPTIME"]))
    return {
        "EXTNAME": "SCI",
        "ORIGIN": "LCOGT",
        "SITEID": "tfn",
        "TELID": "0m4a",
        "TELESCOP": "0m4-14",
        "INSTRUME": "sq34",
        "OBSTYPE": {"LIGHT": "EXPOSE", "FLAT": "SKYFLAT"}.get(str(h["IMAGETYP"]), h["IMAGETYP"]),
        "OBJECT": h["OBJECT"],
        "DATE-OBS": (_iso(start), "[UTC] Start of the observation"),
        "UTSTART": _iso(start)[11:],
        "UTSTOP": _iso(end)[11:],
        "EXPTIME": h["EXPTIME"],
        **_if_there(h, {"FILTER": "FILTER", "RA": "RA", "DEC": "DEC", "ALTITUDE": "OBJCTALT"}),
        "CONFMODE": "default",
        "CCDATEMP": h["CCD-TEMP"],
        "CCDSUM": "1 1",
        "GAIN": h["GAIN"],
        "RDNOISE": h["RDNOISE"],
        "SATURATE": h["SATURATE"],
        "LATITUDE": h["SITELAT"],
        "LONGITUD": h["SITELONG"],
        "HEIGHT": h["SITEELEV"],
        "RLEVEL": 0,
    }


def _sinistro(h: Header, start: datetime) -> Found:
    return {**_lco(h, start), "TELID": "1m0a", "TELESCOP": "1m0-09", "INSTRUME": "fa04"}


def _opticam(h: Header, start: datetime) -> Found:
    return {
        "INSTRUME": "OPTICAM",
        "OBJECT": h["OBJECT"],
        "IMAGETYP": str(h["IMAGETYP"]).lower(),
        "UT": _iso(start).replace("T", " "),
        "EXPOSURE": h["EXPTIME"],
        "BINNING": "1x1",
        "GAIN": h["GAIN"],
        "CCD-TEMP": h["CCD-TEMP"],
        "AIRMASS": 1.0,
        **({"FILTER": str(h["FILTER"])[0] + "'"} if "FILTER" in h else {}),
        **_if_there(h, {"RA": "RA", "DEC": "DEC"}),
    }


def _skynet(h: Header, start: datetime) -> Found:
    return {
        **_sbig(h),
        "TELESCOP": "PROMPT-5",
        "DATE-OBS": _iso(start, 2),
        "JD": _julian(start),
        "GAIN": h["GAIN"],
        "RDNOISE": h["RDNOISE"],
    }


def _microobservatory(h: Header, start: datetime) -> Found:
    local = start - timedelta(hours=7)
    end = local + timedelta(seconds=float(h["EXPTIME"]))
    return {
        "CREATOR": "MicroObservatory2014-05-23",
        "DATE-OBS": _iso(local) + "-0700",
        "DATE-END": _iso(end) + "-0700",
        "UT-OBS": _iso(start) + "-0000",
        "MJD-OBS": round(_julian(start) - 2400000.5, 3),
        "OBJECT": h["OBJECT"],
        "IMAGETYP": h["IMAGETYP"],
        "EXPTIME": h["EXPTIME"],
        "CAMTEMP": h["CCD-TEMP"] + 273.15,
        "TELESCOP": "Cecilia",
        "LATITUDE": h["SITELAT"],
        "LONGITUD": -h["SITELONG"],
        **_if_there(h, {"FILTER": "FILTER", "TELALT": "OBJCTALT"}),
    }


def _maximdl(h: Header, start: datetime) -> Found:
    return {
        **_sbig(h),
        **_site(h),
        "DATE-OBS": (_iso(start), "[ISO 8601] UTC date/time of exposure start"),
        "JD": _julian(start),
        "READOUTM": "Monochrome",
        "SWCREATE": "MaxIm DL Version 6.50 250810",
        **_if_there(h, {"OBJCTALT": "OBJCTALT"}),
    }


def _acp(h: Header, start: datetime) -> Found:
    return {
        **_maximdl(h, start),
        "TELESCOP": f"ACP->{h['TELESCOP']}",
        "LAT-OBS": h["SITELAT"],
        "LONG-OBS": h["SITELONG"],
        "ALT-OBS": h["SITEELEV"],
    }


def _arcsat(h: Header, start: datetime) -> Found:
    return {**_acp(h, start), "TELESCOP": "ARCSAT 0.5-m", "JD-OBS": round(_julian(start), 7)}


def _trappist(h: Header, start: datetime) -> Found:
    return {**_maximdl(h, start), "TELESCOP": "ACP->TRAPPIST", "OBSERVAT": "TRAPPIST"}


def _theskyx(h: Header, start: datetime) -> Found:
    return {
        **_sbig(h),
        **_site(h, 2, west=True),
        "DATE-OBS": (_iso(start), "SBFITSEXT UTC of start exp. in ISO 8601"),
        "EGAIN": h["GAIN"],
        "PICTTYPE": {"LIGHT": 1, "BIAS": 2, "DARK": 3, "FLAT": 4}[str(h["IMAGETYP"])],
        "SWCREATE": "TheSkyX Version 10.5.0 Build 11587",
    }


def _nina(h: Header, start: datetime) -> Found:
    middle = start + timedelta(seconds=float(h["EXPTIME"]) / 2)
    return {
        **_sbig(h),
        "IMAGETYP": h["IMAGETYP"],
        "DATE-LOC": _iso(start + timedelta(hours=1)),
        "DATE-OBS": _iso(start),
        "DATE-AVG": _iso(middle),
        "GAIN": 139,
        "OFFSET": 21,
        "EGAIN": h["GAIN"],
        "SITELAT": h["SITELAT"],
        "SITELONG": h["SITELONG"],
        "SITEELEV": h["SITEELEV"],
        "SWCREATE": "N.I.N.A. 3.1.2.9001 (x64)",
    }


def _sharpcap(h: Header, start: datetime) -> Found:
    seconds = float(h["EXPTIME"])
    return {
        **_sbig(h),
        "DATE-OBS": (_iso(start, 6), "System Clock:Est. Frame Start"),
        "DATE-END": (_iso(start + timedelta(seconds=seconds), 6), "System Clock:Est. Frame End"),
        "DATE-AVG": (_iso(start + timedelta(seconds=seconds / 2), 6), "System Clock:Est. Frame Mid Point"),
        "RDNOISE": h["RDNOISE"],
        "GAIN": 111,
        "SWCREATE": "SharpCap v4.1.12946.0, 64 bit",
    }


def _sharpcap_grabbed(h: Header, start: datetime) -> Found:
    end = start + timedelta(seconds=float(h["EXPTIME"]))
    return {
        **_sbig(h),
        "DATE-OBS": (_iso(end, 6), "System Clock-Frame Grabbed"),
        "SWCREATE": "SharpCap",
    }


def _asiair(h: Header, start: datetime) -> Found:
    return {
        **_sbig(h),
        "CREATOR": "ZWO ASIAIR Plus",
        "DATE-OBS": (_iso(start), "Image created time"),
        "GAIN": 100,
        "OFFSET": 50,
        "EGAIN": h["GAIN"],
        "SITELAT": h["SITELAT"],
        "SITELONG": h["SITELONG"],
    }


def _seestar(h: Header, start: datetime) -> Found:
    return {
        **_sbig(h),
        "CREATOR": "ZWO Seestar S50",
        "DATE-OBS": (_iso(start, 6), "Image created time"),
        "APERTURE": 5.0,
        "STACKCNT": 1,
        "BAYERPAT": "GRBG",
        "GAIN": 80,
        "INSTRUME": "Seestar S50",
        "TELESCOP": "S50_00000000",
        "SITELAT": h["SITELAT"],
        "SITELONG": h["SITELONG"],
        "FILTER": "IRCUT",
    }


def _sgp(h: Header, start: datetime) -> Found:
    common = _sbig(h)
    common["EXPOSURE"] = common.pop("EXPTIME")
    return {
        **common,
        **_site(h, 3),
        "IMAGETYP": h["IMAGETYP"],
        "DATE-LOC": _iso(start + timedelta(hours=2), 6) + "0",
        "DATE-OBS": (_iso(start, 6) + "0", "UTC observation date"),
        "CREATOR": "Sequence Generator Pro v3.1.0.479",
        "SITEELEV": h["SITEELEV"],
        "GAIN": 120,
        "EGAIN": h["GAIN"],
    }


def _apt(h: Header, start: datetime) -> Found:
    return {
        **_sbig(h),
        **_site(h, 3),
        "DATE-OBS": (_iso(start, 0), "The UTC date and time at the start of the expo"),
        "EGAIN": h["GAIN"],
        "GAIN": 120,
        "SNAPSHOT": 1,
        "SWCREATE": "Astro Photography Tool - APT v.3.54.1",
    }


def _voyager(h: Header, start: datetime) -> Found:
    return {
        **_sbig(h),
        **_site(h),
        "DATE-OBS": (_iso(start), "UTC start of exposure"),
        "EGAIN": h["GAIN"],
        "GAIN": 139,
        "SITEELEV": h["SITEELEV"],
        "SWCREATE": "Voyager 2.3.14",
    }


_NIGHT = Night()
_SITE = settings_of(_NIGHT, "latitude", "longitude", "height")
_DETECTOR = settings_of(_NIGHT, "gain", "read_noise", "saturation")
_REST = settings_of(_NIGHT, "read_noise", "saturation")
_COLOUR = (  # of one pixel of the detector, where the mean of two has those of the night
    f"gain = {_NIGHT.gain / 2}\n"
    f"read_noise = {_NIGHT.read_noise / 2**0.5!r}\n"
    f"saturation = {_NIGHT.saturation}\n"
)

PROGRAMS = {
    "lco": Program("lco", _lco, is_packed=True),
    "lco-sinistro": Program(
        "lco", _sinistro, is_packed=True, amplifiers=((1180, 1), (950, 2), (1003, 3), (1420, 2))
    ),
    "opticam": Program("opticam", _opticam, _SITE + _REST),
    "skynet": Program("skynet", _skynet, _SITE + settings_of(_NIGHT, "saturation"), rounding=0.01),
    "microobservatory": Program("microobservatory", _microobservatory, _DETECTOR + "height = 2390.0\n"),
    "maximdl": Program("maximdl", _maximdl, _DETECTOR + "height = 2390.0\n"),
    "acp": Program("acp", _acp, _DETECTOR),
    "arcsat": Program("arcsat", _arcsat, _DETECTOR + _SITE),
    "trappist": Program("trappist-south", _trappist, _DETECTOR + _SITE),
    "theskyx": Program("theskyx", _theskyx, _REST + "height = 2390.0\n"),
    "nina": Program("nina", _nina, _REST),
    "sharpcap": Program("sharpcap", _sharpcap, _SITE + _DETECTOR),
    "sharpcap-grabbed": Program("sharpcap", _sharpcap_grabbed, _SITE + _DETECTOR),
    "asiair": Program("asiair", _asiair, _REST + "height = 2390.0\n"),
    "seestar": Program(
        "seestar", _seestar, _COLOUR + 'height = 2390.0\nfilters = {TG = "ip"}\n', bayer="GRBG"
    ),
    "sgp": Program("sgp", _sgp, _REST),
    "apt": Program("apt", _apt, _REST + "height = 2390.0\n", rounding=0.5),
    "voyager": Program("voyager", _voyager, _REST),
}
"""By name; the settings are those of a night with the detector and the site of `Night`."""
