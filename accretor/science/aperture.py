"""Aperture photometry: all stars of a frame through all radii, in one pass."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accretor.core.arrays import Booleans, Floats, Image, Integers
from accretor.science import annuli, clipping, shape
from accretor.science.centroid import windowed
from accretor.science.geometry import HALF_DIAGONAL, Stampable, circle_overlap, stamp_pixels, stamps

MOST_MOVE = 0.6
"""A centre that is further than this, in FWHM, from where the star must be is of something else."""
SHAPE_RADIUS = 2.0
"""Radius of the circle in which the shape is measured, in FWHM."""
PEAK_RADIUS = 3.0
"""The peak is looked for this far from the centre, pixel, or one FWHM if that is more."""
LEAST_SKY = 20
"""Pixels without which there is no level of the sky."""
RIM = 2 * HALF_DIAGONAL + 1e-6
"""Pixel: from the middle of a cut-out, the rim of a circle around a star in its middle pixel may cut pixels
this much nearer or further than its radius."""
SKY_VARIANCE = {"median": math.pi / 2, "mean": 1.0, "mode": 9 * math.pi / 2 - 8}
"""Variance of the sky level, times that of a pixel over their number. The mode is 3 median - 2 mean, whose
covariance is the variance of the mean: 9 pi / 2 + 4 - 12."""
CHUNK = 500_000
"""Pixels of cut-outs worked on at a time: they stay in the processor's cache."""
TOGETHER = 20_000
"""Pixels of the rims of circles worked on at a time."""


@dataclass(frozen=True)
class Measurement:
    """What was measured in one frame; (n_star,) if nothing else is said."""

    flux: Floats
    """(n_star, n_radius), electron, without the sky; NaN where the aperture leaves the frame."""
    flux_error: Floats
    """(n_star, n_radius), electron; without scintillation."""
    sky: Floats
    """Electron per pixel."""
    sky_noise: Floats
    """Standard deviation of a pixel of the annulus after clipping, electron."""
    n_sky: Integers
    """Pixels of the annulus after clipping."""
    x: Floats
    """Final centre, pixel."""
    y: Floats
    """Final centre, pixel."""
    peak: Floats
    """Highest raw pixel near the centre, ADU."""
    n_bad: Integers
    """Bad pixels within one FWHM of the centre."""
    is_saturated: Booleans
    """The peak reaches the saturation level."""
    is_near_edge: Booleans
    """The largest aperture leaves the frame."""
    is_recentred: Booleans
    """The star found its own centre; else the position is as given."""
    x_width: Floats
    """Pixel; this and the rest are described in `accretor.science.shape.Shape`."""
    y_width: Floats
    angle: Floats
    roundness: Floats
    fwhm: Floats


