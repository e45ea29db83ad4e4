"""What sets a frame apart from the others of its night."""

from __future__ import annotations

import numpy as np

from accretor.core.arrays import Booleans, Floats

FEW_MATCHES = 0.5
"""Part of the usual number of matched stars."""
DIM = 0.525
"""Part of the light of a clear frame: 0.7 magnitudes are lost."""
WIDE = 2.0
"""Times the usual FWHM."""
BRIGHT_SKY = 5.0
"""Times the usual sky."""
DEFOCUSED = 15.0
"""Pixel of FWHM beyond which it is the focus, and not the air."""
CLEAR = 0.95
"""Part of the frames that are at most as clear as a clear one: a few may be too bright by chance."""


def remarks(n_match: Floats, transparency: Floats, fwhm: Floats, sky: Floats, sky_noise: Floats) -> list[str]:
    """Return for each frame what is unusual in it, in words; "" for most.

    Nothing here makes a frame poor: its errors are larger, and that is enough. The usual
    is the median of the frames that have a value.

    Parameters
    ----------
    n_match, transparency, fwhm, sky, sky_noise : (n_frame,) float64
        Stars matched, light relative to any one frame, pixel, electron, electron. NaN
        where not known.
    """
    found: list[list[str]] = [[] for _ in n_match]

    def note(is_so: Booleans, words: str, value: Floats, usual: float) -> None:
        for index in np.flatnonzero(is_so):
            found[index].append(words.format(value[index], usual))

    known = transparency[np.isfinite(transparency)]
    clear = float(np.quantile(known, CLEAR)) if len(known) else np.nan
    matches, width, level = (_median(values) for values in (n_match, fwhm, sky))
    with np.errstate(invalid="ignore"):
        note(n_match < FEW_MATCHES * matches, "{:.0f} stars matched, usually {:.0f}", n_match, matches)
        note(transparency < DIM * clear, "{:.0%} of the light of a clear frame", transparency / clear, clear)
        note(fwhm > WIDE * width, "FWHM {:.1f} pixel, usually {:.1f}", fwhm, width)
        note(fwhm > DEFOCUSED, "out of focus: stars are {:.0f} pixels wide", fwhm, width)
        # Of a dark sky five times is little, and the noise alone may make it.
        is_bright = (sky > BRIGHT_SKY * level) & (sky - level > BRIGHT_SKY * _median(sky_noise))
        note(is_bright, "sky {:.0f} electron per pixel, usually {:.0f}", sky, level)
    return ["; ".join(words) for words in found]


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")
