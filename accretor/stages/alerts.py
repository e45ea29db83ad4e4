"""What an observer must know at once while a night is under way."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from accretor.io.dump import Row

CLOUD = 0.5
"""Magnitude below the best transparency of the night from which clouds are said."""

DRIFT = 10.0
"""Pixel per hour from which the tracking is worth a look."""

RECENT = 5
"""Frames that are looked at."""


def of_light_curve(curve: Sequence[Row]) -> list[str]:
    """Return what is wrong with the latest frames of a light curve (rows of ``lightcurve.ecsv``), in words.

    Nothing is said of a night with fewer frames than are looked at.
    """
    recent = list(curve[-RECENT:])
    if len(recent) < RECENT:
        return []
    found = [_lost(recent), _saturated(recent), _clouds(curve, recent), _drift(recent)]
    return [alert for alert in found if alert]


def _lost(recent: Sequence[Row]) -> str:
    missing = [row for row in recent if math.isnan(row["relative_flux"])]
    if len(missing) <= RECENT // 2:
        return ""
    return f"target lost: {len(missing)} of the last {RECENT} frames give no flux ({missing[-1]['reason']})"


def _saturated(recent: Sequence[Row]) -> str:
    n = sum("saturated" in row["reason"] for row in recent)
    return (
        f"saturation: the target is saturated in {n} of the last {RECENT} frames; expose shorter or defocus"
        if n
        else ""
    )


def _clouds(curve: Sequence[Row], recent: Sequence[Row]) -> str:
    known = [row["zero_point"] for row in curve if math.isfinite(row["zero_point"])]
    latest = [row["zero_point"] for row in recent if math.isfinite(row["zero_point"])]
    if not latest:
        return ""
    loss = max(known) - statistics.median(latest)
    if loss < CLOUD:
        return ""
    return f"clouds: the field is at {100 * 10 ** (-0.4 * loss):.0f} % of the night's best transparency"


def _drift(recent: Sequence[Row]) -> str:
    placed = [row for row in recent if math.isfinite(row["x"])]
    if len(placed) < 2:
        return ""
    first, last = placed[0], placed[-1]
    hours = (last["bjd_tdb"] - first["bjd_tdb"]) * 24
    shift = math.hypot(last["x"] - first["x"], last["y"] - first["y"])
    if hours <= 0 or shift / hours < DRIFT:
        return ""
    return f"drift: the target moves by {shift / hours:.0f} pixel per hour"
