"""From the fluxes of all stars to the light curve of the target and its transit."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from accretor.core.arrays import Booleans, Floats
from accretor.science import curve as curves
from accretor.science import (
    differential,
    fit,
    limbdarkening,
    nightnoise,
    noise,
    solution,
    statistics,
    summary,
    systematics,
)
from accretor.science import ephemeris as ephemerides
from accretor.science.curve import Curve, Series, Term
from accretor.science.differential import Differential, Stars
from accretor.science.ephemeris import Prediction
from accretor.science.summary import TransitFit
from accretor.science.systematics import Depth
from accretor.science.terms import Tried

if TYPE_CHECKING:
    from accretor.core.settings import CalibrationSettings, Ephemeris, Target

__all__ = ["LightCurve", "Noise", "Photometry", "Stars", "Term", "TransitFit", "calibrate"]

FEW_COMPARISONS = 8

SEEN = 3.0
"""Errors of the depth that must lie between what was found and what was predicted, if a night is to speak
against a transit."""


@dataclass(frozen=True)
class Photometry:
    """What calibration needs of the photometry dump; only frames that were measured, in order of time."""

    time: Floats
    """(n,) BJD_TDB of mid-exposure, day, ascending."""
    exposure: Floats
    """(n,) second."""
    airmass: Floats
    """(n,)"""
    fwhm: Floats
    """(n,) pixel."""
    flip: Floats
    """(n,) +1 or -1: side of the pier (turned by 180 degrees against the template)."""
    flux: Floats
    """(n, n_star, n_radius) electron, sky subtracted; NaN where it was not measured."""
    flux_error: Floats
    """(n, n_star, n_radius) electron; CCD equation, without scintillation."""
    sky: Floats
    """(n, n_star) electron per pixel."""
    x: Floats
    """(n, n_star) pixel, centre in each frame."""
    y: Floats
    """(n, n_star) pixel."""
    is_saturated: Booleans
    """(n, n_star)"""
    is_near_edge: Booleans
    """(n, n_star) an aperture or the annulus leaves the frame."""
    radii: Floats
    """(n_radius,) pixel."""
    template_fwhm: float
    """Pixel."""
    position: Floats
    """(n_star, 2) x, y in the template."""
    target: int
    """Index of the target among the stars."""
    neighbour_contrast: Floats
    """(n_star,) flux of other listed stars within 3 FWHM over the star's own; 0 if alone."""
    height: Floats | None = None
    """(n, n_star) highest raw pixel less the level of the frame, in any unit; it shows cosmic rays."""
    color: Floats | None = None
    """(n_star,) colour on the scale of BP - RP, magnitude, NaN where not known; None without a catalogue."""
    left_out: tuple[str, ...] = ()
    """(n,) why the user leaves a frame out, "" for the others; empty where there is nothing of the kind."""


@dataclass(frozen=True)
class Noise:
    """Scatter of the residuals of the frames used, and what was to be expected; NaN where too few."""

    rms_per_point_ppt: float
    rms_5min_ppt: float
    rms_10min_ppt: float
    rms_30min_ppt: float
    predicted_rms_ppt: float
    """Median of the predicted errors of the frames used."""
    beta: float
    """Time-averaging factor of correlated noise (Winn et al. 2008), 5 to 30 minutes; at least 1."""
    averaging: tuple[tuple[float, float, float], ...]
    """Time-averaging curve: minutes, scatter of means so long, and of white noise, both ppt."""


@dataclass(frozen=True)
class LightCurve:
    """The target's light curve with everything that was decided on the way."""

    radius_index: int
    radius: float
    """Aperture radius, pixel."""
    radius_scatter: Floats
    """(n_radius,) point-to-point scatter of the target, ppt; the criterion that chose the radius."""
    stars: Stars
    zero_point: Floats
    """(n,) magnitude; transparency against the night's best, 0 there and negative under clouds."""
    zero_point_error: Floats
    """(n,) magnitude."""
    relative_flux: Floats
    """(n,) 1 out of transit; trend not removed."""
    relative_flux_error: Floats
    """(n,) predicted: photons, sky, read-out, scintillation, ensemble; not scaled."""
    is_used: Booleans
    """(n,)"""
    reason: tuple[str, ...]
    """(n,) why a frame is left out; "" for those used."""
    trend: Floats
    """(n,) linear trend, without the transit."""
    detrended_flux: Floats
    """(n,) relative_flux / trend."""
    model: Floats
    """(n,) transit model; 1 where there is no fit."""
    residual: Floats
    """(n,) detrended_flux - model."""
    terms: tuple[Term, ...]
    """Terms of the trend besides the constant."""
    comparison_flux: Floats
    """(n, n_star) leave-one-out relative flux of every star at the radius chosen, median 1."""
    fit: TransitFit | None
    fit_reason: str
    """Why there is no fit; "" if there is one."""
    noise: Noise
    coverage: str
    """Full, Ingress, Egress or Out of Transit; "" without an ephemeris."""
    prediction: Prediction | None
    airmass_min: float
    airmass_max: float
    n_comparison: int
    comparison_spread: tuple[tuple[int, float], ...]
    """Number of comparison stars and the rp_rs that they give; a systematic error of the depth."""
    aperture_depth: tuple[Depth, ...]
    """For each aperture radius; () without a fit."""
    tried: tuple[Tried, ...]
    """What each term of a trend would change; () without a fit."""
    found: Curve
    """The points, the noise models and the solution of the fit."""
    flags: tuple[str, ...]
    """What a reader must know, in words."""


