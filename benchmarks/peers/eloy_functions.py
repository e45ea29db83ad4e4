"""The functions of eloy, in the order of its tutorial."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from common import ANNULUS, N_STAR, RADII, main
from eloy import alignment, calibration, centroid, detection, photometry, psf, utils


def _detected(data: np.ndarray, opening: int) -> Any:
    return detection.stars_detection(data, opening=opening)


def _prepare(frames: list[Path], dark: np.ndarray, flat: np.ndarray) -> Any:
    reference: dict[str, Any] = {}

    def calibrated(frame: Path) -> Any:
        return calibration.calibrate(fits.getdata(frame).astype(float), 1.0, dark, flat, np.zeros(1))

    # Its default removes stars of two pixels; without fifty there is less work than the others do.
    first = calibrated(frames[0])
    opening = next((size for size in (5, 3, 2) if len(_detected(first, size)) >= N_STAR), 2)

    def work(frame: Path) -> Any:
        data = calibrated(frame)
        found = _detected(data, opening)
        coords = np.array([region.centroid_weighted[::-1] for region in found])[:N_STAR]
        cutouts = utils.cutout(data, coords, (50, 50))
        cutouts = cutouts / np.nanmax(cutouts, (1, 2))[:, None, None]
        fitted = psf.fit_gaussian(np.nanmedian(cutouts, 0))
        fwhm = float(np.mean([fitted["sigma_x"], fitted["sigma_y"]]) * psf.gaussian_sigma_to_fwhm)
        if not reference:
            reference.update(xy=coords, fwhm=fwhm, tree=alignment.twirl_reference(coords[:12]))
        matrix = alignment.rotation_matrix(coords[:12], reference["xy"][:12], reference["tree"])
        place = (np.linalg.inv(matrix) @ np.column_stack((reference["xy"], np.ones(len(reference["xy"])))).T)[
            :2
        ].T
        place = centroid.photutils_centroid(data, place)
        inner, outer = (factor * reference["fwhm"] for factor in ANNULUS)
        radii = RADII * reference["fwhm"]
        sky = photometry.annulus_sigma_clip_median(data, place, inner, outer)
        return photometry.aperture_photometry(data, place, radii) - sky[:, np.newaxis] * np.pi * radii**2

    return work


main(_prepare)
