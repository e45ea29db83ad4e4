"""Light in circles around stars: plain sums, and sums of weighted pixels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Booleans, Floats, Image
from accretor.science.geometry import (
    HALF_DIAGONAL,
    Stampable,
    around,
    circle_overlap,
    picked,
    stamp_pixels,
    stamps,
)

RIM = 2 * HALF_DIAGONAL + 1e-6
"""Pixel: from the middle of a cut-out, the rim of a circle around a star in its middle pixel may cut pixels
this much nearer or further than its radius."""
TOGETHER = 20_000
"""Pixels of the rims of circles worked on at a time."""


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
    across, along, distance = around(half)
    order = np.argsort(distance, kind="stable")
    light = picked(light, order)
    is_undefined: Booleans | None = ~np.isfinite(light)
    if np.any(is_undefined):
        light[is_undefined] = 0.0
    else:
        is_undefined = None
    off_x, off_y = (x - columns[:, half])[:, np.newaxis], (y - rows[:, half])[:, np.newaxis]
    return _Cut(light, is_undefined, across[order], along[order], distance[order], off_x, off_y)
