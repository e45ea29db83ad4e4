"""Faulty raw files, made from a good one; none is stored."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from astropy.io import fits

Make = Callable[[bytes], bytes]
"""Makes the content of a faulty file from that of a good one."""


@dataclass(frozen=True)
class Fault:
    """One file below ``raw/`` that a tool must survive."""

    number: str
    """In the list of faults."""
    name: str
    make: Make
    verdict: str
    """Words of the reason for which it is left out; with "" it is used as any other frame."""
    is_copy: bool = False
    """It has the time of the frame that it is made from."""

    def seconds(self, number: int) -> float:
        """Return how much later than its model the file *number* of a list is taken."""
        return 0.0 if self.is_copy else 200.0 + 10.0 * number


def moved(content: bytes, seconds: float) -> bytes:
    """Return a frame as if it were taken *seconds* later; at 0 it stays as it is."""
    if not seconds:
        return content
    start = datetime.fromisoformat(str(fits.getheader(io.BytesIO(content))["DATE-OBS"]))
    return with_cards({"DATE-OBS": (start + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")})(
        content
    )


def in_zone(content: bytes) -> bytes:
    """Return the frame with its time written in the zone of +02:00."""
    utc = datetime.fromisoformat(str(fits.getheader(io.BytesIO(content))["DATE-OBS"]))
    local = (utc + timedelta(hours=2)).isoformat(timespec="milliseconds")
    return with_text(f"DATE-OBS= '{local}+02:00'".encode())(content)


def two_hours_late(content: bytes) -> bytes:
    """Return the frame with a clock that is two hours fast."""
    return moved(content, 7200)


def with_cards(cards: dict[str, object], *, without: tuple[str, ...] = ()) -> Make:
    """Return what changes cards of a header, and takes some away."""

    def make(content: bytes) -> bytes:
        with fits.open(io.BytesIO(content)) as hdus:
            hdus[0].header.update(cards)
            for keyword in without:
                del hdus[0].header[keyword]
            return _bytes(hdus)

    return make


def with_text(*lines: bytes) -> Make:
    """Return what puts cards into a header as they are, whatever the standard says of them."""

    def make(content: bytes) -> bytes:
        header, data = _split(content)
        kept = [header[at : at + 80] for at in range(0, len(header), 80)]
        kept = kept[: kept.index(b"END".ljust(80))]
        own = {line[:8] for line in lines if line[8:9] == b"="}
        kept = [card for card in kept if card[:8] not in own]
        cards = b"".join([*kept, *(line.ljust(80) for line in lines), b"END".ljust(80)])
        return cards.ljust(-(-len(cards) // 2880) * 2880) + data

    return make


def with_pixels(change: Callable[[np.ndarray], np.ndarray]) -> Make:
    """Return what changes the pixels, and maybe their type."""

    def make(content: bytes) -> bytes:
        with fits.open(io.BytesIO(content)) as hdus:
            header = hdus[0].header.copy()
            pixels = change(hdus[0].data)
        for keyword in ("BZERO", "BSCALE"):
            header.remove(keyword, ignore_missing=True)
        return _bytes(fits.HDUList([fits.PrimaryHDU(pixels, header)]))

    return make


def cut(part: float) -> Make:
    """Return what leaves only a *part* of the data."""

    def make(content: bytes) -> bytes:
        header, data = _split(content)
        return header + data[: int(part * 160 * 128 * 2)]

    return make


def header_only(content: bytes) -> bytes:
    """Return the header, and no data."""
    return _split(content)[0]


def endless(content: bytes) -> bytes:
    """Return a header that never says END."""
    return content.replace(b"END".ljust(80), b" " * 80, 1)[:2880]


def checksummed(content: bytes) -> bytes:
    """Return the frame with CHECKSUM and DATASUM."""
    with fits.open(io.BytesIO(content)) as hdus:
        return _bytes(hdus, checksum=True)


def flipped(content: bytes) -> bytes:
    """Return a frame with CHECKSUM of whose data one bit is wrong."""
    damaged = bytearray(checksummed(content))
    damaged[-10_000] ^= 0x10
    return bytes(damaged)


def in_extension(content: bytes) -> bytes:
    """Return the frame with its image in the first extension."""
    with fits.open(io.BytesIO(content)) as hdus:
        image = fits.ImageHDU(hdus[0].data, hdus[0].header)
    return _bytes(fits.HDUList([fits.PrimaryHDU(), image]))


def tiled(content: bytes, *, kind: str = "RICE_1") -> bytes:
    """Return the frame packed as fpack does."""
    with fits.open(io.BytesIO(content)) as hdus:
        image = fits.CompImageHDU(hdus[0].data, hdus[0].header, compression_type=kind)
        return _bytes(fits.HDUList([fits.PrimaryHDU(), image]))


def damaged_tiles(content: bytes) -> bytes:
    """Return a packed frame of which a hundred bytes are wrong."""
    packed = bytearray(tiled(content, kind="GZIP_1"))
    packed[-9000:-8900] = b"\xa5" * 100
    return bytes(packed)


def damaged_gzip(content: bytes) -> bytes:
    """Return a gzipped frame of which a hundred bytes are wrong, and whose end is whole."""
    packed = bytearray(gzip.compress(content))
    middle = len(packed) // 2
    packed[middle : middle + 100] = b"\xa5" * 100
    return bytes(packed)


def colours(content: bytes) -> bytes:
    """Return an image in three colours."""
    return with_pixels(lambda pixels: np.stack([pixels] * 3))(content)


def of_size(rows: slice, columns: slice) -> Make:
    """Return what leaves a part of the detector."""
    return with_pixels(lambda pixels: pixels[rows, columns])


def _split(content: bytes) -> tuple[bytes, bytes]:
    end = content.index(b"END".ljust(80))
    at = -(-(end + 80) // 2880) * 2880
    return content[:at], content[at:]


def _bytes(hdus: fits.HDUList, *, checksum: bool = False) -> bytes:
    buffer = io.BytesIO()
    hdus.writeto(buffer, output_verify="silentfix", checksum=checksum)
    return buffer.getvalue()