def measure(
    image: Image | Stampable,
    raw: Image,
    x: Floats,
    y: Floats,
    *,
    radii: Floats,
    annulus: tuple[float, float],
    fwhm: float,
    gain: float,
    read_noise: float,
    recentre: Booleans,
    saturation: float,
    dark_variance: float = 0.0,
    bad: Booleans | None = None,
    estimator: str = "median",
    profile: Profile | None = None,
    turn: Floats | None = None,
    reach: Floats | None = None,
    cap: Floats | None = None,
) -> Measurement:
    """Measure every star through every aperture.

    The overlap of circle and pixels is exact. The sky is the median of an annulus,
    clipped at 3 sigma; discs around all other stars, of 2 FWHM and more for bright ones,
    and bad pixels are kept out of it. No pixel in an aperture is repaired or left out: that would follow the
    star's place in the pixel. What is measured of a star depends on the other stars
    through their discs only, to the last bit.

    Parameters
    ----------
    image : (height, width), electron
        Calibrated frame.
    raw : (height, width), ADU
        The same before calibration, for the peaks.
    x, y : (n_star,) float64, pixel
        Where the stars should be; NaN for one that is not in the frame.
    radii : (n_radius,) float64, pixel
        Of the apertures.
    annulus : (float, float), pixel
        Inner and outer radius of the sky; pixels count whose centres are in it.
    fwhm : float, pixel
        Of the stars in this frame; it sizes the window of the centroid.
    gain : float, electron per ADU
        For the noise of digitisation.
    read_noise : float, electron
        NaN if it is not known, or if the level of the sky holds a bias: then the
        measured noise of the annulus takes the place of what it should be.
    recentre : (n_star,) bool
        Stars to be centred; only for good signal.
    saturation : float, ADU
        Raw level that must not be reached; inf if not known.
    dark_variance : float, electron^2 per pixel
        Dark current times exposure.
    bad : (height, width) bool
        Pixels not to be believed.
    estimator : str
        Of the sky, after clipping: ``median``, ``mean``, or ``mode`` (3 median - 2 mean).
    profile : Profile
        Weight pixels by this profile, as `weighted_sums` does; without it each pixel counts by its part in
        the circle.
    turn : (n_star,) float64
        Of `weighted_sums`, for each star; needed with a profile.
    reach : (n_star,) float64, pixel
        How far from each star its light is kept out of the annuli, as `annuli.extent`
        tells; without it 2 FWHM.
    cap : (n_star,) float64, pixel
        Most that this may be for the annulus of each star, as `annuli.caps` tells.

    Returns
    -------
    Measurement
        flux_error is that of the CCD equation (Merline & Howell 1995, Exp. Astron. 6,
        163), with the error of the sky level for a median.
    """
    radii = np.asarray(radii, dtype=np.float64)
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    discs = _discs(image.shape, x, y, annulus, fwhm, reach, cap)
    half = math.ceil(max(annulus[1], float(radii.max()))) + 1
    step = max(1, CHUNK // (2 * half + 1) ** 2)
    parts = [
        _measure_some(
            image,
            raw,
            x[part],
            y[part],
            discs.of(part),
            bad,
            radii,
            annulus,
            fwhm,
            recentre[part],
            saturation,
            estimator,
            profile,
            None if turn is None else turn[part],
        )
        for part in (slice(start, start + step) for start in range(0, max(len(x), 1), step))
    ]
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    weights = Weights(*(found.pop(column.name) for column in fields(Weights))) if profile else None
    found["flux_error"] = flux_error(
        found["flux"], radii, found["sky"], found["sky_noise"], found["n_sky"],
        gain=gain, read_noise=read_noise, dark_variance=dark_variance, estimator=estimator, weights=weights,
    )  # fmt: skip
    return Measurement(**found)


def flux_error(
    flux: Floats,
    radii: Floats,
    sky: Floats,
    sky_noise: Floats,
    n_sky: Integers,
    *,
    gain: float,
    read_noise: float,
    dark_variance: float,
    estimator: str = "median",
    weights: Weights | None = None,
) -> Floats:
    """Return the standard error of fluxes by the CCD equation (Merline & Howell 1995).

    Parameters
    ----------
    flux : (n_star, n_radius) float64, electron
    radii : (n_radius,) float64, pixel
    sky, sky_noise, n_sky : (n_star,)
        As in `Measurement`.
    gain, read_noise, dark_variance : float
        As in `measure`.

    Returns
    -------
    (n_star, n_radius) float64, electron
    """
    if math.isfinite(read_noise):
        pixel = np.maximum(sky, 0) + dark_variance + read_noise**2 + gain**2 / 12
    else:
        pixel = sky_noise**2
    area = math.pi * radii**2
    # The sky level is itself measured, by a median: pi / 2 times the variance of a mean.
    level = SKY_VARIANCE[estimator] / np.maximum(n_sky, 1)[:, np.newaxis]
    if weights is None:
        return np.asarray(np.sqrt(np.maximum(flux, 0) + area * pixel[:, np.newaxis] * (1 + area * level)))
    variance = weights.noise + weights.area**2 * level
    return np.asarray(np.sqrt(np.maximum(flux, 0) * weights.light + pixel[:, np.newaxis] * variance))


def _measure_some(
    image: Image | Stampable,
    raw: Image,
    x: Floats,
    y: Floats,
    discs: _Discs,
    bad: Booleans | None,
    radii: Floats,
    annulus: tuple[float, float],
    fwhm: float,
    recentre: Booleans,
    saturation: float,
    estimator: str,
    profile: Profile | None,
    turn: Floats | None,
) -> dict[str, np.ndarray]:
    height, width = image.shape
    x, y, is_recentred = _centred(image, x, y, fwhm, recentre)
    with np.errstate(invalid="ignore"):
        is_here = (x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)
        margin = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y)) + 0.5
        is_near_edge = ~(margin >= radii.max())
    # Stars that are not here are measured somewhere, and the result is thrown away.
    at_x, at_y = np.where(is_here, x, 0.0), np.where(is_here, y, 0.0)
    dirt = () if bad is None else (bad,)
    sky, sky_noise, n_sky = annulus_sky(image, at_x, at_y, annulus, dirt, estimator=estimator, discs=discs)
    sky = np.where(n_sky >= LEAST_SKY, sky, np.nan)
    weights: dict[str, Floats] = {}
    if profile is None or turn is None:
        flux = aperture_sums(image, at_x, at_y, sky, radii)
    else:
        flux, found_weights = weighted_sums(image, at_x, at_y, sky, radii, profile, turn)
        weights = {column.name: getattr(found_weights, column.name) for column in fields(Weights)}
    flux[~(margin[:, np.newaxis] >= radii)] = np.nan
    columns, rows = stamp_pixels(at_x, at_y, math.ceil(max(PEAK_RADIUS, fwhm)))
    distance = _distance(columns, rows, at_x, at_y)
    values, is_inside = stamps(raw, columns, rows)
    near = is_inside & (distance <= max(PEAK_RADIUS, fwhm))
    peak = np.where(near, values, -np.inf).max(axis=(1, 2)).astype(np.float64)
    n_bad = np.zeros(len(x), dtype=np.int64)
    if bad is not None:
        n_bad = (stamps(bad, columns, rows)[0] & is_inside & (distance <= fwhm)).sum(axis=(1, 2))
    nowhere = ~is_here
    flux[nowhere] = sky[nowhere] = sky_noise[nowhere] = peak[nowhere] = np.nan
    n_sky[nowhere] = n_bad[nowhere] = 0
    found = shape.measure(
        image, np.where(is_here, x, np.nan), y, sky, radius=max(SHAPE_RADIUS * fwhm, PEAK_RADIUS)
    )
    return {
        "flux": flux,
        "sky": sky,
        "sky_noise": sky_noise,
        "n_sky": n_sky,
        "x": x,
        "y": y,
        "peak": peak,
        "n_bad": n_bad,
        "is_saturated": peak >= saturation,
        "is_near_edge": is_near_edge,
        "is_recentred": is_recentred,
        **{column.name: getattr(found, column.name) for column in fields(found)},
        **weights,
    }


