"""Find the stars of a frame, and judge the frame by them."""

from __future__ import annotations

import dataclasses
import functools
import math
from dataclasses import dataclass, fields

import numpy as np

from accretor.core.arrays import Booleans, Floats, Image, Integers
from accretor.science import moffat, rings
from accretor.science.background import Sky, sky
from accretor.science.calibrated import Calibrated, Repairs
from accretor.science.centroid import windowed, windowed_shape
from accretor.science.geometry import Stampable, rims, stamp_pixels, stamps
from accretor.science.peaks import SHARPEST, Field, blur_for, candidates, field_of
from accretor.science.statistics import median

__all__ = ["Quality", "Sky", "Sources", "detect", "frame_quality", "sky"]

PROFILE_RADIUS = 24
"""Pixels to which a first look follows a profile; half of it is the widest star that it sees."""
VERY_WIDE = 10.0
"""FWHM from which on stars are defocused, pixel."""
FEWEST = 3
"""Stars that tell a width."""
NARROWEST, WIDEST = 0.65, 1.6
"""A star is as wide as the others within these factors."""
LARGE = 1500
"""Pixel: the longer side from which on a frame is large, and has stars to spare."""
SMALL_NARROW, LARGE_NARROW = 2.5, 1.25
"""Pixels that a star is wide after binning, at least."""
LONGEST = 4.0
"""Elongation beyond which it is a trail; no wind draws out a usable frame like this."""
TELLING = 120
"""Brightest peaks that tell how wide stars are."""
LEAST_CANDIDATES = 300
"""Peaks looked at, even for a few stars: a trail may have a hundred that are brighter than any star."""
MOST_FITTED = 20
FEW = 30
"""With fewer stars, or with very wide ones, it is asked whether the frame is out of focus."""


@dataclass(frozen=True)
class Sources:
    """Stars of a frame, brightest first; each array is (n_star,)."""

    x: Floats
    """Pixel."""
    y: Floats
    """Pixel."""
    flux: Floats
    """Light within 1.2 FWHM, sky subtracted, in the unit of the image; good for ranking."""
    peak: Floats
    """Brightest pixel, sky subtracted."""
    fwhm: Floats
    """Pixel, from windowed moments; up to a tenth wide of a fit."""
    elongation: Floats
    """Long over short axis, at least 1."""
    is_saturated: Booleans

    def __len__(self) -> int:
        return len(self.x)

    @property
    def xy(self) -> Floats:
        """Positions, (n_star, 2)."""
        return np.column_stack((self.x, self.y))

    def take(self, index: Integers | Booleans | slice) -> Sources:
        """Return the stars of *index*, in its order."""
        return Sources(*(getattr(self, column.name)[index] for column in fields(self)))


@dataclass(frozen=True)
class Quality:
    """What frames are compared by."""

    sky: float
    """Median background, in the unit of the image."""
    sky_noise: float
    """Standard deviation of a pixel of the background."""
    fwhm: float
    """Median of Moffat fits, pixel; NaN if no star could be fitted."""
    elongation: float
    """Median of the fitted stars; NaN if there are none."""
    n_fwhm: int
    """Stars fitted."""
    n_star: int
    """Stars detected."""


def detect(
    image: Image | Calibrated,
    *,
    threshold: float = 5.0,
    max_stars: int = 200,
    bad: Booleans | Repairs | None = None,
    saturation: float = math.inf,
    background: Sky | None = None,
) -> Sources:
    """Find the stars of *image*, and nothing else.

    A first look at the brightest peaks finds how wide the stars are; the image is
    binned to stars of 2.5 to 5 pixels, smoothed, and its peaks are the candidates.
    Those much sharper (hot pixels, cosmic rays), wider or more drawn out (trails,
    galaxies) than the frame's own stars are dropped. A frame whose stars are all
    drawn out by the wind keeps them. Where few are found, or very wide ones, it is asked
    whether stars are rings (`accretor.science.rings`), which have many peaks and no centre.

    Parameters
    ----------
    image : (height, width), electron (or any linear unit)
        Of a `Calibrated` one nothing but its binned image is held as a whole.
    threshold : float
        Peak of the smoothed image over its noise.
    max_stars : int
        Brightest stars to return.
    bad : (height, width) bool, or Repairs
        Pixels not to believe; they take the median of their neighbours, or as the repairs tell.
    saturation : float, unit of *image*
        Stars that reach it may be wider than others, and are flagged.
    background : Sky
        Of `sky`, if it is at hand.

    Returns
    -------
    Sources
        Brightest first; none (length 0) in an empty image. Stars whose centre is
        closer than one FWHM to the rim are left out.
    """
    field = dataclasses.replace(field_of(image, bad), background=background)
    found = _detected(field, threshold, max_stars, saturation)
    if len(found) < FEW or _may_be_rings(field.image, found):
        whole = field.image.image() if isinstance(field.image, Calibrated) else field.image
        if (ring := rings.find(whole, threshold)) is not None:
            is_full = ring.peak + ring.level >= saturation
            wide = Sources(ring.x, ring.y, ring.flux, ring.peak, ring.width, np.ones(len(ring.x)), is_full)
            return wide.take(slice(max_stars))
    return found


