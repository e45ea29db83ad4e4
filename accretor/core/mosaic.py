"""A detector that is read through several amplifiers: where on it the pixels of each belong."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from accretor.core.errors import HeaderError
from accretor.core.readout import Section

NOT_SAID = {"", "N/A", "UNKNOWN"}
"""Values of a section that name none; those of Las Cumbres Observatory."""
_SECTION = re.compile(r"\[\s*(\d+)\s*:\s*(\d+)\s*,\s*(\d+)\s*:\s*(\d+)\s*\]")


@dataclass(frozen=True)
class Amplifier:
    """The image that one amplifier wrote."""

    hdu: int
    plane: int
    """Of a cube, from 1; 0 for an image of two dimensions."""
    data: Section
    """Its pixels that see the sky."""
    place: Section
    """Where they are in the whole image; as large as ``data``."""
    is_mirrored: tuple[bool, bool]
    """In x and in y: read towards the first pixel of the detector."""
    blind: Section | None
    """Its overscan."""
    gain: float
    """Electron per ADU."""
    read_noise: float = math.nan
    """Electron."""
    saturation: float = math.nan
    """ADU as it is in the file."""


@dataclass(frozen=True)
class Mosaic:
    """The whole image, electron."""

    width: int
    height: int
    amplifiers: tuple[Amplifier, ...]
    crosstalk: tuple[tuple[float, ...], ...] = ()
    """Part of the signal of an amplifier (row) that is in another one (column); empty if nothing tells it."""

    @property
    def saturation(self) -> float:
        """Electron at which the first of the amplifiers is full; NaN if unknown."""
        full = [item.saturation * item.gain for item in self.amplifiers]
        return min(full) if all(map(math.isfinite, full)) else math.nan

    @property
    def read_noise(self) -> float:
        """Root mean square of the amplifiers', electron; NaN if unknown."""
        return math.sqrt(sum(item.read_noise**2 for item in self.amplifiers) / len(self.amplifiers))

    @property
    def is_levelled(self) -> bool:
        """Whether each amplifier has an overscan that tells its zero level."""
        return all(item.blind is not None for item in self.amplifiers)


Image = tuple[int, int, Mapping[str, Any]]
"""HDU, plane (0 without) and cards of the image of an amplifier."""


def lay_out(primary: Mapping[str, Any], images: Sequence[Image]) -> Mosaic:
    """Return where the *images* of the amplifiers belong.

    The convention of IRAF's mosaics, which Las Cumbres Observatory and others follow: DETSEC is the place
    on the detector, in pixels before binning, of DATASEC; what TRIMSEC leaves of that is kept; BIASSEC is the
    overscan. A section of the detector that runs backwards is a mirrored image.

    Parameters
    ----------
    primary : mapping
        Cards of the primary header; it tells what those of the images do not.
    images : sequence of (HDU, plane, cards)

    Raises
    ------
    HeaderError
        If a card is missing or the pieces do not fit.
    """
    found = [_piece(primary, *image) for image in images]
    left = min(place.left for _, place in found)
    low = min(place.low for _, place in found)
    pieces = tuple(replace(item, place=_moved(place, -left, -low)) for item, place in found)
    width = max(item.place.right for item in pieces)
    height = max(item.place.high for item in pieces)
    for number, one in enumerate(pieces):
        if any(_overlap(one.place, other.place) for other in pieces[:number]):
            raise HeaderError("DETSEC", "the amplifiers overlap on the detector")
    covered = sum(item.place.width * item.place.height for item in pieces)
    # Of old frames of Sinistro cameras the row in the middle was not read.
    if covered < 0.9 * width * height:
        raise HeaderError("DETSEC", f"the amplifiers cover {covered} of {width * height} pixels")
    return Mosaic(width, height, pieces, _crosstalk(primary, images))


def _crosstalk(primary: Mapping[str, Any], images: Sequence[Image]) -> tuple[tuple[float, ...], ...]:
    """Return the coefficients CRSTLKij, of amplifier i upon j from 1, of Las Cumbres Observatory.

    None of them where one is missing, or where the images are not of one size: then the pixels that were
    read at the same time are not known.
    """
    n = len(images)
    if len({(cards.get("NAXIS1"), cards.get("NAXIS2")) for _, _, cards in images}) != 1:
        return ()
    found = tuple(
        tuple(0.0 if i == j else _number(images[i][2], primary, f"CRSTLK{i + 1}{j + 1}", 0) for j in range(n))
        for i in range(n)
    )
    told = [value for row in found for value in row]
    return found if all(map(math.isfinite, told)) and any(told) else ()


