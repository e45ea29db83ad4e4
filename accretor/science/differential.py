"""The target over the ensemble: comparison stars, aperture radius, and which frames count."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from accretor.core.arrays import Booleans, Floats
from accretor.core.errors import Unusable
from accretor.science import cosmic, ensemble, likeness, noise, selection, statistics

if TYPE_CHECKING:
    from accretor.core.settings import CalibrationSettings
    from accretor.science.lightcurve import Photometry

LEAST_TRANSPARENCY = 0.25
"""Part of the night's best transparency below which a frame is left out."""

GREATEST_ERROR = 10.0
"""Predicted error over the night's median above which a frame is left out."""

USUAL_RADIUS = 2.0
"""Aperture radius, times the FWHM, at which stars and frames are judged before the radius is chosen."""

LEAST_RADIUS = 1.2
"""Aperture radius, times the FWHM, below which a change of focus changes the flux."""

TOLERANCE = 1.03
"""Radii whose scatter is within this factor of the least are as good."""


@dataclass(frozen=True)
class Stars:
    """What became of each star of the list."""

    is_comparison: Booleans
    """(n_star,)"""
    reason: tuple[str, ...]
    """(n_star,) why a star is not a comparison star; "" for those that are, "target" for the target."""
    weight: Floats
    """(n_star,) share in the ensemble, sum 1; 0 outside it."""
    scatter_ppt: Floats
    """(n_star,) robust scatter of the leave-one-out relative flux, ppt."""
    chi: Floats
    """(n_star,) that scatter over the predicted one."""


@dataclass(frozen=True)
class Differential:
    """The target's light curve before any trend or transit is fitted."""

    radius_index: int
    radius_scatter: Floats
    """(n_radius,) point-to-point scatter of the target, ppt."""
    stars: Stars
    zero_point: Floats
    """(n,) magnitude against the night's best transparency."""
    zero_point_error: Floats
    """(n,) magnitude."""
    flux: Floats
    """(n,) about 1; NaN where the target or the ensemble was not measured."""
    error: Floats
    """(n,) predicted."""
    reason: tuple[str, ...]
    """(n,) why a frame is left out; "" for those used."""
    comparison_flux: Floats
    """(n, n_star) leave-one-out relative flux, median 1."""
    comparison_error: Floats
    """(n, n_star) its predicted error."""


@dataclass(frozen=True)
class Aperture:
    """All stars at one radius."""

    log_flux: Floats
    """(n, n_star) natural logarithm; NaN where the star was not measured or is near the edge."""
    error: Floats
    """(n, n_star) relative error, without the ensemble."""
    penalty: Floats | None = None
    """(n_star,) relative error by which a star unlike the target loses weight; None without colours."""


def at_radius(photometry: Photometry, scintillation: Floats, index: int) -> Aperture:
    """Return logarithmic fluxes and relative errors at one aperture radius.

    Parameters
    ----------
    photometry : Photometry
    scintillation : (n_frame,) float64
        Relative error by the atmosphere.
    index : int
        Of the radius.
    """
    flux = photometry.flux[:, :, index]
    error = noise.fractional_error(flux, photometry.flux_error[:, :, index], scintillation)
    good = np.isfinite(error) & ~photometry.is_near_edge
    log_flux = np.log(np.where(good, flux, 1.0))
    return Aperture(np.where(good, log_flux, np.nan), np.where(good, error, np.nan), _penalty(photometry))


def _penalty(photometry: Photometry) -> Floats | None:
    """Return what stars lose by being unlike the target; None where its colour is not known."""
    if photometry.color is None or not np.isfinite(photometry.color[photometry.target]):
        return None
    return likeness.penalty(photometry.color, photometry.position, photometry.airmass, photometry.target)


def target_over(aperture: Aperture, target: int, is_comparison: Booleans) -> tuple[Floats, Floats]:
    """Return the target's relative flux (median 1) and its predicted error, both (n_frame,).

    Parameters
    ----------
    aperture : Aperture
    target : int
    is_comparison : (n_star,) bool
    """
    solution = ensemble.zero_point(aperture.log_flux, aperture.error, is_comparison, penalty=aperture.penalty)
    log_flux = aperture.log_flux[:, target] - solution.zero
    finite = log_flux[np.isfinite(log_flux)]
    flux = np.exp(log_flux - (np.median(finite) if finite.size else 0.0))
    return np.asarray(flux), np.asarray(flux * np.hypot(aperture.error[:, target], solution.error))


