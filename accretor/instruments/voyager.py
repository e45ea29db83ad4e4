"""Voyager of Starkeeper; its cards are those of SBFITSEXT, with GAIN for the camera's setting."""

from __future__ import annotations

from accretor.instruments.dialect import Dialect

VOYAGER = Dialect(
    name="voyager",
    is_mine={"SWCREATE|CREATOR|PROGRAM": r"Voyager"},
    gain=("EGAIN", "GAIN"),
)
"""No real header was at hand: the cards are those of the SBFITSEXT standard."""
