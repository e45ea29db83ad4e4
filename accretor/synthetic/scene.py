"""What happens in a simulated night: the stars, the sky, the tracking, and each frame's pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accretor.core.arrays import Floats, Integers
from accretor.synthetic import sky, transit
from accretor.synthetic.camera import (
    Camera,
    Stream,
    add_stars,
    camera,
    convolve,
    pupil,
    read_out,
    stream,
)
from accretor.synthetic.night import Night

SCALE_HEIGHT = 8000.0
"""Of the turbulence that makes stars twinkle, m (Osborn et al. 2015, MNRAS 452, 1707)."""

TRAIL = (22.0, 9.6)
"""Slip of the telescope in a trailed frame, pixel: 24 in all."""

N_TRAIL = 25
"""Places at which a trailed star is drawn."""

RAY_LENGTH = 6.0
"""Longest track of a cosmic ray, pixel."""
RAY_ELECTRONS = (500.0, 20_000.0)
"""Least and most that a cosmic ray leaves; their logarithm is spread evenly."""

FILTER_COLOUR = 0.35
"""Magnitude by which a star of colour 1 is brighter in each filter that follows the first."""


@dataclass(frozen=True)
class Scene:
    """A night worked out: everything but the photons."""

    night: Night
    camera: Camera
    position: Floats
    """(n_star, 2) nominal pixel positions; the target is the first star."""
    flux: Floats
    """(n_star,) electron per exposure, at airmass 1 and clear sky; n_star with the companions."""
    colour: Floats
    """(n_star,) magnitude."""
    variation: Floats
    """(n_frame, n_star) factor on the flux of a star that varies by itself, transits but the target's."""
    bjd: Floats
    """(n_frame,) BJD_TDB of mid-exposure."""
    altitude: Floats
    """(n_frame,) degree."""
    airmass: Floats
    """(n_frame,)."""
    transparency: Floats
    """(n_frame,)."""
    transit: Floats
    """(n_frame,) relative flux of the target."""
    shift: Floats
    """(n_frame, 2) pixel."""
    flip: Integers
    """(n_frame,) 1, or -1 after the meridian."""
    fwhm: Floats
    """(n_frame,) pixel."""
    scintillation: Floats
    """(n_frame, n_star) factor on the flux, near 1."""


def prepare(night: Night) -> Scene:
    """Work out *night*.

    Raises
    ------
    ValueError
        If the frame has no room for its stars, or no light frame.
    """
    if night.n_frame < 1:
        raise ValueError("a night needs a light frame")
    position, flux, colour = _stars(night)
    bjd, altitude = sky.place_in_time(night)
    airmass = sky.airmass(altitude)
    states = [stream(night, Stream.STATE, index) for index in range(night.n_frame)]
    jitter = night.jitter * np.array([state.standard_normal(2) for state in states])
    seeing = np.exp(night.seeing_scatter * np.array([state.standard_normal() for state in states]))
    twinkle = np.array([state.standard_normal(len(flux)) for state in states])
    fraction = np.linspace(-0.5, 0.5, night.n_frame) if night.n_frame > 1 else np.zeros(1)
    index = np.arange(night.n_frame)
    return Scene(
        night=night,
        camera=camera(night),
        position=position,
        flux=flux,
        colour=colour,
        variation=_variation(night, flux, bjd),
        bjd=bjd,
        altitude=altitude,
        airmass=airmass,
        transparency=_transparency(night),
        transit=transit.mean_flux(bjd, night.exposure, night.transit),
        shift=fraction[:, np.newaxis] * np.array(night.drift) + jitter,
        flip=np.where(index < (night.n_frame if night.flip is None else night.flip), 1, -1),
        fwhm=night.fwhm * airmass**0.6 * seeing,
        scintillation=1 + _scintillation(night, airmass)[:, np.newaxis] * twinkle,
    )


def fault(scene: Scene, index: int) -> str:
    """Return what is wrong with light frame *index*, or nothing."""
    bad = scene.night.bad_frame
    return bad.fault if bad is not None and bad.index == index else ""


def positions(scene: Scene, index: int) -> Floats:
    """Return the (n_star, 2) pixel positions of the stars in light frame *index*."""
    middle = sky.centre(scene.night)
    return np.asarray(middle + scene.flip[index] * (scene.position - middle) + scene.shift[index])


def fluxes(scene: Scene, index: int) -> Floats:
    """Return the (n_star,) expected electrons of the stars in light frame *index*, where the flat is 1."""
    night = scene.night
    extinction = night.extinction + night.colour_extinction * scene.colour
    flux = scene.flux * 10 ** (-0.4 * extinction * (scene.airmass[index] - 1))
    flux = flux * scene.transparency[index] * scene.scintillation[index]
    flux = flux * scene.variation[index]
    flux[0] *= scene.transit[index]
    if night.filters:
        flux = flux * 10 ** (0.4 * FILTER_COLOUR * (index % len(night.filters)) * scene.colour)
    return np.asarray(flux)


