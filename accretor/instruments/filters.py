"""Names of filters, as headers write them and as TFOP does."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SLOAN = {"u": "up", "g": "gp", "r": "rp", "i": "ip", "z": "zs"}

_NAMES = {
    "clear": (
        "clear",
        "clr",
        "c",
        "cv",
        "cr",
        "l",
        "lum",
        "luminance",
        "open",
        "none",
        "empty",
        "air",
        "nofilter",
        "white",
        "w",
    ),
    "CBB": ("cbb", "pb", "exopb", "exoplanetbb", "clearbluebandblocking", "blueblocking", "bluebandblocking"),
    "TESS": ("tess",),
    "U": ("johnsonu", "bessellu", "uj", "ub"),
    "B": ("johnsonb", "bessellb", "blue", "bj", "bb"),
    "V": ("johnsonv", "bessellv", "johnson", "green", "vj", "vb"),
    "R": ("johnsonr", "bessellr", "red", "rj", "rb"),
    "I": ("johnsoni", "besselli", "ij", "ib"),
    "Rc": ("rc", "cousinsr", "rcousins", "kronr"),
    "Ic": ("ic", "cousinsi", "icousins", "kroni"),
    "up": ("up", "uprime", "sdssu", "sloanu", "su"),
    "gp": ("gp", "gprime", "sdssg", "sloang", "sg", "panstarrsg", "psg"),
    "rp": ("rp", "rprime", "sdssr", "sloanr", "sr", "panstarrsr", "psr"),
    "ip": ("ip", "iprime", "sdssi", "sloani", "si", "panstarrsi", "psi"),
    "zs": ("zs", "zp", "zprime", "sdssz", "sloanz", "sz", "panstarrsz", "psz", "pszs"),
    "I+z": ("i+z", "iz", "izp"),
    "zYJ": ("zyj",),
}
_BY_NAME = {name: canonical for canonical, names in _NAMES.items() for name in names}


def canonical(name: str, own: Mapping[str, str]) -> tuple[str, bool]:
    """Return the TFOP name of a filter, and whether it was a known one.

    Blanks, hyphens, underscores and case do not count, except that of a single letter:
    ``g r i z u`` are Sloan's, ``U B V R I`` Johnson's and Bessell's. An unknown name stays as it is.

    Parameters
    ----------
    name : str
        Value of the FILTER card.
    own : mapping
        Names that mean something else here; they go first, and their case does not count
        unless two of them differ by it alone.
    """
    text = name.strip()
    if text in own:
        return own[text], True
    for key, meaning in own.items():
        if _plain(key) == _plain(text):
            return meaning, True
    if text in _SLOAN:
        return _SLOAN[text], True
    if text in {"U", "B", "V", "R", "I"}:
        return text, True
    if re.fullmatch(r"[ugriz]\s*['′’`]", text, re.IGNORECASE):
        return _SLOAN[text[0].lower()], True
    plain = _plain(text)
    spellings = (plain, re.sub(r"^filter|filter$", "", plain), plain.removesuffix("prime"))
    found = next((_BY_NAME[spelling] for spelling in spellings if spelling in _BY_NAME), None)
    return (found, True) if found else (text, False)


def _plain(text: str) -> str:
    return re.sub(r"['′’`]", "prime", re.sub(r"[\s_\-.:/()]+", "", text)).casefold()
