"""Match the stars of a frame to those of the reference, whatever the shift and rotation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from accretor.core.arrays import Booleans, Floats, Integers
from accretor.core.errors import Unusable
from accretor.science.statistics import median

LEAST = 8
"""Stars that must match."""
VOTING = 60
"""Brightest stars of each list that vote for an offset."""
PATTERN_STARS = (30, 60)
"""Brightest stars of each list of which triangles are made; more only if few were not enough."""
PATTERN_NEIGHBOURS = 7
SIDE_TOLERANCE = 0.006
"""Difference up to which ratios of sides are alike."""
MOST_TRIALS = 1500
"""Similarities that are tried out, of those that triangles propose."""
MOST_RMS = 1.0
"""Pixel; worse than this is another field, or another star."""
FINAL = 2.0
"""Pixel up to which a star can be the same one, when all else fits."""
SURPRISE = 23.0
"""A match must be this many e-folds unlikely by chance; some ten thousand maps are tried for one answer."""
FREE = 2
"""Stars that a similarity brings together whatever they are: they prove nothing."""
AFFINE_STARS = 12
"""With fewer stars a similarity is fitted: shear would follow the noise."""


@dataclass(frozen=True)
class Transform:
    """Affine map from pixels of the reference to pixels of a frame."""

    matrix: Floats
    """(2, 3) float64: ``xy' = matrix[:, :2] @ xy + matrix[:, 2]``."""
    n_match: int
    """Stars on which it rests."""
    rms: float
    """Of these stars around it, pixel: square root of the mean squared distance."""

    def apply(self, xy: Floats) -> Floats:
        """Return the positions in the frame, (n, 2), of positions *xy* (n, 2) in the reference."""
        return np.asarray(xy @ self.matrix[:, :2].T + self.matrix[:, 2])

    def inverse(self) -> Transform:
        """Return the map from the frame to the reference."""
        linear = np.linalg.inv(self.matrix[:, :2])
        matrix = np.column_stack((linear, -linear @ self.matrix[:, 2]))
        return Transform(matrix, self.n_match, self.rms / self.scale)

    @property
    def rotation(self) -> float:
        """Angle from the x axis of the reference to that of the frame, degree, -180 to 180.

        Near 180 after a meridian flip. For a mirror image, the rotation that
        follows on a change of sign of y.
        """
        (a, b), (c, d) = self.matrix[:, :2]
        sign = -1.0 if self.is_mirrored else 1.0
        return math.degrees(math.atan2(c - sign * b, a + sign * d))

    @property
    def scale(self) -> float:
        """Pixels of the frame per pixel of the reference."""
        return math.sqrt(abs(float(np.linalg.det(self.matrix[:, :2]))))

    @property
    def is_mirrored(self) -> bool:
        """Whether one is the mirror image of the other."""
        return bool(np.linalg.det(self.matrix[:, :2]) < 0)


def match(
    reference: Floats,
    stars: Floats,
    *,
    min_match: int = LEAST,
    mirror: bool = False,
    scale_range: float = 0.03,
) -> Transform:
    """Find the map that takes the stars of the reference to those of a frame.

    First the offsets between all bright stars vote, which settles frames that are
    not rotated. Else triangles of neighbouring stars with sides of equal ratios
    (Groth 1986, AJ 91, 1244; Valdes et al. 1995, PASP 107, 1119) propose
    similarities of any rotation. Each way ends with an affine fit (a similarity
    for fewer than 12 stars) to all stars that come to lie on one another.

    Parameters
    ----------
    reference, stars : (n, 2), (m, 2) float64, pixel
        Positions, brightest first.
    min_match : int
        Least number of stars; more are asked for where so many could match by
        chance.
    mirror : bool
        Try mirror images too. Frames of one night are never mirrored.
    scale_range : float
        Largest relative difference of scale.

    Returns
    -------
    Transform

    Raises
    ------
    Unusable
        If too few stars match, with both numbers.
    """
    reference, stars = np.asarray(reference, dtype=np.float64), np.asarray(stars, dtype=np.float64)
    fewest = min(len(reference), len(stars))
    if fewest < min_match:
        raise Unusable(f"{fewest} stars to match, {min_match} needed")
    best, needed = Transform(np.eye(2, 3), 0, math.inf), min_match
    proposals = [partial(_by_offset, reference, stars)]
    proposals += [
        partial(_by_triangles, reference, stars, n_star, mirror, scale_range) for n_star in PATTERN_STARS
    ]
    for propose in proposals:
        for matrix in propose():
            found, needed_here = _refined(reference, stars, matrix, min_match, scale_range)
            if found.n_match >= needed_here:
                return found
            if found.n_match > best.n_match:
                best, needed = found, needed_here
    raise Unusable(f"{best.n_match} stars matched, {needed} needed")


