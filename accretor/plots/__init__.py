"""Finished tables in, a matplotlib Figure out."""

from __future__ import annotations

from accretor.plots.registry import FIGURES, FigureEntry

__all__ = ["FIGURES", "FigureEntry"]