def _may_be_rings(image: Image | Calibrated, found: Sources) -> bool:
    """Tell whether the light around the brightest stars *found*, peaks of a rim perhaps, has holes."""
    if np.median(found.fwhm) <= VERY_WIDE:
        return False
    first = slice(rings.JUDGED)
    return rings.are_rings(image, found.x[first], found.y[first])


def _detected(field: Field, threshold: float, max_stars: int, saturation: float) -> Sources:
    """Return the stars that are peaks of light."""
    image = field.image
    rough = _rough_fwhm(field, threshold, saturation)
    if rough is None:
        return _no_sources()
    fwhm, factor = rough, _factor(rough, image.shape)
    flat, x, y = candidates(
        field, factor, threshold, blur_for(fwhm / factor), max(3 * max_stars // 2, LEAST_CANDIDATES)
    )
    sources = _measured(image, flat, factor, x[:TELLING], y[:TELLING], fwhm, saturation)
    if len(sources):
        # All of them, now that the width is known to a few per cent.
        fwhm = _typical(sources)
        sources = _measured(image, flat, factor, x, y, fwhm, saturation)
    return _stars_only(sources, fwhm, image.shape).take(slice(max_stars))


def frame_quality(image: Image | Stampable, sources: Sources, *, background: Sky | None = None) -> Quality:
    """Judge a frame by its background and by its stars.

    Parameters
    ----------
    image : (height, width), electron
    sources : Sources
        Of `detect` on the same image.
    background : Sky
        Of `sky`, if it is at hand; needed for an image that is no array.

    Returns
    -------
    Quality
        fwhm is the median of Moffat fits to the 20 brightest stars that are
        neither saturated nor near to another one of a tenth of their light.

    Raises
    ------
    TypeError
        If the background of an image that is no array is not given.
    """
    if background is None:
        if not isinstance(image, np.ndarray):
            raise TypeError("the background of an image that is no array must be given")
        background = sky(image)
    good = np.flatnonzero(_is_isolated(sources) & ~sources.is_saturated)[:MOST_FITTED]
    width = math.nan
    n_fwhm = 0
    if len(good):
        fitted = _fitted_fwhm(image, sources.take(good))
        n_fwhm = int(np.isfinite(fitted).sum())
        width = median(fitted[np.isfinite(fitted)]) if n_fwhm else math.nan
        wide = median(sources.fwhm[good])
        # No Moffat function has a hole in the middle.
        if wide > VERY_WIDE and rings.are_rings(image, sources.x[good], sources.y[good]):
            width, n_fwhm = wide, len(good)
    elongation = median(sources.elongation[good]) if len(good) else math.nan
    return Quality(background.level, background.noise, width, elongation, n_fwhm, len(sources))


def _no_sources() -> Sources:
    nothing = np.zeros(0)
    return Sources(nothing, nothing, nothing, nothing, nothing, nothing, np.zeros(0, dtype=bool))


def _factor(fwhm: float, shape: tuple[int, ...]) -> int:
    """Return by how much to bin for stars of *fwhm*: to 2.5 pixels and more, in large frames to 1.25."""
    narrow = LARGE_NARROW if max(shape) >= LARGE else SMALL_NARROW
    return int(np.clip(2 ** math.floor(math.log2(max(fwhm / narrow, 1))), 1, 4))


def _rough_fwhm(field: Field, threshold: float, saturation: float) -> float | None:
    """Return the FWHM of the brightest stars to a third or so, from their mean radial profiles."""
    widths = functools.partial(_rough_widths, field, threshold=threshold, saturation=saturation)
    # A pixel that has nothing around it is not a star, however many of them there are.
    if max(field.image.shape) >= LARGE:
        for factor in (4, 2):
            if len(width := widths(factor)) >= FEWEST:
                return _typical_width(width)
    else:
        # In small frames the narrow stars are few, and are looked for where they are not yet blurred; but
        # the noise on top of very wide ones makes many peaks there.
        fine = widths(2)
        if len(fine) < FEWEST or _typical_width(fine) > 0.5 * VERY_WIDE:
            coarse = widths(4)
            if len(coarse) >= FEWEST and _typical_width(coarse) >= VERY_WIDE:
                return _typical_width(coarse)
        if len(fine) >= FEWEST:
            return _typical_width(fine)
    width = widths(1)
    return _typical_width(width) if len(width) else None


def _rough_widths(field: Field, factor: int, *, threshold: float, saturation: float) -> Floats:
    """Return the FWHM of the brightest peaks of the binned image that have one, pixel of the image."""
    image = field.image
    _, x, y = candidates(field, factor, threshold, 1, 80)
    if not len(x):
        return x
    local = np.rint(_unbinned(x, factor)), np.rint(_unbinned(y, factor))
    columns, rows = stamp_pixels(*local, 2 * factor)
    near, is_inside = stamps(image, columns, rows)
    near = np.where(is_inside, near, -np.inf)
    brightest = near.reshape(len(near), -1).argmax(axis=1)
    index = np.arange(len(near))
    peak_x = columns[index, brightest % columns.shape[1]].astype(np.float64)
    peak_y = rows[index, brightest // columns.shape[1]].astype(np.float64)
    for reach in (PROFILE_RADIUS // 3, PROFILE_RADIUS):
        width = _profile_fwhm(image, peak_x, peak_y, saturation, reach)
        width = width[np.isfinite(width)][:40]
        # A short profile is enough for narrow stars; of wide ones it does not see the foot.
        if len(width) >= FEWEST and median(width) < 0.75 * reach:
            break
    return width


def _typical_width(width: Floats) -> float:
    """Return the median of first widths, each with its area for a weight.

    Hot pixels that a dark of few frames leaves are narrow, and may be as many as the stars.
    """
    width = np.sort(width)
    area = np.cumsum(width**2)
    return float(width[np.searchsorted(area, area[-1] / 2)])


def _profile_fwhm(image: Image | Stampable, x: Floats, y: Floats, saturation: float, most: int) -> Floats:
    """Return the full width at half maximum of ring means around pixels; NaN for hot pixels."""
    # Small frames have few stars that are far from the rim.
    reach = int(np.clip(min(image.shape) // 6, 6, most))
    columns, rows = stamp_pixels(x, y, reach)
    values, is_inside = stamps(image, columns, rows)
    values = np.where(is_inside, values, np.nan).reshape(len(x), -1)
    offset = np.arange(-reach, reach + 1)
    ring = np.rint(np.hypot(offset, offset[:, np.newaxis])).astype(np.int64).ravel()
    profile = np.full((len(x), reach + 1), np.nan)
    for radius in range(reach + 1):
        # The median of a ring does not see a neighbouring star; `np.median` costs more than the sorting.
        ordered = np.sort(values[:, ring == radius], axis=1)
        middle = ordered.shape[1] // 2
        median = 0.5 * (ordered[:, (ordered.shape[1] - 1) // 2] + ordered[:, middle])
        profile[:, radius] = np.where(np.isnan(ordered[:, -1]), np.nan, median)
    complete = np.all(np.isfinite(profile), axis=1)
    profile = np.where(complete[:, np.newaxis], profile, 0.0)
    base = profile.min(axis=1)
    peak = profile[:, 0] - base
    relative = (profile - base[:, np.newaxis]) / np.where(peak > 0, peak, 1.0)[:, np.newaxis]
    outside = (relative < 0.5).argmax(axis=1)
    index = np.arange(len(x))
    inner, outer = relative[index, outside - 1], relative[index, outside]
    with np.errstate(divide="ignore", invalid="ignore"):
        half = outside - 1 + (inner - 0.5) / (inner - outer)
    is_star = complete & (peak > 0) & (outside > 0) & (profile[:, 0] < saturation)
    is_star &= relative[:, 1] > SHARPEST
    return np.where(is_star, 2 * half, np.nan)


def _unbinned(position: Floats, factor: int) -> Floats:
    return position * factor + (factor - 1) / 2


def _measured(
    image: Image | Stampable, binned: Image, factor: int, x: Floats, y: Floats, fwhm: float, saturation: float
) -> Sources:
    """Return centres and shapes on the full image of candidates given in binned pixels."""
    if not len(x):
        return _no_sources()
    # Centres on the binned image first: a bin's centre may be a star's width away from the star's.
    if factor > 1:
        x, y, found = windowed(binned, x, y, np.zeros(len(x)), fwhm / factor)
        x, y = x[found], y[found]
    x, y = _unbinned(x, factor), _unbinned(y, factor)
    level = _local_sky(image, x, y, fwhm)
    x, y, found = windowed(image, x, y, level, fwhm)
    x, y, level = x[found], y[found], level[found]
    width, elongation = windowed_shape(image, x, y, level, fwhm)
    columns, rows = stamp_pixels(x, y, math.ceil(1.2 * fwhm))
    values, is_inside = stamps(image, columns, rows)
    distance = np.hypot(
        (columns - x[:, np.newaxis])[:, np.newaxis, :], (rows - y[:, np.newaxis])[:, :, np.newaxis]
    )
    light = np.where(is_inside, values - level[:, np.newaxis, np.newaxis], 0.0)
    weight = np.clip(1.2 * fwhm + 0.5 - distance, 0, 1)
    flux = (light * weight).sum(axis=(1, 2))
    near = np.where(weight > 0, light, -np.inf).reshape(len(x), -1)
    peak = near.max(axis=1) if len(x) else np.zeros(0)
    return Sources(x, y, flux, peak, width, elongation, peak + level >= saturation)


def _local_sky(image: Image | Stampable, x: Floats, y: Floats, fwhm: float) -> Floats:
    """Return the median along a square of 3 FWHM around each position."""
    values, is_inside = rims(image, x, y, math.ceil(3 * fwhm))
    rim = values if is_inside.all() else np.where(is_inside, values, np.nan)
    rim = np.sort(rim, axis=1)
    n_good = (rim < np.inf).sum(axis=1)
    return np.asarray(rim[np.arange(len(x)), np.maximum(n_good - 1, 0) // 2], dtype=np.float64)


def _typical(sources: Sources) -> float:
    """Return the median FWHM of the brightest sources that have one."""
    order = np.argsort(-sources.flux, kind="stable")
    round_enough = sources.elongation[order] < LONGEST
    width = sources.fwhm[order][round_enough & ~sources.is_saturated[order]][:50]
    if not len(width):
        width = sources.fwhm[np.isfinite(sources.fwhm)]
    return median(width) if len(width) else 3.0


def _stars_only(sources: Sources, fwhm: float, shape: tuple[int, ...]) -> Sources:
    """Return the sources that look like the others, brightest first, each once."""
    order = np.argsort(-sources.flux, kind="stable")
    sources = sources.take(order)
    elongation = sources.elongation[sources.elongation < LONGEST][:50]
    longest = min(1.8 * median(elongation), LONGEST) if len(elongation) else LONGEST
    with np.errstate(invalid="ignore"):
        shaped = (sources.fwhm > NARROWEST * fwhm) & (sources.fwhm < WIDEST * fwhm)
        shaped &= sources.elongation < longest
        shaped |= sources.is_saturated & (sources.fwhm > NARROWEST * fwhm)
    inside = (sources.x > fwhm) & (sources.x < shape[1] - 1 - fwhm)
    inside &= (sources.y > fwhm) & (sources.y < shape[0] - 1 - fwhm)
    sources = sources.take(shaped & inside & (sources.flux > 0))
    close = _square_distances(sources) < (0.7 * fwhm) ** 2
    # The brighter of two that are one: brightest first, hence the lower triangle.
    return sources.take(~np.any(np.tril(close, -1), axis=1))


def _square_distances(sources: Sources) -> Floats:
    square = (sources.x[:, np.newaxis] - sources.x) ** 2
    square += (sources.y[:, np.newaxis] - sources.y) ** 2
    return square


def _is_isolated(sources: Sources) -> Booleans:
    if not len(sources):
        return np.zeros(0, dtype=bool)
    square = _square_distances(sources)
    np.fill_diagonal(square, np.inf)
    near = square < (4 * sources.fwhm[:, np.newaxis]) ** 2
    return np.asarray(~np.any(near & (sources.flux > 0.1 * sources.flux[:, np.newaxis]), axis=1))


def _fitted_fwhm(image: Image | Stampable, stars: Sources) -> Floats:
    return moffat.fit_stars(image, stars.x, stars.y, median(stars.fwhm))[0]
