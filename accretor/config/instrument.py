"""What types alone cannot refuse in ``[[instrument]]``."""

from __future__ import annotations

import re
from pathlib import Path

from accretor import instruments
from accretor.core import readout
from accretor.core.errors import ConfigError
from accretor.core.settings import InstrumentSettings

TIMES = ("start", "middle", "end")
"""What a card may say of a time, or two cards: its date and its time of day."""
LINEAR = (0.5, 2.0)
"""Between these is c1 of a detector; another one is of a list that was begun with another coefficient."""

_TOKEN = re.compile(r"[A-Za-z0-9-]+")
_FILTER = re.compile(r"[A-Za-z0-9+-]+")
_CARD = re.compile(r"[^+=\s](?:[^+=]*[^+=\s])?")


def check(path: Path, key: str, instrument: InstrumentSettings, *, is_alone: bool) -> None:
    """Refuse settings of an instrument that are of the right types, and yet mean nothing.

    Parameters
    ----------
    key : str
        Of this instrument in the file *path*.
    is_alone : bool
        There is no other instrument.

    Raises
    ------
    ConfigError
        Naming the key that is wrong.
    """
    if not _TOKEN.fullmatch(instrument.name):
        reason = f"{instrument.name!r} must be letters, digits and hyphens, as ExoFOP wants it"
        raise ConfigError(path, f"{key}.name", reason)
    try:
        if instrument.dialect != "auto":
            instruments.by_name(instrument.dialect)
    except ValueError as error:
        raise ConfigError(path, f"{key}.dialect", str(error)) from None
    if not is_alone and not instrument.match:
        reason = (
            'is needed to tell the frames of several instruments apart, e.g. match = {TELESCOP = "Cecilia"}'
        )
        raise ConfigError(path, f"{key}.match", reason)
    _check_sections(path, key, instrument)
    _check_nonlinearity(path, f"{key}.nonlinearity", instrument.nonlinearity)
    for word, card in instrument.keywords.items():
        _check_card(path, f"{key}.keywords.{word}", card, is_time=word in TIMES)
    for name, band in instrument.filters.items():
        if not _FILTER.fullmatch(band):
            reason = f"{band!r} must be letters, digits, + and -, as ExoFOP wants it, e.g. gp"
            raise ConfigError(path, f"{key}.filters.{name or chr(34) * 2}", reason)


def _check_sections(path: Path, key: str, instrument: InstrumentSettings) -> None:
    sections = []
    for name in ("overscan", "trim"):
        text = getattr(instrument, name)
        try:
            sections += [readout.parse(text)] if text.strip() else []
        except ValueError as error:
            raise ConfigError(path, f"{key}.{name}", str(error)) from None
    if len(sections) == 2 and sections[0].overlaps(sections[1]):
        reason = f"{sections[0]} has pixels of trim, {sections[1]}: pixels without light are not kept"
        raise ConfigError(path, f"{key}.overscan", reason)


def _check_nonlinearity(path: Path, key: str, coefficients: tuple[float, ...]) -> None:
    if not coefficients:
        return
    slope = coefficients[1] if len(coefficients) > 1 else 0.0
    if not LINEAR[0] <= slope <= LINEAR[1]:
        reason = f"c1, the second number, is {slope:g}; it must be near 1: the list is c0, c1, c2 ..."
        raise ConfigError(path, key, reason)


def _check_card(path: Path, key: str, card: str, *, is_time: bool) -> None:
    parts = card.split("+")
    if len(parts) > (2 if is_time else 1) or not all(_CARD.fullmatch(part) for part in parts):
        wanted = (
            'a keyword of the header, or two joined as "DATE+TIME"' if is_time else "a keyword of the header"
        )
        raise ConfigError(path, key, f"{card!r} is not {wanted}")
