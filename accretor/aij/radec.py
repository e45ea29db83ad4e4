"""Aperture positions on the sky, as AstroImageJ keeps them in ``.radec`` files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from accretor.aij import numbers
from accretor.core.errors import Unusable

_HEAD = """\
#RA in decimal or sexagesimal hours
#Dec in decimal or sexagesimal degrees
#Ref Star is 0 for a target and 1 for a comparison star; without it the first line is the target
#Centroid is 1 if the aperture finds its own centre, 0 if not; without it 1
#Magnitude is apparent; 99.999 or nothing if unknown
#One aperture a line, in the order of their numbers:
#RA, Dec, Ref Star, Centroid, Magnitude
"""
_UNKNOWN_MAGNITUDE = 99.999


@dataclass(frozen=True)
class Aperture:
    """One line of the file; the line's number is the aperture's."""

    ra: float
    """Degree."""
    dec: float
    """Degree."""
    is_comparison: bool
    """C if true, T if not."""
    recentre: bool = True
    """Let the aperture find its own centre."""
    magnitude: float = math.nan
    """NaN if unknown."""


def write(apertures: Sequence[Aperture], comment: str = "") -> bytes:
    """Return the text of the file.

    Parameters
    ----------
    apertures : sequence of Aperture
        T1 first. Positions are written to 1 ms in right ascension and to 10 mas in
        declination, as AstroImageJ does.
    comment : str
        Stands in a line of its own before all others.

    Raises
    ------
    ValueError
        If a position is not finite, or a declination lies beyond a pole.
    """
    first = f"#{comment}\n" if comment else ""
    return (first + _HEAD + "".join(f"{_line(aperture)}\n" for aperture in apertures)).encode("ascii")


def read(path: Path) -> list[Aperture]:
    """Read the file at *path*; see `parse`."""
    return parse(path.read_text(encoding="utf-8", errors="replace"))


def parse(text: str) -> list[Aperture]:
    """Read apertures from the text of a ``.radec`` file, by AstroImageJ's own rules.

    Raises
    ------
    Unusable
        If a line is no position; the sentence names the line.
    """
    apertures: list[Aperture] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        fields = [field.strip() for field in line.split(",")]
        try:
            apertures.append(_aperture(fields, is_first=not apertures))
        except (ValueError, IndexError):
            raise Unusable(f"line {number}, {line.strip()!r}, is no position") from None
    return apertures


def names(apertures: Sequence[Aperture]) -> tuple[str, ...]:
    """Return the names that AstroImageJ gives: T1, C2 and so on."""
    return tuple(
        f"{'C' if star.is_comparison else 'T'}{number}" for number, star in enumerate(apertures, start=1)
    )


def _line(aperture: Aperture) -> str:
    if not (math.isfinite(aperture.ra) and abs(aperture.dec) <= 90):
        raise ValueError(f"({aperture.ra}, {aperture.dec}) is no position on the sky")
    # Whole units first: 59.9996 s must become the next minute, not 60.000 s.
    milliseconds = round(aperture.ra / 15 * 3_600_000) % 86_400_000
    centiarcsec = round(abs(aperture.dec) * 360_000)
    sign = "-" if aperture.dec < 0 < centiarcsec else "+"
    known = math.isfinite(aperture.magnitude)
    return ", ".join(
        [
            _clock(milliseconds, 1000),
            sign + _clock(centiarcsec, 100),
            str(int(aperture.is_comparison)),
            str(int(aperture.recentre)),
            f"{aperture.magnitude if known else _UNKNOWN_MAGNITUDE:.3f}",
        ]
    )


def _clock(parts: int, parts_per_second: int) -> str:
    seconds, fraction = divmod(parts, parts_per_second)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}.{fraction:0{len(str(parts_per_second)) - 1}d}"


def _aperture(fields: list[str], *, is_first: bool) -> Aperture:
    hour, dec = numbers.read(fields[0]), numbers.read(fields[1])
    if not (0 <= hour <= 24 and abs(dec) <= 90):
        raise ValueError(f"({hour}, {dec}) is no position on the sky")
    fields = [*fields, "", "", ""]
    magnitude = numbers.read(fields[4])
    return Aperture(
        ra=hour % 24 * 15,
        dec=dec,
        is_comparison=fields[2] == "1" or (fields[2] != "0" and not is_first),
        recentre=fields[3] != "0",
        magnitude=math.nan if magnitude > 99 else magnitude,
    )
