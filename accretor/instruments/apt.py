"""Astro Photography Tool."""

from __future__ import annotations

from accretor.instruments.dialect import Dialect

APT = Dialect(
    name="apt",
    is_mine={"SWCREATE": r"Astro Photography Tool|\bAPT\b"},
    start=("DATE-OBS",),
    time_stamp="start",  # "The UTC date and time at the start of the expo..."
    gain=("EGAIN",),  # GAIN: "The gain set (if supported)"
    sidereal=(),
)
