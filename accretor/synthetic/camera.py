"""The simulated detector: light on pixels, electrons to numbers, and what the silicon adds."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accretor.core.arrays import Floats
from accretor.synthetic.night import Night

STAMP_RADIUS = 6.0
"""Where the profile of a star ends, times the FWHM; the part within is normalised to 1."""


class Stream(enum.IntEnum):
    """What random numbers are for; the values are part of every seed and stay as they are."""

    FIELD = 1
    DETECTOR = 2
    STATE = 3
    LIGHT = 4
    BIAS = 5
    DARK = 6
    FLAT = 7
    COSMIC = 8
    SATELLITE = 9


def stream(night: Night, kind: Stream, index: int = 0) -> np.random.Generator:
    """Return the random numbers of one frame, the same whatever other frames are made."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([night.seed, kind, index])))


@dataclass(frozen=True)
class Camera:
    """What one detector does to every frame; arrays of (height, width) float64."""

    bias: Floats
    """ADU."""
    dark: Floats
    """Electron per second."""
    flat: Floats
    """Response, with a median of 1."""


def camera(night: Night) -> Camera:
    """Return the detector of *night*, with its columns, hot pixels, vignetting and dust."""
    rng = stream(night, Stream.DETECTOR)
    width, height = night.size
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
    bias = night.bias + rng.normal(0, 2.0, width) + 4.0 * (rows / height - 0.5)

    dark = night.dark_current * rng.gamma(16.0, 1 / 16, (height, width))
    hot = rng.random((height, width)) < night.hot_fraction
    dark += hot * rng.exponential(night.hot_current, (height, width))

    x, y = (columns - (width - 1) / 2), (rows - (height - 1) / 2)
    flat = 1 - night.vignetting * (x**2 + y**2) / ((width / 2) ** 2 + (height / 2) ** 2)
    for _ in range(night.n_dust):
        ring = np.hypot(columns - rng.uniform(0, width), rows - rng.uniform(0, height))
        flat *= 1 - 0.03 * np.exp(-0.5 * ((ring - rng.uniform(7, 12)) / 2.5) ** 2)
    flat *= 1 + night.pixel_response * rng.standard_normal((height, width))
    return Camera(bias=bias, dark=dark, flat=flat / np.median(flat))


def add_stars(image: Floats, x: Floats, y: Floats, flux: Floats, fwhm: float, beta: float) -> None:
    """Add to *image* stars of Moffat profile, integrated over each pixel by 3 x 3 Gauss points.

    Parameters
    ----------
    image : (height, width) float64, electron
        Changed in place.
    x, y : (n,) float64, pixel
        Centres; a star may be partly or wholly off the image.
    flux : (n,) float64, electron
        All of it falls within 6 FWHM.
    fwhm : float, pixel
    beta : float
        Exponent of the profile (Moffat 1969, A&A 3, 455).
    """
    scale = fwhm / (2 * np.sqrt(2 ** (1 / beta) - 1))
    half = int(np.ceil(STAMP_RADIUS * fwhm))
    steps = np.arange(-half, half + 1)
    node, weight = np.polynomial.legendre.leggauss(3)
    node, weight = node / 2, np.outer(weight, weight) / 4
    height, width = image.shape
    for column, row, total in zip(x, y, flux, strict=True):
        left, low = int(np.rint(column)) - half, int(np.rint(row)) - half
        across = ((left + half + steps - column + node[:, np.newaxis]) / scale) ** 2
        along = ((low + half + steps - row + node[:, np.newaxis]) / scale) ** 2
        square = along[:, np.newaxis, :, np.newaxis] + across[np.newaxis, :, np.newaxis, :]
        stamp = np.tensordot(weight, (1 + square) ** -beta, axes=2)
        stamp *= total / stamp.sum()
        inside_x = slice(max(left, 0), max(min(left + steps.size, width), 0))
        inside_y = slice(max(low, 0), max(min(low + steps.size, height), 0))
        image[inside_y, inside_x] += stamp[
            inside_y.start - low : inside_y.stop - low, inside_x.start - left : inside_x.stop - left
        ]


def pupil(night: Night) -> Floats:
    """Return the image of the pupil of a telescope out of focus, on odd (n, n) pixels with the sum 1."""
    outer = night.defocus / 2
    half = int(np.ceil(outer)) + 1
    # Each pixel counts by the part of its 9 x 9 points that are in the ring.
    point = (np.arange(9 * (2 * half + 1)) + 0.5) / 9 - half - 0.5
    radius = np.hypot(point[:, np.newaxis], point)
    ring = ((radius <= outer) & (radius >= outer * night.obstruction)).astype(np.float64)
    image = ring.reshape(2 * half + 1, 9, 2 * half + 1, 9).sum(axis=(1, 3))
    return np.asarray(image / image.sum())


def convolve(image: Floats, kernel: Floats) -> Floats:
    """Return *image* convolved with a small odd *kernel*; what leaves the image is lost."""
    height, width = (a + b - 1 for a, b in zip(image.shape, kernel.shape, strict=True))
    product = np.fft.rfft2(image, (height, width)) * np.fft.rfft2(kernel, (height, width))
    whole = np.fft.irfft2(product, (height, width))
    top, left = (side // 2 for side in kernel.shape)
    # The transform leaves rounding of either sign where there is no light.
    return np.asarray(np.maximum(whole[top : top + image.shape[0], left : left + image.shape[1]], 0))


def read_out(
    electrons: Floats, night: Night, detector: Camera, rng: np.random.Generator, level: float = 0.0
) -> NDArray[np.uint16]:
    """Return the raw frame, ADU, that an expectation of *electrons* gives.

    Photon noise, read noise, non-linearity, bias and what it has moved by (*level*), whole
    numbers, and a cut at the saturation level, in this order. The overscan, if there is one,
    has the level of the bias and its read noise.
    """
    counted = rng.poisson(electrons) + night.read_noise * rng.standard_normal(electrons.shape)
    signal = counted / night.gain
    if night.nonlinearity:
        signal = signal * (1 - night.nonlinearity * np.maximum(signal, 0) / night.saturation)
    number = signal + detector.bias + level
    if night.overscan:
        blind = night.bias + level + (detector.bias.mean(axis=1) - detector.bias.mean())
        noise = rng.standard_normal((len(number), night.overscan)) * night.read_noise / night.gain
        number = np.hstack([number, blind[:, np.newaxis] + noise])
    return np.clip(np.rint(number), 0, min(night.saturation, 65535)).astype(np.uint16)
