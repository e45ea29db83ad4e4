"""Headers of raw frames, read fast and without trust: no pixel is read, nothing large is allocated."""

from __future__ import annotations

import gzip
import math
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

from accretor import instruments
from accretor.core import mosaic
from accretor.core.errors import HeaderError

Value: TypeAlias = str | int | float | bool
"""Value of one card."""

BLOCK = 2880
CARD = 80
MAX_HEADER = 10_000_000
"""Bytes of one header."""
MAX_DATA = 1_000_000_000
"""Bytes of one image, as it is declared and before anything is unpacked."""
MAX_HDU = 20
"""HDUs that are looked at in search of an image."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eEdD][+-]?\d+)?")
_OLD_DATE = re.compile(r"\s*(\d{1,4}/\d{1,2}/\d{1,4}\S*)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BESIDE = re.compile(
    r"\s*(?:BPM|ERR|ERROR|UNC|UNCERT|MASK|DQ|VAR|WEIGHT|WHT|BKG|BACKGROUND|FLAG|THUMB|QUALITY|EXP)",
    re.IGNORECASE,
)
"""EXTNAME of images that stand beside the one of the sky: of errors, of bad pixels."""
_OF_AMPLIFIER = re.compile(
    r"NAXIS\d*|DETSEC|DATASEC|TRIMSEC|BIASSEC|CCDSEC|AMPSEC|GAIN|RDNOISE|SATURATE|MAXLIN"
)
"""Cards that say nothing of the whole image."""
_OF_SKY = re.compile(r"(?:CTYPE|CRVAL|CRPIX|CUNIT|CDELT|CROTA)\d|(?:CD|PC)\d_\d")
_PIXEL_BITS = (8, 16, 32, 64, -32, -64)


@dataclass(frozen=True)
class RawHeader(Mapping[str, Value]):
    """Cards of the image in a raw frame, and where its pixels are.

    A packed image (tile compression) is described as it is unpacked: NAXIS1, NAXIS2 and
    BITPIX are those of the image, not of the table that holds it.
    """

    cards: Mapping[str, Value]
    """Value by keyword, the first of a repeated one; the primary header fills in what an extension
    leaves out."""
    printed: Mapping[str, str]
    """What stands behind the ``=``: the value as it is printed, and the comment."""
    hdu: int
    """Index of the HDU that holds the image."""
    data_offset: int
    """Byte at which the data of this HDU begin, in the uncompressed file."""
    expected_size: int
    """Bytes up to the end of these data, without padding, in the uncompressed file."""
    primary: Mapping[str, Value] = field(default_factory=dict)
    """Cards of the primary header, where the image is in an extension."""
    masks: Mapping[str, int] = field(default_factory=dict)
    """HDU of each map of the size of the image that stands beside it, by its EXTNAME."""
    amplifiers: mosaic.Mosaic | None = None
    """Of several amplifiers: how the image is put together; ``cards`` are then those of the whole image."""

    def __getitem__(self, keyword: str) -> Value:
        """Return the value of *keyword*."""
        return self.cards[keyword]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keywords."""
        return iter(self.cards)

    def __len__(self) -> int:
        """Return the number of keywords."""
        return len(self.cards)


def read(path: Path) -> RawHeader:
    """Return the header of the first image in a FITS file, plain, tile-compressed or gzipped.

    Of a file with an image for each amplifier it is the header of the image that they are put together to:
    in electron, without overscan (`accretor.core.mosaic`). Unquoted texts, HIERARCH, CONTINUE, bytes that are
    not ASCII and senseless values are survived; COMMENT and HISTORY are passed over. The data are not read,
    but they must be there.

    Raises
    ------
    HeaderError
        If the file is empty, no FITS file, without END, shorter than its header says, or if its
        image is not two-dimensional or is declared larger than `MAX_DATA`.
    OSError
        If the file system does not give it.
    """
    with path.open("rb") as stream:
        return read_stream(stream)


def read_stream(stream: BinaryIO) -> RawHeader:
    """Return the header as `read` does, of a file that is open at its begin."""
    size = os.fstat(stream.fileno()).st_size
    if size == 0:
        raise HeaderError("", "the file is empty")
    if stream.read(2) != b"\x1f\x8b":
        stream.seek(0)
        header = _image(stream)
        _check_size(header, size)
        return _whole(stream, header, size)
    stream.seek(0)
    try:
        with gzip.GzipFile(fileobj=stream) as unpacked:
            header = _image(cast(BinaryIO, unpacked))
            _check_size(header, _unpacked_size(stream, cast(BinaryIO, unpacked), header))
            return _whole(cast(BinaryIO, unpacked), header, _declared_size(stream))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise HeaderError(
            "", f"the gzip file is damaged or incomplete ({error}); still being copied?"
        ) from None


