"""What each dump holds: its columns, their units and meanings.

A schema whose meaning changes gets a new version; dumps of another version are
set aside and made again.
"""

from __future__ import annotations

from accretor.core.dumps.curve import (
    APERTURES,
    COMPARISON,
    FIT_POINTS,
    LIGHT_CURVE,
    POSTERIOR,
    RESULTS,
    TRANSITS,
)
from accretor.core.dumps.frames import (
    CALIBRATIONS,
    FRAMES,
    IMAGE_COUNTS,
    INVENTORY,
    MASTERS,
    STARS,
    TEMPLATE,
    TEMPLATE_STARS,
)
from accretor.core.dumps.others import ARCHIVE_CURVE, ARCHIVE_OBSERVATIONS, TARGET, TOIS
from accretor.core.dumps.photometry import FORCED, FORCED_POSITIONS, GROWTH, NEIGHBOURS, PHOTOMETRY
from accretor.core.dumps.schema import ROW_STATE, Column, Kind, Schema
from accretor.core.dumps.sky import CATALOG, FRAME_WCS, LIMITS, MAGNITUDES, PLATE_SOLUTION, ZERO_POINTS

__all__ = [
    "APERTURES",
    "ARCHIVE_CURVE",
    "ARCHIVE_OBSERVATIONS",
    "CALIBRATIONS",
    "CATALOG",
    "COMPARISON",
    "FIT_POINTS",
    "FORCED",
    "FORCED_POSITIONS",
    "FRAMES",
    "FRAME_WCS",
    "GROWTH",
    "IMAGE_COUNTS",
    "INVENTORY",
    "LIGHT_CURVE",
    "LIMITS",
    "MAGNITUDES",
    "MASTERS",
    "NEIGHBOURS",
    "PHOTOMETRY",
    "PLATE_SOLUTION",
    "POSTERIOR",
    "RESULTS",
    "ROW_STATE",
    "SCHEMAS",
    "STARS",
    "TARGET",
    "TEMPLATE",
    "TEMPLATE_STARS",
    "TOIS",
    "TRANSITS",
    "ZERO_POINTS",
    "Column",
    "Kind",
    "Schema",
]

SCHEMAS = (
    INVENTORY,
    MASTERS,
    CALIBRATIONS,
    IMAGE_COUNTS,
    FRAMES,
    STARS,
    TEMPLATE,
    TEMPLATE_STARS,
    PLATE_SOLUTION,
    PHOTOMETRY,
    GROWTH,
    FORCED_POSITIONS,
    FORCED,
    LIMITS,
    FRAME_WCS,
    ZERO_POINTS,
    MAGNITUDES,
    LIGHT_CURVE,
    NEIGHBOURS,
    COMPARISON,
    APERTURES,
    FIT_POINTS,
    POSTERIOR,
    TRANSITS,
    TOIS,
    ARCHIVE_CURVE,
    ARCHIVE_OBSERVATIONS,
    TARGET,
    CATALOG,
)
