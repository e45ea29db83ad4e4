"""Whether a PNG image can be decoded: its chunks, their sums, and all of its pixels."""

from __future__ import annotations

import struct
import zlib

from accretor.core.errors import Unusable

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples of a pixel by the colour type."""
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Of an interlaced image: first column, first row, step of columns, step of rows."""
MOST_BYTES = 1_000_000_000
"""Of unpacked pixels; more is no figure of a light curve."""


def check(content: bytes) -> tuple[int, int]:
    """Return width and height of a PNG image.

    Raises
    ------
    Unusable
        If it is none, or is damaged, or lacks pixels.
    """
    if not content.startswith(_SIGNATURE):
        raise Unusable("is no PNG image")
    kinds, header, packed = _chunks(content)
    if kinds[:1] != [b"IHDR"] or b"IDAT" not in kinds or kinds[-1] != b"IEND" or len(header) != 13:
        raise Unusable("is a damaged PNG image")
    width, height, depth, color, _, _, interlace = struct.unpack(">IIBBBBB", header)
    if color not in _CHANNELS or not width or not height:
        raise Unusable("is a damaged PNG image")
    bits = depth * _CHANNELS[color]
    wanted = sum(_size(*part, bits) for part in _parts(width, height, interlace))
    if wanted > MOST_BYTES:
        raise Unusable(f"is a PNG image of {width} x {height} pixels, which is too large")
    unpack = zlib.decompressobj()
    try:
        n_byte = len(unpack.decompress(packed, wanted + 1))
    except zlib.error:
        raise Unusable("is a damaged PNG image: its pixels cannot be unpacked") from None
    if n_byte != wanted:
        raise Unusable(f"is a damaged PNG image: {n_byte} of {wanted} bytes of pixels are there")
    return width, height


def _chunks(content: bytes) -> tuple[list[bytes], bytes, bytes]:
    """Return the kinds of the chunks up to the first damaged one, the header, and the packed pixels."""
    at, kinds, header, packed = len(_SIGNATURE), [], b"", []
    while at + 12 <= len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        chunk, crc = content[at + 4 : at + 8 + length], content[at + 8 + length : at + 12 + length]
        if len(crc) < 4 or zlib.crc32(chunk) != struct.unpack(">I", crc)[0]:
            break
        kind = chunk[:4]
        kinds.append(kind)
        if kind == b"IHDR":
            header = chunk[4:]
        elif kind == b"IDAT":
            packed.append(chunk[4:])
        at += 12 + length
    return kinds or [b""], header, b"".join(packed)


def _parts(width: int, height: int, interlace: int) -> list[tuple[int, int]]:
    """Return width and height of each pass in which the pixels come."""
    if not interlace:
        return [(width, height)]
    return [
        ((width - x + step_x - 1) // step_x, (height - y + step_y - 1) // step_y)
        for x, y, step_x, step_y in _PASSES
    ]


def _size(width: int, height: int, bits: int) -> int:
    """Return the bytes of a pass: each row begins with the number of its filter."""
    return height * (1 + (width * bits + 7) // 8) if width > 0 and height > 0 else 0
