"""A header in any dialect, as an exposure in the house's words and units."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from accretor.core import readout
from accretor.core.errors import HeaderError
from accretor.core.frame import Exposure, Kind
from accretor.core.settings import InstrumentSettings
from accretor.core.slug import slug
from accretor.instruments import clock, colour, combined, filters, position
from accretor.instruments.dialect import Cards, Dialect
from accretor.instruments.timing import ASSUMED, exposure_time, julian_offset, number, timing

KELVIN = 273.15
MAX_BINNING = 64
COLDEST, WARMEST = -200.0, 60.0
"""Degree Celsius between which a detector's temperature is believed."""
LEAST_SETTING = 10
"""Whole numbers from here on in GAIN are a camera's setting, not electrons per ADU."""

_LIGHT = {
    "light",
    "object",
    "science",
    "expose",
    "exposure",
    "target",
    "tricolor",
    "standard",
    "sky",
    "image",
}
_FIELDS: Mapping[str, str] = {"middle": "mid", "height": "elevation"}
"""Fields of a dialect that have another name in the settings."""
_OUTDONE: Mapping[str, tuple[str, ...]] = {
    "start": ("middle",),
    "middle": ("start", "end"),
    "end": ("start", "middle"),
}
"""Times of a dialect that do not count where the settings name the card of another one; the end that is
beside a start says no more than whether they agree."""
_UNITS = {"s": 1.0, "ms": 1e-3, "min": 60.0}
_SBIG: Mapping[int, Kind] = {1: "light", 2: "bias", 3: "dark", 4: "flat"}
_BEFORE = rf"(?:(?:{combined.WORD}|m|sky|dome|twilight|twi)[\s_-]*)*"
_CALIBRATION_NAME = re.compile(
    rf"{_BEFORE}(bias|zero|dark|flat)s?(?:[\s_-]*(?:frame|field)s?)?(?:[\s_-]*[\w.]{{1,4}})?",
    re.IGNORECASE,
)
_CALIBRATION_FILE = re.compile(rf"{_BEFORE}(bias|zero|dark|flat)s?(?![a-z])", re.IGNORECASE)