def _centred(
    image: Image | Stampable, x: Floats, y: Floats, fwhm: float, recentre: Booleans
) -> tuple[Floats, Floats, Booleans]:
    """Return the centres of stars that may look for them, and the given positions of the others."""
    chosen = np.flatnonzero(recentre & np.isfinite(x) & np.isfinite(y))
    new_x, new_y, is_recentred = x.copy(), y.copy(), np.zeros(len(x), dtype=bool)
    if len(chosen):
        columns, rows = stamp_pixels(x[chosen], y[chosen], math.ceil(2 * fwhm))
        values, is_inside = stamps(image, columns, rows)
        values = np.where(is_inside, values, np.nan)
        rim = (values[:, 0], values[:, -1], values[:, :, 0], values[:, :, -1])
        level, _, count = clipping.clipped_median(np.concatenate(rim, axis=1))
        found_x, found_y, is_found = windowed(image, x[chosen], y[chosen], level, fwhm)
        move = np.hypot(found_x - x[chosen], found_y - y[chosen])
        is_found &= (move < MOST_MOVE * fwhm) & (count > 0)
        kept = chosen[is_found]
        new_x[kept], new_y[kept], is_recentred[kept] = found_x[is_found], found_y[is_found], True
    return new_x, new_y, is_recentred


def aperture_sums(image: Image | Stampable, x: Floats, y: Floats, sky: Floats, radii: Floats) -> Floats:
    """Return the light in circles, less *sky*.

    Parameters
    ----------
    image : (height, width), electron
    x, y : (n_star,) float64, pixel
        Finite centres.
    sky : (n_star,) float64, electron per pixel
    radii : (n_radius,) float64, pixel

    Returns
    -------
    (n_star, n_radius) float64, electron
        NaN where a pixel of the aperture is; what lies outside of the image counts
        as dark.
    """
    cut = _cut(image, x, y, sky, radii)
    return cut.sums(radii, [(cut.light, 1)])[0]


