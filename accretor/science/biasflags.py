"""What can bias a light curve without showing in its residuals: told from what is known of the night.

A drift over pixels of unknown response was seen to move a depth by seven standard errors while the
residuals were white; so these things are flagged from the files, not from the fit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

DRIFT = 5.0
"""Pixel of motion over an unknown response above which depths were seen to be biased."""
UNDERSAMPLED = 2.0
"""Pixel of FWHM below which the flux depends on where in a pixel the star falls."""
FEWEST_FLATS = 3
"""From so many on the noise of the master flat adds 5 % at most to the variance of stars that cross it."""
MISFIT = 0.01
"""Scatter between stars of the light that sums weighted by the profile find, over that of plain ones, that is
worth a word where it kept the target from being weighted: 0.002 to 0.007 on simulated stars that have the
profile, 0.04 on a night of a small camera."""
BLEND = 0.001
"""Light of neighbours over the target's that is worth a word: 1 mmag."""
COVERED = 0.25
"""Part of the transit's duration that the level before and after it must last."""

MEDIAN3_FWHM = (1.8, 3.5, 7.0, 10.0, 14.0)
MEDIAN3_COST = (8.6, 5.0, 1.6, 0.50, 0.28)
"""ppt of scatter by the place in the pixel that a 3 x 3 median adds to noise-free stars of these FWHM:
measured on simulated Moffat stars."""
MEDIAN3_SEEING = (83.0, 23.0, 4.0, 1.6, 0.6)
"""ppt by which it moves all stars when the seeing changes by a tenth."""


@dataclass(frozen=True)
class Night:
    """What is known of an observation."""

    fwhm: float
    """Median of the frames, pixel."""
    drift: tuple[float, float]
    """Range of the field's shift in x and y, from the 1st to the 99th percentile, pixel."""
    has_flat: bool
    n_flat: int
    """Frames in the master flat, 0 where it is not known."""
    has_dark: bool
    """Darks, and not a self-dark."""
    has_self_dark: bool
    has_zero_level: bool
    """Bias, overscan or dark: the sky is light alone."""
    n_hot: int | None
    """Hot pixels known from darks, or found to stand still in the frames; None if not known."""
    n_pixel: int
    """Of a frame."""
    n_target_bad: int
    """Frames with a dead or listed pixel within one FWHM of the target; the dark takes off the hot ones."""
    n_target_saturated: int
    """Frames with the target above the linear limit."""
    n_comparison_saturated: int
    """Comparison stars of the ensemble that are above it in any frame."""
    n_frame: int
    """Frames in the light curve."""
    gain_estimate: str = ""
    """The gain that was measured, in words; "" if header or settings tell it."""
    is_read_noise_assumed: bool = False
    seen_saturation: float = math.nan
    """Level at which pixels pile up, ADU, where neither header nor settings tell it; NaN otherwise."""
    is_median_filtered: bool = False
    is_nonlinearity_known: bool = False
    target_peak: float = math.nan
    """Highest raw pixel of the target in any frame over the saturation level."""
    neighbour_light: float = 0.0
    """Flux of neighbours within 3 FWHM of the target over its own."""
    coverage: str = ""
    """Full, Ingress, Egress or Out of Transit; "" without an ephemeris."""
    baseline: tuple[float, float] = (math.nan, math.nan)
    """Time before ingress and after egress over the duration of the transit; NaN without an ephemeris."""
    has_flip: bool = False
    time_rule: str = ""
    """Which card the times are from; ends with "assumed" if nothing proves it."""
    n_clock_problem: int = 0
    """Disagreements of more than 60 s between the clocks of the headers."""
    misfit: float = 0.0
    """As `MISFIT`; 0 where the target is weighted by a profile, or none is asked for."""
    no_flats: str = "no flats"
    """That there are none, or none that fits, in words."""
    no_darks: str = "no darks"
    has_diameter: bool = True
    """The telescope's diameter is known, so that scintillation is in the errors."""


@dataclass(frozen=True)
class Flag:
    """One thing that a reader must know."""

    code: str
    """For machines: small letters and hyphens; it does not change."""
    sentence: str
    """For people, with numbers; without a full stop."""


