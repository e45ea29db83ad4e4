"""The image of a detector that was read through several amplifiers, put together from their images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.core.arrays import Image
from accretor.core.errors import HeaderError, Unusable
from accretor.core.mosaic import Amplifier, Mosaic, lay_out
from accretor.core.part import Part
from accretor.science.readout import overscan_level

if TYPE_CHECKING:
    from astropy.io.fits import HDUList


class Readout:
    """An open file with an image for each amplifier; as much of it is in memory as is asked for.

    Raises
    ------
    Unusable
        If its headers are no longer those of the inventory, or a piece is missing.
    """

    def __init__(self, hdus: HDUList, part: Part) -> None:
        self._hdus = hdus
        self.layout = _layout(hdus, part)
        if part.has_no_crosstalk and not self.layout.crosstalk:
            raise Unusable("its header no longer tells the crosstalk of the amplifiers")
        self._crosstalk = self.layout.crosstalk if part.has_no_crosstalk else ()
        self._level = [
            0.0 if item.blind is None else overscan_level(self._read(item, *_of(item.blind)))
            for item in self.layout.amplifiers
        ]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the whole image."""
        return self.layout.height, self.layout.width

    def rows(self, start: int = 0, stop: int | None = None) -> Image:
        """Return rows of the whole image, float32, electron.

        Crosstalk is taken off as BANZAI does: of each pixel a part of those that the other amplifiers read at
        the same time, which are the same pixels of their images; of the signal, without the overscan.
        A pixel that its amplifier shows as saturated is not below the saturation of the whole, whatever its
        overscan was; one that no amplifier read is NaN.
        """
        stop = self.layout.height if stop is None else min(stop, self.layout.height)
        held: dict[int, Any] = {}
        if self._crosstalk and stop - start == self.layout.height:  # each is needed for all the others
            held = {index: self._image(item) for index, item in enumerate(self.layout.amplifiers)}
        found = np.full((stop - start, self.layout.width), np.nan, dtype=np.float32)
        for index, (item, level) in enumerate(zip(self.layout.amplifiers, self._level, strict=True)):
            low, high = max(start, item.place.low), min(stop, item.place.high)
            if low >= high:
                continue
            # Rows of the amplifier's image: counted from its other end where it is mirrored.
            first = item.place.high - high if item.is_mirrored[1] else low - item.place.low
            rows = item.data.low + first, item.data.low + first + high - low
            raw = self._part(held, index, rows, item)
            values = raw.astype(np.float32) - np.float32(level)
            for other, of_other in enumerate(self._crosstalk):
                if share := of_other[index]:
                    signal = self._part(held, other, rows, item).astype(np.float32)
                    signal -= np.float32(self._level[other])
                    signal *= np.float32(share)
                    values -= signal
            values *= np.float32(item.gain)
            if np.isfinite(item.saturation):
                full = raw >= item.saturation
                # Where one of the amplifiers does not tell its saturation, there is none of the whole.
                values[full] = np.fmax(values[full], np.float32(self.layout.saturation))
            steps = [-1 if is_mirrored else 1 for is_mirrored in item.is_mirrored]
            found[low - start : high - start, item.place.left : item.place.right] = values[
                :: steps[1], :: steps[0]
            ]
        return found

    def _part(self, held: dict[int, Any], index: int, rows: tuple[int, int], of: Amplifier) -> Any:
        """Return *rows* of the image of an amplifier, in the columns that see the sky in that *of* one."""
        if index in held:
            return held[index][rows[0] : rows[1], of.data.left : of.data.right]
        return self._read(self.layout.amplifiers[index], *rows, of.data.left, of.data.right)

    def _image(self, item: Amplifier) -> Any:
        """Return all pixels of the image of an amplifier."""
        data = self._hdus[item.hdu].data
        return data[item.plane - 1] if item.plane else data

    def _read(self, item: Amplifier, low: int, high: int, left: int, right: int) -> Any:
        section = self._hdus[item.hdu].section
        rows, columns = slice(low, high), slice(left, right)
        return section[item.plane - 1, rows, columns] if item.plane else section[rows, columns]


def _of(section: Any) -> tuple[int, int, int, int]:
    return section.low, section.high, section.left, section.right


def _layout(hdus: HDUList, part: Part) -> Mosaic:
    from accretor import instruments

    primary = dict(hdus[0].header)
    images = []
    for hdu, plane in part.amplifiers:
        if hdu >= len(hdus):
            raise Unusable(f"there is no HDU {hdu} of an amplifier")
        cards = {**primary, **dict(hdus[hdu].header)} if plane else dict(hdus[hdu].header)
        if plane:
            planes = instruments.detect(cards).planes_of(cards)
            cards |= planes[plane - 1] if plane <= len(planes) else {}
        images.append((hdu, plane, cards))
    try:
        return lay_out(primary, images)
    except HeaderError as error:
        raise Unusable(str(error)) from None
