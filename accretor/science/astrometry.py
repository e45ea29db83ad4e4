"""Where on the sky the pixels of a frame are: matching its stars to those of a catalogue.

Nothing but a rough place and scale needs to be known; rotation and mirroring are
found. An answer is given only if chance cannot have made it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from accretor.core.arrays import Complexes, Floats, Integers
from accretor.core.errors import Unusable
from accretor.science.plate import Plate, fit, project

PATTERN_STARS = (16, 28, 48, 80)
"""Brightest stars of a frame of which triangles are made; more only if fewer were not enough."""
DEPTHS = (1.0, 2.0)
"""Stars per area in the part of the catalogue that is tried, times those in the frame."""
NEIGHBOURS = 8
"""Nearest stars with which a star makes triangles."""
SHAPE_TOLERANCE = 0.008
"""Distance up to which the ratios of sides of two triangles are alike."""
MOST_CATALOG = 1500
"""Brightest stars of a catalogue of which triangles are made."""
MOST_DEPTH = 8.0
"""Stars per area in the catalogue, times those in the frame, beyond which the faint ones are left out."""
MOST_TRIALS = 6000
"""Similarities that are counted out for one set of triangles."""
N_REFINED = 12
"""Similarities that are fitted, the best of those that were counted out."""
COARSE = 6.0
"""Pixel within which a star counts for a similarity that rests on one triangle."""
FINAL = 2.0
"""Pixel up to which a star can be the same one, when all else fits."""
SURPRISE = 30.0
"""A match must be this many e-folds unlikely by chance; some ten thousand maps are tried for one answer."""
MIN_MATCH = 6
"""Fewest stars on which a solution may rest."""
MIN_SHARE = 0.3
"""Part of the stars that frame and catalogue could share that must match."""
MOST_RMS = 1.0
"""Pixel; worse than this is another field."""


class Solved(NamedTuple):
    """A plate solution with the stars on which it rests."""

    plate: Plate
    star: Integers
    """(n,) indices of the stars of the frame."""
    entry: Integers
    """(n,) indices of the same stars in the catalogue."""
    verdict: Verdict


@dataclass(frozen=True)
class Verdict:
    """How the stars of a frame agree with where a solution puts those of a catalogue."""

    n_match: int
    n_expected: float
    """Stars that would match by chance."""
    n_common: int
    """Stars that could match: the fewer of those of the frame and of the catalogue on it."""
    residual: float
    """Root mean squared distance of the matched stars, pixel; NaN if none match."""
    surprise: float
    """Minus the natural logarithm of the probability that chance has made so many pairs."""

    @property
    def reason(self) -> str:
        """Why the solution is not believed; empty if it is."""
        if self.n_match < MIN_MATCH:
            return f"{self.n_match} stars match the catalogue, {MIN_MATCH} needed"
        if self.surprise < SURPRISE:
            return (
                f"{self.n_match} stars match the catalogue, and chance would match {self.n_expected:.1f}; "
                "they prove nothing"
            )
        if self.n_match < MIN_SHARE * self.n_common:
            return f"{self.n_match} of {self.n_common} stars match the catalogue, too few"
        if not self.residual < MOST_RMS:
            return f"stars are {self.residual:.1f} pixels from where the catalogue has them"
        return ""


def solve(
    xy: Floats,
    sky: Floats,
    *,
    shape: tuple[int, int],
    centre: tuple[float, float],
    pixel_scale: float,
    scale_range: float = 0.2,
) -> Solved:
    """Find the plate solution of a frame from a catalogue of its field.

    Triangles of stars of the frame and of the catalogue whose sides have equal ratios
    propose similarities (Groth 1986, AJ 91, 1244; Valdes et al. 1995, PASP 107, 1119);
    those that bring most stars together are fitted to all stars, ever closer, and tested.

    Parameters
    ----------
    xy : (n, 2) float64, pixel
        Stars of the frame, brightest first; the first pixel's centre is (0, 0).
    sky : (m, 2) float64, degree
        Right ascension and declination of the catalogue's stars at the time of the
        frame, brightest first.
    shape
        Height and width of the frame, pixel.
    centre
        A direction on or near the frame, degree.
    pixel_scale
        Arcsec per pixel, to within *scale_range*.
    scale_range
        Relative error of the scale that is survived.

    Raises
    ------
    Unusable
        If no match is found that chance cannot have made.
    """
    xy, sky = np.asarray(xy, dtype=np.float64), np.asarray(sky, dtype=np.float64)
    if min(len(xy), len(sky)) < MIN_MATCH:
        raise Unusable(
            f"{len(xy)} stars on the frame and {len(sky)} in the catalogue, {MIN_MATCH} needed of each"
        )
    # East, north in pixels of the rough scale.
    flat = project(sky, centre) * 3600 / pixel_scale
    field = math.hypot(*shape)
    near = np.flatnonzero(np.hypot(*flat.T) < (1 + scale_range) * field)
    near = near[: max(50, int(MOST_DEPTH * len(xy) * _share(flat[near], shape)))]
    listed = sky[near]
    best = Verdict(0, 0.0, 0, math.nan, 0.0)
    for n_star in PATTERN_STARS:
        if n_star > PATTERN_STARS[0] and n_star > 1.5 * len(xy):
            break
        for depth in DEPTHS:
            for matrix in _proposals(xy, flat[near], shape, n_star, depth, scale_range):
                found = _refined(xy, listed, flat[near], matrix, shape, centre, pixel_scale)
                if found is None:
                    continue
                if not found.verdict.reason and abs(math.log(found.plate.scale / pixel_scale)) < math.log1p(
                    1.1 * scale_range
                ):
                    return found._replace(entry=near[found.entry])
                if found.verdict.surprise > best.surprise:
                    best = found.verdict
    raise Unusable(f"no match with the catalogue; the best one: {best.reason or 'of another scale'}")


def verify(xy: Floats, expected: Floats, shape: tuple[int, int], *, n_free: int = 0) -> Verdict:
    """Test where a solution puts the stars of a catalogue against the stars of the frame.

    With *expected* pairs by chance, k of them have a probability below
    exp(-(k ln(k / expected) - k + expected)) (Chernoff bound of the Poisson law).

    Parameters
    ----------
    xy : (n, 2) float64, pixel
        Stars of the frame.
    expected : (m, 2) float64, pixel
        Those of the catalogue; NaN for what the solution cannot place.
    shape
        Height and width of the frame, pixel.
    n_free
        Pairs that the fit of the solution has itself brought together.
    """
    star, entry = pairs(xy, expected, FINAL)
    return _verdict(xy, expected, shape, star, entry, n_free)


def pairs(xy: Floats, expected: Floats, tolerance: float) -> tuple[Integers, Integers]:
    """Return indices of stars that are each other's nearest, and within *tolerance* pixel.

    Parameters
    ----------
    xy : (n, 2) float64, pixel
        Stars that were found.
    expected : (m, 2) float64, pixel
        Places of the catalogue's; NaN where a star is not on the plane of the sky.
    tolerance : float, pixel

    Returns
    -------
    (k,) int64, (k,) int64
        Indices into *xy* and into *expected*.
    """
    from scipy.spatial import cKDTree

    is_placed = np.isfinite(expected).all(axis=1)
    placed = np.flatnonzero(is_placed)
    if not len(placed) or not len(xy):
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing
    there = expected[placed]
    distance, entry = cKDTree(there).query(xy, distance_upper_bound=tolerance)
    star = np.flatnonzero(np.isfinite(distance))
    _, back = cKDTree(xy).query(there[entry[star]])
    star = star[back == star]
    return star, placed[entry[star]]


def _verdict(
    xy: Floats, expected: Floats, shape: tuple[int, int], star: Integers, entry: Integers, n_free: int
) -> Verdict:
    height, width = shape
    there = expected[np.isfinite(expected).all(axis=1)]
    inside = (there[:, 0] > -1) & (there[:, 0] < width) & (there[:, 1] > -1) & (there[:, 1] < height)
    n_inside = int(inside.sum())
    chance = len(xy) * n_inside * math.pi * FINAL**2 / (height * width)
    distance = np.hypot(*(xy[star] - expected[entry]).T)
    residual = math.sqrt(float(np.mean(distance**2))) if len(star) else math.nan
    count, mean = max(len(star) - n_free, 0), max(chance, 1e-9)
    surprise = count * math.log(count / mean) - count + mean if count > mean else 0.0
    return Verdict(len(star), chance, min(len(xy), n_inside), residual, surprise)


def _proposals(
    xy: Floats, flat: Floats, shape: tuple[int, int], n_star: int, depth: float, scale_range: float
) -> list[Floats]:
    """Return the affine maps from catalogue to frame, the best few, that triangles propose."""
    stars = xy[:n_star]
    if len(flat) < 3 or len(stars) < 3:
        return []
    catalog = flat[: int(min(MOST_CATALOG, max(depth * _share(flat, shape) * len(stars), 12)))]
    found: list[tuple[int, Floats]] = []
    corners, features, longest = _triangles(stars)
    for sign in (1.0, -1.0):
        # A mirror image is the catalogue with east and west changed.
        turned = catalog * np.array([sign, 1.0])
        other_corners, other_features, other_longest = _triangles(turned)
        first, second, ratio = _alike(features, other_features, longest, other_longest)
        is_near = np.abs(np.log(ratio)) < math.log1p(scale_range) + 0.02
        first, second = first[is_near][:MOST_TRIALS], second[is_near][:MOST_TRIALS]
        if not len(first):
            continue
        a, b = _similarity(other_corners[second], corners[first])
        count = _agreement(stars, turned, a, b)
        for index in np.argsort(-count, kind="stable")[:N_REFINED]:
            re, im = a[index].real, a[index].imag
            matrix = np.array([[re * sign, -im, b[index].real], [im * sign, re, b[index].imag]])
            found.append((int(count[index]), matrix))
    found.sort(key=lambda item: -item[0])
    return [matrix for count, matrix in found[:N_REFINED] if count >= 4]


def _share(flat: Floats, shape: tuple[int, int]) -> float:
    """Return how many frames would cover the part of the sky that the catalogue covers."""
    if not len(flat):
        return 1.0
    reach = float(np.quantile(np.hypot(*flat.T), 0.99))
    return max(1.0, math.pi * reach**2 / (shape[0] * shape[1]))


def _triangles(xy: Floats) -> tuple[Complexes, Floats, Floats]:
    """Return corners (n, 3), features (n, 3) and longest sides (n,) of triangles of neighbours.

    The corners are in an order that does not depend on place, rotation or scale. The features
    are the ratios of the other sides to the longest, and the sense in which the corners run.
    """
    from scipy.spatial import cKDTree

    z = xy[:, 0] + 1j * xy[:, 1]
    n_near = min(NEIGHBOURS, len(xy) - 1)
    _, near = cKDTree(xy).query(xy, k=n_near + 1)
    one, two = np.triu_indices(n_near, 1)
    near = near[:, 1:]
    star = np.repeat(np.arange(len(z)), len(one))
    members = np.column_stack((star, near[:, one].ravel(), near[:, two].ravel()))
    members = np.unique(np.sort(members, axis=1), axis=0)
    corners = z[members]
    opposite = np.abs(corners[:, [1, 2, 0]] - corners[:, [2, 0, 1]])
    order = np.argsort(-opposite, axis=1, kind="stable")
    corners = np.take_along_axis(corners, order, axis=1)
    sides = np.take_along_axis(opposite, order, axis=1)
    # Flat triangles tell no sense, and small ones no scale.
    sense = np.sign(((corners[:, 1] - corners[:, 0]) * np.conj(corners[:, 2] - corners[:, 0])).imag)
    is_good = (sides[:, 2] > 0.1 * sides[:, 0]) & (sides[:, 0] > 10)
    features = np.column_stack((sides[:, 1] / sides[:, 0], sides[:, 2] / sides[:, 0], sense))
    return corners[is_good], features[is_good], sides[is_good, 0]


def _alike(
    features: Floats, other: Floats, longest: Floats, other_longest: Floats
) -> tuple[Integers, Integers, Floats]:
    """Return pairs of triangles of one shape, the most alike first, and the ratios of their sizes."""
    from scipy.spatial import cKDTree

    if not len(features) or not len(other):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
    matrix = cKDTree(features).sparse_distance_matrix(
        cKDTree(other), SHAPE_TOLERANCE, output_type="coo_matrix"
    )
    order = np.lexsort((matrix.col, matrix.row, matrix.data))
    first, second = matrix.row[order].astype(np.int64), matrix.col[order].astype(np.int64)
    return first, second, np.asarray(longest[first] / other_longest[second])


def _similarity(first: Complexes, second: Complexes) -> tuple[Complexes, Complexes]:
    """Return the least-squares a, b of ``second = a * first + b`` for each row."""
    middle, other = first.mean(axis=1), second.mean(axis=1)
    u, v = first - middle[:, np.newaxis], second - other[:, np.newaxis]
    a = (np.conj(u) * v).sum(axis=1) / (np.abs(u) ** 2).sum(axis=1)
    return a, other - a * middle


def _agreement(stars: Floats, catalog: Floats, a: Complexes, b: Complexes) -> Integers:
    """Return how many stars of the frame each similarity finds near one of the catalogue."""
    from scipy.spatial import cKDTree

    z = stars[:, 0] + 1j * stars[:, 1]
    back = (z[np.newaxis] - b[:, np.newaxis]) / a[:, np.newaxis]
    where = np.column_stack((back.real.ravel(), back.imag.ravel()))
    distance, _ = cKDTree(catalog).query(where, distance_upper_bound=1.5 * COARSE)
    pixel = distance.reshape(back.shape) * np.abs(a)[:, np.newaxis]
    return np.asarray((pixel < COARSE).sum(axis=1))


def _refined(
    xy: Floats,
    sky: Floats,
    flat: Floats,
    matrix: Floats,
    shape: tuple[int, int],
    centre: tuple[float, float],
    pixel_scale: float,
) -> Solved | None:
    """Fit to all pairs of nearest stars, ever closer; return nothing where too few come together."""
    for tolerance in (2 * COARSE, COARSE, 4.0, 3.0):
        expected = flat @ matrix[:, :2].T + matrix[:, 2]
        star, entry = pairs(xy, expected, tolerance)
        if len(star) < 4:
            return None
        matrix = _linear(flat[entry], xy[star], matrix, is_affine=tolerance < 4 and len(star) >= 12)
    inverse = np.linalg.inv(matrix[:, :2])
    height, width = shape
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    plate = Plate(
        sky=centre,
        pixel=(float(matrix[0, 2]), float(matrix[1, 2])),
        cd=inverse * pixel_scale / 3600,
    )
    return polish(plate.centred(middle), xy, sky, shape)


def polish(plate: Plate, xy: Floats, sky: Floats, shape: tuple[int, int]) -> Solved | None:
    """Fit a solution to all stars that it brings together, with a distortion where that helps.

    Parameters
    ----------
    plate : Plate
        To begin with, good to 3 pixels.
    xy : (n, 2) float64, pixel
        Stars that were found.
    sky : (m, 2) float64, degree
        Right ascension and declination of the catalogue's.
    shape : (int, int)
        Height and width of the image.

    Returns
    -------
    Solved or None
        None where fewer than `MIN_MATCH` stars come together.
    """
    star, entry = pairs(xy, plate.to_pixel(sky), 3.0)
    for step in range(6):
        if len(star) < MIN_MATCH:
            return None
        plate = fit(xy[star], sky[entry], plate, is_affine=len(star) >= 10, is_bent=step > 1)
        expected = plate.to_pixel(sky)
        star, entry = pairs(xy, expected, FINAL)
        if step > 1 and len(star) >= MIN_MATCH:
            distance = np.hypot(*(xy[star] - expected[entry]).T)
            # The nearest star is not always the same star: those that fit much worse than most are others.
            is_close = distance < max(0.3, 4 * float(np.median(distance)))
            star, entry = star[is_close], entry[is_close]
    n_free = 2 if len(star) < 10 else 3
    verdict = _verdict(xy, plate.to_pixel(sky), shape, star, entry, n_free + plate.n_bent)
    return Solved(plate, star, entry, verdict)


def _linear(first: Floats, second: Floats, before: Floats, *, is_affine: bool) -> Floats:
    """Return the least-squares affine map of pairs, or the similarity."""
    if is_affine:
        design = np.column_stack((first, np.ones(len(first))))
        return np.asarray(np.linalg.lstsq(design, second, rcond=None)[0].T)
    sign = math.copysign(1.0, float(np.linalg.det(before[:, :2])))
    z = (first[:, 0] * sign + 1j * first[:, 1])[np.newaxis]
    a, b = _similarity(z, (second[:, 0] + 1j * second[:, 1])[np.newaxis])
    re, im = a[0].real, a[0].imag
    return np.array([[re * sign, -im, b[0].real], [im * sign, re, b[0].imag]])
