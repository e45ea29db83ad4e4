"""Aperture photometry: all stars of a frame through all radii, in one pass."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np

from accretor.core.arrays import Booleans, Floats, Image, Integers
from accretor.science import clipping, shape
from accretor.science.annulus import LEAST_SKY, SKY_VARIANCE, Discs, annulus_sky, discs_around
from accretor.science.centroid import windowed
from accretor.science.circles import Profile, Weights, aperture_sums, weighted_sums
from accretor.science.geometry import Stampable, distances, stamp_pixels, stamps

MOST_MOVE = 0.6
"""A centre that is further than this, in FWHM, from where the star must be is of something else."""
SHAPE_RADIUS = 2.0
"""Radius of the circle in which the shape is measured, in FWHM."""
PEAK_RADIUS = 3.0
"""The peak is looked for this far from the centre, pixel, or one FWHM if that is more."""
CHUNK = 500_000
"""Pixels of cut-outs worked on at a time: they stay in the processor's cache."""


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
    discs = discs_around(image.shape, x, y, annulus, fwhm, MOST_MOVE * fwhm, reach, cap)
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
    discs: Discs,
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
    distance = distances(columns, rows, at_x, at_y)
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
