"""Which neighbours could be the eclipsing binary that TESS took for a planet: AstroImageJ's check.

The algorithm is that of the NEB macro 3.17 (D. Conti) that comes with AstroImageJ, by which TFOP SG1 goes:
same numbers in, same table out, its weaknesses included. `accretor.science.eclipse` has a test of our own
beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Booleans, Floats

CLEARED = "Cleared"
LIKELY = "Likely cleared"
TOO_FAINT = "Cleared-too faint"
FLUX_TOO_LOW = "***Not Cleared-flux too low***"
NOT_CLEARED = "***Not Cleared***"
DISPOSITIONS = (LIKELY, CLEARED, TOO_FAINT, FLUX_TOO_LOW, NOT_CLEARED)
"""The five words of the macro, in the order in which its table counts them."""

BAND = -0.5
"""Added to the magnitude difference, for the star may be brighter in the band of TESS, magnitude."""
CADENCE = 180.0
"""Second to which the macro bins by default."""
OUTLIER = 5.0
"""Times the RMS beyond which a bin does not count."""
LEAST_COUNTS = 2.0
"""ADU per pixel of the aperture without which a star is too faint to tell anything."""
CLEAR_RATIO, LIKELY_RATIO = 5.0, 3.0
"""Depth needed over RMS from which a star is cleared, or likely so."""
NEGATIVE = 15.0
"""Magnitude difference of a frame in which the star's net flux is below zero."""
UNITY = 1000.0
"""A star cannot lose more than all of its light, ppt."""


@dataclass(frozen=True)
class Session:
    """What is the same for all stars of a table."""

    time: Floats
    """(n,) mid-exposures, BJD_TDB day, ascending."""
    target: Floats
    """(n,) net counts of the target, ADU."""
    radius: float
    """Mean aperture radius, pixel."""
    ingress: float
    """Predicted first contact, BJD_TDB day."""
    egress: float
    """Predicted fourth contact, BJD_TDB day."""
    depth: float
    """Predicted depth of the target, ppt."""
    cadence: float = CADENCE
    """Second to which bins are made as long as they can be."""

    @property
    def duration(self) -> float:
        """Minutes from the first to the last mid-exposure."""
        return float(self.time[-1] - self.time[0]) * 24 * 60

    @property
    def spacing(self) -> float:
        """Exposure and dead time as the macro has it: the duration over the number of frames, second."""
        return self.duration * 60 / len(self.time)

    @property
    def binning(self) -> int:
        """Frames in a bin, at least one."""
        return max(1, math.floor(self.cadence / self.spacing)) if self.spacing > 0 else 1

    @property
    def has_both(self) -> bool:
        """Whether there are frames out of the transit that can be told from those in it."""
        first, last = self.time[0], self.time[-1]
        is_outside = last < self.ingress or first > self.egress
        is_inside = first > self.ingress and last < self.egress
        return not (is_outside or is_inside)


@dataclass(frozen=True)
class Verdict:
    """What the macro finds of one star."""

    delta_mag: float
    """Magnitude fainter than the target, without the correction for the band of TESS."""
    net_counts: float
    """ADU in the aperture."""
    rms: float
    """Scatter of the binned, normalised curve, ppt."""
    depth_needed: float
    """Depth of an eclipse of this star that the target's predicted depth asks for, ppt."""
    ratio: float
    """Depth needed over RMS."""
    disposition: str
    """One of `DISPOSITIONS`."""
    bin_time: Floats
    """(n_bin,) BJD_TDB day."""
    bin_flux: Floats
    """(n_bin,) normalised; NaN for a bin that was left out."""


