"""Telescopes of the Skynet Robotic Telescope Network: PROMPT at CTIO, and its other stations.

The sites are those of the list of stations in public use with Skynet, to 0.001 degree (100 m).
"""

from __future__ import annotations

import dataclasses

from accretor.instruments.dialect import Dialect, Site

_LIST = "list of Skynet's observatories"

SKYNET = Dialect(
    name="skynet",
    is_mine={"TELESCOP": r"^PROMPT[ -]?\d"},
    telescope="{TELESCOP}",
    gain=("EGAIN", "GAIN", "CCDGAIN"),
    read_noise=("RDNOISE", "READNOIS"),
    # Whether DATE-OBS is the start is not published: it is assumed, and said, unless its comment tells.
    site=Site(-30.168, -70.805, 2286.0, _LIST),
)
"""PROMPT 1 to 8 at Cerro Tololo."""

STATIONS = tuple(
    dataclasses.replace(SKYNET, name=f"skynet-{name}", is_mine={"TELESCOP": pattern}, site=site)
    for name, pattern, site in (
        ("meckering", r"^PROMPT-MO", Site(-31.638, 116.989, 197.0, _LIST)),
        ("perth", r"^R-?COP", Site(-32.007, 116.136, 386.0, _LIST)),
        ("rrrt", r"^RRRT", Site(37.879, -78.694, 546.0, _LIST)),
        ("morehead", r"^Morehead", Site(35.914, -79.05, 145.0, _LIST)),
        ("nso", r"^NSO-17", Site(44.325, -72.166, 384.0, _LIST)),
        ("sleaford", r"^(?:PROMPT-)?USASK", Site(52.085, -105.921, 580.0, _LIST)),
        ("apus", r"^APUS", Site(39.293, -77.863, 170.0, _LIST)),
        ("krakow", r"^OAUJ", Site(50.054, 19.828, 318.0, _LIST)),
    )
)
"""The other stations; MLC is not among them, for its listed place is in doubt."""
