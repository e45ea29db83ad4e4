"""MicroObservatory (Center for Astrophysics | Harvard & Smithsonian), 6-inch robots at Amado, Arizona."""

from __future__ import annotations

from accretor.instruments.dialect import Dialect, Site

MICROOBSERVATORY = Dialect(
    name="microobservatory",
    is_mine={"CREATOR": r"MicroObservatory"},
    telescope="MicroObs-{TELESCOP}",
    # DATE-OBS and DATE-END are local times with their offset; MJD-OBS is rounded to 86 s.
    start=("DATE-OBS+UT-OBS", "DATE-OBS"),
    time_stamp="start",
    end=("DATE-END",),
    mid=(),
    temperature={"CAMTEMP": "K"},
    pixel_scale=("IM_SCALE",),
    ra=("RA",),
    dec=("DEC",),
    equinox="date",  # 0.2 degrees from J2000, whatever EQUINOX = 2000.0 says
    altitude=("TELALT",),
    sidereal=(),  # LST-OBS is made from the local time as if it were UTC: 7 h wrong
    latitude=("LATITUDE",),
    longitude=("LONGITUD",),
    west_is_positive=True,  # LONGITUD = 110.88 in Arizona
    site=Site(
        elevation=1268.0,
        source="base camp of Whipple Observatory: Holder et al. 2006, Astropart. Phys. 25, 391",
    ),
)