def parse(block: bytes) -> tuple[dict[str, Value], dict[str, str]]:
    """Return values, and what is printed, of the cards in *block*, without COMMENT and HISTORY."""
    cards: dict[str, Value] = {}
    printed: dict[str, str] = {}
    last = ""
    for at in range(0, len(block), CARD):
        raw = block[at : at + CARD]
        name = raw[:8]
        if name in (b"COMMENT ", b"HISTORY ", b"        ") or not raw.strip(b" \x00"):
            continue
        card = _decode(raw)
        if name == b"CONTINUE":
            previous = cards.get(last)
            if isinstance(previous, str) and previous.endswith("&"):
                cards[last] = previous[:-1] + str(_value(card[8:]))
                printed.pop(last, None)
            continue
        keyword, sign, text = card.partition("=")
        if keyword.startswith("HIERARCH "):
            keyword = keyword[9:]
        elif sign and len(keyword) > 8:  # an = inside a text is no sign of a value
            continue
        keyword = " ".join(keyword.upper().split())
        if not sign or not keyword:
            continue
        last = "" if keyword in cards else keyword
        if last:
            cards[keyword] = _value(text)
            printed[keyword] = text.strip()
    return cards, printed


def _image(stream: BinaryIO) -> RawHeader:
    primary: dict[str, Value] = {}
    primary_printed: dict[str, str] = {}
    offset = 0
    for hdu in range(MAX_HDU):
        block = _header_block(stream, is_primary=hdu == 0)
        if not block:
            break
        offset += len(block)
        cards, printed = parse(block)
        data_size = _data_size(cards)
        if _holds_image(cards, hdu):
            as_stored, cards = cards, _unpacked(cards)
            _check_image(cards)
            if hdu or cards is not as_stored:
                both, words = primary | cards, primary_printed | printed
                printed = {key: text for key, text in words.items() if _is_of(key, text, both)}
            return RawHeader(
                cards=primary | cards,
                printed=printed,
                hdu=hdu,
                data_offset=offset,
                expected_size=offset + data_size,
                primary=primary,
            )
        if hdu == 0:
            primary, primary_printed = cards, printed
        if data_size > MAX_DATA:
            break
        offset += math.ceil(data_size / BLOCK) * BLOCK
        stream.seek(offset)
    raise HeaderError("", "there is no image in this FITS file")


def _header_block(stream: BinaryIO, *, is_primary: bool) -> bytes:
    block = stream.read(BLOCK)
    if is_primary:
        _check_start(block)
    elif len(block) < CARD or not block.startswith(b"XTENSION"):
        return b""
    pieces = []
    total = 0
    while block:
        pieces.append(block)
        total += len(block)
        ends = _end(block)
        if ends >= 0:
            if len(block) < BLOCK:
                raise HeaderError("", "the file ends with its header; still being copied?")
            return b"".join(pieces)
        if total > MAX_HEADER:
            raise HeaderError("", f"the header has no END within {MAX_HEADER // 1_000_000} MB")
        block = stream.read(BLOCK)
    raise HeaderError("", "the file ends within its header, before END; still being copied?")


def _end(block: bytes) -> int:
    at = block.find(b"END     ")
    while at >= 0 and at % CARD:
        at = block.find(b"END     ", at + 1)
    return at


def _check_start(block: bytes) -> None:
    if block.startswith(b"SIMPLE"):
        if not block.startswith(b"SIMPLE  ="):
            raise HeaderError("SIMPLE", "this is not a FITS file")
        return
    head = block.lstrip(b"\xef\xbb\xbf \t\r\n")[:512].lower()
    if head.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml")) or b"<html" in head:
        raise HeaderError("", "this is a web page, not a FITS file: a login or error page of an archive?")
    if head.startswith(b"version https://git-lfs"):
        raise HeaderError("", "this is a placeholder of git-lfs, not a FITS file")
    if not block.strip(b"\x00"):
        raise HeaderError("", "the file is filled with zeros; still being copied?")
    if all(byte >= 0x20 or byte in b"\t\r\n" for byte in block[:512]):
        raise HeaderError("", "this is a text file, not a FITS file")
    raise HeaderError("", "this is not a FITS file")


