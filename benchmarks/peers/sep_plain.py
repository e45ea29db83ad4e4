"""sep, straightforwardly: background, extraction and sums are its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import sep
from astropy.io import fits
from astropy.stats import sigma_clip
from common import ANNULUS, N_STAR, RADII, main


def _prepare(frames: list[Path], dark: np.ndarray, flat: np.ndarray) -> Any:
    dark, flat = dark.astype(np.float32), flat.astype(np.float32)
    reference: dict[str, Any] = {}

    def work(frame: Path) -> Any:
        data = (fits.getdata(frame).astype(np.float32) - dark) / flat
        background = sep.Background(data)
        clean = data - background.back()
        stars = sep.extract(clean, 5.0, err=background.globalrms)
        stars = stars[np.argsort(-stars["flux"])]
        xy = np.column_stack((stars["x"], stars["y"]))
        fwhm = 2 * float(
            np.median(sep.flux_radius(clean, *xy[:N_STAR].T, np.full(len(xy[:N_STAR]), 20.0), 0.5)[0])
        )
        if not reference:
            reference.update(xy=xy[:N_STAR], fwhm=fwhm)
        apart = (xy[:200, np.newaxis] - reference["xy"][:30]).reshape(-1, 2)
        cells, counts = np.unique(np.rint(apart / 4), axis=0, return_counts=True)
        shift = np.median(apart[np.all(np.abs(apart - 4 * cells[counts.argmax()]) < 6, axis=1)], axis=0)
        place = reference["xy"] + shift
        x, y, _ = sep.winpos(clean, *place.T, np.full(len(place), reference["fwhm"] / 2.355))
        inner, outer = (factor * reference["fwhm"] for factor in ANNULUS)
        half = int(outer) + 2
        sky = []
        for column, row in zip(x, y, strict=True):
            left, low = max(int(column) - half, 0), max(int(row) - half, 0)
            part = data[low : low + 2 * half, left : left + 2 * half]
            v, u = np.indices(part.shape)
            distance = np.hypot(u + left - column, v + low - row)
            sky.append(float(np.ma.median(sigma_clip(part[(distance > inner) & (distance < outer)], 3.0))))
        return [
            sep.sum_circle(data, x, y, radius, subpix=0)[0] - np.array(sky) * np.pi * radius**2
            for radius in RADII * reference["fwhm"]
        ]

    return work


main(_prepare)