def _piece(
    primary: Mapping[str, Any], hdu: int, plane: int, cards: Mapping[str, Any]
) -> tuple[Amplifier, Section]:
    """Return an amplifier, and its place on the detector in binned pixels from its first one."""
    size = int(cards.get("NAXIS1", 0)), int(cards.get("NAXIS2", 0))
    whole = Section(0, size[0], 0, size[1])
    trim = _section(cards, "TRIMSEC")
    data = _section(cards, "DATASEC") or trim or (whole, (False, False))
    place = _section(cards, "DETSEC")
    if place is None:
        raise HeaderError("DETSEC", f"HDU {hdu} does not say where on the detector it belongs")
    binning = _binning(cards, primary)
    kept = _common(data[0], trim[0] if trim else data[0], whole)
    mirrored = tuple(one != other for one, other in zip(place[1], data[1], strict=True))
    on_chip = Section(
        place[0].left // binning[0],
        place[0].left // binning[0] + data[0].width,
        place[0].low // binning[1],
        place[0].low // binning[1] + data[0].height,
    )
    for there, here, factor in zip(
        (place[0].width, place[0].height), (data[0].width, data[0].height), binning, strict=True
    ):
        if abs(there - here * factor) >= factor:
            raise HeaderError("DETSEC", f"{there} pixels of the detector for {here} binned by {factor}")
    cut = Section(
        *_cut(on_chip.left, on_chip.right, data[0].left, kept.left, kept.right, mirrored[0]),
        *_cut(on_chip.low, on_chip.high, data[0].low, kept.low, kept.high, mirrored[1]),
    )
    gain = _number(cards, primary, "GAIN", plane)
    if not gain > 0:
        raise HeaderError("GAIN", f"HDU {hdu} has none, and each amplifier has its own")
    blind = _section(cards, "BIASSEC")
    return (
        Amplifier(
            hdu,
            plane,
            kept,
            cut,
            (mirrored[0], mirrored[1]),
            blind[0] if blind and blind[0].is_in(*size) else None,
            gain,
            _number(cards, primary, "RDNOISE", plane),
            _full(cards, primary, plane),
        ),
        cut,
    )


def _cut(first: int, last: int, data: int, kept: int, end: int, is_mirrored: bool) -> tuple[int, int]:
    """Return where pixels *kept* to *end* of an axis are, if those from *data* on are *first* to *last*."""
    if is_mirrored:
        return last - (end - data), last - (kept - data)
    return first + (kept - data), first + (end - data)


def _section(cards: Mapping[str, Any], keyword: str) -> tuple[Section, tuple[bool, bool]] | None:
    """Return a section, and whether it runs backwards in x and in y."""
    text = str(cards.get(keyword, "")).strip()
    if text.upper() in NOT_SAID:
        return None
    found = _SECTION.fullmatch(text)
    if found is None:
        raise HeaderError(keyword, f"{text!r} is not a section such as [1:2048,1:2048]")
    x1, x2, y1, y2 = (int(number) for number in found.groups())
    if min(x1, x2, y1, y2) < 1:
        raise HeaderError(keyword, f"{text!r}: the first pixel is 1")
    return Section(min(x1, x2) - 1, max(x1, x2), min(y1, y2) - 1, max(y1, y2)), (x1 > x2, y1 > y2)


def _binning(cards: Mapping[str, Any], primary: Mapping[str, Any]) -> tuple[int, int]:
    text = str(cards.get("CCDSUM", primary.get("CCDSUM", "1 1")))
    found = re.fullmatch(r"\s*(\d+)[\sx,]+(\d+)\s*", text)
    return (max(1, int(found[1])), max(1, int(found[2]))) if found else (1, 1)


def _number(cards: Mapping[str, Any], primary: Mapping[str, Any], keyword: str, plane: int) -> float:
    """Return a number of an amplifier; of a cube it may be one of a list in a text."""
    value = cards.get(keyword, primary.get(keyword, math.nan))
    if isinstance(value, str):
        numbers = re.findall(r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?", value)
        if len(numbers) == 1:
            return float(numbers[0])
        return float(numbers[plane - 1]) if 0 < plane <= len(numbers) else math.nan
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan


def _full(cards: Mapping[str, Any], primary: Mapping[str, Any], plane: int) -> float:
    """Return the saturation of an amplifier; 0 is unknown, for which the primary header is asked."""
    found = [
        _number(where, {}, keyword, plane) for keyword in ("SATURATE", "MAXLIN") for where in (cards, primary)
    ]
    return next((value for value in found if value > 0), math.nan)


def _common(*sections: Section) -> Section:
    return Section(
        max(item.left for item in sections),
        min(item.right for item in sections),
        max(item.low for item in sections),
        min(item.high for item in sections),
    )


def _moved(section: Section, x: int, y: int) -> Section:
    return Section(section.left + x, section.right + x, section.low + y, section.high + y)


def _overlap(one: Section, other: Section) -> bool:
    both = _common(one, other)
    return both.width > 0 and both.height > 0