def weighted_sums(
    image: Image | Stampable, x: Floats, y: Floats, sky: Floats, radii: Floats, profile: Profile, turn: Floats
) -> tuple[Floats, Weights]:
    """Return the light in circles from pixels weighted by w = P / (P + t P0), and what its error needs.

    P is the profile, P0 its height, D the image less the sky, a the part of a pixel in the circle:
    flux = sum(a w D) sum(a P) / sum(a w P), the light that a plain sum would find. t = 0 is that sum;
    the noise is least with t the variance of a pixel over the light on the star's central one (Horne 1986,
    PASP 98, 609), which for faint stars is w = P (Naylor 1998, MNRAS 296, 339).

    Parameters
    ----------
    image, x, y, sky, radii
        As of `aperture_sums`.
    profile : Profile
    turn : (n_star,) float64
        t of each star, 0 or more.

    Returns
    -------
    flux : (n_star, n_radius) float64, electron
    weights : Weights
    """
    cut = _cut(image, x, y, sky, radii)
    expected = profile.at(cut.across - cut.off_x, cut.along - cut.off_y)
    weight = expected / (expected + turn[:, np.newaxis] * profile.height)
    square = weight * weight
    first, held, whole, plain = cut.sums(
        radii, [(cut.light * weight, 1), (weight * expected, 1), (expected, 1), (weight, 1)]
    )
    norm2, own = cut.sums(radii, [(square, 2), (square * expected, 2)])
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = whole / held
        return first * scale, Weights(
            noise=norm2 * scale**2, area=plain * scale, light=own * scale**2 / whole
        )


@dataclass(frozen=True)
class Profile:
    """A Moffat profile of stars as pixels see them, of light 1."""

    fwhm: float
    """Pixel."""
    beta: float = 3.0

    @property
    def height(self) -> float:
        """Light on a pixel in the middle of the star."""
        return (self.beta - 1) / (math.pi * self._scale**2)

    @property
    def _scale(self) -> float:
        return self.fwhm / 2 / math.sqrt(2 ** (1 / self.beta) - 1)

    def at(self, dx: Floats, dy: Floats) -> Floats:
        """Return the light on pixels whose centres are *dx*, *dy* from the star, pixel."""
        # What is fitted to pixels has the width of a pixel in it already.
        square = (dx * dx + dy * dy) / self._scale**2
        return np.asarray(self.height * (1 + square) ** -self.beta)


@dataclass(frozen=True)
class Weights:
    """What the error of a weighted sum follows from; each (n_star, n_radius)."""

    noise: Floats
    """Sum of the squares of the weights: times the variance of a pixel."""
    area: Floats
    """Sum of the weights: times the error of the sky level."""
    light: Floats
    """Times the flux: the variance of the star's own photons."""


