"""The calibration and photometry sequence of prose's documentation."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

# It fetches the weights of a network when it is imported; that part is not used.
home = Path(tempfile.mkdtemp())
os.environ["HOME"] = str(home)
(home / ".prose").mkdir()
(home / ".prose" / "centroid.h5").touch()

import numpy as np  # noqa: E402
from common import ANNULUS, N_STAR, RADII, main  # noqa: E402
from prose import FITSImage, Sequence, blocks  # noqa: E402


def _prepare(frames: list[Path], dark: np.ndarray, flat: np.ndarray) -> Any:
    def first() -> list[Any]:
        calibrate = blocks.Calibration(verbose=False)
        calibrate.master_bias, calibrate.master_dark, calibrate.master_flat = 0.0, dark, flat
        calibrate.calibration = lambda image, exposure: (image - dark) / flat
        return [
            calibrate,
            blocks.PointSourceDetection(n=N_STAR),
            blocks.Cutouts(),
            blocks.MedianEPSF(),
            blocks.Moffat2D(),
        ]

    reference = FITSImage(frames[0])
    Sequence(first()).run(reference, show_progress=False)
    steps = [
        *first(),
        blocks.ComputeTransformTwirl(reference),
        blocks.AlignReferenceSources(reference),
        blocks.CentroidQuadratic(),
        blocks.AperturePhotometry(radii=RADII),
        blocks.AnnulusBackground(rin=ANNULUS[0], rout=ANNULUS[1]),
    ]

    def work(frame: Path) -> Any:
        image = FITSImage(frame)
        for step in steps:
            step.run(image)
            if image.discard:
                raise RuntimeError(f"discarded by {type(step).__name__}")
        return image.aperture

    return work


main(_prepare)