def calibrate(
    photometry: Photometry,
    *,
    ephemeris: Ephemeris | None,
    filter_name: str,
    target: Target | None,
    diameter: float | None,
    site_height: float,
    settings: CalibrationSettings,
) -> LightCurve:
    """Choose comparison stars and aperture, make the light curve, and fit the transit.

    The comparison stars are chosen among themselves and the aperture by the
    point-to-point scatter: neither looks at the transit.

    Parameters
    ----------
    photometry : Photometry
    ephemeris : Ephemeris or None
        Without it there is no fit, and no term of a trend unless the settings name it:
        a trend could be a transit.
    filter_name : str
        As ExoFOP spells it; for the limb darkening.
    target : Target or None
        Temperature, gravity and orbit of the host, where they are known.
    diameter : float or None
        Clear aperture of the telescope, m; without it scintillation is left out.
    site_height : float
        m above the sea.
    settings : CalibrationSettings

    Raises
    ------
    Unusable
        If no frame has both the target and a comparison star.
    """
    scintillation = np.zeros(len(photometry.time))
    if diameter is not None:
        scintillation = noise.scintillation(
            photometry.airmass,
            photometry.exposure,
            diameter=diameter,
            height=site_height,
            coefficient=settings.scintillation,
        )
    night = differential.measure(photometry, scintillation, settings)
    series = Series(
        photometry.time,
        photometry.exposure,
        night.flux,
        night.error,
        np.array([not reason for reason in night.reason]),
    )
    law = limbdarkening.of_star(
        None if target is None else target.teff, None if target is None else target.logg, filter_name
    )
    prediction, coverage = _predict(series, ephemeris)
    fit_reason = _obstacle(series, prediction, coverage)
    found = _trend_and_transit(
        photometry, night, series, settings, ephemeris, prediction, coverage, target, law, fit_reason
    )
    transit_fit = None
    unmeasured = ""
    if prediction is not None and not fit_reason:
        transit_fit, unmeasured = _measured(found, prediction)
    if unmeasured:
        fit_reason = unmeasured
        found = _trend_and_transit(
            photometry, night, series, settings, ephemeris, prediction, coverage, target, law, fit_reason
        )

    reason = tuple(found.outlier.get(frame, given) for frame, given in enumerate(night.reason))
    is_used = np.array([not words for words in reason])
    flux, error = night.flux / found.level, night.error / found.level
    detrended = flux / found.trend
    residual = detrended - found.model
    is_counted = is_used & statistics.inside(photometry.time, settings.rms_intervals)
    is_counted = is_counted if is_counted.any() else is_used
    scatter = _noise(photometry.time[is_counted], residual[is_counted], error[is_counted])
    spread = systematics.by_comparison(photometry, scintillation, night, found, is_used)
    return LightCurve(
        radius_index=night.radius_index,
        radius=float(photometry.radii[night.radius_index]),
        radius_scatter=night.radius_scatter,
        stars=night.stars,
        zero_point=night.zero_point,
        zero_point_error=night.zero_point_error,
        relative_flux=flux,
        relative_flux_error=error,
        is_used=is_used,
        reason=reason,
        trend=found.trend,
        detrended_flux=detrended,
        model=found.model,
        residual=residual,
        terms=found.terms,
        comparison_flux=night.comparison_flux,
        fit=transit_fit,
        fit_reason=fit_reason,
        noise=scatter,
        coverage=coverage,
        prediction=prediction,
        airmass_min=float(np.min(photometry.airmass[is_used])),
        airmass_max=float(np.max(photometry.airmass[is_used])),
        n_comparison=int(night.stars.is_comparison.sum()),
        comparison_spread=spread,
        aperture_depth=systematics.by_aperture(photometry, scintillation, night, found, is_used),
        tried=found.tried,
        found=found,
        flags=(
            *_flags(photometry, night, ephemeris, prediction, transit_fit, law, scatter, spread, diameter),
            *([fit_reason] if unmeasured else []),
            *_missing_terms(settings, found),
            *_counted_flags(settings, is_used, is_counted),
        ),
    )


