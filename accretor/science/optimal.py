"""Optimal apertures: how far pixels are weighted by the profile, and what that does to the light.

Weights are worth what the profile is worth. A profile that is not quite that of the stars changes the light
found by a factor; it is taken off by the bright stars of each frame, whose plain sums need no profile. What
is left of it from star to star counts as noise when weights are chosen, so that a star is weighted only if
it gains.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Booleans, Floats, Image
from accretor.core.errors import Unusable
from accretor.science import moffat
from accretor.science.annulus import LEAST_SKY, annulus_sky
from accretor.science.aperture import Measurement
from accretor.science.circles import Profile, weighted_sums
from accretor.science.geometry import Stampable

TURNS = (0.0, 1 / 64, 1 / 16, 1 / 4, 1.0, 4.0, 16.0)
"""Turns (`circles.weighted_sums`) to choose from: from a plain sum to all but the profile."""
MOST_FITTED = 20
"""Brightest stars that tell the profile."""
FEWEST_FOR_PLANE = 8
"""Stars from which on the factor may change over the field."""
GOOD_SIGNAL = 50.0
"""Flux over error from which on a star tells the factor."""
LEAST_GAIN = 0.02
"""Part of its variance that a star must gain: else the sum is plain."""
SHARPEST = 10.0
"""Largest exponent that is believed: undersampled stars fit any."""


@dataclass(frozen=True)
class Choice:
    """How the stars of a night are weighted."""

    turn: Floats
    """(n_star,) of `TURNS`."""
    misfit: float
    """Scatter from star to star of the light that fully weighted sums find, over that of plain ones, beyond
    the noise: how far the profile is not that of the stars."""


def fitted(image: Image | Stampable, x: Floats, y: Floats, fwhm: float) -> Profile:
    """Return the profile of a frame: the median of fits to stars.

    Parameters
    ----------
    image : (height, width), electron
    x, y : (n_star,) float64, pixel
        Bright stars that stand alone, brightest first; NaN for one that is not in the frame.
    fwhm : float, pixel
        First guess, and what is taken if no fit ends at a star.
    """
    is_known = np.isfinite(x) & np.isfinite(y)
    width, beta = moffat.fit_stars(image, x[is_known][:MOST_FITTED], y[is_known][:MOST_FITTED], fwhm)
    is_star = np.isfinite(width)
    if not is_star.any():
        return Profile(fwhm)
    return Profile(float(np.median(width[is_star])), min(float(np.median(beta[is_star])), SHARPEST))


def choose(flux: Floats, flux_error: Floats, x: Floats, y: Floats, is_gauge: Booleans) -> Choice:
    """Choose for each star the weights of least noise, that of the profile included.

    Parameters
    ----------
    flux, flux_error : (n_turn, n_star) float64, electron
        Of one frame through one aperture, for each of `TURNS`.
    x, y : (n_star,) float64, pixel
    is_gauge : (n_star,) bool
        Stars that stand alone and are not saturated: the bright ones among them tell the misfit.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = flux / flux[0]
        variance = (flux_error / np.maximum(flux[0], 1.0)) ** 2
        is_gauge = is_gauge & (flux[0] > GOOD_SIGNAL * flux_error[0]) & np.isfinite(ratio).all(axis=0)
    if not is_gauge.any():
        return Choice(np.zeros(flux.shape[1]), np.inf)
    off = ratio[:, is_gauge] - _surface(x[is_gauge], y[is_gauge], ratio[:, is_gauge].T, x, y).T[:, is_gauge]
    spread = 1.4826 * np.median(np.abs(off), axis=1)
    # A plain sum is nearly the best for bright stars: its noise is common to both sums.
    noise = np.median(np.abs(variance - variance[0])[:, is_gauge], axis=1)
    misfit = np.sqrt(np.maximum(spread**2 - noise, 0.0))
    total = np.where(np.isfinite(variance), variance, np.inf) + (misfit**2)[:, np.newaxis]
    total[0] *= 1 - LEAST_GAIN
    return Choice(np.array(TURNS)[total.argmin(axis=0)], float(misfit[-1]))


