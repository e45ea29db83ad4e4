"""Whether a star's magnitude is the same through every aperture, and how nearly it can be."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Floats
from accretor.science import aperture, circles
from accretor.science.geometry import circle_overlap
from accretor.stages.photometry import StarList
from accretor.synthetic import scene
from accretor.synthetic.camera import add_stars, convolve, pupil
from accretor.synthetic.scene import Scene

MOST_LIGHT = 0.02
"""A star counts whose largest aperture holds less than this part of its light from other stars."""
MOST_STARS = 6
"""Brightest such stars that are looked at."""
FEWEST_STARS = 3
MOST_FRAMES = 30
"""Frames at which the truth is worked out: more lie too near to each other to say more."""
MEDIAN_ERROR = math.sqrt(math.pi / 2)
"""Error of a median over that of a mean."""
MILLI = 1000 * 2.5 / math.log(10)
"""Millimagnitude per natural logarithm."""


@dataclass(frozen=True)
class Constancy:
    """How much a magnitude depends on the aperture, against that through the aperture of the light curve."""

    found: float
    """Root mean square over stars and apertures, after the mean of all stars, mmag."""
    expected: float
    """The same of all that follow, mmag."""
    photons: float
    """What the flux errors leave in the median of the night."""
    masters: float
    """What the noise of the master dark and flat leaves, for a star crosses the same pixels all night."""
    phase: float
    """What is left of the star's place within a pixel, for light is not even over one."""
    wings: float
    """What the wings of stars in its annulus, beyond the discs that are kept out, take from a star."""


