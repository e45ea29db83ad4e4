"""What the check of the neighbours reads: the frames of the light curve, and what a star is held against."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.core.dumps import COMPARISON, LIGHT_CURVE
from accretor.core.settings import WorkspaceSettings
from accretor.io import dump
from accretor.io.dump import Row
from accretor.science import eclipse, ephemeris, neb
from accretor.science.eclipse import Window
from accretor.stages import forced, photometry
from accretor.stages.photometry import SATURATED

if TYPE_CHECKING:
    from accretor.core.arrays import Booleans, Floats
    from accretor.io.layout import ObservationPaths
    from accretor.stages.workspace import ObservationPlan


@dataclass(frozen=True)
class Night:
    """What the dumps say of the frames of the light curve; n frames, in order of time."""

    time: Floats
    """(n,) BJD_TDB day."""
    exposure: Floats
    """(n,) second."""
    flip: Floats
    """(n,) +1 or -1."""
    radii: Floats
    """(n_radius,) pixel, those of the forced photometry."""
    scale: Floats
    """(n,) factor on all radii; 1 but where they followed the seeing."""
    flux: Floats
    """(n, n_position, n_radius) electron, forced; NaN where not measured, or saturated."""
    flux_error: Floats
    """(n, n_position, n_radius)"""
    sky: Floats
    """(n, n_position) electron per pixel."""
    n_sky: Floats
    """(n, n_position)"""
    is_saturated: Booleans
    """(n, n_position)"""
    star_flux: Floats
    """(n, n_star, n_radius) electron: target and comparison stars of the photometry, the target first."""
    star_error: Floats
    """(n, n_star, n_radius)"""
    star_sky: Floats
    """(n, n_star)"""
    star_n_sky: Floats
    """(n, n_star)"""
    star_place: Floats
    """(n_star, 2) in the template, pixel."""
    is_listed: Booleans
    """(n_star,) in the measurement table; all but the target are of the ensemble."""
    place: Floats
    """(n_position, 2) in the template, pixel."""
    target_place: Floats
    """(n, 2) of the target in each frame, pixel."""


@dataclass(frozen=True)
class Rules:
    """What a neighbour is held against."""

    window: Window
    depth: float
    """Predicted depth of the target, ppt."""
    limit: float
    """Magnitudes below the target from which on no star can cause the depth."""
    cadence: float
    """Second."""
    fwhm: float
    """Pixel."""
    scale: float
    """Arcsec per pixel."""
    radius: float
    """Aperture of the light curve, pixel."""
    gain: float
    read_noise: float
    dark: Floats
    """(n,) electron per pixel."""


def read(paths: ObservationPaths, places: list[Row]) -> Night | None:
    """Return the measurements of the frames of the light curve; None if there are none."""
    curve = [row for row in dump.read(paths.light_curve, LIGHT_CURVE).rows if row["is_used"]]
    names = ("image_name", "flux", "flux_error", "sky", "n_sky", "flag")
    found, meta = forced.columns(paths, *names)
    if len(curve) < eclipse.FEWEST or not len(found["image_name"]) or not meta["radii"]:
        return None
    measured, own = photometry.columns(
        paths, "image_name", "flux", "flux_error", "sky", "n_sky", "x", "y", "rotation", "aperture_scale"
    )
    comparison = dump.read(paths.comparison, COMPARISON).rows
    used = [
        0,
        *(row["star"] for row in comparison if row["star"] != 0 and (row["is_comparison"] or row["label"])),
    ]
    radii = [int(np.argmin(np.abs(np.array(own["radii"]) - radius))) for radius in meta["radii"]]
    rank = {name: i for i, name in enumerate(measured["image_name"])}
    at = [rank[row["image_name"]] for row in curve]
    frames = {row["image_name"]: i for i, row in enumerate(curve)}
    flux, error, sky, n_sky, flag = (_in_curve(found, name, frames) for name in names[1:])
    is_saturated = (np.nan_to_num(flag).astype(np.int64) & SATURATED) > 0
    flux[is_saturated] = np.nan
    stars = np.ix_(at, used, radii)
    return Night(
        time=dump.numbers(curve, "bjd_tdb"),
        exposure=dump.numbers(curve, "exptime"),
        flip=np.where(np.abs(measured["rotation"][at]) > 90, -1.0, 1.0),
        radii=np.array(meta["radii"]),
        scale=measured["aperture_scale"][at],
        flux=flux,
        flux_error=error,
        sky=sky,
        n_sky=n_sky,
        is_saturated=is_saturated,
        star_flux=measured["flux"][stars],
        star_error=measured["flux_error"][stars],
        star_sky=measured["sky"][np.ix_(at, used)],
        star_n_sky=measured["n_sky"][np.ix_(at, used)],
        star_place=np.column_stack([dump.numbers(comparison, "x"), dump.numbers(comparison, "y")])[used],
        is_listed=np.array([bool(comparison[star]["label"]) for star in used]),
        place=np.column_stack([dump.numbers(places, "x"), dump.numbers(places, "y")]),
        target_place=np.column_stack([measured["x"][at, 0], measured["y"][at, 0]]),
    )


def _in_curve(found: dict[str, Any], name: str, frames: dict[str, int]) -> Floats:
    """Return a column of the forced photometry in the order of the light curve, NaN where it has no row."""
    full = np.full((len(frames), *found[name].shape[1:]), np.nan)
    for i, image in enumerate(found["image_name"]):
        if image in frames:
            full[frames[image]] = found[name][i]
    return full


def rules(plan: ObservationPlan, results: Row, settings: WorkspaceSettings, night: Night) -> Rules:
    """Return what neighbours of this observation are held against; it has an ephemeris."""
    orbit = plan.target.ephemeris
    assert orbit is not None
    prediction = ephemeris.predict(orbit, 0.5 * float(night.time[0] + night.time[-1]))
    detector = plan.detector
    return Rules(
        window=Window(prediction.ingress, prediction.egress, prediction.sigma),
        depth=orbit.depth,
        limit=neb.magnitude_limit(orbit.depth),
        cadence=settings.neb.cadence,
        fwhm=float(dump.read_meta(plan.paths.template_stars)["fwhm"]),
        scale=float(results["pixel_scale_arcsec"] or math.nan),
        radius=float(results["aperture_radius_px"]),
        gain=detector.gain,
        read_noise=detector.read_noise,
        dark=plan.instrument.dark_current * night.exposure,
    )
