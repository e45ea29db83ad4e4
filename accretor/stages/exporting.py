"""The light curve of one filter in the forms of other archives, and AstroImageJ's file of apertures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from accretor import __version__
from accretor.archives import formats
from accretor.archives.curve import Curve, Fit, Orbit
from accretor.io import dump
from accretor.stages import nebstars, table

if TYPE_CHECKING:
    from accretor.core.settings import WorkspaceSettings
    from accretor.stages.provenance import Provenance
    from accretor.stages.table import Measured
    from accretor.stages.workspace import ObservationPlan

_NAMES = {
    "airmass": "AIRMASS",
    "fwhm": "FWHM",
    "sky": "SKY",
    "x": "X",
    "y": "Y",
}
"""Covariates by their columns in the light curve, and their names in the files."""


def files(
    found: Measured, prefix: str, date: str, settings: WorkspaceSettings, words: Provenance
) -> tuple[dict[str, bytes], list[str]]:
    """Return the files of one filter by their names, and what could not be made.

    Parameters
    ----------
    prefix : str
        Name of the files of the package without their last part: of the apertures too.
    """
    made, failed = formats.files(_curve(found, date, settings, words))
    if settings.packaging.neb_stars and found.plan.frames:
        made |= nebstars.files(found, prefix)
    return {**made, f"{prefix}_measurements.apertures": table.places(found)}, failed


def _curve(found: Measured, date: str, settings: WorkspaceSettings, words: Provenance) -> Curve:
    plan, results = found.plan, found.results
    target = plan.target
    covariates = {
        name: np.array(dump.column(found.used, column), dtype=np.float64) for column, name in _NAMES.items()
    }
    if len(set(found.flip)) > 1:
        covariates["MERIDIAN_FLIP"] = found.flip
    time = np.array(dump.column(found.used, "bjd_tdb"))
    covariates["TIME"] = time - np.median(time)
    exposure = plan.frames[0].exposure if plan.frames else None
    return Curve(
        name=target.name,
        star=target.name.removesuffix(f".{target.planet}"),
        tic=target.tic,
        date=date,
        telescope=plan.observation.telescope,
        filter=plan.observation.filter,
        observer=settings.packaging.observers or settings.observer,
        exposure=results["exposure_s"],
        binning=exposure.binning if exposure else "1x1",
        jd_utc=np.array(dump.column(found.used, "jd_utc")),
        bjd_tdb=time,
        flux=np.array(dump.column(found.used, "relative_flux")),
        error=np.array(dump.column(found.used, "relative_flux_error")),
        covariates=covariates,
        detrended_with=tuple(
            "MERIDIAN_FLIP" if name == "flip" else name.upper() for name in results["detrend"]
        ),
        comparison=tuple(
            (label, star["ra"], star["dec"], star["x"], star["y"])
            for label, star in zip(found.names, found.stars, strict=True)
            if label.startswith("C")
        ),
        orbit=_orbit(plan),
        fit=_fit(found),
        limb=(_or_nan(results["u1"]), _or_nan(results["u2"])),
        teff=target.teff or 0.0,
        obscode=settings.packaging.aavso_code,
        program=f"accretor {__version__}",
        provenance=str(words),
    )


def _orbit(plan: ObservationPlan) -> Orbit | None:
    known = plan.target.ephemeris
    if known is None:
        return None
    return Orbit(known.t0, known.period, known.depth, known.duration, known.t0_error, known.period_error)


def _fit(found: Measured) -> Fit | None:
    results = found.results
    if not results["has_fit"]:
        return None
    return Fit(
        tc=results["tc_bjd_tdb"],
        tc_error=results["tc_error_day"],
        rp_rs=results["rp_rs"],
        rp_rs_error=results["rp_rs_error"],
        a_rs=results["a_rs"],
        inclination=math.degrees(math.acos(min(1.0, results["impact"] / results["a_rs"]))),
        duration=results["duration_hour"],
        duration_error=_or_nan(results["duration_error_hour"]),
    )


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
