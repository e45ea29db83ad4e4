"""The core of skynetsoap: its background, its extraction, its sums; no catalogue, no alignment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from common import RADII, main
from skynetsoap.extraction.aperture import sum_circle
from skynetsoap.extraction.background import estimate_background
from skynetsoap.extraction.extractor import extract_sources


def _prepare(frames: list[Path], dark: np.ndarray, flat: np.ndarray) -> Any:
    def work(frame: Path) -> Any:
        data = (fits.getdata(frame).astype(np.float64) - dark) / flat
        background = estimate_background(data)
        clean = data - background.background
        found = extract_sources(clean, err=background.global_rms)
        return [
            sum_circle(clean, found.objects["x"], found.objects["y"], radius, err=background.global_rms)
            for radius in RADII * found.fwhm
        ]

    return work


main(_prepare)
