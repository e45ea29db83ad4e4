"""Which stars may be comparison stars, each refusal with its reason; never from the target's light curve."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Booleans, Floats
from accretor.science import ensemble, statistics

MIN_MEASURED = 0.95
"""Part of the frames in which a comparison star must be measured."""

MAX_CONTRAST = 0.063
"""Light of a near neighbour over the star's own: 3 magnitudes."""

FAINTEST, BRIGHTEST = 0.15, 10.0
"""Flux over that of the target; fainter stars add noise only, brighter ones are near saturation."""

FEWEST_FRAMES = 10
"""With fewer frames no star is called variable."""

ENOUGH = 3
"""With fewer comparison stars than this the limits on faintness, neighbours and absence are relaxed."""


@dataclass(frozen=True)
class Candidates:
    """What the choice needs to know of all stars, at one aperture radius."""

    flux: Floats
    """(n, n_star) electron; NaN where it was not measured."""
    error: Floats
    """(n, n_star) relative error, without the ensemble; NaN where not measured or near the edge."""
    is_saturated: Booleans
    """(n, n_star)"""
    is_near_edge: Booleans
    """(n, n_star)"""
    neighbour_contrast: Floats
    """(n_star,)"""
    target: int


def eligible(
    stars: Candidates, *, pinned: tuple[int, ...], excluded: tuple[int, ...], max_comparison: int
) -> list[str]:
    """Return for each star why it cannot be a comparison star, "" if it can.

    Variability is judged later, by :func:`constant`. Pinned stars are taken as they
    are, as long as they are measured at all.
    """
    reasons = _refusals(stars, pinned, excluded, strictness=1.0)
    if not pinned and reasons.count("") < ENOUGH:
        relaxed = _refusals(stars, pinned, excluded, strictness=0.2)
        if relaxed.count("") > reasons.count(""):
            reasons = relaxed
    left = [star for star, reason in enumerate(reasons) if not reason]
    if not pinned and len(left) > max_comparison:
        order = sorted(left, key=lambda star: (float(np.nanmedian(stars.error[:, star])), star))
        for star in order[max_comparison:]:
            reasons[star] = f"not among the {max_comparison} stars with the least noise"
    return reasons


def _refusals(
    stars: Candidates, pinned: tuple[int, ...], excluded: tuple[int, ...], *, strictness: float
) -> list[str]:
    """Return the reasons of :func:`eligible`; limits are multiplied, or divided, by *strictness*."""
    is_measured = np.isfinite(stars.error)

    def reason(star: int) -> str:
        if star == stars.target:
            return "target"
        if star in excluded:
            return "excluded by [calibration] exclude"
        if not pinned:
            return _absence(stars, star, strictness) or _unlikeness(stars, star, strictness)
        if star not in pinned:
            return "not one of [calibration] comparison"
        return "" if is_measured[:, star].any() else "measured in no frame"

    return [reason(star) for star in range(stars.flux.shape[1])]


def _absence(stars: Candidates, star: int, strictness: float) -> str:
    """Return why the measurements of a star are not complete or not linear, "" if they are."""
    n_saturated, n_edge = int(stars.is_saturated[:, star].sum()), int(stars.is_near_edge[:, star].sum())
    present = float(np.isfinite(stars.error[:, star]).mean())
    needed = 1 - (1 - MIN_MEASURED) / strictness
    if n_saturated:
        # In the whole night, not frame by frame: a star that comes and goes makes steps.
        return f"saturated in {_frames(n_saturated)}"
    if n_edge > (1 - needed) * len(stars.flux):
        return f"near the edge in {_frames(n_edge)}"
    if present < needed:
        return f"measured in {100 * present:.0f} % of the frames, {100 * needed:.0f} % needed"
    return ""


def _unlikeness(stars: Candidates, star: int, strictness: float) -> str:
    """Return why a star is blended, too faint or too bright, "" if it is not."""
    contrast = float(stars.neighbour_contrast[star])
    if contrast > MAX_CONTRAST / strictness:
        return f"neighbours within 3 FWHM have {100 * contrast:.0f} % of its flux"
    ratio = _level(stars, star) / _level(stars, stars.target)
    if ratio < FAINTEST * strictness:
        return f"too faint: {ratio:.2g} of the target's flux"
    if ratio > BRIGHTEST / strictness:
        return f"too bright: {ratio:.3g} times the target's flux"
    return ""


def _level(stars: Candidates, star: int) -> float:
    """Return the median flux of a star where it was measured; NaN if nowhere."""
    flux = stars.flux[np.isfinite(stars.error[:, star]), star]
    return float(np.median(flux)) if flux.size else math.nan


def constant(stars: Candidates, reasons: list[str], *, n_round: int = 3) -> list[str]:
    """Return *reasons* with those stars refused that vary more than the others do.

    A star is dropped if its scatter against the others, in units of its predicted
    error, is beyond the median star's by more than 3 robust standard deviations and
    by more than 30 per cent. At least 40 per cent of the stars, and two, are kept.
    """
    result = list(reasons)
    is_candidate = np.array([not reason for reason in reasons])
    keep = max(2, int(np.ceil(0.4 * is_candidate.sum())))
    with np.errstate(invalid="ignore", divide="ignore"):
        log_flux = np.where(np.isfinite(stars.error), np.log(stars.flux), np.nan)
    for _ in range(n_round):
        used = np.array([not reason for reason in result])
        if used.sum() < ENOUGH or len(stars.flux) < FEWEST_FRAMES:
            break
        solution = ensemble.zero_point(log_flux, stars.error, used)
        relative, error = ensemble.leave_one_out(log_flux, solution)
        chi = ensemble.excess(relative, np.hypot(stars.error, error))
        middle = float(np.nanmedian(chi[used]))
        limit = max(middle + 3 * statistics.scatter(chi[used]), 1.3 * middle)
        worst = [
            star
            for star in np.argsort(-np.nan_to_num(chi), kind="stable")
            if used[star] and chi[star] > limit
        ]
        dropped = [int(star) for star in worst[: int(used.sum()) - keep]]
        if not dropped:
            break
        for star in dropped:
            ppt = 1000 * float(np.nanstd(relative[:, star]))
            result[star] = f"varies by {ppt:.3g} ppt, {chi[star]:.1f} times its noise"
    return result


def _frames(count: int) -> str:
    return f"{count} frame" if count == 1 else f"{count} frames"
