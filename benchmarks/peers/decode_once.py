"""The limit of compressed frames: astropy unpacks each once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from common import main


def _prepare(frames: list[Path], dark: np.ndarray, flat: np.ndarray) -> Any:
    def work(frame: Path) -> Any:
        with fits.open(frame) as hdus:
            return hdus[1].data.shape

    return work


main(_prepare)
