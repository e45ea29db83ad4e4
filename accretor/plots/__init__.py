"""Finished tables in, a matplotlib Figure out."""

from __future__ import annotations

from accretor.plots.registry import DIAGNOSTICS, FIGURES, OF_TARGET, OF_VISIT, OPTIONAL, FigureEntry

__all__ = ["DIAGNOSTICS", "FIGURES", "OF_TARGET", "OF_VISIT", "OPTIONAL", "FigureEntry"]
