"""The pixels of raw frames, read once from the disk, by the way that costs least.

Most raw frames are plain FITS images of whole numbers. Of these the bytes are read in
pieces that stay in the processor's cache, and each piece is digested, added up and
turned to the byte order of the machine while it is there. Of those packed by Rice the
tiles are unpacked straight into the image. All else - scaled, with blanks, packed in
other ways - goes through astropy.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from accretor.core.errors import HeaderError, Unusable
from accretor.core.part import parse
from accretor.io import digests, fits, header, rice

PIECE = 1 << 19
"""Bytes worked on at a time; about half of a second-level cache."""
_LARGE = 1 << 20
"""Images of so many bytes share one place in memory: new memory costs more than reading does."""
_STORED = {8: ">u1", 16: ">i2", 32: ">i4", -32: ">f4", -64: ">f8"}


@dataclass(frozen=True)
class Taken:
    """What was found in a file that was read from end to end."""

    digest: str
    """Of its bytes, as `digests.Running` tells it."""
    image: NDArray[Any] | None
    """(height, width) ADU, of the number type that holds it; None if it is not usable."""
    reason: str = ""
    """Why it is not."""


@dataclass(frozen=True)
class _Plain:
    """An image that can be read without astropy."""

    begin: int
    """Byte at which the pixels begin."""
    shape: tuple[int, int]
    dtype: Any
    """Of the pixels as they are stored."""
    is_shifted: bool
    """Stored with a sign, and meant without."""
    data_sum: str
    """DATASUM of its header; "" without one."""

    @property
    def n_byte(self) -> int:
        """Bytes of pixels."""
        return self.shape[0] * self.shape[1] * int(self.dtype.itemsize)


def read(path: Path, hdu: int = 0, part: str = "", *, own: bool = False, unpacked: str = "") -> NDArray[Any]:
    """Return the image in HDU *hdu* of a raw frame, or what *part* takes of it, ADU.

    Parameters
    ----------
    own
        Give the image memory of its own. Without it, what is returned is overwritten by
        the next large frame that this thread reads.
    unpacked
        File in which `take` may have kept the image, where unpacking it is work.

    Returns
    -------
    (height, width), of the number type that holds it
        In the byte order of the machine.

    Raises
    ------
    Unusable
        If the file is not what FITS says, or holds no image.
    OSError
        If it cannot be had at all.
    """
    with path.open("rb") as file:
        # A map of full pixels is in another HDU: astropy reads both.
        found = None if parse(part).full else _header(file)
        plain = _plain(found, hdu)
        if plain is None:
            if unpacked:
                with contextlib.suppress(FileNotFoundError, ValueError, EOFError):
                    return np.asarray(np.load(unpacked))
            file.seek(0)
            content, packed = file.read(), _packed(found, hdu)
            if packed is None:
                return fits.read_stored(content, hdu, part)
            return _part_of_image(fits.unpack_rice(content, packed, _memory(packed, own=own)), part)
        file.seek(plain.begin)
        image = _image(file, plain, None, _memory(plain, own=own))
        return _part_of_image(image, part)


def take(
    path: Path,
    hdu: int = 0,
    part: str = "",
    *,
    check_sum: bool = True,
    keep: Callable[[str], Path] | None = None,
) -> Taken:
    """Read a raw frame from end to end: its digest, its image, and whether its data add up.

    The image is overwritten by the next large frame that this thread reads.

    Parameters
    ----------
    keep
        Tells, given the digest, the file in which to keep an image that had to be
        unpacked. A disk that is full keeps nothing, and is no trouble.

    Raises
    ------
    OSError
        If it cannot be had at all.
    """
    with path.open("rb") as file:
        # A map of full pixels is in another HDU: astropy reads both.
        found = None if parse(part).full else _header(file)
        plain = _plain(found, hdu)
        file.seek(0)
        if plain is not None:
            return _part_of(_taken(file, plain, check_sum), part)
        taken = _decoded(file.read(), _packed(found, hdu), hdu, part, check_sum)
    if keep is not None and taken.image is not None and taken.image.nbytes >= _LARGE:
        _keep(taken.image, keep(taken.digest))
    return taken


def _keep(image: NDArray[Any], path: Path) -> None:
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(exist_ok=True)
        # Without waiting for the disk: who reads it has not been away.
        with part.open("wb") as file:
            np.save(file, image)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)


def _taken(file: BinaryIO, plain: _Plain, check_sum: bool) -> Taken:
    digest = digests.Running()
    total = _Sum() if check_sum and plain.data_sum.isdecimal() else None
    image, reason = None, ""
    for part in _pieces(file, plain.begin):
        digest.update(part)
    try:
        image = _image(file, plain, (digest, total), _memory(plain))
    except Unusable as verdict:
        reason = verdict.reason
    padding = -plain.n_byte % header.BLOCK
    for part in _pieces(file, None):
        digest.update(part)
        if total is not None and padding:
            total.add(part[:padding])
            padding = max(0, padding - len(part))
    if total is not None and not reason:
        try:
            fits.compare_sum(total.value, plain.data_sum)
        except Unusable as verdict:
            image, reason = None, verdict.reason
    return Taken(digest.value, image, reason)


class _Sum:
    """The checksum of FITS data: a ones' complement sum of 32-bit words."""

    def __init__(self) -> None:
        self._total = 0
        self._rest = b""

    def add(self, part: bytes | memoryview) -> None:
        """Add some bytes."""
        if self._rest:
            part = self._rest + bytes(part)
        n_whole = len(part) // 4 * 4
        self._total += int(np.frombuffer(part, ">u4", n_whole // 4).sum(dtype=np.uint64))
        self._rest = bytes(part[n_whole:])

    @property
    def value(self) -> int:
        """The sum, with what overflows added at the other end."""
        total = self._total + int.from_bytes(self._rest.ljust(4, b"\x00"), "big")
        while total >> 32:
            total = (total & 0xFFFFFFFF) + (total >> 32)
        return total


def _part_of(taken: Taken, part: str) -> Taken:
    if taken.image is None or not part:
        return taken
    try:
        return replace(taken, image=_part_of_image(taken.image, part))
    except Unusable as verdict:
        return Taken(taken.digest, None, verdict.reason)


def _part_of_image(image: NDArray[Any], part: str) -> NDArray[Any]:
    return fits.take(image, parse(part), image.dtype) if part else image


def _decoded(content: bytes, packed: rice.Packed | None, hdu: int, part: str, check_sum: bool) -> Taken:
    identity = digests.of(content)
    try:
        if packed is not None:
            if check_sum and packed.data_sum.isdecimal():
                end = packed.begin + packed.n_byte + -packed.n_byte % header.BLOCK
                fits.compare_sum(fits.sum_of(memoryview(content)[packed.begin : end]), packed.data_sum)
            image = fits.unpack_rice(content, packed, _memory(packed))
            return Taken(identity, _part_of_image(image, part))
        if check_sum:
            for one in {of_amplifier for of_amplifier, _ in parse(part).amplifiers} or {hdu}:
                fits.check_sum(content, one)
        return Taken(identity, fits.read_stored(content, hdu, part))
    except Unusable as verdict:
        return Taken(identity, None, verdict.reason)


def _packed(found: header.RawHeader | None, hdu: int) -> rice.Packed | None:
    """Return how the image is packed, if it is in a way that needs no astropy."""
    return rice.find(found) if found is not None and found.hdu == hdu else None


def _header(file: BinaryIO) -> header.RawHeader | None:
    """Return the header of the image in a file that astropy need not read."""
    is_gzip = file.read(len(fits.GZIP)) == fits.GZIP
    file.seek(0)
    if is_gzip:
        return None
    try:
        return header.read_stream(file)
    except HeaderError:
        return None  # astropy says what is wrong, or reads it all the same


def _plain(found: header.RawHeader | None, hdu: int) -> _Plain | None:
    """Return where the pixels are, if nothing but their byte order has to be changed."""
    if found is None:
        return None
    cards = found.cards
    bits = cards.get("BITPIX")
    packed = {"ZIMAGE", "ZCMPTYPE", "BLANK"} & cards.keys()
    if found.hdu != hdu or found.amplifiers or packed or bits not in _STORED or cards.get("NAXIS") != 2:
        return None
    assert isinstance(bits, int)
    shape = (cards.get("NAXIS2"), cards.get("NAXIS1"))
    is_shifted = bits in (16, 32) and rice.number(cards, "BZERO", 0.0) == rice.SHIFT[bits]
    if rice.number(cards, "BSCALE", 1.0) != 1 or (rice.number(cards, "BZERO", 0.0) != 0 and not is_shifted):
        return None
    if not all(isinstance(length, int) and length > 0 for length in shape):
        return None
    dtype = np.dtype(_STORED[bits])
    plain = _Plain(
        found.data_offset,
        (int(str(shape[0])), int(str(shape[1]))),
        dtype,
        is_shifted,
        str(cards.get("DATASUM", "")).strip(),
    )
    return plain if found.expected_size - found.data_offset == plain.n_byte else None


def _pieces(file: BinaryIO, n_byte: int | None) -> Any:
    """Yield the next *n_byte* bytes of a file, or all that are left."""
    left = math.inf if n_byte is None else n_byte
    while left > 0:
        part = file.read(int(min(left, PIECE)))
        if not part:
            return
        left -= len(part)
        yield part


def _image(file: BinaryIO, plain: _Plain, watched: Any, image: NDArray[Any]) -> NDArray[Any]:
    """Fill *image* with the pixels that follow in *file*; *watched* sees their bytes first."""
    pixels = image.reshape(-1)
    size = plain.dtype.itemsize
    step = PIECE // size
    stored = np.empty(min(step, len(pixels)), plain.dtype)
    # The sign bit is all that differs between the two ways to write a number without a sign.
    bits, sign = stored.view(f"u{size}"), np.array(1 << (8 * size - 1), f">u{size}").view(f"u{size}")
    for first in range(0, len(pixels), step):
        part = pixels[first : first + step]
        content = stored[: len(part)].view(np.uint8).data
        if _filled(file, content) < len(content):
            raise Unusable("the file ends before its data do; copy it again")
        if watched is not None:
            digest, total = watched
            digest.update(content)
            if total is not None:
                total.add(content)
        if plain.is_shifted:
            bits ^= sign
        # To the byte order of the machine on the way: half the time of turning the bytes where they are.
        part[...] = stored[: len(part)].view(part.dtype.newbyteorder(">"))
    return image


def _filled(file: BinaryIO, content: memoryview) -> int:
    at = 0
    while at < len(content):
        n_read = file.readinto(content[at:])  # type: ignore[attr-defined]
        if not n_read:
            break
        at += n_read
    return at


_OF_THREAD = threading.local()


def _memory(stored: _Plain | rice.Packed, *, own: bool = False) -> NDArray[Any]:
    """Return an array for an image: the one of this thread for large images, if it is not to be owned."""
    native = stored.dtype.newbyteorder("=")
    if stored.is_shifted:
        native = np.dtype(f"u{native.itemsize}")
    n_byte = math.prod(stored.shape) * native.itemsize
    if own or n_byte < _LARGE:
        return np.empty(stored.shape, native)
    held: NDArray[np.uint8] | None = getattr(_OF_THREAD, "held", None)
    if held is None or len(held) < n_byte:
        held = _OF_THREAD.held = np.empty(n_byte, np.uint8)
    return np.asarray(held[:n_byte].view(native).reshape(stored.shape))