def exposure(
    header: Cards,
    name: str,
    instrument: InstrumentSettings,
    dialect: Dialect,
    printed: Mapping[str, str] | None = None,
) -> Exposure:
    """Return what *header* says.

    Parameters
    ----------
    header : mapping of keyword to value
    name : str
        Of the file; it tells the kind of an image whose header is silent about it.
    instrument : InstrumentSettings
        What the workspace says goes before the dialect, and that before the header. An empty
        name leaves the telescope token to the dialect.
    dialect : Dialect
    printed : mapping, optional
        Value and comment of numbers as they stand in the file: they tell how exact a date is.

    Returns
    -------
    Exposure
        ``mid`` is "" if no card tells it; then ``remark`` begins with the reason.

    Raises
    ------
    HeaderError
        If the image is of a kind that is not used, for example a focus frame or a master.
    """
    printed = {} if printed is None else printed
    dialect = _with_keywords(dialect, instrument)
    kind = _kind(header, name, dialect)
    n_combined = combined.n_combined(header, name, kind, dialect)
    choice = colour.choose(header, instrument)
    seconds, unit_remark = exposure_time(header, printed, dialect)
    stamp = "" if instrument.time_stamp == "auto" else instrument.time_stamp
    when = timing(header, printed, dialect, seconds, stamp)
    place, place_remarks = position.site(header, printed, instrument, dialect, when.start)
    ra, dec = position.pointing(header, printed, dialect, when.mid)
    filter_name, filter_remark = _filter(header, kind, instrument, dialect)
    gain, gain_remark = _gain(header, instrument, dialect)
    stamps = when.reasons if kind == "light" or when.mid is None else []
    calibrated, calibrated_remark = _calibrated(header, name, dialect)
    remarks = [
        *stamps,
        *(_not_there(header, instrument) if kind == "light" else ()),
        unit_remark,
        *place_remarks,
        filter_remark,
        gain_remark,
        calibrated_remark,
        *choice.remarks,
        *_oddities(header),
        dialect.doubt if kind == "light" and when.rule.endswith(ASSUMED) else "",
    ]
    found = Exposure(
        kind=kind,
        object=_text(header, dialect.object),
        filter=filter_name,
        exposure=seconds,
        mid="" if when.mid is None else clock.iso(when.mid),
        instrument=_token(header, instrument, dialect),
        camera=instrument.camera or _text(header, dialect.camera),
        width=_count(header, "NAXIS1"),
        height=_count(header, "NAXIS2"),
        n_combined=n_combined,
        binning=_binning(header),
        mode=_mode(header, dialect),
        calibrated=calibrated,
        temperature=_temperature(header, dialect),
        gain=gain,
        read_noise=_level("read_noise", header, dialect.read_noise, instrument.read_noise, dialect),
        saturation=_level("saturation", header, dialect.saturation, instrument.saturation, dialect),
        ra=ra,
        dec=dec,
        latitude=place.latitude,
        longitude=place.longitude,
        elevation=place.elevation,
        altitude=position.altitude(header, printed, dialect),
        pixel_scale=_pixel_scale(header, instrument, dialect, filter_name),
        overscan=_section(header, dialect.overscan, instrument.overscan, dialect),
        trim=_section(header, dialect.trim, instrument.trim, dialect),
        julian_offset=round(julian_offset(header, printed, dialect, when), 3),
        sidereal_offset=(
            math.nan
            if when.start is None
            else round(position.sidereal_offset(header, dialect, place.longitude, when.start, seconds), 1)
        ),
        time_rule=when.rule if kind == "light" else "",
        has_wcs=position.has_wcs(header),
        remark="; ".join(remark for remark in remarks if remark),
    )
    return colour.applied(found, choice, instrument)


def _with_keywords(dialect: Dialect, instrument: InstrumentSettings) -> Dialect:
    """Return *dialect* with the cards of the settings before its own.

    Of the times, those that the settings name are believed alone: an end that they name is not outdone by a
    start of the dialect, which may be when the file was written.
    """
    changed: dict[str, Any] = {}
    named = instrument.keywords.keys() & _OUTDONE.keys()
    for word in {other for one in named for other in _OUTDONE[one]} - named:
        changed[_FIELDS.get(word, word)] = ()
    for word, card in instrument.keywords.items():
        name: str = _FIELDS.get(word, word)
        keyword = card.upper()
        before = getattr(dialect, name)
        changed[name] = (
            {keyword: "C or K" if word == "temperature" else 1.0, **before}
            if isinstance(before, Mapping)
            else (keyword, *before)
        )
    if len({"ra", "dec"} & changed.keys()) == 1:  # they go together: the other has its usual card
        other = "dec" if "ra" in changed else "ra"
        changed[other] = (other.upper(), *getattr(dialect, other))
    if instrument.exposure_unit != "auto":
        cards = changed.get("exposure", dialect.exposure)
        changed["exposure"] = dict.fromkeys(cards, _UNITS[instrument.exposure_unit])
    return dataclasses.replace(dialect, **changed) if changed else dialect


def _not_there(header: Cards, instrument: InstrumentSettings) -> Iterable[str]:
    """Yield a remark on each card that the settings name and the header has not."""
    for word, card in instrument.keywords.items():
        missing = [part for part in card.upper().split("+") if str(header.get(part, "")).strip() == ""]
        if missing:
            yield f"no card {' and '.join(missing)}, which the settings name for {word}"


