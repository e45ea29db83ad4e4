"""What a light curve must say of itself to be of use elsewhere."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from accretor.core.arrays import Floats


@dataclass(frozen=True)
class Fit:
    """The transit as it was measured."""

    tc: float
    """BJD_TDB."""
    tc_error: float
    rp_rs: float
    rp_rs_error: float
    a_rs: float
    inclination: float
    """Degree."""
    duration: float
    """Hour."""
    duration_error: float


@dataclass(frozen=True)
class Orbit:
    """What was known before."""

    t0: float
    """BJD_TDB."""
    period: float
    """Day."""
    depth: float
    """ppt."""
    duration: float = 0.0
    """Hour; 0 if not known."""
    t0_error: float = 0.0
    """Day."""
    period_error: float = 0.0
    """Day; 0 if not known."""


@dataclass(frozen=True)
class Curve:
    """A light curve: n frames in ascending time."""

    name: str
    """Of the planet candidate."""
    star: str
    """Of its host."""
    tic: int
    date: str
    """UT date of the first exposure, YYYYMMDD."""
    telescope: str
    """ExoFOP's token."""
    filter: str
    observer: str
    exposure: float
    """Second."""
    binning: str
    """As 1x1."""
    jd_utc: Floats
    """(n,) mid-exposure, not barycentric."""
    bjd_tdb: Floats
    """(n,) mid-exposure."""
    flux: Floats
    """(n,) 1 out of transit, trend not removed."""
    error: Floats
    """(n,)"""
    covariates: Mapping[str, Floats] = field(default_factory=dict)
    """(n,) each, that the trend may follow: AIRMASS first."""
    detrended_with: tuple[str, ...] = ()
    """Those that the trend of the fit follows."""
    comparison: tuple[tuple[str, float, float, float, float], ...] = ()
    """Label, right ascension, declination (degree, NaN if unknown), x and y (pixel) of each star."""
    orbit: Orbit | None = None
    fit: Fit | None = None
    limb: tuple[float, float] = (math.nan, math.nan)
    """Quadratic coefficients."""
    teff: float = 0.0
    """Of the star, kelvin; 0 if not known."""
    obscode: str = ""
    """Of the AAVSO."""
    program: str = ""
    provenance: str = ""