def constancy(
    prepared: Scene,
    frames: Sequence[int],
    stars: Sequence[int],
    *,
    flux: Floats,
    flux_error: Floats,
    sky: Floats,
    n_sky: Floats,
    radii: Floats,
    chosen: int,
    number: Sequence[int],
    place: Floats,
    wanted: StarList,
) -> Constancy | None:
    """Compare the magnitudes of constant stars through all apertures; None with fewer than three stars.

    The light of other stars in an aperture is there and is no error of its measurement: it
    is known here, and taken off.

    Parameters
    ----------
    prepared : Scene
    frames : (n_frame,) int
        Numbers of the frames.
    stars : (n_star,) int
        Numbers of constant stars in the scene.
    flux, flux_error : (n_frame, n_star, n_radius) float64, electron
        As measured, of these stars.
    sky, n_sky : (n_frame, n_star) float64
        Level of the sky, electron per pixel, and the pixels that gave it.
    radii : (n_radius,) float64, pixel
    chosen : int
        Index of the radius of the light curve.
    number : (n_star,) int
        Their numbers in the star list.
    place : (n_frame, n_all, 2) float64, pixel
        Where all stars of the list were measured.
    wanted : StarList
        Through what.
    """
    step = -(-len(frames) // MOST_FRAMES)
    strangers = _strangers(prepared, frames[:: max(len(frames) // 6, 1)], stars, radii)
    alone = np.flatnonzero((strangers[:, -1] < MOST_LIGHT) & np.isfinite(flux).all(axis=(0, 2)))
    alone = alone[np.argsort(-prepared.flux[np.array(stars)[alone]], kind="stable")][:MOST_STARS]
    if len(alone) < FEWEST_STARS:
        return None
    flux, flux_error = flux[:, alone] / (1 + strangers[alone]), flux_error[:, alone]
    ratio = np.log(flux / flux[:, :, [chosen]])
    ratio -= ratio.mean(axis=1, keepdims=True)  # the seeing, which is that of all stars
    others = np.arange(len(radii)) != chosen
    found = _uncommon(np.median(ratio, axis=0))[:, others]
    relative = flux_error / flux
    ring = np.abs(relative**2 - relative[:, :, [chosen]] ** 2)  # what both apertures hold is common to both
    photons = MEDIAN_ERROR * np.sqrt(ring.mean(axis=0) / len(flux))[:, others]
    some = range(0, len(frames), max(len(frames) // 3, 1))
    lifted = np.mean([_lifted(prepared, frames[at], place[at], wanted) for at in some], axis=0)
    lifted = lifted[np.array(number)[alone]]
    wings = -math.pi * radii**2 * lifted[:, np.newaxis] / np.median(flux, axis=0)
    phase, masters = [], []
    for star in alone:
        sums, cover, lit = _seen(prepared, frames[::step], stars[star], radii)
        phase.append(np.log(sums / sums[:, [chosen]]).mean(axis=0))
        level = float(np.median(flux[:, star == alone, chosen]))
        masters.append(
            _of_masters(
                prepared, cover, lit, level, float(sky[:, star].mean()), float(n_sky[:, star].mean()), chosen
            )
        )
    parts = (
        photons,
        np.sqrt(np.array(masters))[:, others],
        _uncommon(np.array(phase))[:, others],
        _uncommon(wings - wings[:, [chosen]])[:, others],
    )
    mean = [MILLI * float(np.sqrt(np.mean(part**2))) for part in (found, *parts)]
    return Constancy(mean[0], math.hypot(*mean[1:]), *mean[1:])


def _uncommon(value: Floats) -> Floats:
    """Return (n_star, n_radius) values without their mean over stars, as wide as they were with it."""
    return np.asarray((value - value.mean(axis=0)) * math.sqrt(len(value) / (len(value) - 1)))


def _lifted(prepared: Scene, frame: int, place: Floats, wanted: StarList) -> Floats:
    """Return by how much starlight lifts the level around every star of the list, electron per pixel.

    The frame is measured as it is with and without stars, with the same noise, so that clipping is as it is.
    """
    night = prepared.night
    light = scene.starlight(prepared, frame)
    level = night.sky * night.exposure
    noise = np.random.Generator(np.random.PCG64(frame)).normal(
        level, math.sqrt(level + night.read_noise**2), light.shape
    )
    x, y = place.T
    sky = [
        aperture.measure(
            image, image, x, y,
            radii=np.array(wanted.radii), annulus=wanted.annulus, fwhm=wanted.fwhm, gain=night.gain,
            read_noise=night.read_noise, recentre=np.zeros(len(x), dtype=bool), saturation=math.inf,
            estimator=wanted.sky, reach=np.array(wanted.reach), cap=np.array(wanted.cap),
        ).sky
        for image in (light + noise, noise)
    ]  # fmt: skip
    return np.asarray(sky[0] - sky[1])


def _strangers(prepared: Scene, frames: Sequence[int], stars: Sequence[int], radii: Floats) -> Floats:
    """Return the light of other stars in each aperture over that of the star, (n_star, n_radius)."""
    found = []
    for frame in frames:
        place = scene.positions(prepared, frame)[list(stars)]
        nothing = np.zeros(len(place))
        total = circles.aperture_sums(scene.starlight(prepared, frame), *place.T, nothing, radii)
        own = np.array(
            [circles.aperture_sums(_alone(prepared, frame, star), *at[:, np.newaxis], nothing[:1], radii)[0]
             for star, at in zip(stars, place, strict=True)]
        )  # fmt: skip
        found.append(total / own - 1)
    return np.asarray(np.mean(found, axis=0))


def _alone(prepared: Scene, frame: int, star: int) -> Floats:
    """Return the light of one star, electron."""
    only = np.arange(prepared.flux.size) == star
    return scene.starlight(dataclasses.replace(prepared, variation=prepared.variation * only), frame)


def _seen(prepared: Scene, frames: Sequence[int], star: int, radii: Floats) -> tuple[Floats, Floats, Floats]:
    """Return what the apertures of a star hold, its light being 1.

    Returns
    -------
    sums : (n_frame, n_radius) float64
    cover : (n_radius, n_y, n_x) float64
        Part of each pixel in the aperture, mean over the frames.
    lit : (n_radius, n_y, n_x) float64
        Light of each pixel in the aperture, mean over the frames.
    """
    night = prepared.night
    place = np.array([scene.positions(prepared, frame)[star] for frame in frames])
    margin = math.ceil(float(radii[-1]) + night.defocus / 2) + 2
    first = np.floor(place.min(axis=0)).astype(np.int64) - margin
    size = np.ceil(place.max(axis=0)).astype(np.int64) + margin - first
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float64)
    sums = np.empty((len(frames), len(radii)))
    cover, lit = np.zeros((len(radii), *rows.shape)), np.zeros((len(radii), *rows.shape))
    for number, (frame, (x, y)) in enumerate(zip(frames, place - first, strict=True)):
        light = np.zeros(rows.shape)
        add_stars(light, [x], [y], [1.0], float(prepared.fwhm[frame]), night.beta)
        light = convolve(light, pupil(night)) if night.defocus else light
        for i, radius in enumerate(radii):
            part = circle_overlap(columns - x, rows - y, float(radius))
            cover[i] += part / len(frames)
            lit[i] += part * light / len(frames)
            sums[number, i] = (part * light).sum()
    return sums, cover, lit


def _of_masters(
    prepared: Scene, cover: Floats, lit: Floats, level: float, sky: float, n_sky: float, chosen: int
) -> Floats:
    """Return the variance that the noise of the masters gives to ln of flux over chosen flux, (n_radius,)."""
    night = prepared.night
    flat = 1 / (max(night.n_flat, 1) * 0.45 * night.saturation * night.gain)
    dark = night.read_noise**2 + night.gain**2 / 12 + night.dark_current * night.exposure
    pixel = dark / max(night.n_dark, 1) + sky**2 * flat
    held = lit.sum(axis=(1, 2))
    flux = level * held / held[chosen]
    area = cover.sum(axis=(1, 2))

    def uncommon(value: Floats, scale: Floats) -> Floats:
        value = value / scale.reshape(-1, *(1,) * (value.ndim - 1))
        return np.asarray((value - value[chosen]) ** 2).reshape(len(value), -1).sum(axis=1)

    return np.asarray(
        pixel * (uncommon(cover, flux) + math.pi / 2 / n_sky * uncommon(area, flux))
        + flat * uncommon(lit, held)
    )