def _predict(series: Series, ephemeris: Ephemeris | None) -> tuple[Prediction | None, str]:
    """Return the transit nearest to the frames used, and how much of it they cover."""
    if ephemeris is None:
        return None, ""
    time, half = series.time[series.is_used], series.exposure[series.is_used] / 172800
    start, end = float(time[0] - half[0]), float(time[-1] + half[-1])
    prediction = ephemerides.predict(ephemeris, 0.5 * (start + end))
    return prediction, ephemerides.coverage(prediction, start, end)


def _in_transit(time: Floats, prediction: Prediction) -> Booleans:
    return (time > prediction.ingress) & (time < prediction.egress)


def _obstacle(series: Series, prediction: Prediction | None, coverage: str) -> str:
    """Return why no transit can be fitted, "" if one can."""
    if prediction is None:
        return "no ephemeris is given"
    if coverage == "Out of Transit":
        return "the predicted transit is not in the observation"
    n_used = int(series.is_used.sum())
    if n_used < curves.FEWEST_POINTS:
        return f"{n_used} frames are usable, {curves.FEWEST_POINTS} needed"
    inside = int((_in_transit(series.time, prediction) & series.is_used).sum())
    if inside < curves.FEWEST_IN_TRANSIT:
        return f"{inside} frames are in the predicted transit, {curves.FEWEST_IN_TRANSIT} needed"
    return ""


def _measured(found: Curve, prediction: Prediction) -> tuple[TransitFit | None, str]:
    """Return the fit, or why what was found is none."""
    if found.problem is None or found.solution is None or found.covariance is None or found.noise is None:
        return None, "the transit is not measured: the frames do not tell it from the trend"
    fitted = summary.summarise(
        found.problem,
        found.solution,
        found.covariance,
        mid=prediction.mid,
        sigma=prediction.sigma,
    )
    words = summary.nonsense(fitted, 48 * (prediction.mid - prediction.ingress))
    if not words:
        return fitted, ""
    k = float(found.problem.start[fit.K])
    condensed = fit.condense(found.problem, solution.MAX_POINT)
    _, error = solution.rp_rs_of(condensed, found.noise, found.problem.start)
    # The depth, unlike its root, has an error of its own where it is nothing.
    depth_error = 2 * max(k * error, fitted.rp_rs * fitted.rp_rs_error)
    if fitted.rp_rs**2 + SEEN * depth_error < k**2:
        return None, f"no transit is seen: one of the predicted Rp/R* {k:.4f} would be known to ± {error:.4f}"
    return None, f"the transit is not measured: {words}"


def _trend_and_transit(
    photometry: Photometry,
    night: Differential,
    series: Series,
    settings: CalibrationSettings,
    ephemeris: Ephemeris | None,
    prediction: Prediction | None,
    coverage: str,
    target: Target | None,
    law: limbdarkening.LimbDarkening,
    obstacle: str,
) -> Curve:
    """Fit the trend, and the transit where nothing stands against it.

    Terms of a trend are chosen only where a transit cannot be mistaken for them: under
    a full transit, and away from any.
    """
    quantities = {
        "airmass": photometry.airmass,
        "time": photometry.time,
        "x": photometry.x[:, photometry.target],
        "y": photometry.y[:, photometry.target],
        "fwhm": photometry.fwhm,
        "sky": photometry.sky[:, photometry.target],
        "total": _total(photometry, night),
        "flip": photometry.flip,
    }
    forced = settings.detrend if isinstance(settings.detrend, tuple) else None
    if forced is None and coverage not in {"Full", "Out of Transit"}:
        forced = ()
    max_terms = settings.max_detrend
    if not obstacle and ephemeris is not None and prediction is not None:
        whole = curves.set_up(series, prediction, ephemeris, target, law, settings.limb_darkening)
        stars = nightnoise.siblings(photometry, night, series.is_used)
        log_prior = nightnoise.log_prior(photometry, stars, series.is_used)
        # Singular: the points tell neither the terms nor the transit apart.
        with contextlib.suppress(np.linalg.LinAlgError):
            return curves.with_transit(
                series,
                whole,
                quantities,
                forced=forced,
                max_terms=max_terms,
                log_prior=log_prior,
                stars=stars,
            )
    is_level = np.ones(len(series.time), dtype=bool)
    if prediction is not None and (~_in_transit(series.time, prediction) & series.is_used).sum() >= 5:
        is_level = ~_in_transit(series.time, prediction)
    return curves.without_transit(series, quantities, forced=forced, max_terms=max_terms, is_level=is_level)


