"""Whether a tile-compressed image can be unpacked without harm.

The C code that unpacks tiles (of cfitsio, in astropy) believes what they say: damaged bytes may make it read
or write where it must not, and end the process. Of thousands of files with wrong bytes, those of
HCOMPRESS did so about once in a hundred; Rice and gzip did not.
"""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from accretor.core.errors import Unusable

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU, Header

DARING = frozenset({"HCOMPRESS_1", "PLIO_1"})
"""Kinds that are tried in another process first, unless the sum of their data is right."""
PATIENCE = 600
"""Second that the other process may take."""
_TRIED = (
    "import sys\n"
    "sys.path.insert(0, sys.argv[1])\n"
    "from accretor.io import tiles\n"
    "tiles.unpack_all(sys.stdin.buffer.read(), [int(hdu) for hdu in sys.argv[2:]])\n"
)
_BYTES = {"B": 1, "I": 2, "J": 4, "K": 8, "E": 4, "D": 8}


def check(file: BinaryIO, hdus: Iterable[int]) -> None:
    """Look at the compressed images of *hdus* of *file* before they are unpacked.

    Raises
    ------
    Unusable
        If tiles are missing or outside the file, if their header contradicts itself, or if
        unpacking them ends a process.
    """
    from astropy.io import fits

    tried = []
    file.seek(0)
    with fits.open(file, disable_image_compression=True) as opened:
        for index in hdus:
            table = opened[index]
            header = table.header
            if header.get("ZIMAGE") is not True:
                continue
            _check_header(header)
            file.seek(table.fileinfo()["datLoc"])
            data = file.read(table.fileinfo()["datSpan"])
            _check_places(table, data)
            if header["ZCMPTYPE"] in DARING and not _adds_up(header, data):
                tried.append(index)
        if tried:
            file.seek(0)
            _try(file.read(), tried)


def unpack_all(content: bytes, hdus: Iterable[int]) -> None:
    """Unpack images, for nothing but to see whether the process lives; damage that astropy sees is none."""
    import contextlib
    import io

    from accretor.io import fits

    for hdu in hdus:
        with contextlib.suppress(Unusable):
            fits.unpack(io.BytesIO(content), hdu)


def _check_header(header: Header) -> None:
    shape = [header[f"ZNAXIS{axis + 1}"] for axis in range(header["ZNAXIS"])]
    tile = [header.get(f"ZTILE{axis + 1}", 1 if axis else side) for axis, side in enumerate(shape)]
    if not shape or not all(0 < length <= side for length, side in zip(tile, shape, strict=True)):
        raise _damaged(f"tiles of {tile} pixels in an image of {shape}")
    n_tile = math.prod(-(-side // length) for length, side in zip(tile, shape, strict=True))
    if header["NAXIS2"] != n_tile:
        raise _damaged(f"{header['NAXIS2']} tiles, {n_tile} needed")
    if header["ZCMPTYPE"] in ("RICE_1", "RICE_ONE"):
        values = {header.get(f"ZNAME{n}"): header.get(f"ZVAL{n}") for n in range(1, 10)}
        block, size = values.get("BLOCKSIZE", 32), values.get("BYTEPIX", 4)
        if block not in (16, 32) or size not in (1, 2, 4):
            raise _damaged(f"Rice blocks of {block} pixels, pixels of {size} bytes")


def _check_places(table: BinTableHDU, data: bytes) -> None:
    """Compare where the tiles are said to be with where the data end."""
    header = table.header
    n_row, width = header["NAXIS2"], header["NAXIS1"]
    heap = header.get("THEAP", n_row * width)
    size = n_row * width + header["PCOUNT"] - heap
    if len(data) < n_row * width + header["PCOUNT"] or heap < n_row * width:
        raise Unusable("the file ends before its data do; copy it again")
    rows = np.frombuffer(data, table.columns.dtype.newbyteorder(">"), n_row)
    for column in table.columns:
        found = re.match(r"1?[PQ]([BIJKED])", str(column.format))
        if found is None or not column.name.endswith("_DATA"):
            continue
        length, offset = rows[column.name].astype(np.int64).reshape(n_row, 2).T
        end = offset + length * _BYTES[found[1]]
        if (length < 0).any() or (offset < 0).any() or (end > size).any():
            raise _damaged("tiles are outside the data")


def _adds_up(header: Any, data: bytes) -> bool:
    from accretor.io import fits

    wanted = str(header.get("DATASUM", "")).strip()
    return wanted.isdecimal() and fits.sum_of(data) == int(wanted)


def _try(content: bytes, hdus: Iterable[int]) -> None:
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", _TRIED, str(root), *(str(hdu) for hdu in hdus)]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=PATIENCE, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise _damaged(f"it could not be unpacked in {PATIENCE} s") from None
    if done.returncode:
        raise _damaged("unpacking it ends the process; copy it again")


def _damaged(said: str) -> Unusable:
    return Unusable(f"cannot be read, the file is damaged: {said}")
