"""FITS images: raw frames in, masters and calibrated frames out."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from accretor.core.arrays import Image
from accretor.core.errors import Unusable
from accretor.core.part import CELL, WHOLE, Part, parse
from accretor.io import amplifiers, atomic, rice, tiles

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header

GZIP = b"\x1f\x8b"
"""The first bytes of a gzipped file."""
MOST_UNPACKED = 1_000_000_000
"""Bytes that a gzipped file may hold."""


def read_image(path: Path, hdu: int = 0, part: str = "") -> Image:
    """Return the image in HDU *hdu* of *path*, or what *part* takes of it, as float32, in ADU.

    Raises
    ------
    Unusable
        If the file is not what FITS says, or holds no image.
    OSError
        If it cannot be had at all.
    """
    return decode_image(path.read_bytes(), hdu, part)


def decode_image(content: bytes, hdu: int = 0, part: str = "") -> Image:
    """Return the image in HDU *hdu* of a file with this *content*; raises as `read_image`."""
    return np.ascontiguousarray(read_stored(content, hdu, part), dtype=np.float32)


def read_stored(content: bytes, hdu: int = 0, part: str = "") -> NDArray[Any]:
    """Return the image as `decode_image`, in the number type that holds it; raises as `read_image`."""
    from astropy.io import fits

    plain = _unpacked(content)
    with _unusable_if_damaged(), fits.open(io.BytesIO(plain)) as hdus:
        several = parse(part)
        _check_tiles(io.BytesIO(plain), hdus, hdu, several)
        if several.amplifiers:
            return amplifiers.Readout(hdus, several).rows()
        data = hdus[hdu].data
        if data is None:
            raise Unusable(f"HDU {hdu} holds no image")
        if several.full:
            mask, bits, level = several.full
            data = _filled(data, hdus[mask].data, bits, level)
    return take(data, several, dtype=data.dtype.newbyteorder("="))


def _filled(data: NDArray[Any], mask: NDArray[Any] | None, bits: int, level: float) -> NDArray[Any]:
    """Return an image whose pixels that are full by a map are so by their value, too."""
    if mask is None or mask.shape != data.shape or not np.issubdtype(mask.dtype, np.integer):
        raise Unusable("its map of bad pixels is none, or of another size")
    at = np.flatnonzero(mask & mask.dtype.type(bits))
    if not len(at):
        return data
    found = data if data.flags.writeable and data.flags.c_contiguous else data.copy()
    flat = found.reshape(-1)
    flat[at] = np.maximum(flat[at], level)
    return found


def unpack_rice(content: bytes, packed: rice.Packed, image: NDArray[Any]) -> NDArray[Any]:
    """Return *image*, filled with the pixels of a file with this *content*; raises as `read_image`."""
    if len(content) < packed.begin + packed.n_byte:
        raise Unusable("the file ends before its data do; copy it again")
    with _unusable_if_damaged():
        return rice.unpack(content, packed, image)


def unpack(file: BinaryIO, hdu: int) -> None:
    """Read the image in HDU *hdu* of *file*, and keep nothing of it; raises as `read_image`."""
    from astropy.io import fits

    with _unusable_if_damaged(), fits.open(file) as hdus:
        _ = hdus[hdu].data


def _check_tiles(file: BinaryIO, hdus: HDUList, hdu: int, part: Part) -> None:
    from astropy.io import fits

    wanted = {of_amplifier for of_amplifier, _ in part.amplifiers} or {hdu}
    wanted |= {part.full[0]} if part.full else set()
    packed = [index for index in sorted(wanted) if isinstance(hdus[index], fits.CompImageHDU)]
    if not packed:
        return
    if file.read(len(GZIP)) == GZIP:
        file.seek(0)
        file = io.BytesIO(_unpacked(file.read()))
    tiles.check(file, packed)


def take(data: NDArray[Any], part: Part, dtype: Any = np.float32) -> NDArray[Any]:
    """Return the image that *part* makes of the pixels of an HDU.

    The one place that decides which pixels of a file are the image. An odd last row or column of
    a colour camera is left out. Pixels that are taken as they are have the type *dtype*, means float32.

    Raises
    ------
    Unusable
        If it is not of two dimensions, or not the cube that it should be.
    """
    if part.plane and (data.ndim != 3 or part.plane > len(data)):
        raise Unusable(f"an image of {data.ndim} dimensions without plane {part.plane}")
    plane = data[part.plane - 1] if part.plane else data
    if plane.ndim != 2:
        raise Unusable(f"the HDU holds no image of 2 dimensions, but one of {plane.ndim}")
    if not part.cells:
        return np.ascontiguousarray(plane, dtype=dtype)
    height, width = (side - side % CELL for side in plane.shape)
    total = np.zeros((height // CELL, width // CELL), dtype=np.float32)
    for row, column in part.cells:
        total += plane[row:height:CELL, column:width:CELL]
    return np.asarray(total / np.float32(len(part.cells)))


def check_sum(content: bytes, hdu: int = 0) -> None:
    """Compare the data of HDU *hdu* with the DATASUM of its header, where it has one.

    CHECKSUM, which covers the header too, is not looked at: programs that add a card
    leave it as it was. A gzipped file has a sum of its own, and is read with it.

    Raises
    ------
    Unusable
        If they differ: the data are not what was written.
    """
    if content.startswith(GZIP) or b"DATASUM " not in content:
        return
    from astropy.io import fits

    with _unusable_if_damaged(), fits.open(io.BytesIO(content), disable_image_compression=True) as hdus:
        wanted = str(hdus[hdu].header.get("DATASUM", "")).strip()
        place = hdus[hdu].fileinfo()
    if not wanted.isdecimal():
        return
    if len(content) < place["datLoc"] + place["datSpan"]:
        raise Unusable("the file ends before its data do; copy it again")
    compare_sum(sum_of(memoryview(content)[place["datLoc"] :][: place["datSpan"]]), wanted)


def sum_of(data: bytes | memoryview) -> int:
    """Return the checksum of the whole blocks *data* of a FITS file."""
    total = int(np.frombuffer(data, ">u4", len(data) // 4).sum(dtype=np.uint64))
    while total >> 32:  # ones' complement: what overflows is added at the other end
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def compare_sum(total: int, wanted: str) -> None:
    """Compare the sum of the data with the DATASUM of their header; raises as `check_sum`."""
    if total != int(wanted):
        raise Unusable(
            "its data do not add up to DATASUM, so they were damaged: copy it again; or a program changed "
            "them and left the old sum: then set [preprocess] check_sums = false"
        )


def _unpacked(content: bytes) -> bytes:
    """Return the content of a gzipped file, or *content* itself; never more than `MOST_UNPACKED`."""
    if not content.startswith(GZIP):
        return content
    with _whole_gzip(), gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
        unpacked = file.read(MOST_UNPACKED + 1)
    if len(unpacked) > MOST_UNPACKED:
        raise Unusable(f"unpacks to more than {MOST_UNPACKED // 10**9} GB")
    return unpacked


def _check_gzip(path: Path) -> None:
    """Read a gzipped file to its end, where its sum is, and keep nothing of it."""
    with path.open("rb") as stream:
        if stream.read(len(GZIP)) != GZIP:
            return
        stream.seek(0)
        size = 0
        with _whole_gzip(), gzip.GzipFile(fileobj=stream) as file:
            while block := file.read(1 << 20):
                size += len(block)
                if size > MOST_UNPACKED:
                    raise Unusable(f"unpacks to more than {MOST_UNPACKED // 10**9} GB")


@contextlib.contextmanager
def _whole_gzip() -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Unusable("cannot be read, the gzip file is damaged; copy it again") from error


@contextlib.contextmanager
def _unusable_if_damaged() -> Iterator[None]:
    """Make what astropy says of damaged bytes a verdict on the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        if not _is_of_damage(error):
            raise
        said = " ".join(str(error).split()) or type(error).__name__
        if said.startswith("No SIMPLE card found"):  # astropy goes on to tell of an option of its own
            raise Unusable("cannot be read, it is no FITS file: its first card is not SIMPLE") from error
        raise Unusable(f"cannot be read, the file is damaged: {said}") from error