def filter_of(night: Night, index: int) -> str:
    """Return the filter of light frame *index*, as the header writes it."""
    return night.filters[index % len(night.filters)] if night.filters else night.filter


def rays(scene: Scene, index: int) -> Floats:
    """Return the cosmic rays of light frame *index*: (n, 3), x, y (pixel) and electrons of each pixel hit."""
    night = scene.night
    place = positions(scene, index)
    wanted = [
        (*(place[hit.star] + np.array(hit.offset)), hit.electrons) for hit in night.hits if hit.frame == index
    ]
    if night.cosmic_rays:
        rng = stream(night, Stream.COSMIC, index)
        low, high = np.log(RAY_ELECTRONS)
        for _ in range(rng.poisson(night.cosmic_rays)):
            start, angle = rng.uniform((0, 0), night.size), rng.uniform(0, np.pi)
            electrons, length = np.exp(rng.uniform(low, high)), rng.uniform(1, RAY_LENGTH)
            n_pixel = int(np.ceil(length))
            for step in range(n_pixel):
                x, y = start + step * np.array([np.cos(angle), np.sin(angle)])
                wanted.append((x, y, electrons / n_pixel))
    return np.array(wanted, dtype=np.float64).reshape(-1, 3)


def trail(scene: Scene, index: int) -> Floats:
    """Return the (2, 2) ends, x and y, of the satellite's trail on light frame *index*; NaN if none."""
    night = scene.night
    if index not in night.satellites:
        return np.full((2, 2), np.nan)
    rng = stream(night, Stream.SATELLITE, index)
    size = np.array(night.size, dtype=np.float64)
    through, angle = rng.uniform(size / 3, 2 * size / 3), rng.uniform(0, np.pi)
    reach = np.hypot(*size) * np.array([[np.cos(angle), np.sin(angle)]])
    return np.asarray(through + np.array([[-1.0], [1.0]]) * reach)


def starlight(scene: Scene, index: int) -> Floats:
    """Return the (height, width) expected electrons of the stars alone, as if the flat were 1."""
    width, height = scene.night.size
    image = np.zeros((height, width))
    place, flux = positions(scene, index), fluxes(scene, index)
    path = np.zeros((1, 2))
    if fault(scene, index) == "shutter":
        return image
    if fault(scene, index) == "trailed":
        path = np.linspace(-0.5, 0.5, N_TRAIL)[:, np.newaxis] * np.array(TRAIL)
    for x, y in path:
        add_stars(
            image, place[:, 0] + x, place[:, 1] + y, flux / len(path), scene.fwhm[index], scene.night.beta
        )
    return convolve(image, pupil(scene.night)) if scene.night.defocus else image


def light(scene: Scene, index: int) -> NDArray[np.uint16]:
    """Return light frame *index*, ADU."""
    night, detector = scene.night, scene.camera
    glow = 0.0 if fault(scene, index) == "shutter" else night.sky * night.exposure
    sky_light = glow * _sky_shape(night, index) if night.twilight or night.sky_gradient else glow
    electrons = (starlight(scene, index) + sky_light) * detector.flat + detector.dark * night.exposure
    if index in night.satellites:
        electrons += _satellite(scene, index) * detector.flat
    for x, y, charge in rays(scene, index):
        column, row = round(x), round(y)
        if 0 <= column < night.size[0] and 0 <= row < night.size[1]:
            electrons[row, column] += charge
    level = night.bias_drift * index / max(night.n_frame - 1, 1)
    return read_out(electrons, night, detector, stream(night, Stream.LIGHT, index), level)


def bias(scene: Scene, index: int) -> NDArray[np.uint16]:
    """Return bias frame *index*, ADU."""
    nothing = np.zeros_like(scene.camera.dark)
    return read_out(nothing, scene.night, scene.camera, stream(scene.night, Stream.BIAS, index))


def dark(scene: Scene, index: int) -> NDArray[np.uint16]:
    """Return dark frame *index*, as long as a light frame, ADU."""
    electrons = scene.camera.dark * scene.night.exposure
    return read_out(electrons, scene.night, scene.camera, stream(scene.night, Stream.DARK, index))


def flat(scene: Scene, index: int) -> NDArray[np.uint16]:
    """Return flat frame *index*, about half as bright as saturation, ADU."""
    night, detector = scene.night, scene.camera
    rng = stream(night, Stream.FLAT, index)
    level = night.gain * 0.45 * night.saturation * rng.uniform(0.95, 1.05)
    electrons = level * detector.flat + detector.dark * night.flat_exposure
    return read_out(electrons, night, detector, rng)


