"""The figures that are made of an observation: one line for each."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class FigureEntry:
    """A figure of an observation."""

    name: str
    tail: str
    """End of the file's name, as SG1 and ExoFOP know it."""
    dumps: tuple[str, ...]
    """Dumps that the figure is drawn from, by their names in `accretor.io.layout.ObservationPaths`."""
    function: str
    """Module of this package and its function, ``module.function``."""
    description: str

    def load(self) -> Callable[..., Figure]:
        """Import and return the function; only this imports matplotlib."""
        module, _, name = self.function.partition(".")
        function: Callable[..., Figure] = getattr(importlib.import_module(f"accretor.plots.{module}"), name)
        return function


_IMAGE = ("template_image", "template_stars", "results")

FIGURES: tuple[FigureEntry, ...] = (
    FigureEntry("light_curve", "lightcurve.png", ("light_curve", "results"), "lightcurve.light_curve",
                "target, model, residuals and what may have disturbed them"),
    FigureEntry("comparison_stars", "compstar-lightcurves.png", ("light_curve", "comparison", "results"),
                "comparison.comparison_stars", "each comparison star against the others"),
    FigureEntry("field", "field.png", _IMAGE, "field.field", "the whole field with its apertures"),
    FigureEntry("field_zoom", "field-zoom.png", _IMAGE, "field.field", "the target and its neighbours"),
    FigureEntry("seeing_profile", "seeing-profile.png", _IMAGE, "seeing.seeing_profile",
                "radial profile of the target with aperture and annulus"),
)  # fmt: skip
"""In the order of the package."""

OPTIONAL: tuple[FigureEntry, ...] = (
    FigureEntry("zero_points", "zeropoints.png", ("zero_points", "magnitudes"), "zeropoint.zero_points",
                "the zero point of each frame, and each star against the catalogue"),
)  # fmt: skip
"""Drawn where there is something to draw, each by the stage that finds it; not in the package."""
