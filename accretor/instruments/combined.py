"""How many exposures are in an image: one, or a known or unknown number that some program made one."""

from __future__ import annotations

import re

from accretor.core.errors import HeaderError
from accretor.core.frame import Kind
from accretor.instruments.dialect import Cards, Dialect

WORD = r"(?:master|super|combined|stacked)"
"""In IMAGETYP, OBJECT or the name of a file: of PixInsight, N.I.N.A., AstroImageJ, ccdproc and Siril."""
_KIND = r"(?:bias|zero|offset|dark|flat)"
_NAME = re.compile(
    rf"(?:^|[^a-z]){WORD}[\W_]*{_KIND}|(?:^|[\W_])m{_KIND}(?![a-z])|{_KIND}s?(?:[\W_]\w*)*?[\W_]{WORD}(?![a-z])",
    re.IGNORECASE,
)
"""``MasterDark_60s``, ``superbias``, ``mflat_R``, ``dark_stacked``."""
_TEXT = re.compile(rf"{WORD}[\W_]*{_KIND}|{_KIND}[\W_]*{WORD}", re.IGNORECASE)
_LISTED = re.compile(r"(?:IMCMB|IMCOM)\d{3}")
"""Cards that each name a frame that is in it: of IRAF and BANZAI."""


def several(keyword: str, shown: str) -> HeaderError:
    """Return what is said of a light frame of several exposures."""
    return HeaderError(keyword, f"{shown}: it is made of several exposures; single frames are needed")


def n_combined(header: Cards, name: str, kind: Kind, dialect: Dialect) -> int:
    """Return how many exposures are in an image; 0 for a master whose header tells no number.

    Parameters
    ----------
    header : mapping of keyword to value
    name : str
        Of the file; of calibration frames it may tell that they are masters.
    kind : str
    dialect : Dialect

    Raises
    ------
    HeaderError
        If a light frame is made of several exposures, or if masters of this dialect are not used.
    """
    told = {
        keyword: value
        for keyword in dialect.combined
        if (value := header.get(keyword, 0)) is True or (isinstance(value, int | float) and value > 1)
    }
    if kind == "light":
        if told:
            keyword, value = next(iter(told.items()))
            shown = "T" if value is True else f"{value:g}"
            raise several(keyword, shown)
        return 1
    listed = sum(_LISTED.fullmatch(keyword) is not None for keyword in header)
    texts = [str(header.get(keyword, "")) for keyword in (*dialect.kind, *dialect.object)]
    if not (told or listed > 1 or _NAME.search(name) or any(_TEXT.search(text) for text in texts)):
        return 1
    if dialect.no_masters:
        raise HeaderError("", dialect.no_masters)
    numbers = [int(value) for value in told.values() if value is not True]
    return max([*numbers, listed]) if numbers or listed > 1 else 0
