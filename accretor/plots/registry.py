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
    is_packaged: bool = True
    """Goes to ExoFOP; else it is for the observer, and in the report."""

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
"""Of an observation that go to ExoFOP, in the order of the package."""

_CURVE = ("light_curve", "results")

DIAGNOSTICS: tuple[FigureEntry, ...] = (
    FigureEntry("frame_strip", "frames.png", ("light_curve", "image_info", "photometry_info"),
                "systematics.frame_strip", "each frame: FWHM, sky, transparency, shift; why it was left out",
                is_packaged=False),
    FigureEntry("centroid_drift", "drift.png", _CURVE, "systematics.centroid_drift",
                "how the target moved over the detector", is_packaged=False),
    FigureEntry("sky_track", "sky-track.png", ("frames", "light_curve"), "systematics.sky_track",
                "the target's way over the sky with times and airmass", is_packaged=False),
    FigureEntry("time_averaging", "time-averaging.png", _CURVE, "precision.time_averaging",
                "rms of means against their length, and that of white noise", is_packaged=False),
    FigureEntry("rms_magnitude", "rms-magnitude.png", ("comparison", "light_curve", "results"),
                "precision.rms_magnitude", "scatter of all stars against magnitude, with the noise budget",
                is_packaged=False),
    FigureEntry("aperture_curve", "apertures.png", ("apertures", "results"), "precision.aperture_curve",
                "scatter of the target through each aperture", is_packaged=False),
    FigureEntry("template_score", "template-score.png", ("template", "frames"), "precision.template_score",
                "score of every frame as the template", is_packaged=False),
)  # fmt: skip
"""Of an observation, for the observer."""

OF_VISIT: tuple[FigureEntry, ...] = (
    FigureEntry("stacked", "bands.png", _CURVE, "bands.stacked",
                "all filters over each other, with what may have disturbed them", is_packaged=False),
    FigureEntry("panels", "panels.png", _CURVE, "bands.panels", "all filters under each other",
                is_packaged=False),
)  # fmt: skip
"""Of a night with several filters."""

OF_TARGET: tuple[FigureEntry, ...] = (
    FigureEntry("o_c", "o-c.png", ("results",), "timing.o_c",
                "observed minus predicted mid-transit of all nights", is_packaged=False),
)  # fmt: skip
"""Of a target with several observations."""

OPTIONAL: tuple[FigureEntry, ...] = (
    FigureEntry("left_out", "left-out.png", ("light_curve", "frames"), "leftout.left_out",
                "the frames that were left out, with the reason of each", is_packaged=False),
    FigureEntry("zero_points", "zeropoints.png", ("zero_points", "magnitudes"), "zeropoint.zero_points",
                "the zero point of each frame, and each star against the catalogue", is_packaged=False),
    FigureEntry("limits", "limits.png", ("limits",), "limits.limits",
                "how faint a star each frame would have shown", is_packaged=False),
    FigureEntry("posterior", "posterior.png", ("posterior", "results"), "posterior.corner",
                "samples of the transit's parameters, each against the others", is_packaged=False),
    FigureEntry("neighbour_scatter", "dmagRMS-plot.png", ("neighbours",), "neighbours.scatter",
                "how deep an eclipse each neighbour's curve would show, against how deep it had to be",
                is_packaged=False),
)  # fmt: skip
"""Drawn where there is something to draw, by the stage that finds it."""
