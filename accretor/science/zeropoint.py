"""From instrumental to standard magnitudes: zero points, colour terms, and honest errors of both.

The catalogue tells the level of a night (and the colour term of its camera), once; the
frames are then tied to one another by the stars themselves. So the errors of the
catalogue, which are the same in every frame, do not make the frames jump.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from accretor.core.arrays import Booleans, Floats
from accretor.core.errors import Unusable

CLIP = 3.0
"""Standard deviations, the intrinsic scatter included, beyond which a star is left out."""
MIN_COLOR_STARS = 8
"""Fewest stars for a colour term."""
MIN_COLOR_SPREAD = 0.12
"""Standard deviation of the colours, magnitude, below which a colour term would be noise."""
MIN_COLOR_SIGNAL = 3.0
"""Standard errors that a colour term must be away from 0 to be used."""
_ROUNDS = 20
_POGSON = 2.5 / math.log(10)


class Mean(NamedTuple):
    """A weighted mean with the scatter that its values have beyond their errors."""

    value: float
    error: float
    scatter: float
    """Intrinsic standard deviation."""
    is_used: Booleans


@dataclass(frozen=True)
class ColorTerm:
    """What a camera's band lacks, per magnitude of colour, of the band of the catalogue."""

    slope: float
    """Magnitude per magnitude: catalogue minus instrumental against colour."""
    error: float
    """NaN where none was fitted."""
    reference: float
    """Colour at which zero points hold, magnitude; NaN where colours are not known."""
    reason: str = ""
    """Why there is none; empty if there is one."""


@dataclass(frozen=True)
class Solution:
    """The zero points of a night through one aperture."""

    zero_point: Floats
    """(n_frame,) magnitude of one electron per second, at the reference colour; NaN where there is none."""
    error: Floats
    """(n_frame,) standard error against the catalogue's system."""
    relative_error: Floats
    """(n_frame,) standard error against the other frames."""
    scatter: Floats
    """(n_frame,) root mean square of the stars about the zero point."""
    n_star: Floats
    """(n_frame,) stars used."""
    n_clipped: Floats
    """(n_frame,) stars left out as too far from the others."""
    level_error: float
    """Standard error that all frames share."""
    color: ColorTerm
    is_used: Booleans
    """(n_star,) stars on which the level rests."""
    is_clipped: Booleans
    """(n_star,) stars that could have been used, and are too far from the others."""


