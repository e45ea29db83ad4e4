"""Whole numbers packed by Rice, unpacked tile by tile into one image.

astropy unpacks every kind of tile; what it does around each costs as much as the tile. Here is
the kind that nearly all packed raw frames are of, unpacked by the same C code.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from accretor.core.errors import Unusable

if TYPE_CHECKING:
    from accretor.io.header import RawHeader

SHIFT = {8: 0.0, 16: 32768.0, 32: 2147483648.0}
"""BZERO of numbers without a sign, by their bits."""
_FORM = re.compile(r"1?([PQ])B(?:\(\d+\))?")


@dataclass(frozen=True)
class Packed:
    """Where the tiles of an image are, and what they hold."""

    begin: int
    """Byte at which the table of the tiles begins."""
    n_byte: int
    """Bytes of the table and of the tiles, without padding."""
    heap: int
    """Byte, from `begin`, at which the tiles begin."""
    word: int
    """Bytes of a number of the table."""
    shape: tuple[int, int]
    """Of the image."""
    n_row: int
    """Rows of the image in a tile; a tile is as wide as the image."""
    block: int
    """Pixels that are packed together."""
    is_shifted: bool
    """Stored with a sign, and meant without."""
    size: int
    """Bytes of a pixel."""
    data_sum: str
    """DATASUM of its header; "" without one."""

    @property
    def n_tile(self) -> int:
        """Tiles in all."""
        return -(-self.shape[0] // self.n_row)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the pixels."""
        return np.dtype(f"{'u' if self.is_shifted or self.size == 1 else 'i'}{self.size}")


def find(header: RawHeader) -> Packed | None:
    """Return how the image of a file is packed; None if it is not by Rice, or in any way unusual."""
    cards = header.cards
    bits, width, height = (cards.get(name) for name in ("ZBITPIX", "ZNAXIS1", "ZNAXIS2"))
    values = {str(cards.get(f"ZNAME{n}")).strip(): cards.get(f"ZVAL{n}") for n in range(1, 10)}
    form = _FORM.fullmatch(str(cards.get("TFORM1")).strip())
    is_usual = (
        cards.get("ZIMAGE") is True
        and header.amplifiers is None
        and str(cards.get("ZCMPTYPE")).strip() in ("RICE_1", "RICE_ONE")
        and (cards.get("TFIELDS"), str(cards.get("TTYPE1")).strip()) == (1, "COMPRESSED_DATA")
        and cards.get("ZNAXIS") == 2
        and cards.get("ZTILE1", width) == width
        and not {"BLANK", "ZBLANK", "ZQUANTIZ", "ZSCALE", "ZZERO"} & cards.keys()
        and bits in SHIFT
    )
    if not is_usual or form is None or _decompress() is None:
        return None
    assert isinstance(bits, int)
    assert isinstance(width, int)
    assert isinstance(height, int)
    n_row, block, size = cards.get("ZTILE2", 1), values.get("BLOCKSIZE", 32), values.get("BYTEPIX", 4)
    is_shifted = bits > 8 and number(cards, "BZERO", 0.0) == SHIFT[bits]
    if number(cards, "BSCALE", 1.0) != 1 or (number(cards, "BZERO", 0.0) != 0 and not is_shifted):
        return None
    if size != bits // 8 or block not in (16, 32) or not isinstance(n_row, int) or not 0 < n_row <= height:
        return None
    assert isinstance(block, int)
    assert isinstance(size, int)
    word = 4 if form[1] == "P" else 8
    table = -(-height // n_row) * 2 * word
    n_byte, heap = header.expected_size - header.data_offset, cards.get("THEAP", table)
    if not isinstance(heap, int) or cards.get("PCOUNT") != n_byte - table or not table <= heap <= n_byte:
        return None
    data_sum = str(cards.get("DATASUM", "")).strip()
    return Packed(
        header.data_offset, n_byte, heap, word, (height, width), n_row, block, is_shifted, size, data_sum
    )


def unpack(content: bytes, packed: Packed, image: NDArray[Any]) -> NDArray[Any]:
    """Fill *image* with the pixels of a file with this *content*, and return it.

    Raises
    ------
    Unusable
        If a tile is missing or outside the data.
    Exception
        Of several kinds, if astropy finds that a tile is damaged.
    """
    decompress = _decompress()
    assert decompress is not None
    table = np.frombuffer(content, f">i{packed.word}", 2 * packed.n_tile, packed.begin)
    length, offset = table.astype(np.int64).reshape(-1, 2).T
    begin = packed.begin + packed.heap + offset
    if (length <= 0).any() or (offset < 0).any() or (begin + length > packed.begin + packed.n_byte).any():
        raise Unusable("cannot be read, the file is damaged: tiles are outside the data")
    sign = image.dtype.type(1 << (8 * packed.size - 1)) if packed.is_shifted else image.dtype.type(0)
    for tile, (first, last) in enumerate(zip(begin.tolist(), (begin + length).tolist(), strict=True)):
        rows = image[tile * packed.n_row : (tile + 1) * packed.n_row]
        values = decompress(content[first:last], packed.block, packed.size, rows.size)
        # The sign bit is all that differs between the two ways to write a number without a sign.
        np.bitwise_xor(np.frombuffer(values, image.dtype).reshape(rows.shape), sign, out=rows)
    return image


@functools.cache
def _decompress() -> Callable[[bytes, int, int, int], bytes] | None:
    """Return the function of astropy that unpacks a tile; None from an astropy that has none of this name.

    It is no part of what astropy promises to keep; without it, astropy unpacks whole images.
    """
    try:
        from astropy.io.fits.hdu.compressed._compression import decompress_rice_1_c
    except ImportError:
        return None
    found: Callable[[bytes, int, int, int], bytes] = decompress_rice_1_c
    return found


def number(cards: Mapping[str, Any], keyword: str, default: float) -> float:
    """Return the number of a card; NaN if it holds something else."""
    value = cards.get(keyword, default)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
