"""How faint a star each frame would have shown: limits of forced photometry, in magnitudes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.core.dumps import FORCED, FRAMES, LIMITS, ZERO_POINTS
from accretor.io import atomic, dump, records
from accretor.io.dump import Row
from accretor.plots.registry import OPTIONAL
from accretor.stages.rows import GOOD

if TYPE_CHECKING:
    from accretor.stages.workspace import ObservationPlan


def write(plan: ObservationPlan) -> tuple[tuple[Path, ...], str]:
    """Write ``limits.ecsv`` and its figure; return what was written, and the limit of the night in words."""
    info = dump.read_meta(plan.paths.forced_info)
    measured, _ = records.read_columns(
        plan.paths.forced, FORCED, ("image_name", "status", "limits", "limits_blank", "n_blank")
    )
    zero, head = _zero_points(plan)
    times = {row["image_name"]: row for row in dump.read(plan.paths.frames, FRAMES).rows}
    rows = [
        row
        for i, name in enumerate(measured["image_name"].tolist())
        if measured["status"][i] == GOOD
        for row in _of_frame(times[name], zero.get(name), list(info["radii"]), measured, i, head)
    ]
    found = [row["limiting_magnitude"] for row in rows if row["radius"] == info["limit_radius"]]
    known = [value for value in found if math.isfinite(value)]
    night = round(float(np.median(known)), 3) if known else None
    about = {
        "significance": info["significance"],
        "radius": info["limit_radius"],
        "limiting_magnitude": night,
        "band": head.get("band", ""),
        "system": head.get("system", ""),
    }
    dump.write(plan.paths.limits, LIMITS, rows, about)
    said = f"stars to {night:.2f} mag ({about['band']}, {about['system']})" if night is not None else ""
    return (plan.paths.limits, *_drawn(plan, rows, about)), said


def _zero_points(plan: ObservationPlan) -> tuple[dict[str, Row], Row]:
    """Return the zero points of the frames, by their names, through all radii, and their header."""
    rows, _ = records.rows(plan.paths.magnitude_frames, ZERO_POINTS)
    return {row["image_name"]: row for row in rows}, dump.read_meta(plan.paths.zero_points)


def _of_frame(
    frame: Row, zero: Row | None, radii: list[float], measured: dict[str, Any], i: int, head: Row
) -> list[Row]:
    """Return the rows of one frame."""
    from accretor.science import forced

    exposure = 2.5 * math.log10(frame["exptime"])
    rows = []
    for k, radius in enumerate(radii):
        point, reason = math.nan, "it has no zero point"
        if zero is not None and not zero["reason"]:
            # The radii of forced photometry are some of those of the photometry.
            at = int(np.argmin(np.abs(np.array(head["radii"]) - radius)))
            point, reason = float(zero["zero_points"][at]), ""
        elif zero is not None:
            reason = zero["reason"]
        by_noise, by_blank = (
            float(forced.limiting_magnitude(measured[name][i][k : k + 1], point + exposure)[0])
            for name in ("limits", "limits_blank")
        )
        limit = by_blank if math.isfinite(by_blank) else by_noise
        if not reason and not math.isfinite(limit):
            reason = "the noise of its sky is not known"
        rows.append(
            {
                **{name: frame[name] for name in ("image_name", "bjd_tdb")},
                "radius": radius,
                "limiting_magnitude": limit,
                "by_noise": by_noise,
                "by_blank": by_blank,
                "n_blank": int(measured["n_blank"][i]),
                "zero_point": point,
                "reason": reason,
                **{name: head.get(name, "") for name in ("band", "system")},
            }
        )
    return rows


def _drawn(plan: ObservationPlan, rows: list[Row], about: Row) -> tuple[Path, ...]:
    """Draw the figure where there are limits; take one away that holds no longer."""
    path = plan.paths.plots / next(entry.tail for entry in OPTIONAL if entry.name == "limits")
    if about["limiting_magnitude"] is None:
        path.unlink(missing_ok=True)
        return ()
    from accretor.plots import limits as figure
    from accretor.plots import style
    from accretor.stages import figures

    columns = {name: np.array(dump.column(rows, name)) for name in rows[0]}
    where = f"{plan.observation.telescope} ({plan.observation.filter} filter)"
    drawn = figure.limits(columns, about, title=figures.title_before_results(plan), subtitle=where)
    atomic.write_bytes(path, style.save(drawn))
    return (path,)


def of_frames(plan: ObservationPlan, radius: float) -> dict[str, float]:
    """Return the limiting magnitude of each frame through the aperture nearest to *radius*, by its name.

    Empty where forced photometry has measured none.
    """
    try:
        rows = dump.read(plan.paths.limits, LIMITS).rows
    except FileNotFoundError:
        return {}
    radii = sorted({row["radius"] for row in rows}, key=lambda one: abs(one - radius))
    return {row["image_name"]: row["limiting_magnitude"] for row in rows if row["radius"] == radii[0]}
