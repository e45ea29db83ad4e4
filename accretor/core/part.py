"""Which pixels of a file are the image: a plane of a cube, a colour of a colour camera, all amplifiers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Colour = Literal["green", "red", "blue", "superpixel"]
_LETTER: dict[Colour, str] = {"green": "G", "red": "R", "blue": "B", "superpixel": "RGB"}
_TEXT = re.compile(r"(?:plane (\d+))?(?:^| ?)(?:mean ([01]{2}(?:\+[01]{2})*))?")
_AMPLIFIERS = re.compile(r"(levelled )?amplifiers (\d+(?:\.\d+)?(?:\+\d+(?:\.\d+)?)*)( without crosstalk)?")
_FULL = re.compile(r"full by bits (\d+) of HDU (\d+) at (\S+)")
CELL = 2
"""Pixels on a side of the pattern of a colour camera."""


@dataclass(frozen=True)
class Part:
    """What is taken of the pixels of an image; the default is all of them."""

    plane: int = 0
    """Plane of a cube, from 1; 0 for an image of two dimensions."""
    cells: tuple[tuple[int, int], ...] = ()
    """Row and column, in each square of 2 x 2 pixels, of those whose mean is a pixel of the image; none: the
    pixels as they are."""
    amplifiers: tuple[tuple[int, int], ...] = ()
    """HDU and plane (0 without) of each amplifier's image, of which the whole is put together, electron."""
    is_levelled: bool = False
    """The zero level of each amplifier is taken off, by its overscan."""
    has_no_crosstalk: bool = False
    """What each amplifier shows of the others is taken off, by the coefficients of the header."""
    full: tuple[int, int, float] | None = None
    """HDU and bits of a map of the pixels that are full, and the ADU that they have at least."""

    @property
    def step(self) -> int:
        """Pixels of the detector on a side of a pixel of the image."""
        return CELL if self.cells else 1

    @property
    def n_mean(self) -> int:
        """Pixels of the detector in the mean."""
        return len(self.cells) or 1

    def __str__(self) -> str:
        """Return it as `parse` reads it: ``plane 2``, ``mean 01+10``, ``amplifiers 1+2+3+4``; "" for all.

        Pixels that are full are named of an image that is taken as it is: no others have such a map.
        """
        if self.full:
            hdu, bits, level = self.full
            return f"full by bits {bits} of HDU {hdu} at {level!r}"
        if self.amplifiers:
            named = "+".join(f"{hdu}.{plane}" if plane else f"{hdu}" for hdu, plane in self.amplifiers)
            without = " without crosstalk" if self.has_no_crosstalk else ""
            return f"{'levelled ' if self.is_levelled else ''}amplifiers {named}{without}"
        plane = f"plane {self.plane}" if self.plane else ""
        mean = "mean " + "+".join(f"{row}{column}" for row, column in self.cells) if self.cells else ""
        return " ".join(filter(None, (plane, mean)))


WHOLE = Part()


def parse(text: str) -> Part:
    """Return the part that *text* names.

    Raises
    ------
    ValueError
        If it names none.
    """
    if full := _FULL.fullmatch(text):
        return Part(full=(int(full[2]), int(full[1]), float(full[3])))
    if several := _AMPLIFIERS.fullmatch(text):
        named = [item.partition(".") for item in several[2].split("+")]
        pairs = tuple((int(hdu), int(plane or 0)) for hdu, _, plane in named)
        return Part(amplifiers=pairs, is_levelled=bool(several[1]), has_no_crosstalk=bool(several[3]))
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no part of an image, such as 'plane 2' or 'mean 01+10'")
    cells = tuple((int(cell[0]), int(cell[1])) for cell in found[2].split("+")) if found[2] else ()
    return Part(int(found[1] or 0), cells)


def cells(pattern: str, colour: Colour, column: int = 0, row: int = 0) -> tuple[tuple[int, int], ...]:
    """Return where a colour is in each 2 x 2 pixels.

    Parameters
    ----------
    pattern : str
        Colours of the first two rows of the sensor, as ``RGGB``.
    colour : str
        ``superpixel`` is all four.
    column, row : int
        Column and row of the sensor's pattern at which the image begins (XBAYROFF, YBAYROFF).

    Raises
    ------
    ValueError
        If the pattern is not of one red, one blue and two green pixels.
    """
    if sorted(pattern) != ["B", "G", "G", "R"]:
        raise ValueError(f"{pattern!r} is not a pattern of colours such as RGGB")
    return tuple(
        (y, x)
        for y in range(CELL)
        for x in range(CELL)
        if pattern[(y + row) % CELL * CELL + (x + column) % CELL] in _LETTER[colour]
    )
