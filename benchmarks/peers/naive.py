"""ccdproc, photutils and astroalign, put together as their tutorials do it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import astroalign
import astropy.units as u
import numpy as np
from astropy.nddata import CCDData
from astropy.stats import SigmaClip, sigma_clipped_stats
from ccdproc import flat_correct, subtract_dark
from common import ANNULUS, N_STAR, RADII, main
from photutils.aperture import ApertureStats, CircularAnnulus, CircularAperture, aperture_photometry
from photutils.background import Background2D, MedianBackground
from photutils.centroids import centroid_2dg, centroid_sources
from photutils.detection import DAOStarFinder
from photutils.psf import fit_fwhm


def _prepare(frames: list[Path], dark: np.ndarray, flat: np.ndarray) -> Any:
    master_dark, master_flat = CCDData(dark, unit="adu"), CCDData(flat, unit="adu")
    reference: dict[str, Any] = {}

    def work(frame: Path) -> Any:
        ccd = CCDData.read(frame, unit="adu")
        same = {"dark_exposure": 1 * u.s, "data_exposure": 1 * u.s}
        ccd = flat_correct(subtract_dark(ccd, master_dark, **same), master_flat)
        data = np.asarray(ccd.data)
        background = Background2D(
            data, 64, filter_size=3, sigma_clip=SigmaClip(3.0), bkg_estimator=MedianBackground()
        )
        clean = data - background.background
        _, _, noise = sigma_clipped_stats(clean)
        fwhm = reference.get("fwhm", 4.0)
        stars = DAOStarFinder(threshold=5 * noise, fwhm=fwhm)(clean)
        stars.sort("flux", reverse=True)
        names = ("x_centroid", "y_centroid") if "x_centroid" in stars.colnames else ("xcentroid", "ycentroid")
        xy = np.column_stack([np.asarray(stars[name]) for name in names])
        size = 2 * int(2 * fwhm) + 1
        inside = np.all((xy > size) & (xy < np.array(data.shape[::-1]) - size), axis=1)
        xy = xy[inside]
        fwhm = float(np.median(fit_fwhm(clean, xypos=xy[:N_STAR], fit_shape=size)))
        if not reference:
            reference.update(xy=xy[:N_STAR], fwhm=fwhm)
        transform, _ = astroalign.find_transform(reference["xy"], xy[:N_STAR])
        place = transform(reference["xy"])
        x, y = centroid_sources(clean, *place.T, box_size=size, centroid_func=centroid_2dg)
        place = np.column_stack((x, y))
        inner, outer = (factor * reference["fwhm"] for factor in ANNULUS)
        sky = ApertureStats(data, CircularAnnulus(place, inner, outer), sigma_clip=SigmaClip(3.0)).median
        apertures = [CircularAperture(place, radius) for radius in RADII * reference["fwhm"]]
        table = aperture_photometry(data, apertures)
        return [table[f"aperture_sum_{i}"] - sky * aperture.area for i, aperture in enumerate(apertures)]

    return work


main(_prepare)