def factor(
    image: Image | Stampable,
    gauge: tuple[Floats, Floats, Floats],
    radii: Floats,
    profile: Profile,
    x: Floats,
    y: Floats,
    turn: Floats,
) -> Floats:
    """Return the light that weighted sums find over that of plain ones, as bright stars tell it.

    Parameters
    ----------
    image : (height, width), electron
    gauge : (3, n_gauge) float64
        x, y (pixel) and sky (electron per pixel) of bright stars that stand alone.
    radii : (n_radius,) float64, pixel
    profile : Profile
    x, y, turn : (n_star,) float64
        Of the stars whose factor is wanted.

    Returns
    -------
    (n_star, n_radius) float64
        1 for a plain sum.

    Raises
    ------
    Unusable
        If no star tells it.
    """
    found = np.ones((len(x), len(radii)))
    wanted = np.unique(turn[turn > 0])
    if not len(wanted):
        return found
    at_x, at_y, sky = (np.asarray(value) for value in gauge)
    is_here = np.isfinite(at_x) & np.isfinite(at_y) & np.isfinite(sky)
    margin = np.minimum(
        np.minimum(at_x, image.shape[1] - 1 - at_x), np.minimum(at_y, image.shape[0] - 1 - at_y)
    )
    with np.errstate(invalid="ignore"):
        is_here &= margin + 0.5 >= radii.max()
    at_x, at_y, sky = at_x[is_here], at_y[is_here], sky[is_here]
    plain, _ = weighted_sums(image, at_x, at_y, sky, radii, profile, np.zeros(len(at_x)))
    for one in wanted:
        light, _ = weighted_sums(image, at_x, at_y, sky, radii, profile, np.full(len(at_x), one))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = light / plain
        good = np.isfinite(ratio).all(axis=1) & (plain > 0).all(axis=1)
        if not good.any():
            raise Unusable("no bright star alone in the frame by which weighted apertures could be gauged")
        chosen = turn == one
        found[chosen] = _surface(at_x[good], at_y[good], ratio[good], x[chosen], y[chosen])
    return found


def gauged(
    found: Measurement,
    image: Image | Stampable,
    stars: Booleans,
    radii: Floats,
    profile: Profile,
    turn: Floats,
) -> Measurement:
    """Return *found* on the scale of plain sums.

    Parameters
    ----------
    found : Measurement
        Measured with this profile and turn.
    image, radii, profile, turn
        As of `factor`.
    stars : (n_star,) bool
        Stars that stand alone and are not saturated; the bright ones among them are the gauge.
    """
    with np.errstate(invalid="ignore"):
        signal = (found.flux / found.flux_error).min(axis=1)
        is_gauge = stars & ~found.is_saturated & (signal > GOOD_SIGNAL)
    where = (found.x[is_gauge], found.y[is_gauge], found.sky[is_gauge])
    scale = factor(image, where, radii, profile, found.x, found.y, turn)
    return dataclasses.replace(found, flux=found.flux / scale, flux_error=found.flux_error / scale)


def with_sky(
    image: Image, place: Floats, annulus: tuple[float, float], dirt: Booleans
) -> tuple[Floats, Floats, Floats]:
    """Return x, y and sky of those stars at *place*, (n, 2) pixel, that are in the frame: a gauge."""
    inside = np.all((place > -0.5) & (place < np.array(image.shape[::-1]) - 0.5), axis=1)
    x, y = place[inside].T
    sky, _, count = annulus_sky(image, x, y, annulus, dirt)
    return x, y, np.where(count >= LEAST_SKY, sky, np.nan)


def _surface(x: Floats, y: Floats, value: Floats, at_x: Floats, at_y: Floats) -> Floats:
    """Fit planes to (n, k) values without those that stand out, and return them at (m,) places, (m, k)."""
    if len(x) < FEWEST_FOR_PLANE:
        return np.broadcast_to(np.median(value, axis=0), (len(at_x), value.shape[1]))
    middle, wide = np.median(x), max(float(np.ptp(x)), 1.0)
    centre, high = np.median(y), max(float(np.ptp(y)), 1.0)
    design = np.column_stack([np.ones(len(x)), (x - middle) / wide, (y - centre) / high])
    weight = np.ones(value.shape)
    for _ in range(5):
        normal = np.einsum("nk,ni,nj->kij", weight, design, design)
        right = np.einsum("nk,ni->ki", weight * value, design)
        plane = np.linalg.solve(normal, right[:, :, np.newaxis])[:, :, 0]
        off = value - design @ plane.T
        spread = np.maximum(1.4826 * np.median(np.abs(off), axis=0), 1e-12)
        weight = 1 / (1 + (off / (2 * spread)) ** 2)
    # No star is further out than the gauge's own field reaches.
    along = np.clip((at_x - middle) / wide, -0.75, 0.75), np.clip((at_y - centre) / high, -0.75, 0.75)
    return np.asarray(np.column_stack([np.ones(len(at_x)), *along]) @ plane.T)