def _is_of_damage(error: Exception) -> bool:
    """Tell whether astropy raises this of damaged bytes.

    Of 21,000 files with wrong bytes or without their end, plain, gzipped, scaled and Rice-packed, it raised
    these; arithmetic and the ends of packed streams are there for what those did not hit. Two kinds have
    names of astropy's own, one of them in its C library, from where it cannot be imported.
    """
    if isinstance(error, OSError):
        return error.errno is None  # else it is the system's: no such file, a disk that fails
    if type(error) is RuntimeError:  # of a column's format; classes made of it are the program's own
        return True
    kinds = (ArithmeticError, AttributeError, EOFError, LookupError, TypeError, ValueError, zlib.error)
    return isinstance(error, kinds) or type(error).__name__ in {"VerifyError", "CfitsioException"}


class Stack:
    """Several images of one size, open together and read in strips, so that memory stays small.

    All methods raise `Unusable` if a file is damaged.
    """

    def __init__(self, images: Sequence[tuple[Path, int, str]]) -> None:
        from astropy.io import fits

        for path, _, _ in images:
            _check_gzip(path)  # astropy stops before the sum at the end
        self._open = contextlib.ExitStack()
        try:
            with _unusable_if_damaged():
                files = [
                    (self._open.enter_context(fits.open(path, memmap=False)), hdu) for path, hdu, _ in images
                ]
                self._parts = [parse(part) for _, _, part in images]
                for (path, hdu, _), (file, _), part in zip(images, files, self._parts, strict=True):
                    with path.open("rb") as stream:
                        _check_tiles(stream, file, hdu, part)
                self._hdus = [file[hdu] for file, hdu in files]
                self._several = [
                    amplifiers.Readout(file, part) if part.amplifiers else None
                    for (file, _), part in zip(files, self._parts, strict=True)
                ]
                step = self._parts[0].step
                whole = self._several[0]
                shape = self._hdus[0].shape[-2:] if whole is None else whole.shape
                self.height, self.width = (side // step for side in shape)
        except BaseException:
            self._open.close()
            raise

    def __enter__(self) -> Stack:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def rows(self, start: int, stop: int) -> Image:
        """Return rows *start* to *stop* of all images, (n_image, stop - start, width) float32, ADU."""
        with _unusable_if_damaged():
            return np.stack(
                [self._rows(index, start, min(stop, self.height)) for index in range(len(self._hdus))]
            )

    def frame(self, index: int) -> Image:
        """Return one whole image, float32, ADU."""
        with _unusable_if_damaged():
            return self._rows(index, 0, self.height)

    def _rows(self, index: int, start: int, stop: int) -> Image:
        if (several := self._several[index]) is not None:
            return several.rows(start, stop)
        part, section = self._parts[index], self._hdus[index].section
        if part == WHOLE:
            return np.asarray(section[start:stop, :], dtype=np.float32)
        rows = slice(start * part.step, stop * part.step)
        data = section[part.plane - 1, rows, :] if part.plane else section[rows, :]
        return take(data, Part(0, part.cells))


def compress(path: Path, goal: Path) -> None:
    """Write the image of the FITS file *path* to *goal*, with Rice tile compression."""
    from astropy.io import fits

    with fits.open(path) as hdus:
        packed = fits.CompImageHDU(hdus[0].data, hdus[0].header, compression_type="RICE_1")
        buffer = io.BytesIO()
        fits.HDUList([fits.PrimaryHDU(), packed]).writeto(buffer)
    atomic.write_bytes(goal, buffer.getvalue())


def read_header(path: Path, hdu: int = 0) -> Header:
    """Return the header of HDU *hdu* of *path*, without the cards that are against the standard.

    Raises
    ------
    Unusable
        If it cannot be read.
    """
    from astropy.io import fits

    with _unusable_if_damaged():
        header = fits.getheader(path, hdu)
        for index in reversed(range(len(header))):
            try:
                header.cards[index].verify("fix+exception")
            except (fits.VerifyError, ValueError):
                del header[index]
    return header


def image_bytes(image: Image, cards: Mapping[str, Any] | Header) -> bytes:
    """Return a FITS file of one 32-bit float image with *cards* in its header.

    A value may be a pair of value and comment. Cards of a raw header that break the standard
    are mended where they can be. The same input gives the same bytes.
    """
    from astropy.io import fits

    header = fits.Header()
    header.update(cards)
    buffer = io.BytesIO()
    hdu = fits.PrimaryHDU(np.asarray(image, dtype=np.float32), header=header)
    hdu.writeto(buffer, output_verify="silentfix+ignore")
    return buffer.getvalue()


def write_image(path: Path, image: Image, cards: Mapping[str, Any]) -> str:
    """Write *image* to *path* and return the sha256 of the file."""
    data = image_bytes(image, cards)
    atomic.write_bytes(path, data)
    return hashlib.sha256(data).hexdigest()


def with_cards(path: Path, cards: Mapping[str, Any]) -> bytes:
    """Return the FITS file at *path* with further *cards* in its first header; its data as they are."""
    from astropy.io import fits

    with _unusable_if_damaged(), fits.open(path) as hdus:
        hdus[0].header.update(cards)
        buffer = io.BytesIO()
        hdus.writeto(buffer, output_verify="silentfix+ignore")
    return buffer.getvalue()


def digest(path: Path) -> str:
    """Return the sha256 of the bytes of *path*."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
