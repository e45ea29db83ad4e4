"""FITS images: raw frames in, masters and calibrated frames out."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.core.arrays import Image
from accretor.core.errors import Unusable
from accretor.io import atomic

if TYPE_CHECKING:
    from astropy.io.fits import Header


def read_image(path: Path, hdu: int = 0) -> Image:
    """Return the image in HDU *hdu* of *path* as float32, in ADU.

    Raises
    ------
    Unusable
        If the file is not what FITS says, or holds no image.
    OSError
        If it cannot be had at all.
    """
    return decode_image(path.read_bytes(), hdu)


def decode_image(content: bytes, hdu: int = 0) -> Image:
    """Return the image in HDU *hdu* of a file with this *content*; raises as `read_image`."""
    from astropy.io import fits

    try:
        with fits.open(io.BytesIO(content)) as hdus:
            data = hdus[hdu].data
    except (OSError, ValueError, TypeError, IndexError) as error:
        raise Unusable(f"cannot be read: {error}") from error
    if data is None or data.ndim != 2:
        raise Unusable(f"HDU {hdu} holds no image")
    return np.ascontiguousarray(data, dtype=np.float32)


class Stack:
    """Several images of one size, open together and read in strips, so that memory stays small."""

    def __init__(self, images: Sequence[tuple[Path, int]]) -> None:
        from astropy.io import fits

        self._open = ExitStack()
        try:
            files = [(self._open.enter_context(fits.open(path, memmap=False)), hdu) for path, hdu in images]
            self._hdus = [file[hdu] for file, hdu in files]
        except BaseException:
            self._open.close()
            raise
        self.height, self.width = self._hdus[0].shape

    def __enter__(self) -> Stack:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def rows(self, start: int, stop: int) -> Image:
        """Return rows *start* to *stop* of all images, (n_image, stop - start, width) float32, ADU."""
        return np.stack([np.asarray(hdu.section[start:stop], dtype=np.float32) for hdu in self._hdus])

    def frame(self, index: int) -> Image:
        """Return one whole image, float32, ADU."""
        return np.asarray(self._hdus[index].section[:, :], dtype=np.float32)


def read_header(path: Path, hdu: int = 0) -> Header:
    """Return the header of HDU *hdu* of *path*."""
    from astropy.io import fits

    return fits.getheader(path, hdu)


def image_bytes(image: Image, cards: Mapping[str, Any]) -> bytes:
    """Return a FITS file of one 32-bit float image with *cards* in its header.

    A value may be a pair of value and comment. The same input gives the same bytes.
    """
    from astropy.io import fits

    header = fits.Header()
    for key, value in cards.items():
        header[key] = value
    buffer = io.BytesIO()
    fits.PrimaryHDU(np.asarray(image, dtype=np.float32), header=header).writeto(buffer)
    return buffer.getvalue()


def write_image(path: Path, image: Image, cards: Mapping[str, Any]) -> str:
    """Write *image* to *path* and return the sha256 of the file."""
    data = image_bytes(image, cards)
    atomic.write_bytes(path, data)
    return hashlib.sha256(data).hexdigest()


def digest(path: Path) -> str:
    """Return the sha256 of the bytes of *path*."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