def pairs(reference: Floats, stars: Floats, transform: Transform) -> tuple[Integers, Integers]:
    """Return the indices of the stars of both lists that *transform* brings together.

    Parameters
    ----------
    reference : (n, 2) float64, pixel
    stars : (m, 2) float64, pixel
    transform : Transform
        From *stars* to *reference*.

    Returns
    -------
    (k,) int64, (k,) int64
        Indices into *reference* and into *stars*.
    """
    return _pairs(reference, stars, transform.matrix, FINAL)


def _by_offset(reference: Floats, stars: Floats) -> list[Floats]:
    """Return the offset on which most pairs of stars agree."""
    first, second = reference[:VOTING], stars[:VOTING]
    offsets = [(second[:, np.newaxis, axis] - first[:, axis]).ravel() for axis in (0, 1)]
    # A rotation by half a degree spreads the offsets of a field over a hundredth of it.
    width = max(4.0, 0.008 * float(np.ptp(stars, axis=0).max()))
    x, y = (np.floor((offset - offset.min()) / width).astype(np.int64) for offset in offsets)
    n_x, n_y = x.max() + 2, y.max() + 2
    votes = np.bincount(x * n_y + y, minlength=n_x * n_y).reshape(n_x, n_y)
    # The true offset may lie on a border: cells vote in squares of four.
    votes = votes[:-1, :-1] + votes[1:, :-1] + votes[:-1, 1:] + votes[1:, 1:]
    left, low = np.unravel_index(votes.argmax(), votes.shape)
    chosen = (x >= left) & (x <= left + 1) & (y >= low) & (y <= low + 1)
    return [np.column_stack((np.eye(2), [median(offset[chosen]) for offset in offsets]))]


def _by_triangles(
    reference: Floats, stars: Floats, n_star: int, mirror: bool, scale_range: float
) -> list[Floats]:
    """Return the similarities, the best few, that triangles of equal shape propose."""
    proposals: list[tuple[int, Floats]] = []
    for sign in (1.0, -1.0) if mirror else (1.0,):
        # A mirror image is a rotation of the reference with its y turned round.
        flip = np.array([1.0, sign])
        first_corners, first_sides = _triangles(reference[:n_star] * flip)
        second_corners, second_sides = _triangles(stars[:n_star])
        if not len(first_sides) or not len(second_sides):
            continue
        shape = _shape(first_sides)[:, np.newaxis] - _shape(second_sides)
        difference = np.abs(shape).max(axis=2)
        ratio = second_sides[:, 0] / first_sides[:, :1]
        alike = (difference < SIDE_TOLERANCE) & (np.abs(np.log(ratio)) < 2 * scale_range + 0.005)
        one, two = np.nonzero(alike)
        order = np.argsort(difference[one, two], kind="stable")[:MOST_TRIALS]
        a, b = _similarity(first_corners[one[order]], second_corners[two[order]])
        count = _agreement(reference[:n_star] * flip, stars[:VOTING], a, b)
        for index in np.argsort(-count, kind="stable")[:5]:
            re, im = a[index].real, a[index].imag
            matrix = np.array([[re, -im * sign, b[index].real], [im, re * sign, b[index].imag]])
            proposals.append((int(count[index]), matrix))
    proposals.sort(key=lambda proposal: -proposal[0])
    return [matrix for _, matrix in proposals]