@dataclass(frozen=True)
class _Cut:
    """Cut-outs with their pixels by the distance from the middle one.

    What is whole in a circle, and what its rim may cut, are then ranges, the same ones
    for all stars.
    """

    light: Floats
    """(n_star, n_pixel), electron, less the sky."""
    is_undefined: Booleans | None
    """The same shape; None if all are defined."""
    across: Floats
    along: Floats
    """(n_pixel,) from the middle pixel."""
    distance: Floats
    off_x: Floats
    off_y: Floats
    """(n_star, 1) of the star from the middle of its middle pixel."""

    def sums(self, radii: Floats, values: Sequence[tuple[Floats, int]]) -> list[Floats]:
        """Return sums of *values* over circles; a pixel counts by a power of its part in the circle."""
        n_star = len(self.light)
        found = [np.empty((n_star, len(radii))) for _ in values]
        whole = [np.zeros(n_star) for _ in values]
        n_whole = 0
        order = np.argsort(radii, kind="stable")
        begin = np.maximum.accumulate(np.searchsorted(self.distance, radii[order] - RIM, "right")).tolist()
        end = np.searchsorted(self.distance, radii[order] + RIM).tolist()
        weights = self._rims(radii[order], begin, end)
        for index, first, last, weight in zip(order, begin, end, weights, strict=True):
            rim = slice(first, last)
            for number, (value, power) in enumerate(values):
                whole[number] = whole[number] + value[:, n_whole:first].sum(axis=1)
                part = weight if power == 1 else weight**power
                found[number][:, index] = whole[number] + (value[:, rim] * part).sum(axis=1)
            n_whole = first
            if self.is_undefined is not None:
                spoilt = self.is_undefined[:, :first].any(axis=1)
                spoilt |= np.any(self.is_undefined[:, rim] & (weight > 0), axis=1)
                for one in found:
                    one[spoilt, index] = np.nan
        return found

    def _rims(self, radii: Floats, begin: Sequence[int], end: Sequence[int]) -> Iterator[Floats]:
        """Yield how much of each pixel from *begin* to *end* lies in each circle."""
        most = max(1, TOGETHER // max(len(self.light), 1))
        index = 0
        while index < len(radii):
            # The rims of a few circles at once: a call costs as much as many pixels do.
            last = index + 1
            while last < len(radii) and sum(end[index : last + 1]) - sum(begin[index : last + 1]) <= most:
                last += 1
            pixel = np.concatenate([np.arange(begin[k], end[k]) for k in range(index, last)])
            lengths = [end[k] - begin[k] for k in range(index, last)]
            weight = circle_overlap(
                self.across[pixel] - self.off_x,
                self.along[pixel] - self.off_y,
                np.repeat(radii[index:last], lengths),
            )
            start = 0
            for length in lengths:
                yield weight[:, start : start + length]
                start += length
            index = last


def _cut(image: Image | Stampable, x: Floats, y: Floats, sky: Floats, radii: Floats) -> _Cut:
    half = math.ceil(float(radii.max())) + 1
    columns, rows = stamp_pixels(x, y, half)
    values, is_inside = stamps(image, columns, rows)
    light = np.where(is_inside, values - sky[:, np.newaxis, np.newaxis], 0.0)
    across, along, distance = _around(half)
    order = np.argsort(distance, kind="stable")
    light = _near(light, order)
    is_undefined: Booleans | None = ~np.isfinite(light)
    if np.any(is_undefined):
        light[is_undefined] = 0.0
    else:
        is_undefined = None
    off_x, off_y = (x - columns[:, half])[:, np.newaxis], (y - rows[:, half])[:, np.newaxis]
    return _Cut(light, is_undefined, across[order], along[order], distance[order], off_x, off_y)


def annulus_sky(
    image: Image | Stampable,
    x: Floats,
    y: Floats,
    annulus: tuple[float, float],
    dirt: Booleans | Sequence[Booleans],
    *,
    estimator: str = "median",
    discs: _Discs | None = None,
) -> tuple[Floats, Floats, Integers]:
    """Return level, noise and number of pixels of the sky around stars.

    Parameters
    ----------
    image : (height, width), electron
    x, y : (n_star,) float64, pixel
        Finite centres.
    annulus : (float, float), pixel
        Pixels count whose centres are between these distances, both included.
    dirt : (height, width) bool, or several of them
        Pixels that do not count.
    estimator : str
        As of `measure`.
    discs : _Discs
        Around other stars, which do not count either.

    Returns
    -------
    level, noise : (n_star,) float64, electron per pixel
    n_sky : (n_star,) int64
    """
    half = math.ceil(annulus[1]) + 1
    columns, rows = stamp_pixels(x, y, half)
    across, along, distance = _around(half)
    near = np.flatnonzero((distance >= annulus[0] - HALF_DIAGONAL) & (distance <= annulus[1] + HALF_DIAGONAL))
    dx = across[near] - (x - columns[:, half])[:, np.newaxis]
    dy = along[near] - (y - rows[:, half])[:, np.newaxis]
    square = dx * dx + dy * dy
    values, is_inside = stamps(image, columns, rows)
    used = (square >= annulus[0] ** 2) & (square <= annulus[1] ** 2)
    if discs is not None:
        used &= annuli.free(discs.count(columns, rows, near), square, discs.own, discs.least)
    for mask in (dirt,) if isinstance(dirt, np.ndarray) else dirt:
        used &= ~_near(stamps(mask, columns, rows)[0], near)
    if not is_inside.all():
        used &= _near(is_inside, near)
    values = _near(values, near)
    values[~used] = np.nan
    kept = clipping.clipped(values, 3.0, 10)
    level = kept.median_of_steps()
    if estimator != "median":
        mean = kept.mean()
        level = mean if estimator == "mean" else 3 * level - 2 * mean
    return level, kept.deviation(), kept.high - kept.low


def _near(squares: NDArray[Any], pixels: Integers) -> NDArray[Any]:
    """Return some pixels of each square, (n_star, n_pixel)."""
    n_star, n_row, n_column = squares.shape
    return squares.reshape(n_star, n_row * n_column).take(pixels, axis=1)


@functools.lru_cache(maxsize=16)
def _around(half: int) -> tuple[Floats, Floats, Floats]:
    """Return the offsets in x and y of the pixels of a flattened cut-out, and their distances."""
    offset = np.arange(-half, half + 1, dtype=np.float64)
    across, along = np.tile(offset, len(offset)), np.repeat(offset, len(offset))
    return across, along, np.hypot(across, along)


def _distance(columns: Integers, rows: Integers, x: Floats, y: Floats) -> Floats:
    dx, dy = columns - x[:, np.newaxis], rows - y[:, np.newaxis]
    return np.asarray(np.sqrt((dx * dx)[:, np.newaxis, :] + (dy * dy)[:, :, np.newaxis]))


@dataclass(frozen=True)
class _Discs:
    """What is kept out of the annuli of stars: discs around the other ones, which a cap makes smaller."""

    own: Floats
    """(n_star,) radius of the disc of each star, pixel."""
    least: float
    """Pixel; nearer to a star than this its own disc counts too."""
    alike: tuple[tuple[Integers, annuli.Counts], ...]
    """Stars of a cap, by index, and how many discs lie on each pixel (height, width) around them."""

    def of(self, part: slice) -> _Discs:
        """Return those of the stars that are in a range, counted from its start."""
        alike = ((star[(star >= part.start) & (star < part.stop)], count) for star, count in self.alike)
        return _Discs(self.own[part], self.least, tuple((star - part.start, count) for star, count in alike))

    def count(self, columns: Integers, rows: Integers, near: Integers) -> annuli.Counts:
        """Return how many discs lie on the pixels *near* of the cut-outs of the stars, (n_star, n_pixel)."""
        found = np.empty((len(columns), len(near)), dtype=np.int16)
        for star, count in self.alike:
            found[star] = _near(stamps(count, columns[star], rows[star])[0], near)
        return found


def _discs(
    size: tuple[int, ...],
    x: Floats,
    y: Floats,
    annulus: tuple[float, float],
    fwhm: float,
    reach: Floats | None,
    cap: Floats | None,
) -> _Discs:
    """Return the discs that are kept out of the annuli, for the stars of each cap."""
    least = np.full(len(x), annuli.LEAST * fwhm)
    reach = least if reach is None else reach
    # Caps that cap nothing are one.
    cap = np.minimum(np.inf if cap is None else cap, reach.max(initial=0.0) + np.zeros(len(x)))
    alike = []
    for most in np.unique(cap):
        radius, star = np.minimum(reach, most), np.flatnonzero(cap == most)
        # Often a cap is that of one star or two: most discs are far from their annuli, wherever their
        # centres will be found.
        far = radius + annulus[1] + MOST_MOVE * fwhm
        is_near = _is_around(x, x[star], far) & _is_around(y, y[star], far)
        alike.append((star, annuli.cover(size, x[is_near], y[is_near], radius[is_near])))
    return _Discs(np.minimum(reach, cap), annuli.LEAST * fwhm, tuple(alike))


def _is_around(position: Floats, others: Floats, far: Floats) -> Booleans:
    """Return which positions are no further than *far* from the range of the *others*; NaN is nowhere."""
    low, high = np.fmin.reduce(others), np.fmax.reduce(others)
    return np.asarray((position >= low - far) & (position <= high + far))