def measure(photometry: Photometry, scintillation: Floats, settings: CalibrationSettings) -> Differential:
    """Choose comparison stars and aperture, and divide the target by the ensemble.

    Parameters
    ----------
    photometry : Photometry
    scintillation : (n,) float64
        Relative error of every star in a frame, independent between stars.
    settings : CalibrationSettings

    Raises
    ------
    Unusable
        If no star can be compared with, or no frame is left.
    """
    target = photometry.target
    unknown = sorted({*settings.comparison, *settings.exclude} - set(range(photometry.flux.shape[1])))
    if unknown:
        raise Unusable(
            f"[calibration] comparison or exclude: there is no star {unknown[0]}, the template has 0 to "
            f"{photometry.flux.shape[1] - 1}"
        )
    fwhm = photometry.template_fwhm
    usual = int(np.argmin(np.abs(photometry.radii - (settings.radius or USUAL_RADIUS * fwhm))))
    aperture = at_radius(photometry, scintillation, usual)
    reasons = selection.eligible(
        _candidates(photometry, aperture, usual),
        pinned=settings.comparison,
        excluded=settings.exclude,
        max_comparison=settings.max_comparison,
    )
    if aperture.penalty is not None and photometry.color is not None and not settings.comparison:
        reasons = likeness.refused(photometry.color, reasons, target)
    if "" not in reasons:
        raise Unusable(
            f"none of {len(reasons) - 1} stars can be a comparison star, most often: {_commonest(reasons)}"
        )
    is_eligible = np.array([not reason for reason in reasons])
    frame_reason = _frame_reasons(photometry, aperture, is_eligible, settings)
    is_used = np.array([not reason for reason in frame_reason])
    if not is_used.any():
        raise Unusable(f"none of {len(is_used)} frames is left, most often: {_commonest(frame_reason)}")

    scatter = np.array(
        [
            1000 * statistics.point_to_point(
                target_over(at_radius(photometry, scintillation, index), target, is_eligible)[0][is_used]
            )
            for index in range(len(photometry.radii))
        ]
    )  # fmt: skip
    index = usual if settings.radius else choose_radius(photometry.radii, scatter, fwhm, usual)
    aperture = at_radius(photometry, scintillation, index)
    aperture, is_hit = _without_hits(photometry, aperture, index)
    for frame in np.nonzero(is_used & is_hit[:, target])[0]:
        frame_reason[frame] = "light of a cosmic ray or a satellite on the target"
    is_used &= ~is_hit[:, target]
    if not settings.comparison:
        reasons = selection.constant(_candidates(photometry, aperture, index), reasons)
    is_comparison = np.array([not reason for reason in reasons])
    solution = ensemble.zero_point(aperture.log_flux, aperture.error, is_comparison, penalty=aperture.penalty)
    flux, error = target_over(aperture, target, is_comparison)
    relative, zero_error = ensemble.leave_one_out(aperture.log_flux, solution)
    for frame in np.nonzero(is_used & ~np.isfinite(error))[0]:
        frame_reason[frame] = "not measured at the aperture radius chosen"
    relative_error = np.hypot(aperture.error, zero_error)
    total = solution.weight.sum(axis=0)
    magnitude = 2.5 / math.log(10)
    return Differential(
        radius_index=index,
        radius_scatter=scatter,
        stars=Stars(
            is_comparison=is_comparison,
            reason=tuple(reasons),
            weight=total / total.sum(),
            scatter_ppt=np.array([1000 * statistics.scatter(column) for column in relative.T]),
            chi=ensemble.excess(relative, relative_error),
        ),
        zero_point=magnitude * _transparency(solution.zero, photometry.exposure),
        zero_point_error=magnitude * solution.error,
        flux=flux,
        error=error,
        reason=tuple(frame_reason),
        comparison_flux=np.exp(relative),
        comparison_error=relative_error,
    )


def _without_hits(photometry: Photometry, aperture: Aperture, index: int) -> tuple[Aperture, Booleans]:
    """Return the aperture without the points to which a cosmic ray or a trail has added light, and which."""
    if photometry.height is None:
        return aperture, np.zeros(aperture.log_flux.shape, dtype=bool)
    is_hit = cosmic.hits(photometry.flux, photometry.flux_error, photometry.height, chosen=index)
    return (
        replace(
            aperture,
            log_flux=np.where(is_hit, np.nan, aperture.log_flux),
            error=np.where(is_hit, np.nan, aperture.error),
        ),
        is_hit,
    )