def _calibrated(header: Cards, name: str, dialect: Dialect) -> tuple[str, str]:
    """Return the letters of what was done to the pixels before, and a remark."""
    done: dict[str, None] = {}
    said: dict[str, None] = {}
    for keyword, letters in dialect.calibrated.items():
        value = str(header.get(keyword, "")).strip()
        found = [letter for pattern, of in letters.items() if re.search(pattern, value) for letter in of]
        done |= dict.fromkeys(found)
        said |= dict.fromkeys([keyword] if found else [])
    if done:
        text = "".join(letter for letter in "BDF" if letter in done)
        return text, f"calibrated before ({text}), by {', '.join(said)}"
    if re.search(r"_out\.\w+(?:\.\w+)?$", name, re.IGNORECASE) and "JD_SOBS" in header:
        return "BDF", "calibrated before (BDF), by AstroImageJ's name and cards"
    return "", ""


def _mode(header: Cards, dialect: Dialect) -> str:
    """Return how the camera was read out; also from which end its rows were written.

    Positions count rows of the file, whatever they are called, and a plate solution may be mirrored: so to
    one night the order of rows is nothing. But a dark of the other order is upside down.
    """
    named = _text(header, dialect.mode)
    setting = [
        f"{keyword.lower()} {number(header, keyword):g}"
        for keyword in ("GAIN", "OFFSET")
        if _is_setting(header, dialect) and math.isfinite(number(header, keyword))
    ]
    is_turned = str(header.get("ROWORDER", "")).strip().upper() == "BOTTOM-UP"
    return ", ".join(filter(None, (named, *setting, "rows bottom-up" if is_turned else "")))


def _is_setting(header: Cards, dialect: Dialect) -> bool:
    """Tell whether GAIN holds the setting of the camera."""
    value = number(header, "GAIN")
    if "GAIN" in dialect.gain and "GAIN" not in dialect.gain_is_setting:
        return False
    return value == 0 or (value >= LEAST_SETTING and value % 1 == 0)


def _kind(header: Cards, name: str, dialect: Dialect) -> Kind:
    for keyword in dialect.kind:
        value = header.get(keyword, "")
        if isinstance(value, int) and value in _SBIG:
            return _SBIG[value]
        text = str(value).casefold()
        if not isinstance(value, str) or text.strip() in {"", "unknown", "none"}:
            continue
        found = _calibration_kind(text)
        if found is not None:
            return found
        if "master" in text:
            raise combined.several(keyword, repr(value))
        if _LIGHT.intersection(re.findall(r"[a-z]+", text)):
            return "light"
        raise HeaderError(keyword, f"{value!r} is not light, bias, dark or flat")
    title = _text(header, dialect.object)
    pattern, text = (_CALIBRATION_NAME.fullmatch, title) if title else (_CALIBRATION_FILE.match, name)
    match = pattern(text)
    return (_calibration_kind(match[1].casefold()) if match else None) or "light"


def _calibration_kind(text: str) -> Kind | None:
    if "dark" in text:  # also a dark for flats
        return "dark"
    if "bias" in text or re.search(r"\b(zero|offset)\b", text):
        return "bias"
    return "flat" if "flat" in text or "twilight" in text else None


def _filter(header: Cards, kind: Kind, instrument: InstrumentSettings, dialect: Dialect) -> tuple[str, str]:
    if kind in {"bias", "dark"}:
        return "", ""
    name = _text(header, dialect.filter)
    canonical, is_known = filters.canonical(name, {**dialect.filters, **instrument.filters})
    if is_known or not name:
        return canonical, ""
    return canonical, f"filter {name!r} is not a name that ExoFOP knows"


def _gain(header: Cards, instrument: InstrumentSettings, dialect: Dialect) -> tuple[float, str]:
    known = instrument.gain if instrument.gain is not None else dialect.constants.get("gain")
    if known is not None:
        return float(known), ""
    remark = ""
    for keyword in dialect.gain:
        value = number(header, keyword)
        if not 0 <= value < math.inf:
            continue
        if keyword in dialect.gain_is_setting and (value == 0 or (value >= LEAST_SETTING and value % 1 == 0)):
            remark = f"{keyword} = {value:g} is taken for the camera's setting, not for electron/ADU"
        elif value > 0:
            return value, ""
    return math.nan, remark