def _holds_image(cards: Mapping[str, Value], hdu: int) -> bool:
    if cards.get("ZIMAGE") is True:
        return True
    is_image = hdu == 0 or str(cards.get("XTENSION", "")).strip() == "IMAGE"
    return is_image and _integer(cards, "NAXIS") > 0


def _unpacked(cards: dict[str, Value]) -> dict[str, Value]:
    """Return *cards* as they are once a tile-compressed image is unpacked."""
    if cards.get("ZIMAGE") is not True:
        return cards
    inside = {
        keyword[1:]: value for keyword, value in cards.items() if re.fullmatch(r"Z(NAXIS\d*|BITPIX)", keyword)
    }
    return cards | inside


def _check_image(cards: Mapping[str, Value]) -> None:
    n_axis = _integer(cards, "NAXIS")
    if n_axis not in (2, 3):  # a cube is for the settings to choose from
        sizes = " x ".join(str(cards.get(f"NAXIS{axis}", "?")) for axis in range(1, min(n_axis, 5) + 1))
        raise HeaderError(
            "NAXIS", f"this is a {n_axis}-D image ({sizes}), of a colour camera or a cube; 2-D needed"
        )
    width, height = (_integer(cards, keyword) for keyword in ("NAXIS1", "NAXIS2"))
    if width < 1 or height < 1:
        raise HeaderError("NAXIS1", f"an image of {width} x {height} pixels")
    bits = _integer(cards, "BITPIX")
    if bits not in _PIXEL_BITS:
        raise HeaderError(
            "BITPIX", f"{cards.get('BITPIX')!r} is not one of {', '.join(map(str, _PIXEL_BITS))}"
        )
    if width * height * abs(bits) // 8 > MAX_DATA:
        raise HeaderError(
            "NAXIS1",
            f"{width} x {height} pixels are more than {MAX_DATA // 10**9} GB; is the header damaged?",
        )


def _data_size(cards: Mapping[str, Value]) -> int:
    n_axis = _integer(cards, "NAXIS")
    if not 0 <= n_axis <= 999:
        raise HeaderError("NAXIS", f"{cards.get('NAXIS')!r} is not a number of axes")
    if n_axis == 0:
        return 0
    axes = [_integer(cards, f"NAXIS{axis}") for axis in range(1, n_axis + 1)]
    if min(axes) < 0:
        raise HeaderError("NAXIS1", f"an image of {' x '.join(map(str, axes))} pixels")
    n_pixel = math.prod(axes)
    groups = max(1, _integer(cards, "GCOUNT"))
    return abs(_integer(cards, "BITPIX")) // 8 * groups * (max(0, _integer(cards, "PCOUNT")) + n_pixel)


def _check_size(header: RawHeader, size: int) -> None:
    if size < header.expected_size:
        data = header.expected_size - header.data_offset
        percent = 100 * max(0, size - header.data_offset) // data
        raise HeaderError("", f"the file ends after {percent} % of its data; still being copied?")


def _unpacked_size(packed: BinaryIO, unpacked: BinaryIO, header: RawHeader) -> int:
    """Return the size of a gzipped file once unpacked, as far as it is needed."""
    if header.expected_size - header.data_offset > MAX_DATA:
        raise HeaderError("NAXIS1", f"more than {MAX_DATA // 10**9} GB of data; is the header damaged?")
    declared = _declared_size(packed)
    padded = math.ceil(header.expected_size / BLOCK) * BLOCK
    if declared in (header.expected_size, padded):  # what a whole file of one image says at its end
        return declared
    size = unpacked.tell()
    while size < header.expected_size:
        try:
            n_byte = len(unpacked.read(min(1 << 20, header.expected_size - size)))
        except (EOFError, zlib.error):
            break
        if not n_byte:
            break
        size += n_byte
    return size


def _declared_size(packed: BinaryIO) -> int:
    """Return the unpacked size that a gzipped file declares at its end."""
    at = packed.tell()
    packed.seek(-4, 2)
    declared = int.from_bytes(packed.read(4), "little")
    packed.seek(at)
    return declared


def _whole(stream: BinaryIO, header: RawHeader, size: int) -> RawHeader:
    """Return the header of the image that several amplifiers make together; of a single one as it is."""
    if planes := _planes(header):
        return _put_together(header, [(header.hdu, plane + 1, cards) for plane, cards in enumerate(planes)])
    images, end, masks = _images(stream, header, size)
    if len(images) == 1:
        return replace(header, masks=masks)
    if size < end:
        raise HeaderError("", "the file ends within its last image; still being copied?")
    try:
        return _put_together(header, [(hdu, 0, cards) for hdu, cards in images])
    except HeaderError as error:
        raise HeaderError(
            error.keyword,
            f"{len(images)} images of {header['NAXIS1']} x {header['NAXIS2']} pixels in one file, in HDU "
            f"{', '.join(str(hdu) for hdu, _ in images)}, as of several amplifiers or detectors, and they "
            f"cannot be put together: {error.reason}",
        ) from None


