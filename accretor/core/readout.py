"""How a detector is read out: its sections of pixels, and what is done to a frame before the masters."""

from __future__ import annotations

import re
from dataclasses import dataclass

PATTERN = r"^\s*\[\s*\d+\s*:\s*\d+\s*,\s*\d+\s*:\s*\d+\s*\]\s*$"
"""``[first column:last column,first row:last row]``; both ends count, and the first pixel is 1."""


@dataclass(frozen=True)
class Section:
    """A rectangle of pixels, counted from 0; ``right`` and ``high`` are the first that are outside."""

    left: int
    right: int
    low: int
    high: int

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows."""
        return self.high - self.low

    def is_in(self, width: int, height: int) -> bool:
        """Tell whether a frame of this size has all of it."""
        return self.right <= width and self.high <= height

    def overlaps(self, other: Section) -> bool:
        """Tell whether they have a pixel in common."""
        return max(self.left, other.left) < min(self.right, other.right) and max(self.low, other.low) < min(
            self.high, other.high
        )

    def __str__(self) -> str:
        """Return it as FITS headers write it."""
        return f"[{self.left + 1}:{self.right},{self.low + 1}:{self.high}]"


def parse(text: str) -> Section:
    """Return the section that *text* names, such as ``[1:2048,1:2048]``.

    Raises
    ------
    ValueError
        If it is none, or holds no pixel; sections that run backwards are not understood.
    """
    if not re.match(PATTERN, text):
        raise ValueError(f"{text!r} is not a section such as [1:2048,1:2048]")
    first_x, last_x, first_y, last_y = (int(number) for number in re.findall(r"\d+", text))
    if not (1 <= first_x <= last_x and 1 <= first_y <= last_y):
        raise ValueError(f"{text!r} holds no pixel; it must run upwards from 1")
    return Section(first_x - 1, last_x, first_y - 1, last_y)


@dataclass(frozen=True)
class Readout:
    """What is done to a raw frame before, or beside, its masters; what is None or empty is not done."""

    overscan: Section | None = None
    """Pixels without light, whose mean is the level of the frame."""
    trim: Section | None = None
    """Pixels that are kept."""
    nonlinearity: tuple[float, ...] = ()
    """Coefficients c0, c1, c2 ... of true = c0 + c1 x + c2 x^2 + ..., x in ADU above the bias."""
    is_median_filtered: bool = False
    """The calibrated frame goes through a median of 3 x 3 pixels."""
    has_zero_level: bool = False
    """Some program took off the zero level of the detector before."""

    @property
    def origin(self) -> tuple[int, int]:
        """Column and row of the raw frame that are the first of the trimmed one."""
        return (self.trim.left, self.trim.low) if self.trim else (0, 0)


AS_IT_IS = Readout()
"""Nothing is done."""