def _level(key: str, header: Cards, keywords: Iterable[str], ours: float | None, dialect: Dialect) -> float:
    known = ours if ours is not None else dialect.constants.get(key)
    if known is not None:
        return float(known)
    return next(
        (value for keyword in keywords if 0 < (value := number(header, keyword)) < math.inf), math.nan
    )


def _section(header: Cards, keywords: Iterable[str], ours: str, dialect: Dialect) -> str:
    """Return a section of the frame: the settings go before the header; "" if there is none to use."""
    if ours:
        return ours.strip()
    if any(header.get(keyword) not in {None, 0, ""} for keyword in dialect.is_trimmed):
        return ""
    width, height = _count(header, "NAXIS1"), _count(header, "NAXIS2")
    for keyword in keywords:
        try:
            section = readout.parse(str(header.get(keyword, "")))
        except ValueError:
            continue
        if section.is_in(width, height) and (section.width, section.height) != (width, height):
            return str(section)
    return ""


def _pixel_scale(header: Cards, instrument: InstrumentSettings, dialect: Dialect, band: str) -> float:
    known = instrument.pixel_scale or dialect.constants.get("pixel_scale")
    if known is None and band in dialect.scale_of_filter:
        known = dialect.scale_of_filter[band] * int(_binning(header).partition("x")[0])
    return float(known) if known is not None else position.pixel_scale(header, dialect)


def _temperature(header: Cards, dialect: Dialect) -> float:
    for keyword, unit in dialect.temperature.items():
        value = number(header, keyword)
        if unit == "K" or (unit == "C or K" and value > WARMEST):
            value -= KELVIN
        is_rubbish = 0 < abs(value) < 1e-6  # 8.7e-34 is memory that nobody wrote to
        if COLDEST <= value <= WARMEST and not is_rubbish:
            return round(value, 6)
    return math.nan


def _binning(header: Cards) -> str:
    for pair in (("XBINNING", "YBINNING"), ("CCDXBIN", "CCDYBIN"), ("XBIN", "YBIN"), ("BINX", "BINY")):
        x, y = (number(header, keyword) for keyword in pair)
        if 1 <= x <= MAX_BINNING:
            return f"{x:.0f}x{y if 1 <= y <= MAX_BINNING else x:.0f}"
    for keyword in ("CCDSUM", "BINNING"):
        if found := re.fullmatch(
            r"\s*(\d+)\s*[x,*\s]\s*(\d+)\s*", str(header.get(keyword, "")), re.IGNORECASE
        ):
            return f"{int(found[1])}x{int(found[2])}"
    return "1x1"


def _token(header: Cards, instrument: InstrumentSettings, dialect: Dialect) -> str:
    if instrument.name:
        return instrument.name
    missing = False

    def word(found: re.Match[str]) -> str:
        nonlocal missing
        value = str(header.get(found[1], "")).strip()
        missing = missing or not value
        return dialect.telescope_words.get(found[1], {}).get(value, value)

    name = re.sub(r"\{([^}]+)\}", word, dialect.telescope)
    if missing or not name:
        name = _text(header, ("TELESCOP", "INSTRUME", "OBSERVAT")) or "unknown telescope"
    return re.sub(r"[^A-Za-z0-9]+", "-", slug(name)).strip("-")


def _oddities(header: Cards) -> Iterable[str]:
    if str(header.get("CTYPE1", "")).startswith("RA--") and not position.has_wcs(header):
        yield "the plate solution of the header is not in numbers but in text; it is read all the same"


def _text(header: Cards, keywords: Iterable[str]) -> str:
    values = (header.get(keyword, "") for keyword in keywords)
    return next(
        (text for value in values if not isinstance(value, bool) and (text := str(value).strip())), ""
    )


def _count(header: Cards, keyword: str) -> int:
    value = header.get(keyword, 0)
    return value if isinstance(value, int) else 0
