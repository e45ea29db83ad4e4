"""Finished tables in, a matplotlib Figure out."""

from __future__ import annotations

from accretor.plots.registry import FIGURES, OPTIONAL, FigureEntry

__all__ = ["FIGURES", "OPTIONAL", "FigureEntry"]
