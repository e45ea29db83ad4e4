"""The numbers of a reduction, kept for the comparison with the next one that gives others."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

COMPARED: Final = (
    ("n_frame_good", "frames used", 0),
    ("n_frame_poor", "frames left out", 0),
    ("aperture_radius_px", "aperture radius (px)", 2),
    ("fwhm_px", "FWHM (px)", 2),
    ("n_comparison", "comparison stars", 0),
    ("template", "template", 0),
    ("plate_solution", "plate solution", 0),
    ("detrend", "terms of the trend", 0),
    ("rms_per_point_ppt", "scatter per point (ppt)", 3),
    ("rms_5min_ppt", "in 5 min (ppt)", 3),
    ("rms_10min_ppt", "in 10 min (ppt)", 3),
    ("predicted_rms_ppt", "predicted per point (ppt)", 3),
    ("beta", "red noise β", 3),
    ("delta_bic", "ΔBIC", 1),
    ("rp_rs", "Rp/R*", 5),
    ("rp_rs_error", "its error", 5),
    ("depth_ppt", "depth (ppt)", 3),
    ("tc_bjd_tdb", "Tc (BJD_TDB)", 6),
    ("tc_error_day", "its error (day)", 6),
    ("o_c_minute", "O − C (min)", 2),
    ("duration_hour", "duration (h)", 3),
    ("coverage", "coverage", 0),
)
"""Key of ``results.json``, its name, and the decimals that are shown."""

Numbers = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """One number, before and now."""

    name: str
    before: str
    now: str
    difference: str
    is_changed: bool


def numbers(results: Mapping[str, Any]) -> Numbers:
    """Return the numbers that are kept of the results of an observation."""
    return {key: results[key] for key, _, _ in COMPARED}


def read(path: Path) -> dict[str, Any]:
    """Return the record at *path*; an empty one if there is none, or it is damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def text(record: Mapping[str, Any]) -> str:
    """Return a record as it is written."""
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def renewed(known: Mapping[str, Any], now: Numbers) -> dict[str, Any]:
    """Return what is kept of an observation: its numbers, and those of the last reduction with others.

    Parameters
    ----------
    known : mapping
        What was kept before: ``now`` and ``before``, or nothing.
    now : mapping
        Numbers of this reduction.
    """
    last = known.get("now")
    if not isinstance(last, dict) or last == now:
        before = known.get("before") if isinstance(known.get("before"), dict) else None
        return {"now": now, "before": before}
    return {"now": now, "before": last}


def changes(kept: Mapping[str, Any]) -> list[Change]:
    """Return the numbers side by side; nothing if there was no reduction with other numbers."""
    before, now = kept.get("before"), kept["now"]
    if not isinstance(before, dict):
        return []
    return [_change(name, digits, before.get(key), now.get(key)) for key, name, digits in COMPARED]


def _change(name: str, digits: int, before: Any, now: Any) -> Change:
    difference = ""
    if _is_number(before) and _is_number(now) and before != now:
        difference = f"{now - before:+.{digits}f}".replace("-", "−")
    return Change(name, _shown(before, digits), _shown(now, digits), difference, before != now)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _shown(value: Any, digits: int) -> str:
    if value is None:
        return "unknown"
    if _is_number(value):
        return f"{value:.{digits}f}".replace("-", "−")
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value) or "unknown"
