"""The catalogue that a survey would have of a simulated field: its true stars, as a file of the user's."""

from __future__ import annotations

import math

from accretor.synthetic.night import Night, Truth

EPOCH = 2016.0
"""Julian year of the positions; nothing moves."""

ZERO_POINT = 22.5
"""Magnitude of a star that gives one electron per second at airmass 1, in the camera's own band."""

BANDS = {"G": (0.15, 0.30), "BP": (0.55, 0.80), "RP": (-0.45, -0.20), "r": (0.30, 0.45), "i": (0.0, 0.0)}
"""For each band, how much fainter a star is in it than in the camera's band, magnitude, and the part of
its colour that comes on top: the camera's band is that of i."""

ERROR = 0.005
"""Stated error of the magnitudes: they are true, but no survey would claim less."""


def as_csv(night: Night, truth: Truth) -> str:
    """Return the stars of *night* as CSV: ``id``, ``ra`` and ``dec`` (ICRS, degree), magnitudes and errors.

    The names of the columns of bands are ours (``G``, ``G_error`` ...), so that
    the settings can name each by itself.
    """
    names = [name for band in BANDS for name in (band, f"{band}_error")]
    lines = [",".join(["id", "ra", "dec", *names])]
    for star, (ra, dec, flux, colour) in enumerate(
        zip(truth.ra, truth.dec, truth.flux, truth.colour, strict=True)
    ):
        own = ZERO_POINT - 2.5 * math.log10(flux / night.exposure)
        magnitudes = [
            text
            for offset, slope in BANDS.values()
            for text in (f"{own + offset + slope * colour:.4f}", f"{ERROR:.3f}")
        ]
        lines.append(",".join([str(star), f"{ra:.7f}", f"{dec:.7f}", *magnitudes]))
    return "\n".join(lines) + "\n"


def settings(path: str) -> str:
    """Return the lines of ``workspace.toml`` that name such a file."""
    columns = {"identifier": "id", "ra": "ra", "dec": "dec"}
    columns |= {name: name for band in BANDS for name in (band, f"{band}_error")}
    named = ", ".join(f'{ours} = "{theirs}"' for ours, theirs in columns.items())
    return (
        "[[catalogs.file]]             # the true stars; else `doit fetch` gets catalogues\n"
        f'name = "truth"\npath = "{path}"\nepoch = {EPOCH}\ncolumns = {{{named}}}\n'
    )
