"""One file for each observatory: header dialects as data."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from accretor.core.frame import Exposure
from accretor.core.settings import InstrumentSettings
from accretor.instruments import normalise
from accretor.instruments.apt import APT
from accretor.instruments.arcsat import ARCSAT
from accretor.instruments.dialect import Cards, Dialect
from accretor.instruments.generic import GENERIC
from accretor.instruments.lco import LCO
from accretor.instruments.maximdl import ACP, MAXIMDL
from accretor.instruments.microobservatory import MICROOBSERVATORY
from accretor.instruments.nina import NINA
from accretor.instruments.opticam import OPTICAM
from accretor.instruments.sgp import SGP
from accretor.instruments.sharpcap import SHARPCAP
from accretor.instruments.skynet import SKYNET, STATIONS
from accretor.instruments.theskyx import THESKYX
from accretor.instruments.trappist import TRAPPIST
from accretor.instruments.voyager import VOYAGER
from accretor.instruments.zwo import ASIAIR, SEESTAR

OBSERVATORIES = (MICROOBSERVATORY, LCO, OPTICAM, *TRAPPIST, ARCSAT, SKYNET, *STATIONS)
PROGRAMS = (SEESTAR, ASIAIR, ACP, MAXIMDL, THESKYX, NINA, SHARPCAP, SGP, APT, VOYAGER)

DIALECTS = (*OBSERVATORIES, *PROGRAMS, GENERIC)
"""The first that recognises a header has it: an observatory before its program; ``generic`` is for all
others."""


def detect(header: Cards) -> Dialect:
    """Return the dialect of *header*, ``generic`` if no other recognises it."""
    return next((dialect for dialect in DIALECTS if dialect.matches(header)), GENERIC)


def by_name(name: str) -> Dialect:
    """Return the dialect of this name.

    Raises
    ------
    ValueError
        If there is none; the message has the nearest names.
    """
    dialects = {dialect.name: dialect for dialect in DIALECTS}
    if name in dialects:
        return dialects[name]
    near = difflib.get_close_matches(name, dialects, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are auto, {', '.join(sorted(dialects))}"
    raise ValueError(f"{name!r} is not a header dialect; {hint}")


def chosen(header: Cards, instrument: InstrumentSettings) -> Dialect:
    """Return the dialect that *instrument* names, or that the header shows."""
    return detect(header) if instrument.dialect == "auto" else by_name(instrument.dialect)


def exposure(
    header: Cards, name: str, instrument: InstrumentSettings, printed: Mapping[str, str] | None = None
) -> Exposure:
    """Return what *header* says, in the dialect that *instrument* names, or that the header shows.

    See `accretor.instruments.normalise.exposure`.
    """
    return normalise.exposure(header, name, instrument, chosen(header, instrument), printed)