def _planes(header: RawHeader) -> list[Mapping[str, Value]]:
    """Return the cards of the amplifiers of a cube; none if it is another cube, or no cube."""
    if header.get("NAXIS") != 3:
        return []
    return [{**header, **cards} for cards in instruments.detect(header).planes_of(header)]


def _images(
    stream: BinaryIO, header: RawHeader, size: int
) -> tuple[list[tuple[int, Mapping[str, Value]]], int, dict[str, int]]:
    """Return HDU and cards of all images of the size of the first, and the byte at which the last ends.

    Images whose names say that they are no sky are apart: the HDU by name. A file that ends with its first
    image costs nothing.
    """
    found: list[tuple[int, Mapping[str, Value]]] = [(header.hdu, header.cards)]
    offset = math.ceil(header.expected_size / BLOCK) * BLOCK
    masks: dict[str, int] = {}
    end = header.expected_size
    hdu = header.hdu
    while size >= offset + BLOCK and hdu < MAX_HDU:
        hdu += 1
        stream.seek(offset)
        try:
            block = _header_block(stream, is_primary=False)
        except HeaderError:  # rubbish behind the image is no image
            break
        if not block:
            break
        cards = _unpacked(parsed := parse(block)[0])
        is_same = [cards.get(f"NAXIS{axis}") for axis in (1, 2)] == [
            header.get(f"NAXIS{axis}") for axis in (1, 2)
        ]
        after = offset + len(block) + _data_size(parsed)
        name = str(cards.get("EXTNAME", "")).strip().upper()
        if _holds_image(cards, hdu) and is_same:
            if not _BESIDE.match(name):
                found.append((hdu, cards))
                end = after
            elif after <= size:
                masks.setdefault(name, hdu)
        offset += len(block) + math.ceil(_data_size(parsed) / BLOCK) * BLOCK
    return found, end, masks


def _put_together(header: RawHeader, images: list[mosaic.Image]) -> RawHeader:
    """Return the header of the whole image, in electron.

    The plate solution is that of the primary header: one of an amplifier would count its pixels.
    """
    whole = mosaic.lay_out(header.primary, images)
    is_cube = images[0][1] > 0
    # Of what both say the primary header speaks for the whole.
    of_whole = header.cards if is_cube else {**header.cards, **header.primary}
    cards = {
        key: value
        for key, value in of_whole.items()
        if not _OF_AMPLIFIER.fullmatch(key) and (is_cube or key in header.primary or not _OF_SKY.match(key))
    }
    told = {"RDNOISE": whole.read_noise, "SATURATE": whole.saturation}
    cards |= {"NAXIS": 2, "NAXIS1": whole.width, "NAXIS2": whole.height, "GAIN": 1.0}
    cards |= {key: value for key, value in told.items() if math.isfinite(value)}
    return replace(header, cards=cards, amplifiers=whole, hdu=header.hdu if is_cube else 0)


def _decode(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return text if text.isprintable() else _CONTROL.sub(" ", text)


def _value(text: str) -> Value:
    text = text.strip()
    if text.startswith("'"):
        found = re.match(r"'((?:[^']|'')*)'?", text)
        return found[1].replace("''", "'").rstrip() if found else ""
    if 0 < text.find("/") <= 4 and (found := _OLD_DATE.match(text)):
        return found[1]
    text = text.partition("/")[0].strip()
    if text in {"T", "F"}:
        return text == "T"
    number = _NUMBER.fullmatch(text)
    if not number:
        return text
    if number[1].isdigit() and number[3] is None:
        return int(text)
    return float(text.replace("D", "E").replace("d", "e"))


def _is_of(keyword: str, text: str, cards: Mapping[str, Value]) -> bool:
    """Tell whether *text* is how the value of *keyword* is printed, and not one of the other header."""
    return keyword in cards and (_value(text) == cards[keyword] or keyword.startswith(("NAXIS", "BITPIX")))


def _integer(cards: Mapping[str, Value], keyword: str) -> int:
    value = cards.get(keyword, 0)
    if isinstance(value, bool):
        return 0
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return int(value)
    return value if isinstance(value, int) else 0
