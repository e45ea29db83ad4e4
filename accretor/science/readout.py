"""What the read-out adds to the pixels' charge: a level that wanders, blind rims, and a curved scale."""

from __future__ import annotations

import numpy as np

from accretor.core.arrays import Image
from accretor.core.errors import Unusable
from accretor.core.readout import Section

CLIP = 3.0
"""Standard deviations around the median within which an overscan pixel is believed."""


def window(image: Image, section: Section | None) -> Image:
    """Return the part of *image* (height, width) that *section* names; all of it for None.

    Raises
    ------
    Unusable
        If the section reaches beyond the image.
    """
    if section is None:
        return image
    height, width = image.shape
    if not section.is_in(width, height):
        raise Unusable(f"{width}x{height} pixels; the section {section} is not in the frame")
    return image[section.low : section.high, section.left : section.right]


def overscan_level(blind: Image) -> float:
    """Return the level of a frame, ADU: the mean of its *blind* pixels without those that stand out.

    One number for the whole frame, as of BANZAI (McCully et al. 2018, SPIE 10707): a level for each
    row would put the noise of a few pixels on all of the row. What differs between rows all night
    is in the master bias.
    """
    values = np.asarray(blind, dtype=np.float64).ravel()
    middle = np.median(values)
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    # Whole numbers may have no spread at all.
    return float(values[np.abs(values - middle) <= CLIP * max(spread, 1.0)].mean())


def linearised(signal: Image, coefficients: tuple[float, ...]) -> Image:
    """Return what a linear detector would have shown.

    Parameters
    ----------
    signal : any shape, ADU
        Without the bias.
    coefficients : tuple of float
        Of ascending powers (the convention of AstroImageJ's data processor); empty leaves *signal* as it is.

    Returns
    -------
    float32, shape of *signal*, ADU
    """
    if not coefficients:
        return signal
    value = np.asarray(signal, dtype=np.float64)
    result = np.zeros_like(value)
    for coefficient in reversed(coefficients):
        result = result * value + coefficient
    return result.astype(np.float32)


def median_filtered(image: Image) -> Image:
    """Return the median of the 3 x 3 pixels around each pixel (height, width); the rim is mirrored."""
    from scipy.ndimage import median_filter

    return np.asarray(median_filter(image, size=3, mode="mirror"))
