"""Masters that some other program made: what was done to them is told by their header, or else their level.

Nothing is guessed in silence: each function returns, with the image, the sentence that says what was found.
"""

from __future__ import annotations

import numpy as np

from accretor.core.arrays import Image
from accretor.core.errors import Unusable

FULL_SCALE = 65535.0
"""ADU that PixInsight and Siril call 1."""
LEAST_NOISE = 0.02
"""ADU: the pixels of no mean of frames differ by less, for read noise and pattern do not."""
BELOW_ZERO = 0.005
"""Part of the pixels below 0 from which on the zero level was taken off: converters of cameras have none."""
OFF, ON = 0.5, 0.9
"""Level of a dark over that of the bias: below, it lacks the bias; above, it holds it; else nobody knows."""
LEVEL = 20.0
"""ADU below which a zero level counts as taken off."""
NORMALISED = 10.0
"""Median of a flat below which it is a response, and no number of ADU."""


def in_adu(image: Image) -> tuple[Image, str]:
    """Return a master bias or dark in ADU: one that some program keeps from 0 to 1 is multiplied by 65535.

    Of such an image no pixel is above 1 and the pixels differ by less than any read-out's noise.
    """
    finite = image[np.isfinite(image)]
    if not finite.size:
        raise Unusable("no pixel has a value")
    spread = 1.4826 * float(np.median(np.abs(finite - np.median(finite))))
    if finite.max() > 1 or spread > LEAST_NOISE or not finite.any():
        return _finite(image, float(np.median(finite))), ""
    scaled = image * np.float32(FULL_SCALE)
    middle = float(np.median(finite)) * FULL_SCALE
    return _finite(scaled, middle), f"from 0 to 1, multiplied by {FULL_SCALE:.0f} to {middle:.4g} ADU"


def bias(image: Image, *, is_levelled: bool) -> tuple[Image, str]:
    """Return a master bias for frames whose overscan is taken off (*is_levelled*) or not."""
    image, said = in_adu(image)
    level = float(np.median(image))
    if is_levelled and abs(level) > LEVEL:
        image = image - np.float32(level)
        said = _and(said, f"its level of {level:.4g} ADU is taken off, as the overscan of the frames is")
    return image, said


def dark(image: Image, known: Image | None, *, is_off: bool, is_levelled: bool) -> tuple[Image, str]:
    """Return a master dark without its bias, if there is a bias; else as it is.

    Parameters
    ----------
    image : (height, width)
    known : (height, width), ADU
        Master bias; None without one.
    is_off
        Its header says that its bias is off.
    is_levelled
        The zero level of the frames is taken off by their overscan.

    Raises
    ------
    Unusable
        If its level does not tell whether it holds the bias.
    """
    image, said = in_adu(image)
    if is_off:
        return image, _and(said, "its bias is off, by its header")
    level, below = float(np.median(image)), float(np.mean(image < 0))
    if is_levelled:
        if abs(level) < LEVEL or below > BELOW_ZERO:
            return image, _and(said, f"its level is {level:.4g} ADU: its zero level is taken as off")
        found = image - np.float32(level)
        found = found if known is None else found - known
        return found, _and(
            said, f"its level of {level:.4g} ADU is taken off, as the overscan of the frames is"
        )
    if below > BELOW_ZERO:
        if known is None:
            raise Unusable(
                f"its bias is off, for {100 * below:.0f} % of its pixels are below 0, and there is no bias "
                "for the frames: add bias frames, or take it out of raw/"
            )
        return image, _and(said, f"its bias is off, for {100 * below:.0f} % of its pixels are below 0")
    if known is None:
        return image, said
    zero = float(np.median(known))
    both = f"its level is {level:.4g} ADU, that of the bias {zero:.4g}"
    if abs(zero) < LEVEL:
        return image, _and(said, f"its bias is taken as off ({both})")
    if level < OFF * zero:
        return image, _and(said, f"its bias is off, for {both}")
    if level < ON * zero:
        raise Unusable(
            f"{both}: is the bias off or not? Say so by its card CALSTAT = 'B', or take it out of raw/"
        )
    return image - known, _and(said, f"its bias was in it and is taken off, for {both}")


def flat(image: Image, known: Image | None, *, is_off: bool) -> tuple[Image, str]:
    """Return the response of the pixels, median 1, of a master flat in ADU or of any scale.

    Parameters
    ----------
    image : (height, width)
    known : (height, width), ADU
        Master bias; None without one.
    is_off
        Its header says that its bias is off.

    Raises
    ------
    Unusable
        If it has no light.
    """
    middle = float(np.nanmedian(image))
    if not middle > 0:
        raise Unusable(f"its median is {middle:.4g}: no light")
    if is_off:
        said = "its bias is off, by its header"
    elif middle < NORMALISED:
        said = f"a response of median {middle:.4g}: its bias is taken as off"
    elif known is None:
        said = ""
    else:
        zero = float(np.median(known))
        if float(np.nanmin(image)) < OFF * zero or abs(zero) < LEVEL:
            said = "its bias is off, for its darkest pixels are below that"
        else:
            said = (
                "nothing says whether its bias is off: taken as off, as programs do; else its response is "
                f"wrong by up to {100 * zero / middle:.1f} %"
            )
    found = np.where(np.isfinite(image), image, 0) / np.float32(middle)
    return np.asarray(found, dtype=np.float32), said


def _finite(image: Image, middle: float) -> Image:
    return np.asarray(np.where(np.isfinite(image), image, np.float32(middle)), dtype=np.float32)


def _and(one: str, other: str) -> str:
    return "; ".join(filter(None, (one, other)))
