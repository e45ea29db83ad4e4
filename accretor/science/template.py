"""Choose the reference frame of an observation, and the stars to measure."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np

from accretor.core.arrays import Booleans, Floats, Image
from accretor.core.errors import Unusable
from accretor.core.settings import TemplateSettings
from accretor.science.sources import Sources, detect

FAINT = 2000
"""Stars among which the target is looked for: in a rich field it is none of the bright ones."""
MOST_Z = 2.0
"""No single measure may decide: a z-score counts up to this."""


def scores(
    sky: Floats, fwhm: Floats, n_match: Floats, is_good: Booleans, weights: TemplateSettings
) -> Floats:
    """Rate frames as the reference: dark, sharp, and with many stars.

    The weighted sum of z(-sky), z(-fwhm) and z(n_match), where z is the distance from
    the median of the good frames in robust standard deviations (1.4826 MAD), at
    most 2 either way.

    Parameters
    ----------
    sky : (n_frame,) float64
        Median background.
    fwhm : (n_frame,) float64, pixel
    n_match : (n_frame,) int or float64
        Stars found again in other frames; not all detections, for a satellite's
        trail makes many of them.
    is_good : (n_frame,) bool
    weights : TemplateSettings

    Returns
    -------
    (n_frame,) float64
        NaN for frames that are not good, or of which a measure is missing.
    """
    measures = (
        (-np.asarray(sky, dtype=np.float64), weights.weight_sky),
        (-np.asarray(fwhm, dtype=np.float64), weights.weight_fwhm),
        (np.asarray(n_match, dtype=np.float64), weights.weight_stars),
    )
    known = np.array(is_good, dtype=bool)
    for value, _ in measures:
        known &= np.isfinite(value)
    score = np.full(len(known), np.nan)
    if known.any():
        score[known] = sum(weight * _robust_z(value[known]) for value, weight in measures)
    return score


def choose(score: Floats, times: Floats) -> int:
    """Return the index of the highest score; of equal ones, the earliest in *times*.

    Raises
    ------
    Unusable
        If no frame has a score.
    """
    if not np.any(np.isfinite(score)):
        raise Unusable("no good frame to be the template")
    best = np.flatnonzero(score == np.nanmax(score))
    return int(best[np.argmin(np.asarray(times)[best])])


def star_list(
    image: Image,
    fwhm: float,
    *,
    max_stars: int,
    keep: Floats | None = None,
    threshold: float = 8.0,
    bad: Booleans | None = None,
    saturation: float = math.inf,
) -> Sources:
    """Return the stars to measure in every frame, brightest first.

    Parameters
    ----------
    image : (height, width), electron
        The template.
    fwhm : float, pixel
        Of its stars.
    max_stars : int
        Brightest stars to take.
    keep : (k, 2) float64, pixel
        Positions (the target, say) whose stars are taken however faint, in place of
        the last; the nearest within 2 FWHM.
    threshold : float
        Detection limit, times the noise of the smoothed image.
    bad, saturation
        As in `accretor.science.sources.detect`.

    Returns
    -------
    Sources
    """
    found = detect(
        image, threshold=threshold, max_stars=max(4 * max_stars, FAINT), bad=bad, saturation=saturation
    )
    if keep is None or not len(found):
        return found.take(slice(max_stars))
    wanted = set()
    for position in np.atleast_2d(keep):
        distance = np.hypot(found.x - position[0], found.y - position[1])
        if distance.min() < 2 * fwhm:
            wanted.add(int(distance.argmin()))
    others = [index for index in range(len(found)) if index not in wanted]
    chosen = sorted(wanted | set(others[: max(max_stars - len(wanted), 0)]))
    return found.take(np.array(chosen, dtype=np.int64))


def add(sources: Sources, xy: Floats, fwhm: float) -> Sources:
    """Return *sources* followed by stars at *xy* (k, 2), pixel, that are only known to be there.

    For neighbours of a catalogue that are too faint or too close to be found; their
    flux and peak are 0, their size is *fwhm* pixel, and they are not to be recentred.
    """
    n_new = len(xy)
    new = Sources(
        xy[:, 0].astype(np.float64),
        xy[:, 1].astype(np.float64),
        np.zeros(n_new),
        np.zeros(n_new),
        np.full(n_new, fwhm),
        np.ones(n_new),
        np.zeros(n_new, dtype=bool),
    )
    columns = ((getattr(sources, column.name), getattr(new, column.name)) for column in fields(Sources))
    return Sources(*(np.concatenate(pair) for pair in columns))


def find(xy: Floats, position: Floats, *, radius: float) -> int:
    """Return the index of the star of *xy* (n, 2) that is nearest to *position* (2,), in pixel.

    Raises
    ------
    Unusable
        If there is none within *radius* pixel.
    """
    distance = np.hypot(xy[:, 0] - position[0], xy[:, 1] - position[1])
    if not len(distance):
        raise Unusable("the template has no stars")
    nearest = int(distance.argmin())
    if distance[nearest] > radius:
        raise Unusable(
            f"no star within {radius:.1f} pixel of the target's position "
            f"({position[0]:.1f}, {position[1]:.1f}); the nearest is at {distance[nearest]:.1f}"
        )
    return nearest


def roles(xy: Floats, target: int, *, neighbour_radius: float) -> list[str]:
    """Return what each star is: ``target``, ``neighbour`` or ``comparison``.

    Parameters
    ----------
    xy : (n_star, 2) float64, pixel
    target : int
        Index of the target.
    neighbour_radius : float, pixel
        Stars as near to the target as this could blend with it, or be the one that
        is eclipsed; SG1 looks at 2.5 arcmin.

    Returns
    -------
    list of str
        Neighbours may serve as comparison stars too.
    """
    distance = np.hypot(xy[:, 0] - xy[target, 0], xy[:, 1] - xy[target, 1])
    role = ["neighbour" if near else "comparison" for near in distance <= neighbour_radius]
    role[target] = "target"
    return role


def contrast(xy: Floats, flux: Floats, *, radius: float) -> Floats:
    """Return by how much other stars outshine each star at close range.

    Parameters
    ----------
    xy : (n_star, 2) float64, pixel
    flux : (n_star,) float64
    radius : float, pixel
        3 FWHM say.

    Returns
    -------
    (n_star,) float64
        Summed flux of the other stars within *radius* over the star's own: 0 for an
        isolated star, inf for one without light that has a neighbour.
    """
    distance = np.hypot(xy[:, :1] - xy[:, 0], xy[:, 1:] - xy[:, 1])
    np.fill_diagonal(distance, np.inf)
    light = np.maximum(flux, 0.0)
    others = np.where(distance <= radius, light, 0.0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(others > 0, others / light, 0.0)


def _robust_z(value: Floats) -> Floats:
    middle = np.median(value)
    spread = 1.4826 * float(np.median(np.abs(value - middle)))
    if spread == 0:
        # More than half are equal: those that differ are as far as anything can be.
        return np.asarray(MOST_Z * np.sign(value - middle))
    return np.clip((value - middle) / spread, -MOST_Z, MOST_Z)
