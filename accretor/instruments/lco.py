"""Las Cumbres Observatory: raw frames (``-e00``) and those of BANZAI (``-e91``), packed or not.

Cards: https://lco.global/documentation/data/fits-headers/; what BANZAI changes: github.com/LCOGT/banzai,
lco.py, data.py, munge.py. Raw frames of a Sinistro have an image for each of four amplifiers, with sections
of its own, or were a cube of the four, whose sections BANZAI knows; `accretor.io.header` puts them together.
MuSCAT has a camera for each of gp, rp, ip, zs, which the filter tells apart.
"""

from __future__ import annotations

from accretor.instruments.dialect import Dialect

_BLIND = "[2055:2080,1:2048]"
_CUBE = {  # banzai, lco.py: LCOFrameFactory._munge_data_cube
    1: (
        ("[1:2048,1:2048]", "[1:2048,1:2048]"),
        ("[1:2048,1:2048]", "[4096:2049,1:2048]"),
        ("[1:2048,2:2048]", "[4096:2049,4096:2050]"),  # the row in the middle was not read
        ("[1:2048,2:2048]", "[1:2048,4096:2050]"),
    ),
    2049: (
        ("[1:2048,1:2048]", "[1:2048,1:2048]"),
        ("[1:2048,1:2048]", "[4096:2049,1:2048]"),
        ("[1:2048,2:2049]", "[4096:2049,4096:2049]"),
        ("[1:2048,2:2049]", "[1:2048,4096:2049]"),
    ),
}

LCO = Dialect(
    name="lco",
    # Without ORIGIN, which copies of their headers often lack; TELID is 1m0a, 0m4b, 2m0a ...
    is_mine={"SITEID": r"^(?:ogg|coj|lsc|cpt|elp|tfn|tlv|ngq)$", "TELID": r"^\dm\d[a-z]$"},
    telescope="LCO-{SITEID}-{TELID}",
    telescope_words={
        "SITEID": {
            "ogg": "HAL",
            "coj": "SSO",
            "lsc": "CTIO",
            "cpt": "SAAO",
            "elp": "McD",
            "tfn": "Teid",
        },
        "TELID": {
            word + letter: size
            for word, size in (("2m0", "2m0"), ("1m0", "1m0"), ("0m4", "0m4"), ("0m3", "0m35"))
            for letter in "abcd"
        },
    },
    mid=(),
    start=("DATE-OBS", "MJD-OBS"),  # shutter opening, UTC, to the millisecond
    time_stamp="start",
    end=("DATE-OBS+UTSTOP",),
    exposure={"EXPTIME": 1.0},  # the one that was; REQTIME is the one asked for
    filter=("FILTER", "FILTER1"),
    filters={"w": "w", "Y": "Y"},
    object=("OBJECT",),
    kind=("OBSTYPE",),
    temperature={"CCDATEMP": "C"},
    # Raw: electron per ADU. BANZAI: 1, for its pixels are electrons already.
    gain=("GAIN",),
    gain_is_setting=(),
    read_noise=("RDNOISE",),
    saturation=("SATURATE", "MAXLIN"),
    overscan=("BIASSEC",),
    trim=("TRIMSEC",),
    is_trimmed=("L1STATOV", "L1STATTR"),  # BANZAI has taken off overscan, rims
    mode=("CONFMODE",),
    calibrated={"RLEVEL": {r"^(?:11|91)$": "BDF"}},  # quick look or final reduction of BANZAI
    planes={
        rows: tuple(
            {"DATASEC": data, "DETSEC": place, "BIASSEC": _BLIND, "TRIMSEC": ""} for data, place in of
        )
        for rows, of in _CUBE.items()
    },
    masks={"BPM": (1, 2)},  # banzai, bpm.py: 1 by the camera's list, 2 at or above SATURATE when raw
    # banzai, dark.py, bias.py: darks are divided by their exposure, biases have lost their level.
    no_masters="masters of BANZAI have units of their own: take its -e91 frames, or single bias frames",
    pixel_scale=("PIXSCALE",),
    ra=("RA", "CAT-RA"),
    dec=("DEC", "CAT-DEC"),
    altitude=("ALTITUDE",),
    sidereal=("LST",),
    latitude=("LATITUDE",),
    longitude=("LONGITUD",),
    elevation=("HEIGHT",),
)