def choose_radius(radii: Floats, scatter: Floats, fwhm: float, usual: int) -> int:
    """Return the index of the radius with the least scatter, or of a smaller one that is as good.

    Of the radii within 3 per cent of the least scatter, the smallest: less sky and
    fewer neighbours. Radii under 1.2 FWHM are left out as long as there are others:
    they suit faint stars from point to point, and follow the seeing over the night.

    Parameters
    ----------
    radii : (n_radius,) float64, pixel
    scatter : (n_radius,) float64
        NaN where it is not known.
    fwhm : float, pixel
    usual : int
        The answer if no scatter is known.
    """
    is_known = np.isfinite(scatter)
    is_wide = is_known & (radii >= LEAST_RADIUS * fwhm)
    allowed = is_wide if is_wide.any() else is_known
    if not allowed.any():
        return usual
    good = np.nonzero(allowed & (scatter <= TOLERANCE * np.min(scatter[allowed])))[0]
    return min((int(index) for index in good), key=lambda index: float(radii[index]))


def _candidates(photometry: Photometry, aperture: Aperture, index: int) -> selection.Candidates:
    """Return what the choice of comparison stars needs, without the frames that lost most stars."""
    count = np.isfinite(aperture.log_flux).sum(axis=1)
    kept = count >= 0.5 * np.median(count)
    return selection.Candidates(
        flux=photometry.flux[kept, :, index],
        error=aperture.error[kept],
        is_saturated=photometry.is_saturated[kept],
        is_near_edge=photometry.is_near_edge[kept],
        neighbour_contrast=photometry.neighbour_contrast,
        target=photometry.target,
    )


def _transparency(zero: Floats, exposure: Floats) -> Floats:
    """Return the logarithm of the transparency against the night's best; exposures may differ."""
    level = zero - np.log(exposure)
    return np.asarray(level - np.nanpercentile(level, 95))


def _frame_reasons(
    photometry: Photometry, aperture: Aperture, is_comparison: Booleans, settings: CalibrationSettings
) -> list[str]:
    """Return for each frame why it must be left out, "" if it is good enough.

    Clouds alone are no reason, unless the settings say so: thin ones only make the error larger.
    """
    target = photometry.target
    solution = ensemble.zero_point(aperture.log_flux, aperture.error, is_comparison)
    if np.isnan(solution.zero).all():
        return ["no comparison star measured"] * len(solution.zero)
    transparency = np.exp(_transparency(solution.zero, photometry.exposure))
    error = np.hypot(aperture.error[:, target], solution.error)
    usual = float(np.nanmedian(error)) if np.isfinite(error).any() else math.nan

    least = LEAST_TRANSPARENCY if settings.min_transparency is None else settings.min_transparency

    def reason(frame: int) -> str:
        if words := _unwanted(photometry, frame, settings):
            return words
        if photometry.is_saturated[frame, target]:
            return "target saturated"
        if photometry.is_near_edge[frame, target]:
            return "target near the edge"
        if not np.isfinite(aperture.error[frame, target]):
            return "target not measured"
        if not np.isfinite(solution.zero[frame]):
            return "no comparison star measured"
        if transparency[frame] < least:
            own = (
                ""
                if settings.min_transparency is None
                else f", below [calibration] min_transparency = {least:g}"
            )
            return f"transparency {transparency[frame]:.2f} of the night's best{own}"
        if error[frame] > GREATEST_ERROR * usual:
            return f"error {error[frame] / usual:.0f} times the night's median"
        return ""

    return [reason(frame) for frame in range(len(transparency))]


def _unwanted(photometry: Photometry, frame: int, settings: CalibrationSettings) -> str:
    """Return why the user does not want a frame, "" for most."""
    if photometry.left_out and photometry.left_out[frame]:
        return photometry.left_out[frame]
    fwhm, sky = photometry.fwhm[frame], photometry.sky[frame, photometry.target]
    if settings.max_fwhm is not None and fwhm > settings.max_fwhm:
        return f"FWHM {fwhm:.2f} px, above [calibration] max_fwhm = {settings.max_fwhm:g}"
    if settings.max_sky is not None and sky > settings.max_sky:
        return f"sky {sky:.0f} electron per pixel, above [calibration] max_sky = {settings.max_sky:g}"
    return ""


def _commonest(reasons: list[str]) -> str:
    """Return the reason given most often."""
    given = [reason for reason in reasons if reason not in {"", "target"}]
    return max(sorted(set(given)), key=given.count) if given else "there are no others"
