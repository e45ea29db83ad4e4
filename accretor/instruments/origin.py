"""From which card of a header a value comes, for people who must trust it."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable

from accretor.core.frame import Exposure
from accretor.instruments.dialect import Cards, Dialect, Value
from accretor.instruments.timing import number

_OF_FITS = re.compile(
    r"SIMPLE|BITPIX|NAXIS\d*|EXTEND|XTENSION|EXTNAME|[PG]COUNT|B(?:SCALE|ZERO|UNIT)|CHECKSUM|DATASUM|WCSAXES"
    r"|[XY]BINNING|SW(?:SERIAL|OWNER)|(?:LON|LAT)POLE|(?:CTYPE|CRVAL|CRPIX|CUNIT|CDELT|CROTA)\d|(?:CD|PC|PV)\d_\d+|[AB]P?_(?:ORDER|\d_\d)"
)
"""Cards of the file, of binning, of a plate solution; and those of a program's licence, which are private."""


def of_level(value: float, header: Cards, keywords: Iterable[str]) -> str:
    """Return the first of *keywords* whose card has this number; "" if none has."""
    if not math.isfinite(value):
        return ""
    return next((keyword for keyword in keywords if math.isclose(number(header, keyword), value)), "")


def of_text(header: Cards, keywords: Iterable[str]) -> str:
    """Return the first of *keywords* whose card is not empty; "" if all are, or missing."""
    return next((keyword for keyword in keywords if str(header.get(keyword, "")).strip()), "")


def of_mid(header: Cards, dialect: Dialect) -> str:
    """Return, in words, which card tells the time of the exposure."""
    for cards, words in (
        (dialect.mid, "the middle of the exposure"),
        (dialect.start, "the start of the exposure"),
        (dialect.end, "the end of the exposure"),
    ):
        for card in cards:
            parts = card.split("+")
            if all(str(header.get(part, "")).strip() for part in parts):
                return f"{' and '.join(parts)}, taken as {words}"
    return ""


def strange(header: Cards, dialect: Dialect) -> dict[str, Value]:
    """Return the cards that say something, but nothing to *dialect* nor FITS: among them is what it lacks."""
    known = {
        part
        for field in dataclasses.fields(dialect)
        if not isinstance(value := getattr(dialect, field.name), str | bool) and isinstance(value, Iterable)
        for card in value
        for part in str(card).split("+")
    }
    return {
        card: value
        for card, value in header.items()
        if card not in known and not _OF_FITS.fullmatch(card) and str(value).strip()
    }


def sources(exposure: Exposure, header: Cards, dialect: Dialect) -> dict[str, str]:
    """Return, by field of `Exposure`, the card (or the dialect) that its value is from; "" where unknown."""
    found = {
        "gain": of_level(exposure.gain, header, dialect.gain),
        "read_noise": of_level(exposure.read_noise, header, dialect.read_noise),
        "saturation": of_level(exposure.saturation, header, dialect.saturation),
        "pixel_scale": of_level(exposure.pixel_scale, header, dialect.pixel_scale),
        "filter": of_text(header, dialect.filter),
        "object": of_text(header, dialect.object),
        "exposure": of_text(header, dialect.exposure),
        "latitude": of_text(header, dialect.latitude),
        "longitude": of_text(header, dialect.longitude),
        "elevation": of_text(header, dialect.elevation),
        "mid": of_mid(header, dialect),
    }
    for name in ("gain", "read_noise", "saturation", "pixel_scale"):
        if name in dialect.constants:
            found[name] = f"dialect {dialect.name}"
    for name in ("latitude", "longitude", "elevation"):
        if math.isfinite(getattr(dialect.site, name)):
            found[name] = f"dialect {dialect.name}"
    return found