def instrumental(flux: Floats, flux_error: Floats, exposure: Floats) -> tuple[Floats, Floats]:
    """Return instrumental magnitudes, of electron per second, and their errors.

    Parameters
    ----------
    flux, flux_error : (n_frame, ...) float64, electron
        A flux that is not positive has no magnitude.
    exposure : (n_frame,) float64, second
    """
    shape = (-1,) + (1,) * (flux.ndim - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        is_seen = flux > 0
        magnitude = np.where(is_seen, -2.5 * np.log10(np.abs(flux) / exposure.reshape(shape)), np.nan)
        error = np.where(is_seen, _POGSON * flux_error / flux, np.nan)
    return np.asarray(magnitude), np.asarray(error)


def mean(value: Floats, error: Floats, *, clip: float = CLIP) -> Mean:
    """Return the mean with inverse variances as weights, and an intrinsic scatter among them.

    The scatter is the one that makes chi squared what it should be (Paule & Mandel 1982,
    J. Res. NBS 87, 377), so that a mean of stars with small errors does not claim more than
    its stars agree to. What is further away than *clip* standard deviations, errors and
    scatter together, is left out; never more than half of all.

    Parameters
    ----------
    value, error : (n,) float64
        NaN is left out.
    """
    good = np.isfinite(value) & np.isfinite(error)
    if not good.any():
        return Mean(math.nan, math.nan, math.nan, good)
    centre = float(np.median(value[good]))
    spread = 1.4826 * float(np.median(np.abs(value[good] - centre)))
    scatter = math.sqrt(max(spread**2 - float(np.median(error[good])) ** 2, 0.0))
    used = good.copy()
    seen: set[bytes] = set()
    for _ in range(_ROUNDS):
        total = np.hypot(np.where(good, error, 1.0), scatter)
        distance = np.where(good, np.abs(value - centre) / np.maximum(total, 1e-9), np.inf)
        used = distance < clip
        if 2 * used.sum() < good.sum():
            # Two groups and no majority: nothing tells which are wrong.
            used = good.copy()
        scatter = _excess(value[used], error[used])
        weight = 1 / (error[used] ** 2 + scatter**2 + 1e-18)
        centre = float((weight * value[used]).sum() / weight.sum())
        if used.tobytes() in seen:
            break
        seen.add(used.tobytes())
    return Mean(centre, float(1 / math.sqrt(weight.sum())), scatter, used)


def _excess(value: Floats, error: Floats) -> float:
    """Return the intrinsic scatter for which the reduced chi squared is 1; 0 if it is below 1 without."""
    n = len(value)
    if n < 2:
        return 0.0

    def chi(square: float) -> float:
        weight = 1 / (error**2 + square + 1e-18)
        centre = (weight * value).sum() / weight.sum()
        return float((weight * (value - centre) ** 2).sum())

    low, high = 0.0, float(np.ptp(value)) ** 2 + 1e-12
    if chi(low) <= n - 1:
        return 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if chi(middle) > n - 1 else (low, middle)
    return math.sqrt(high)


def solve(
    magnitude: Floats,
    error: Floats,
    catalog: Floats,
    catalog_error: Floats,
    color: Floats,
    *,
    min_star: int = 5,
    clip: float = CLIP,
    with_color: bool = True,
) -> Solution:
    """Return the zero points of the frames of a night.

    Parameters
    ----------
    magnitude, error : (n_frame, n_star) float64
        Instrumental; NaN for what must not be used.
    catalog, catalog_error, color : (n_star,) float64
        Magnitudes and colours of the stars; NaN for those that must not be used.
    min_star : int
        Fewest stars of a zero point.
    with_color : bool
        Fit a colour term where the stars allow it.

    Raises
    ------
    Unusable
        If fewer than *min_star* stars are measured and in the catalogue.
    """
    is_listed = np.isfinite(catalog) & np.isfinite(catalog_error)
    difference = np.where(is_listed, catalog - magnitude, np.nan)
    n_measured = np.isfinite(difference).sum(axis=0)
    is_common = n_measured >= max(1, 0.5 * np.max(n_measured, initial=0))
    if is_common.sum() < min_star:
        raise Unusable(f"{int(is_common.sum())} stars are measured and in the catalogue, {min_star} needed")
    difference = np.where(is_common, difference, np.nan)
    weight = np.where(np.isfinite(difference), 1 / (error**2 + 1e-12), 0.0)
    rough = _middles(difference)
    # Stars against frames, twice, so that a star that is missing in some frames does not shift them.
    star_offset = np.zeros(difference.shape[1])
    for _ in range(3):
        star_offset = _weighted(difference - rough[:, np.newaxis], weight, axis=0)
        rough = _middles(difference - star_offset)
    star_error = np.sqrt(1 / np.maximum(weight.sum(axis=0), 1e-12) + catalog_error**2)
    star_error = np.where(is_common, star_error, np.nan)
    term, kept = (
        _color_term(star_offset, star_error, color, clip) if with_color else _no_term(color, "not asked for")
    )
    correction = _correction(term, color)
    corrected = star_offset - correction
    level = mean(np.where(kept, corrected, np.nan), star_error, clip=clip)
    own = corrected - level.value
    return _frames(difference - correction, error, own, level, term, kept, is_common, min_star, clip)


def _frames(
    difference: Floats,
    error: Floats,
    own: Floats,
    level: Mean,
    term: ColorTerm,
    kept: Booleans,
    is_common: Booleans,
    min_star: int,
    clip: float,
) -> Solution:
    value = np.where(level.is_used, difference - own, np.nan)
    middle, relative, used = means(value, error, clip=clip)
    n_star = used.sum(axis=1)
    n_clipped = np.isfinite(difference).sum(axis=1) - n_star
    is_enough = n_star >= min_star
    zero_point = np.where(is_enough, middle, np.nan)
    relative = np.where(is_enough, relative, np.nan)
    away = np.where(used, difference - middle[:, np.newaxis], 0.0)
    scatter = np.where(is_enough, np.sqrt((away**2).sum(axis=1) / np.maximum(n_star, 1)), np.nan)
    # A colour term that is wrong by its error moves no star of the reference colour.
    return Solution(
        zero_point,
        np.hypot(relative, level.error),
        relative,
        scatter,
        n_star.astype(np.float64),
        n_clipped.astype(np.float64),
        level.error,
        term,
        level.is_used,
        is_common & ~level.is_used & (kept | np.isfinite(own)),
    )


def means(value: Floats, error: Floats, *, clip: float = CLIP) -> tuple[Floats, Floats, Booleans]:
    """Return `mean` of each row: the values, their errors, and which are used; for all rows at once.

    The scatter comes by Newton's method from below, one step with each round of clipping.

    Parameters
    ----------
    value, error : (n_row, n) float64
        NaN is left out; a row without a value has a mean of NaN.
    """
    good = np.isfinite(value) & np.isfinite(error)
    number = good.sum(axis=1)
    known, sigma = np.where(good, value, 0.0), np.where(good, error, 1.0)
    centre = _middles(np.where(good, value, np.nan))
    spread = 1.4826 * _middles(np.abs(np.where(good, value, np.nan) - centre[:, np.newaxis]))
    square = np.nan_to_num(np.maximum(spread**2 - _middles(np.where(good, error, np.nan)) ** 2, 0.0))
    used, total = good, np.zeros(len(value))
    for step in range(_ROUNDS):
        distance = np.abs(known - centre[:, np.newaxis]) / np.sqrt(sigma**2 + square[:, np.newaxis] + 1e-18)
        with np.errstate(invalid="ignore"):
            kept = good & (distance < clip)
        kept = np.where((2 * kept.sum(axis=1) < number)[:, np.newaxis], good, kept)
        is_settled = step > 2 and bool((kept == used).all())
        used = kept
        if not is_settled:
            square = _scatter(known, sigma, used)
        weight = np.where(used, 1 / (sigma**2 + square[:, np.newaxis] + 1e-18), 0.0)
        total = weight.sum(axis=1)
        centre = np.where(total > 0, (weight * known).sum(axis=1) / np.maximum(total, 1e-300), np.nan)
        if is_settled:
            break
    with np.errstate(divide="ignore"):
        return centre, np.where(total > 0, 1 / np.sqrt(total), np.nan), used


def _scatter(value: Floats, sigma: Floats, used: Booleans) -> Floats:
    """Return the square of the intrinsic scatter of each row: that of a reduced chi squared of 1, or 0."""
    free = np.maximum(used.sum(axis=1) - 1, 0)
    square = np.zeros(len(value))
    for _ in range(8):
        weight = np.where(used, 1 / (sigma**2 + square[:, np.newaxis] + 1e-18), 0.0)
        total = np.maximum(weight.sum(axis=1), 1e-300)
        away = (value - ((weight * value).sum(axis=1) / total)[:, np.newaxis]) ** 2
        excess = (weight * away).sum(axis=1) - free
        slope = np.maximum((weight**2 * away).sum(axis=1), 1e-300)
        step = np.where(excess > 0, excess / slope, 0.0)
        square = square + step
        if (step <= 1e-4 * square).all():
            break
    return np.asarray(square)


def _middles(difference: Floats) -> Floats:
    """Return the median of each row; NaN for one without values."""
    found = np.full(len(difference), np.nan)
    is_known = np.isfinite(difference).any(axis=1)
    if is_known.any():
        found[is_known] = np.nanmedian(difference[is_known], axis=1)
    return found


def _weighted(value: Floats, weight: Floats, axis: int) -> Floats:
    good = np.isfinite(value)
    total = np.where(good, weight, 0.0).sum(axis=axis)
    return np.asarray(
        np.where(
            total > 0, np.where(good, value * weight, 0.0).sum(axis=axis) / np.maximum(total, 1e-300), np.nan
        )
    )


def _no_term(color: Floats, reason: str) -> tuple[ColorTerm, Booleans]:
    return ColorTerm(0.0, math.nan, math.nan, reason), np.ones(len(color), dtype=bool)


def _color_term(value: Floats, error: Floats, color: Floats, clip: float) -> tuple[ColorTerm, Booleans]:
    """Fit a straight line to *value* against *color*; the stars without a colour take no part."""
    good = np.isfinite(value) & np.isfinite(error) & np.isfinite(color)
    spread = float(np.std(color[good])) if good.any() else 0.0
    if good.sum() < MIN_COLOR_STARS:
        return _no_term(color, f"{int(good.sum())} stars of known colour, {MIN_COLOR_STARS} needed")
    if spread < MIN_COLOR_SPREAD:
        return _no_term(color, f"colours differ by {spread:.2f} mag, {MIN_COLOR_SPREAD} needed")
    reference = round(float(np.median(color[good])), 2)
    x = color - reference
    slope, scatter, used = 0.0, 0.0, good.copy()
    for _ in range(_ROUNDS):
        flat = mean(np.where(good, value - slope * x, np.nan), error, clip=clip)
        used, scatter = flat.is_used, flat.scatter
        weight = 1 / (error[used] ** 2 + scatter**2 + 1e-18)
        middle = (weight * x[used]).sum() / weight.sum()
        lever = x[used] - middle
        power = float((weight * lever**2).sum())
        before, slope = slope, float((weight * lever * value[used]).sum() / power)
        if abs(slope - before) < 1e-6:
            break
    term_error = 1 / math.sqrt(power)
    if abs(slope) < MIN_COLOR_SIGNAL * term_error:
        nothing, _ = _no_term(color, f"{slope:+.3f} is not distinct from 0")
        return ColorTerm(0.0, term_error, reference, nothing.reason), good
    return ColorTerm(slope, term_error, reference), good


def _correction(term: ColorTerm, color: Floats) -> Floats:
    """Return the colour term of each star; 0 for one of unknown colour."""
    if not term.slope:
        return np.zeros(len(color))
    return np.asarray(np.where(np.isfinite(color), term.slope * (color - term.reference), 0.0))


class Magnitudes(NamedTuple):
    """Standard magnitudes of the stars of a night."""

    magnitude: Floats
    """(n_frame, n_star)."""
    error: Floats
    """(n_frame, n_star) of the measurement, against the other frames."""
    mean: Floats
    """(n_star,)."""
    mean_error: Floats
    """(n_star,) against the catalogue's system."""
    scatter: Floats
    """(n_star,) standard deviation over the frames."""
    n_frame: Floats
    """(n_star,) frames with a magnitude."""


def calibrated(magnitude: Floats, error: Floats, color: Floats, found: Solution) -> Magnitudes:
    """Return the standard magnitudes that follow from instrumental ones.

    A star of unknown colour gets no colour term. The error of a mean has three parts: what
    the frames scatter by, or should (the greater); the level of the night; the colour term.

    Parameters
    ----------
    magnitude, error : (n_frame, n_star) float64, magnitude
        Instrumental, and its error.
    color : (n_star,) float64, magnitude
        NaN where it is not known.
    found : Solution
    """
    correction = _correction(found.color, color)
    standard = magnitude + found.zero_point[:, np.newaxis] + correction
    single = np.hypot(error, found.relative_error[:, np.newaxis])
    good = np.isfinite(standard) & np.isfinite(single)
    weight = np.where(good, 1 / (single**2 + 1e-12), 0.0)
    n = good.sum(axis=0)
    middle = _weighted(standard, weight, axis=0)
    away = np.where(good, standard - middle, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        scatter = np.where(n > 1, np.sqrt((away**2).sum(axis=0) / np.maximum(n - 1, 1)), np.nan)
        formal = np.where(n > 0, 1 / np.sqrt(weight.sum(axis=0)), np.nan)
        random = np.fmax(formal, scatter / np.sqrt(np.maximum(n, 1)))
    term_error = found.color.error if math.isfinite(found.color.error) else 0.0
    reference = found.color.reference
    lever = np.where(np.isfinite(color) & math.isfinite(reference), color - reference, 0.0)
    mean_error = np.sqrt(random**2 + found.level_error**2 + (term_error * lever) ** 2)
    return Magnitudes(standard, single, middle, np.asarray(mean_error), np.asarray(scatter), n.astype(float))
