"""The sky of a simulated night: the catalogue that a survey would have of its field."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from accretor import catalogs
from accretor.core.catalog import Catalog
from accretor.synthetic import scene, sky
from accretor.synthetic.night import Night

ZERO_POINT = 22.5
"""Magnitude of one electron per second at airmass 1."""
N_FAR = 150
"""Stars around the frame."""


def catalog(
    night: Night,
    *,
    name: str = "gaia_dr3",
    bands: dict[str, tuple[float, float]] | None = None,
    error: float = 0.0,
    n_far: int = N_FAR,
    seed: int = 5,
) -> Catalog:
    """Return the catalogue of the field of *night*.

    Parameters
    ----------
    bands
        For each band, its offset from the band of the camera and how much of a star's colour it has more.
    error : float
        Standard deviation of the catalogue's magnitudes, and their stated error.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    there = scene.prepare(night)
    size = np.array(night.size)
    around = rng.uniform(-1.2 * size, 2.2 * size, (n_far * 2, 2))
    around = around[np.any((around < -3) | (around > size + 2), axis=1)][:n_far]
    place = np.vstack((there.position, around))
    magnitude = ZERO_POINT - 2.5 * np.log10(there.flux / night.exposure)
    colour = np.append(there.colour, rng.normal(0, night.colour_scatter, len(around)))
    magnitude = np.append(magnitude, rng.uniform(magnitude.min(), magnitude.max() + 1, len(around)))
    ra, dec = sky.to_sky(night, place).T
    bands = bands or {"G": (0.0, 0.0), "BP": (0.5, 0.5), "RP": (-0.5, -0.5)}
    found = {}
    for band, (offset, slope) in bands.items():
        found[band] = magnitude + offset + slope * colour + error * rng.standard_normal(len(place))
    n = len(place)
    return Catalog(
        name=name,
        epoch=2016.0,
        identifier=np.array([str(10**6 + i) for i in range(n)]),
        ra=ra,
        dec=dec,
        pm_ra=np.zeros(n),
        pm_dec=np.zeros(n),
        magnitude=found,
        magnitude_error={band: np.full(n, max(error, 0.002)) for band in bands},
        system={band: "AB" if band in ("g", "r", "i", "z") else "Vega" for band in bands},
        flag=np.full(n, "", dtype="<U9"),
    )


def keep(workspace: Path, found: Catalog, target: str = "TOI-9999.01") -> Path:
    """Put a catalogue where `doit fetch` would have kept it."""
    path = workspace / "archive" / target / "catalogs" / f"{found.name}.ecsv"
    catalogs.write(path, found, {"service": "made for a test"})
    return path


def without_first(found: Catalog, n: int) -> Catalog:
    """Return the catalogue without its first stars."""
    arrays = {
        name: getattr(found, name)[n:] for name in ("identifier", "ra", "dec", "pm_ra", "pm_dec", "flag")
    }
    return dataclasses.replace(
        found,
        **arrays,
        magnitude={band: values[n:] for band, values in found.magnitude.items()},
        magnitude_error={band: values[n:] for band, values in found.magnitude_error.items()},
    )
