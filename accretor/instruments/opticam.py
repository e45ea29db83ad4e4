"""OPTICAM at the 2.1 m telescope of OAN-SPM: three cameras, three bands at a time."""

from __future__ import annotations

from accretor.instruments.dialect import Dialect, Site

OPTICAM = Dialect(
    name="opticam",
    is_mine={"INSTRUME|CAMERA|DETECTOR": r"OPTI-?CAM"},
    telescope="OAN-SPM-2m1-OPTICAM",  # the token of PROFE's packages
    start=("UT", "DATE-OBS+UT", "GPSTIME"),  # UT is an ISO date and time: PROFE, opticam
    time_stamp="start",  # PROFE and opticam add half of EXPOSURE
    mid=("UTMIDDLE",),  # which PROFE writes into the raw frames
    end=(),
    julian=("JD",),  # PROFE's is the start, whatever its HISTORY says
    exposure={"EXPOSURE": 1.0, "EXPTIME": 1.0},
    object=("OBJECT",),
    altitude=(),
    sidereal=(),
    # Documentation of opticam, instruments.OPTICAM_MX: 31.044167 N, 115.463611 W, 2790 m, 1.3 electron.
    site=Site(31.044167, -115.463611, 2790.0, "opticam, instruments.OPTICAM_MX"),
    constants={"read_noise": 1.3},
    scale_of_filter={"up": 0.1397, "gp": 0.1397, "rp": 0.1406, "ip": 0.1661, "zs": 0.1661},
)
"""AIRMASS is fixed in these headers, which is one more reason to compute it."""
