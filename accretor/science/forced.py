"""Fluxes at given positions whether a star shows there or not, and how faint a star could have been seen."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np

from accretor.core.arrays import Booleans, Floats, Image, Integers
from accretor.science import aperture, background, circles, clipping
from accretor.science.annulus import LEAST_SKY, annulus_sky
from accretor.science.geometry import circle_overlap, stamp_pixels, stamps
from accretor.science.statistics import scatter

DISC = 2.0
"""Discs of this radius, in FWHM, around known stars are kept out of annuli and blank apertures."""
PEAK_RADIUS = 3.0
"""The peak is looked for this far from the position, pixel, or one FWHM if that is more."""
CHUNK = 400
"""Positions worked on at a time; it bounds the memory."""
BLOTCH = 5.0
"""Light above the sky, in standard deviations of a smoothed pixel, that no blank aperture may touch."""
WINDOW = 2048
"""Side of the part of a large frame, around the target, in which blank apertures are looked for, pixel."""
FEWEST_BLANK = 30
"""Blank apertures without which their scatter tells nothing."""


@dataclass(frozen=True)
class Forced:
    """What was measured in one frame; (n,) if nothing else is said."""

    flux: Floats
    """(n, n_radius), electron, without the sky; NaN where the aperture leaves the frame or has no sky."""
    flux_error: Floats
    """(n, n_radius), electron; CCD equation, without scintillation."""
    background_error: Floats
    """(n, n_radius), electron; of sky and read-out alone, as for a star without light."""
    sky: Floats
    """Electron per pixel."""
    sky_noise: Floats
    """Standard deviation of a pixel of the annulus after clipping, electron."""
    n_sky: Integers
    """Pixels of the annulus after clipping."""
    peak: Floats
    """Highest raw pixel near the position, ADU; NaN off the frame."""
    is_near_edge: Booleans
    """The largest aperture leaves the frame."""


@dataclass(frozen=True)
class Noise:
    """What the noise of a sky pixel is made of."""

    gain: float
    """Electron per ADU, for the noise of digitisation."""
    read_noise: float
    """Electron; NaN where the measured noise of the annulus shall take the place of what it should be."""
    dark_variance: float
    """Dark current times exposure, electron^2 per pixel."""


@dataclass(frozen=True)
class BlankRule:
    """How blank apertures are chosen, and what is made of them."""

    n_sample: int
    """Apertures wanted; 0 for none."""
    n_draw: int
    """Places tried for each one wanted."""
    edge: int
    """Distance from the rim that all of the aperture keeps, pixel."""
    dilate: int
    """Distance from light that all of the aperture keeps, pixel."""
    is_robust: bool
    """Scatter by the median absolute deviation; else the standard deviation."""
    seed: int
    """Of the places: the same in every frame and every run."""


def measure(
    image: Image,
    raw: Image,
    x: Floats,
    y: Floats,
    *,
    radii: Floats,
    annulus: tuple[float, float],
    fwhm: float,
    dirt: Booleans,
    noise: Noise,
    profile: circles.Profile | None = None,
    turn: Floats | None = None,
) -> Forced:
    """Measure the light at positions that are not moved, each with the sky of an annulus of its own.

    Parameters
    ----------
    image : (height, width), electron
        Calibrated frame.
    raw : (height, width), ADU
        The same before calibration, for the peaks.
    x, y : (n,) float64, pixel
        May lie off the frame.
    radii : (n_radius,) float64, pixel
    annulus : (float, float), pixel
    fwhm : float, pixel
    dirt : (height, width) bool
        Pixels of known stars, and bad ones, that no annulus shall have. Apertures have them: their
        light is of the place.
    noise : Noise
    profile : circles.Profile, optional
        Weight pixels by it, as `circles.weighted_sums` does; without it each pixel counts 1.
    turn : (n,) float64, optional
        Of the weights at each position; needed with a profile.

    Returns
    -------
    Forced
        What is measured at a position does not depend on the other positions, to the last bit.
    """
    height, width = image.shape
    is_here = (x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)
    at_x, at_y = np.where(is_here, x, 0.0), np.where(is_here, y, 0.0)
    margin = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y)) + 0.5
    flux = np.full((len(x), len(radii)), np.nan)
    sky, sky_noise, peak = (np.full(len(x), np.nan) for _ in range(3))
    n_sky = np.zeros(len(x), dtype=np.int64)
    weights: list[circles.Weights] = []
    for start in range(0, len(x), CHUNK):
        part = slice(start, start + CHUNK)
        level, spread, count = annulus_sky(image, at_x[part], at_y[part], annulus, dirt)
        level = np.where(is_here[part] & (count >= LEAST_SKY), level, np.nan)
        sky[part], sky_noise[part], n_sky[part] = level, np.where(np.isfinite(level), spread, np.nan), count
        if profile is None or turn is None:
            flux[part] = circles.aperture_sums(image, at_x[part], at_y[part], level, radii)
        else:
            flux[part], own = circles.weighted_sums(
                image, at_x[part], at_y[part], level, radii, profile, turn[part]
            )
            weights.append(own)
        peak[part] = np.where(is_here[part], _peaks(raw, at_x[part], at_y[part], fwhm), np.nan)
    flux[~(margin[:, np.newaxis] >= radii)] = np.nan
    error, empty = (
        aperture.flux_error(
            value, radii, sky, sky_noise, n_sky,
            gain=noise.gain, read_noise=noise.read_noise, dark_variance=noise.dark_variance,
            weights=circles.Weights(
                **{
                    column.name: np.concatenate([getattr(own, column.name) for own in weights])
                    for column in fields(circles.Weights)
                }
            ) if weights else None,
        )
        for value in (flux, np.zeros_like(flux))
    )  # fmt: skip
    return Forced(
        flux=flux,
        flux_error=error,
        background_error=empty,
        sky=sky,
        sky_noise=sky_noise,
        n_sky=np.where(is_here, n_sky, 0),
        peak=peak,
        is_near_edge=~(margin >= radii.max()),
    )


def discs(shape: tuple[int, ...], x: Floats, y: Floats, radius: float) -> Booleans:
    """Return a map of the pixels whose centres are within a radius of a position.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the map.
    x, y : (n,) float64, pixel
    radius : float, pixel

    Returns
    -------
    (height, width) bool
    """
    covered = np.zeros(shape, dtype=bool)
    is_near = (x > -radius - 1) & (x < shape[1] + radius) & (y > -radius - 1) & (y < shape[0] + radius)
    columns, rows = stamp_pixels(x[is_near], y[is_near], math.ceil(radius))
    dx, dy = columns - x[is_near, np.newaxis], rows - y[is_near, np.newaxis]
    inside = (dx * dx)[:, np.newaxis, :] + (dy * dy)[:, :, np.newaxis] <= radius**2
    inside &= stamps(covered, columns, rows)[1]
    star, row, column = np.nonzero(inside)
    covered[rows[star, row], columns[star, column]] = True
    return covered


def blank_noise(
    image: Image,
    centre: tuple[float, float],
    *,
    radii: Floats,
    annulus: tuple[float, float],
    fwhm: float,
    dirt: Booleans,
    is_saturated: Booleans,
    rule: BlankRule,
) -> tuple[Floats, int]:
    """Return the scatter of the flux in apertures where there is no star, electron, and their number.

    The places are drawn at random from all of the frame (of a large one, from the part around the
    target) where neither a known star, nor a saturated or bad pixel, nor light that shows in the frame
    smoothed to the seeing comes near. They are measured as stars are: aperture less its own annulus.

    Parameters
    ----------
    image : (height, width), electron
    centre : (float, float), pixel
        Where the target is.
    radii, annulus, fwhm, dirt
        As in `measure`.
    is_saturated : (height, width) bool
    rule : BlankRule

    Returns
    -------
    noise : (n_radius,) float64
        NaN with fewer than `FEWEST_BLANK` places.
    n_blank : int
    """
    window = tuple(_window(at, length) for at, length in zip(centre[::-1], image.shape, strict=True))
    part = image[window].astype(np.float64)
    sky_dirt = dirt[window] | ~np.isfinite(part)
    x, y = _blank_places(part, sky_dirt | is_saturated[window], float(radii.max()), fwhm, rule)
    if len(x) < FEWEST_BLANK:
        return np.full(len(radii), np.nan), len(x)
    level, _, count = clipping.clipped_median(
        _rings(np.where(sky_dirt, np.nan, part), x, y, annulus), n_round=3
    )
    known = count >= LEAST_SKY
    if known.sum() < FEWEST_BLANK:
        return np.full(len(radii), np.nan), int(known.sum())
    # Centres are whole pixels: one weight of each pixel does for all places.
    half = math.ceil(float(radii.max())) + 1
    columns, rows = stamp_pixels(x[known], y[known], half)
    light = stamps(part, columns, rows)[0].reshape(int(known.sum()), -1) - level[known, np.newaxis]
    dy, dx = (grid.astype(np.float64) for grid in np.mgrid[-half : half + 1, -half : half + 1])
    weight = np.stack([circle_overlap(dx, dy, float(radius)).ravel() for radius in radii], axis=1)
    # Not a matrix product: its last bit depends on the library and the processor.
    sums = np.stack([(light * weight[:, i]).sum(axis=1) for i in range(len(radii))], axis=1)
    spread = [scatter(column) if rule.is_robust else float(np.std(column, ddof=1)) for column in sums.T]
    return np.array(spread), int(known.sum())


def _window(at: float, length: int) -> slice:
    low = int(np.clip(round(at) - WINDOW // 2, 0, max(0, length - WINDOW)))
    return slice(low, min(length, low + WINDOW))


def _blank_places(
    image: Floats, is_taken: Booleans, radius: float, fwhm: float, rule: BlankRule
) -> tuple[Floats, Floats]:
    """Return whole pixels around which there is nothing, in the order in which they were drawn."""
    from scipy.ndimage import uniform_filter

    height, width = image.shape
    reach = math.ceil(radius)
    low, high_x, high_y = rule.edge + reach, width - rule.edge - reach, height - rule.edge - reach
    n_draw = rule.n_sample * rule.n_draw
    if min(high_x, high_y) <= low or not n_draw:
        return np.empty(0), np.empty(0)
    size = max(1, round(fwhm))
    sky = background.sky(image, bad=is_taken)
    smooth = uniform_filter(np.where(is_taken, 0.0, image - sky.image()), size, mode="nearest")
    is_taken = is_taken | (smooth > BLOTCH * sky.noise / size)
    generator = np.random.Generator(np.random.PCG64(rule.seed))
    x, y = generator.integers(low, high_x, n_draw), generator.integers(low, high_y, n_draw)
    is_free = _square_sums(is_taken, x, y, reach + rule.dilate) == 0
    x, y = x[is_free], y[is_free]
    # One in each cell of the size of an aperture: places that overlap tell the same twice.
    cell = (y // max(1, reach)) * width + x // max(1, reach)
    first = np.sort(np.unique(cell, return_index=True)[1])[: rule.n_sample]
    return x[first].astype(np.float64), y[first].astype(np.float64)


def _rings(image: Floats, x: Floats, y: Floats, annulus: tuple[float, float]) -> Floats:
    """Return the pixels of annuli around whole pixels, (n, n_pixel), NaN off the image."""
    half = math.ceil(annulus[1])
    dy, dx = np.mgrid[-half : half + 1, -half : half + 1]
    square = dx**2 + dy**2
    chosen = (square >= annulus[0] ** 2) & (square <= annulus[1] ** 2)
    rows = y.astype(np.int64)[:, np.newaxis] + dy[chosen]
    columns = x.astype(np.int64)[:, np.newaxis] + dx[chosen]
    height, width = image.shape
    is_inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    values = image[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
    return np.where(is_inside, values, np.nan)


def _square_sums(mask: Booleans, x: Integers, y: Integers, half: int) -> Integers:
    """Return how many pixels of *mask* are in squares of 2 half + 1 pixels a side."""
    total = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), dtype=np.int64)
    np.cumsum(np.cumsum(mask, axis=0, dtype=np.int64), axis=1, out=total[1:, 1:])
    left, right = np.maximum(x - half, 0), np.minimum(x + half + 1, mask.shape[1])
    low, high = np.maximum(y - half, 0), np.minimum(y + half + 1, mask.shape[0])
    return np.asarray(total[high, right] - total[low, right] - total[high, left] + total[low, left])


def _peaks(raw: Image, x: Floats, y: Floats, fwhm: float) -> Floats:
    """Return the highest raw pixel near each position, ADU."""
    reach = max(PEAK_RADIUS, fwhm)
    columns, rows = stamp_pixels(x, y, math.ceil(reach))
    dx, dy = columns - x[:, np.newaxis], rows - y[:, np.newaxis]
    near = (dx * dx)[:, np.newaxis, :] + (dy * dy)[:, :, np.newaxis] <= reach**2
    values, is_inside = stamps(raw, columns, rows)
    return np.asarray(np.where(near & is_inside, values, -np.inf).max(axis=(1, 2)), dtype=np.float64)


def limiting_magnitude(limit: Floats, zero_point: float) -> Floats:
    """Return the magnitude of a flux *limit* (any shape, electron), magnitude; NaN where it is not known.

    *zero_point* is the magnitude of one electron.
    """
    limit = np.asarray(limit, dtype=np.float64)
    is_known = np.isfinite(limit) & (limit > 0)
    return np.where(is_known, zero_point - 2.5 * np.log10(np.where(is_known, limit, 1.0)), np.nan)