def flags(night: Night) -> tuple[Flag, ...]:
    """Return the flags of a night, always in the same order; none for a night without blemish."""
    drift = math.hypot(*night.drift)
    found: list[tuple[bool, str, str]] = [
        (
            not night.has_flat and drift > DRIFT,
            "no-flats-drift",
            f"{night.no_flats}, and the field drifts by {drift:.0f} pixels: the depth may be off by "
            "several times "
            "its error, and the residuals do not show it",
        ),
        (
            0 < night.n_flat < FEWEST_FLATS and drift > DRIFT,
            "few-flats",
            f"a flat of {night.n_flat} frame{'s' if night.n_flat > 1 else ''}, and the field drifts by "
            f"{drift:.0f} pixels: its noise, over which the stars move, is not in the errors; "
            f"take {FEWEST_FLATS} flats or more",
        ),
        (
            not night.has_flat and not drift > DRIFT,
            "no-flats",
            f"{night.no_flats}; the field stays within {drift:.1f} pixels",
        ),
        (
            night.has_flip and not night.has_flat,
            "no-flats-flip",
            f"{night.no_flats}, and a meridian flip: before and after it the stars are on other pixels",
        ),
        (
            not night.has_dark and night.n_hot != 0,
            "no-darks-hot",
            f"{night.no_darks}: which pixels are hot is not known"
            if night.n_hot is None
            else f"{night.no_darks}, and {night.n_hot} of {night.n_pixel} pixels are hot",
        ),
        (
            night.has_self_dark,
            "self-dark",
            f"{night.no_darks}: the dark is the median of the drifting frames themselves (self-dark)",
        ),
        (
            not night.has_zero_level,
            "no-zero-level",
            "no bias, overscan or dark that fits: the sky holds the zero level, its noise is measured",
        ),
        (
            night.n_target_saturated > 0,
            "target-saturated",
            f"the target is above the linear limit in {night.n_target_saturated} of {night.n_frame} frames",
        ),
        (
            night.n_comparison_saturated > 0,
            "comparison-saturated",
            f"{night.n_comparison_saturated} comparison "
            f"star{' is' if night.n_comparison_saturated == 1 else 's are'} "
            "above the linear limit in some frames",
        ),
        (
            night.target_peak > NONLINEAR and not night.is_nonlinearity_known,
            "target-bright",
            f"the target reaches {100 * night.target_peak:.0f} % of saturation, and the detector's linearity "
            "is not known there",
        ),
        (
            night.n_target_bad > 0,
            "bad-pixels",
            f"a dead or listed pixel is within one FWHM of the target in {night.n_target_bad} of "
            f"{night.n_frame} frames",
        ),
        (
            night.fwhm < UNDERSAMPLED,
            "undersampled",
            f"FWHM of {night.fwhm:.2f} pixels: the flux depends on where in a pixel a star falls",
        ),
        (bool(night.gain_estimate), "gain-estimated", f"gain not known: {night.gain_estimate}"),
        (night.is_read_noise_assumed, "read-noise-assumed", "read noise not known, a usual value is taken"),
        (
            math.isfinite(night.seen_saturation),
            "saturation-estimated",
            f"saturation level not known, {night.seen_saturation:g} ADU taken, where pixels pile up",
        ),
        (night.is_median_filtered, "median3", _cost_of_median(night.fwhm)),
        (
            night.neighbour_light > BLEND,
            "blend",
            f"neighbours within 3 FWHM have {100 * night.neighbour_light:.1f} % of the target's light: what "
            "is in the aperture makes the depth too small, if it is the target that dims",
        ),
        (
            night.coverage in {"Ingress", "Egress"},
            "partial",
            f"{night.coverage.lower()} only: depth and time depend on the baseline that was not observed",
        ),
        (
            night.coverage == "Full" and min(night.baseline) < COVERED,
            "short-baseline",
            f"out-of-transit baseline of {night.baseline[0]:.2f} and {night.baseline[1]:.2f} "
            "durations before and "
            f"after the transit, {COVERED} wanted",
        ),
        (
            night.time_rule.endswith("assumed"),
            "time-stamp-assumed",
            "nothing proves that the time stamps are of the start of the exposure",
        ),
        (
            night.n_clock_problem > 0,
            "clock",
            "clocks of the headers disagree by more than a minute",
        ),
        (
            night.misfit > MISFIT,
            "profile",
            f"optimal apertures: the light found by the profile differs by {100 * night.misfit:.1f} % from "
            'star to star, more than weights gain: the target has plain sums, as with mode = "fixed"',
        ),
        (
            not night.has_diameter,
            "no-diameter",
            "telescope_diameter not given: no scintillation in the errors",
        ),
    ]
    return tuple(Flag(code, sentence) for is_so, code, sentence in found if is_so)


NONLINEAR = 0.8
"""Part of saturation from which detectors are often curved by a per cent."""


def _cost_of_median(fwhm: float) -> str:
    """Say what a 3 x 3 median costs at this FWHM; beyond what was measured the nearest is said."""
    cost, seeing = (
        float(np.exp(np.interp(np.log(fwhm), np.log(MEDIAN3_FWHM), np.log(values))))
        for values in (MEDIAN3_COST, MEDIAN3_SEEING)
    )
    return (
        f"3x3 median filter: at a FWHM of {fwhm:.1f} pixels it adds about {cost:.1f} ppt of scatter, and "
        f"moves all stars by {seeing:.0f} ppt when the seeing changes by a tenth"
    )