def check(session: Session, source: Floats, relative: Floats, error: Floats) -> Verdict:
    """Check one star as the macro does.

    Parameters
    ----------
    session : Session
    source : (n,) float64, ADU
        Net counts of the star.
    relative, error : (n,) float64
        Its flux over that of the comparison stars, and the error.

    Returns
    -------
    Verdict

    Notes
    -----
    Magnitude difference and counts are means with weights 1 / (value - mean)^2, which the points
    nearest to the mean dominate. The level is the inverse-variance mean of the bins out of the
    transit (of all bins, where there are only such or none). Bins further than 5 times their standard
    deviation from 1 are left out; the others are divided by their plain mean out of the transit, and
    their RMS is about 1.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        delta = np.where(source < 0, NEGATIVE, -2.5 * np.log10(source / session.target))
    delta_mag, net_counts = centred_mean(delta), centred_mean(source)
    size = session.binning
    bin_time = session.time[0] + means(session.time - session.time[0], size)
    flux = means(relative, size)
    flux_error = np.sqrt(_sums(error**2, size)) / _sums(np.ones(len(error)), size)
    is_level = np.ones(len(flux), dtype=bool)
    if session.has_both:
        is_level = (bin_time < session.ingress) | (bin_time > session.egress)
    kept, rms = _cleaned(flux, flux_error, is_level)
    needed = depth_needed(session.depth, delta_mag + BAND)
    ratio = needed / (1000 * rms) if rms > 0 else math.nan
    return Verdict(
        delta_mag=delta_mag,
        net_counts=net_counts,
        rms=1000 * rms,
        depth_needed=needed,
        ratio=ratio,
        disposition=disposition(net_counts / (math.pi * session.radius**2), needed, ratio),
        bin_time=bin_time,
        bin_flux=kept,
    )


def depth_needed(depth: float, delta_mag: float) -> float:
    """Return the depth of an eclipse of a star *delta_mag* fainter that dims the sum by *depth*, ppt."""
    return depth / float(10 ** (-delta_mag / 2.5)) if math.isfinite(delta_mag) else math.nan


def magnitude_limit(depth: float) -> float:
    """Return how much fainter than the target a star can be that causes a *depth* (ppt) by vanishing."""
    return 2.5 * math.log10(UNITY / depth)


def disposition(counts_per_pixel: float, needed: float, ratio: float) -> str:
    """Return the word of the macro for net counts (ADU per pixel), depth needed (ppt) and its ratio to RMS.

    What is not known clears nothing.
    """
    if not counts_per_pixel >= LEAST_COUNTS:
        return FLUX_TOO_LOW
    if needed >= UNITY:
        return TOO_FAINT
    if ratio >= CLEAR_RATIO:
        return CLEARED
    return LIKELY if ratio >= LIKELY_RATIO else NOT_CLEARED


def centred_mean(value: Floats) -> float:
    """Return the mean with weights 1 / (value - plain mean)^2 over values that are not the mean.

    Where all are the same, that is the last of them.
    """
    offset = value - np.mean(value)
    used = offset != 0
    if not used.any():
        return float(value[-1])
    weight = 1 / offset[used] ** 2
    total = float(np.sum(value[used] * weight))
    return float(value[-1]) if total == 0 else total / float(np.sum(weight))


def means(value: Floats, size: int) -> Floats:
    """Return the means of *size* consecutive values each; the last may be of fewer."""
    return _sums(value, size) / _sums(np.ones(len(value)), size)


def _sums(value: Floats, size: int) -> Floats:
    return np.asarray(np.add.reduceat(value, np.arange(0, len(value), size)))


def _cleaned(flux: Floats, error: Floats, is_level: Booleans) -> tuple[Floats, float]:
    """Return the normalised bins, NaN for those left out, and their RMS."""
    if not is_level.any():
        return np.full(len(flux), np.nan), math.nan
    weight = 1 / error[is_level] ** 2
    normal = flux / (np.sum(flux[is_level] * weight) / np.sum(weight))
    spread = float(np.std(normal))
    kept = ~(np.abs(1 - normal) > OUTLIER * spread)
    if not (kept & is_level).any():
        return np.full(len(flux), np.nan), math.nan
    normal = np.where(kept, normal / np.mean(normal[kept & is_level]), np.nan)
    return normal, float(np.sqrt(np.mean((1 - normal[kept]) ** 2)))


def merge(verdicts: Sequence[Verdict]) -> int:
    """Return which of several apertures tells most of a star: the number of the best verdict.

    It is the one with the greatest ratio of depth needed to RMS; those with too little flux come last.
    """

    def worth(index: int) -> tuple[bool, float, int]:
        verdict = verdicts[index]
        has_flux = verdict.disposition != FLUX_TOO_LOW
        return has_flux, verdict.ratio if math.isfinite(verdict.ratio) else -math.inf, -index

    return max(range(len(verdicts)), key=worth)


def faintest_cleared(delta_mag: Floats, dispositions: Sequence[str]) -> float:
    """Return the magnitude difference of the faintest star that is cleared by its light curve; NaN for none.

    It is what the form of ExoFOP calls the faintest neighbour.

    Parameters
    ----------
    delta_mag : (n,) float64, magnitude
        Of each neighbour, fainter than the target positive.
    dispositions : sequence of str
        Of each neighbour.
    """
    found = [
        value
        for value, word in zip(delta_mag, dispositions, strict=True)
        if word == CLEARED and math.isfinite(value)
    ]
    return float(max(found)) if found else math.nan