def _stars(night: Night) -> tuple[Floats, Floats, Floats]:
    """Strew the stars: positions, fluxes, colours."""
    rng = stream(night, Stream.FIELD)
    # Stars stay on the frame, with room for an aperture, through drift, jitter and flip.
    margin = np.abs(np.array(night.drift)) / 2 + 4 * night.jitter + 3 * night.fwhm + night.defocus / 2
    low, high = margin, np.array(night.size) - 1 - margin
    place = sky.to_pixel(night, night.ra, night.dec)[np.newaxis]
    if np.any(low >= high) or np.any(place < low) or np.any(place > high):
        raise ValueError(f"the target at {place[0].round(1)} is not on a frame of {night.size} all night")
    while len(place) < night.n_star:
        tries = rng.uniform(low, high, (500, 2))
        apart = np.hypot(*(tries[:, np.newaxis] - place).transpose(2, 0, 1))
        needed = np.where(np.arange(len(place)) == 0, night.isolation, night.isolation / 2)
        free = np.flatnonzero(np.all(apart >= needed, axis=1))
        if free.size == 0:
            raise ValueError(f"a frame of {night.size} has room for {len(place)} stars, not {night.n_star}")
        place = np.vstack([place, tries[free[0]]])

    n_other = night.n_star - 1
    # One star in each step of rank, faint ones more frequent, as on the sky.
    rank = (np.arange(n_other) + rng.random(n_other)) / max(n_other, 1)
    brightest, faintest = night.magnitudes
    magnitude = rng.permutation(brightest + (faintest - brightest) * rank**0.6)
    flux = night.flux * 10 ** (-0.4 * np.append(0.0, magnitude))
    colour = np.append(0.0, night.colour_scatter * rng.standard_normal(n_other))
    if night.companions:
        place = np.vstack([place, [place[0] + np.array(star.offset) for star in night.companions]])
        flux = np.append(flux, [night.flux * 10 ** (-0.4 * star.magnitude) for star in night.companions])
        colour = np.append(colour, np.zeros(len(night.companions)))
    return place, flux, colour


def _variation(night: Night, flux: Floats, bjd: Floats) -> Floats:
    """Return (n_frame, n_star) factors on the flux of stars that vary; 1 for all others."""
    factor = np.ones((night.n_frame, len(flux)))
    if night.variable is not None:
        star = 1 + int(np.argsort(-flux[1 : night.n_star], kind="stable")[night.variable.rank])
        phase = 2 * np.pi * (bjd - bjd[0]) * 24 / night.variable.period
        factor[:, star] *= 10 ** (-0.4 * night.variable.amplitude * np.sin(phase))
    if any(star.eclipse for star in night.companions):
        # The shape of a transit of the same duration, whatever the planet of the target is.
        planet = replace(night.transit, rp_rs=0.1)
        dip = 1 - transit.mean_flux(bjd, night.exposure, planet)
        middle = transit.dimmed_flux(np.array([planet.impact]), planet.rp_rs, planet.limb_darkening)
        for number, companion in enumerate(night.companions, start=night.n_star):
            factor[:, number] -= companion.eclipse * dip / (1 - middle)
    return factor


def _sky_shape(night: Night, index: int) -> Floats:
    """Return the (height, width) factors on the sky of light frame *index*."""
    minute = (index * night.cadence + night.exposure / 2) / 60
    bright = 1 + night.twilight * np.exp(-minute / night.twilight_fade)
    across = 1 + night.sky_gradient * (np.arange(night.size[0]) / (night.size[0] - 1) - 0.5)
    return np.asarray(bright * np.broadcast_to(across, night.size[::-1]))


def _satellite(scene: Scene, index: int) -> Floats:
    """Return the (height, width) expected electrons of a satellite's trail, as wide as the seeing."""
    night = scene.night
    (x0, y0), (x1, y1) = trail(scene, index)
    width, height = night.size
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
    away = ((columns - x0) * (y1 - y0) - (rows - y0) * (x1 - x0)) / np.hypot(x1 - x0, y1 - y0)
    sigma = scene.fwhm[index] / 2.3548
    return np.asarray(
        night.satellite_flux * np.exp(-0.5 * (away / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    )


def _transparency(night: Night) -> Floats:
    if night.cloud is None:
        return np.ones(night.n_frame)
    minute = (np.arange(night.n_frame) * night.cadence + night.exposure / 2) / 60
    away = (minute - 60 * night.cloud.hour) / night.cloud.sigma
    return np.asarray(1 - night.cloud.depth * np.exp(-0.5 * away**2))


def _scintillation(night: Night, airmass: Floats) -> Floats:
    """Return the relative standard deviation of a star's flux (Osborn et al. 2015, eq. 7)."""
    variance = (
        1e-5
        * night.scintillation**2
        * night.diameter ** (-4 / 3)
        / night.exposure
        * airmass**3
        * np.exp(-2 * night.site.height / SCALE_HEIGHT)
    )
    return np.asarray(np.sqrt(variance))
