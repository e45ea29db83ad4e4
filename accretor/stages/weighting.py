"""Which stars are weighted by the profile, and how much: chosen on the template's frame."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from accretor.core.arrays import Floats, Image
from accretor.io import fits as io_fits
from accretor.io.dump import Row

if TYPE_CHECKING:
    from accretor.science.circles import Profile
    from accretor.science.geometry import Stampable

MOST_GAUGES = 40
"""Brightest stars that stand alone, by which weighted sums are put on the scale of plain ones."""
MOST_CONTRAST = 0.02
"""Light of its neighbours over that of such a star."""
COMPARED = 1.75
"""Radius at which the noise of weights is compared, FWHM."""


@dataclass(frozen=True)
class Weighting:
    """How the stars of a template are weighted."""

    turn: tuple[float, ...]
    """Of `accretor.science.circles.weighted_sums`, for each star."""
    gauge: tuple[int, ...]
    """Numbers of the stars that tell profile and scale, brightest first."""
    misfit: float
    """Of `accretor.science.optimal.Choice`."""


def choose(
    image: Path, digest: str, rows: Sequence[Row], fwhm: float, annulus: tuple[float, float]
) -> Weighting:
    """Choose the weights of all stars.

    Parameters
    ----------
    image : Path
        ``template.fits``, of this digest.
    rows : sequence of dict
        The star list.
    fwhm : float, pixel
    annulus : (float, float), pixel
    """
    stars = tuple(
        (row["x"], row["y"], row["flux"], row["contrast"], bool(row["is_saturated"])) for row in rows
    )
    return _chosen(image, digest, stars, fwhm, annulus)


def profile(image: Image | Stampable, place: Floats, gauge: Sequence[int], fwhm: float) -> Profile:
    """Return the profile of a frame whose stars are at *place*, (n_star, 2)."""
    from accretor.science import optimal

    bright = np.array(gauge, dtype=np.int64)
    return optimal.fitted(image, place[bright, 0], place[bright, 1], fwhm)


@functools.lru_cache(maxsize=4)
def _chosen(
    path: Path,
    digest: str,
    stars: tuple[tuple[float, float, float, float, bool], ...],
    fwhm: float,
    annulus: tuple[float, float],
) -> Weighting:
    from accretor.science import aperture, optimal

    image = io_fits.read_image(path)
    x, y, flux, contrast, is_saturated = (np.array(column) for column in zip(*stars, strict=True))
    alone = np.flatnonzero((contrast < MOST_CONTRAST) & ~is_saturated & (flux > 0))
    gauge = alone[np.argsort(-flux[alone], kind="stable")][:MOST_GAUGES]
    shape = profile(image, np.column_stack([x, y]), gauge.tolist(), fwhm)
    found = [
        aperture.measure(
            image,
            image,
            x,
            y,
            radii=np.array([COMPARED * fwhm]),
            annulus=annulus,
            fwhm=fwhm,
            gain=1.0,
            read_noise=math.nan,
            recentre=np.isin(np.arange(len(x)), gauge),
            saturation=math.inf,
            profile=shape,
            turn=np.full(len(x), turn),
        )
        for turn in optimal.TURNS
    ]
    choice = optimal.choose(
        np.array([one.flux[:, 0] for one in found]),
        np.array([one.flux_error[:, 0] for one in found]),
        x,
        y,
        np.isin(np.arange(len(x)), gauge),
    )
    return Weighting(tuple(choice.turn.tolist()), tuple(gauge.tolist()), choice.misfit)
