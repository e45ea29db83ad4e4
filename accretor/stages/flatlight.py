"""Which flat frames have the right amount of light."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accretor.core.errors import Unusable
from accretor.core.readout import Section
from accretor.io import fits as io_fits
from accretor.stages.masters import Source

DIMMEST, BRIGHTEST = 0.1, 0.7
"""Of the saturation level: below, the noise of the flats shows; above, few detectors are linear."""
CURVED = 0.85
"""Of the saturation level: flats above are not used even if there are no others, for all detectors are curved
there, each pixel in its own way."""
FULL = 65535.0
"""ADU that no 16-bit detector goes beyond; the upper limit where no saturation level is known."""


@dataclass(frozen=True)
class Lit:
    """The flat frames that are used."""

    sources: list[Source]
    remarks: list[str]
    levels: dict[str, float]
    """Median by digest, ADU; kept, so that no frame is read twice for it."""


def choose(
    sources: Sequence[Source], saturation: float, trim: Section | None, known: Mapping[str, float]
) -> Lit:
    """Leave out flat frames with too little or too much light; keep what is bearable if none is right.

    Parameters
    ----------
    saturation : float, ADU
        NaN where nothing tells it: then there is no lower limit.
    trim : Section or None
        Pixels that see the sky.
    known : mapping
        Medians that were measured before, by digest.

    Raises
    ------
    Unusable
        If all are near saturation.
    """
    levels = {
        item.digest: known[item.digest] if item.digest in known else _level(item, trim) for item in sources
    }
    kept = {digest: level for digest, level in levels.items() if math.isfinite(level)}
    is_known = math.isfinite(saturation) and saturation > 0
    low, high = (DIMMEST * saturation, BRIGHTEST * saturation) if is_known else (0.0, BRIGHTEST * FULL)
    wrong = [item for item in sources if levels[item.digest] < low or levels[item.digest] > high]
    right = [item for item in sources if item not in wrong]
    if not wrong:
        return Lit(list(sources), [], kept)
    said = ", ".join(f"{item.label} ({levels[item.digest]:.0f} ADU)" for item in wrong)
    limits = f"{low:.0f} to {high:.0f} ADU"
    if not right:
        full = CURVED * (saturation if is_known else FULL)
        bearable = [item for item in sources if levels[item.digest] < full]
        if not bearable:
            raise Unusable(
                f"all {len(sources)} flats are above {100 * CURVED:.0f} % of saturation "
                f"({full / CURVED:g} ADU): take them out of raw/"
            )
        return Lit(bearable, [f"flats with too little or too much light, {limits} wanted: {said}"], kept)
    return Lit(right, [f"not in the master flat, for {limits} are wanted: {said}"], kept)


def _level(item: Source, trim: Section | None) -> float:
    """Return the median of a frame, ADU; NaN for one that cannot be read, which the master says of it."""
    import numpy as np

    from accretor.science.readout import window

    try:
        return float(np.nanmedian(window(io_fits.read_image(item.path, item.hdu, item.part), trim)))
    except Unusable:
        return math.nan