def _total(photometry: Photometry, night: Differential) -> Floats:
    """Return the logarithm of the light that the comparison stars give together, (n,).

    A star that some frames miss would make steps: such stars are left out.
    """
    flux = photometry.flux[:, night.stars.is_comparison, night.radius_index]
    is_used = np.array([not reason for reason in night.reason])
    total = flux[:, np.isfinite(flux[is_used]).all(axis=0)].sum(axis=1)
    return np.asarray(np.log(np.where(total > 0, total, np.nan)))


def _noise(time: Floats, residual: Floats, error: Floats) -> Noise:
    """Return the scatter of the residuals."""
    binned = {
        minutes: 1000 * statistics.binned_rms(time, residual, minutes)[0] for minutes in (5.0, 10.0, 30.0)
    }
    return Noise(
        rms_per_point_ppt=1000 * statistics.rms(residual),
        rms_5min_ppt=binned[5.0],
        rms_10min_ppt=binned[10.0],
        rms_30min_ppt=binned[30.0],
        predicted_rms_ppt=1000 * float(np.median(error)),
        beta=statistics.beta(time, residual),
        averaging=tuple(
            (minutes, 1000 * measured, 1000 * white)
            for minutes, measured, white in statistics.time_averaging(time, residual)
        ),
    )


def _flags(
    photometry: Photometry,
    night: Differential,
    ephemeris: Ephemeris | None,
    prediction: Prediction | None,
    transit_fit: TransitFit | None,
    law: limbdarkening.LimbDarkening,
    scatter: Noise,
    spread: tuple[tuple[int, float], ...],
    diameter: float | None,
) -> tuple[str, ...]:
    """Return what a reader must know."""
    n_comparison = int(night.stars.is_comparison.sum())
    n_saturated = int(photometry.is_saturated[:, photometry.target].sum())
    contrast = float(photometry.neighbour_contrast[photometry.target])
    excess = scatter.rms_per_point_ppt / scatter.predicted_rms_ppt
    said = {
        f"fewer than {FEW_COMPARISONS} comparison stars: {n_comparison}": n_comparison < FEW_COMPARISONS,
        f"target saturated in {n_saturated} of {len(photometry.time)} frames": n_saturated > 0,
        f"neighbours within 3 FWHM of the target have {100 * contrast:.1f} % of its flux": contrast > 0.001,
        "scintillation not in the errors: telescope_diameter is not given": diameter is None,
        f"scatter is {excess:.1f} times the predicted": excess > 1.5,
    }
    flags = [words for words, is_so in said.items() if is_so]
    if prediction is not None and prediction.sigma > 0.5 * (prediction.egress - prediction.mid):
        flags.append(f"transit window uncertain by {1440 * prediction.sigma:.0f} min")
    if ephemeris is not None and ephemeris.period == 0:
        flags.append("one transit only is known: the period is that of a star like the Sun")
    if transit_fit is not None:
        flags.extend((*law.remarks, *_fit_flags(transit_fit, spread)))
    return tuple(flags)


def _counted_flags(settings: CalibrationSettings, is_used: Booleans, is_counted: Booleans) -> list[str]:
    """Return of which frames the rms is, if the settings name intervals."""
    if not settings.rms_intervals:
        return []
    if is_counted.sum() == is_used.sum():
        return ["RMS of all frames: [calibration] intervals hold all of them, or none"]
    return [f"RMS of {is_counted.sum()} of {is_used.sum()} frames: those in [calibration] intervals"]


def _missing_terms(settings: CalibrationSettings, found: Curve) -> list[str]:
    """Return which terms the settings asked for in vain."""
    asked = settings.detrend if isinstance(settings.detrend, tuple) else ()
    had = {term.name for term in found.terms}
    return [
        f"[calibration] detrend: {name} left out: not measured, or no different from the other terms"
        for name in asked
        if name not in had
    ]


def _fit_flags(transit_fit: TransitFit, spread: tuple[tuple[int, float], ...]) -> list[str]:
    """Return what a reader of the fit must know."""
    flags: list[str] = []
    if transit_fit.is_shape_fixed:
        flags.append("baseline under a quarter of the transit on both sides: shape fixed")
    if not transit_fit.is_detected:
        flags.append(f"transit not detected: delta BIC {transit_fit.delta_bic:.1f}")
    depths = [k for _, k in spread]
    if depths and max(depths) - min(depths) > 2 * transit_fit.rp_rs_error:
        flags.append(
            f"Rp/R* is {min(depths):.4f} to {max(depths):.4f}, depending on the number of comparison stars"
        )
    return flags