def _triangles(xy: Floats) -> tuple[Floats, Floats]:
    """Return triangles of neighbours, with an order of the corners that does not depend on the frame.

    Returns
    -------
    corners : (n, 3) complex128
        Opposite of the longest side first, of the shortest last.
    sides : (n, 3) float64
        Longest first; the longest is negative if the corners run clockwise.
    """
    z = xy[:, 0] + 1j * xy[:, 1]
    distance = np.abs(z[:, np.newaxis] - z)
    near = np.argsort(distance, axis=1, kind="stable")[:, 1 : PATTERN_NEIGHBOURS + 1]
    n_near = near.shape[1]
    one, two = np.triu_indices(n_near, 1)
    star = np.repeat(np.arange(len(z)), len(one))
    members = np.column_stack((star, near[:, one].ravel(), near[:, two].ravel()))
    members = np.unique(np.sort(members, axis=1), axis=0)
    if not len(members):
        return np.zeros((0, 3), dtype=complex), np.zeros((0, 3))
    corners = z[members]
    opposite = np.abs(
        np.stack(
            [corners[:, 1] - corners[:, 2], corners[:, 2] - corners[:, 0], corners[:, 0] - corners[:, 1]],
            axis=1,
        )
    )
    order = np.argsort(-opposite, axis=1, kind="stable")
    corners = np.take_along_axis(corners, order, axis=1)
    sides = np.take_along_axis(opposite, order, axis=1)
    return corners, sides


def _shape(sides: Floats) -> Floats:
    return sides[:, 1:] / sides[:, :1]


def _similarity(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Return the least-squares a, b of ``second = a * first + b``, complex numbers, for each row."""
    middle_first, middle_second = first.mean(axis=1), second.mean(axis=1)
    u, v = first - middle_first[:, np.newaxis], second - middle_second[:, np.newaxis]
    a = (np.conj(u) * v).sum(axis=1) / (np.abs(u) ** 2).sum(axis=1)
    return a, middle_second - a * middle_first


def _agreement(reference: Floats, stars: Floats, a: Floats, b: Floats) -> Integers:
    """Return how many stars each similarity brings within 3 pixels of another."""
    first = reference[:, 0] + 1j * reference[:, 1]
    second = stars[:, 0] + 1j * stars[:, 1]
    count = np.zeros(len(a), dtype=np.int64)
    for start in range(0, len(a), 200):
        part = slice(start, start + 200)
        there = a[part, np.newaxis] * first + b[part, np.newaxis]
        apart = np.abs(there[:, :, np.newaxis] - second)
        count[part] = (apart.min(axis=2) < 3).sum(axis=1)
    return count


def _refined(
    reference: Floats, stars: Floats, matrix: Floats, min_match: int, scale_range: float
) -> tuple[Transform, int]:
    """Fit to all pairs of nearest stars, ever nearer; return the map and how many pairs it needs."""
    field = float(np.ptp(stars, axis=0).max())
    # Wide at first, as wide as an undetected small rotation asks; then what centres allow.
    nearest = _nearest(reference, stars, matrix)
    before: tuple[Integers, Integers, bool] | None = None
    for tolerance in (max(6.0, 0.012 * field), max(4.0, 0.006 * field), 4.0, 2.5, FINAL, FINAL):
        one, two = _within(nearest, tolerance)
        if len(one) < 3:
            return Transform(matrix, len(one), math.inf), min_match
        is_last = tolerance <= 2.5
        # The same pairs have the same map.
        if before is not None and before[2] == is_last and _are_same(before[:2], (one, two)):
            continue
        before = one, two, is_last
        matrix = _fitted(reference[one], stars[two], matrix, is_last=is_last)
        nearest = _nearest(reference, stars, matrix)
    # The nearest star is not always the same star: those that fit much worse than most are others.
    for _ in range(2):
        typical = median(_residual(reference, stars, matrix, *_within(nearest, FINAL)))
        tolerance = min(FINAL, max(0.5, 5 * typical))
        one, two = _within(nearest, tolerance)
        if len(one) < 3:
            return Transform(matrix, len(one), math.inf), min_match
        if before is not None and before[2] and _are_same(before[:2], (one, two)):
            break
        before = one, two, True
        matrix = _fitted(reference[one], stars[two], matrix, is_last=True)
        nearest = _nearest(reference, stars, matrix)
    rms = math.sqrt(float(np.mean(_residual(reference, stars, matrix, one, two) ** 2)))
    found = Transform(matrix, len(one), rms)
    if rms > MOST_RMS or abs(found.scale - 1) > scale_range:
        return Transform(matrix, min(len(one), min_match - 1), rms), min_match
    return found, max(min_match, _needed(reference, stars, matrix, tolerance))


def _are_same(some: tuple[Integers, Integers], others: tuple[Integers, Integers]) -> bool:
    return np.array_equal(some[0], others[0]) and np.array_equal(some[1], others[1])


def _residual(reference: Floats, stars: Floats, matrix: Floats, one: Integers, two: Integers) -> Floats:
    there = reference[one] @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(np.hypot(*(there - stars[two]).T))


def _pairs(reference: Floats, stars: Floats, matrix: Floats, tolerance: float) -> tuple[Integers, Integers]:
    """Return indices of stars that are each other's nearest, and within *tolerance* pixel."""
    return _within(_nearest(reference, stars, matrix), tolerance)


def _nearest(reference: Floats, stars: Floats, matrix: Floats) -> tuple[Integers, Integers, Floats]:
    """Return indices of stars that are each other's nearest, and their squared distances."""
    there = reference @ matrix[:, :2].T + matrix[:, 2]
    square = (there[:, :1] - stars[:, 0]) ** 2
    square += (there[:, 1:] - stars[:, 1]) ** 2
    nearest = square.argmin(axis=1)
    # That of each other star is asked for only where somebody has it as the nearest.
    chosen, place = np.unique(nearest, return_inverse=True)
    one = np.flatnonzero(square[:, chosen].argmin(axis=0)[place] == np.arange(len(reference)))
    return one, nearest[one], square[one, nearest[one]]


def _within(nearest: tuple[Integers, Integers, Floats], tolerance: float) -> tuple[Integers, Integers]:
    one, two, square = nearest
    is_near = square < tolerance**2
    return one[is_near], two[is_near]


def _fitted(first: Floats, second: Floats, before: Floats, *, is_last: bool) -> Floats:
    """Return the least-squares affine map of pairs, or the similarity where they are few."""
    if is_last and len(first) >= AFFINE_STARS:
        design = np.column_stack((first, np.ones(len(first))))
        solution, _, rank, _ = np.linalg.lstsq(design, second, rcond=1e-9)
        return np.asarray(solution.T) if rank == 3 else before
    sign = math.copysign(1.0, float(np.linalg.det(before[:, :2])))
    z = first[:, 0] + 1j * sign * first[:, 1]
    a, b = _similarity(z[np.newaxis], (second[:, 0] + 1j * second[:, 1])[np.newaxis])
    re, im = a[0].real, a[0].imag
    return np.array([[re, -im * sign, b[0].real], [im, re * sign, b[0].imag]])


def _needed(reference: Floats, stars: Floats, matrix: Floats, tolerance: float) -> int:
    """Return how many pairs are needed that chance cannot have made them.

    With *expected* pairs by chance, k of them have a probability below
    exp(-(k ln(k / expected) - k + expected)) (Chernoff bound of the Poisson law).
    Four in ten of the stars that both lists could have must match in any case.
    """
    there = reference @ matrix[:, :2].T + matrix[:, 2]
    low, high = stars.min(axis=0), stars.max(axis=0)
    common = int(_is_within(there, low, high).sum())
    back = (stars - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    other = int(_is_within(back, reference.min(axis=0), reference.max(axis=0)).sum())
    area = max(float(np.prod(high - low)), 1.0)
    expected = max(common * len(stars) * math.pi * tolerance**2 / area, 1e-9)
    count = max(int(expected), 1)
    while count * math.log(count / expected) - count + expected < SURPRISE or count <= expected:
        count += 1
    count += FREE
    return max(count, math.ceil(0.4 * min(common, other)))


def _is_within(xy: Floats, low: Floats, high: Floats) -> Booleans:
    return np.asarray(np.all((xy >= low) & (xy <= high), axis=1))
