"""The page of the validation: tables in Markdown, made from rows of `benchmarks.validation_night`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from accretor.synthetic.scenarios import SCENARIOS

Rows = Sequence[dict[str, Any]]

PARTS = ("photons", "masters", "phase", "wings")
"""What makes a magnitude depend on the aperture; see `benchmarks.validation_apertures`."""

HEAD = """\
# Validation

Simulated nights of known truth, through the stages that `doit` runs. Made by
`uv run python -m benchmarks.validation`; not by hand. The scenarios are data, in
`accretor/synthetic/scenarios.py`; each seed is another field with other noise.

*Calibrated* scenarios are those in which everything that disturbs the light is taken out by the reduction.
Their goals: median of rms over predicted rms at most 1.05, none above 1.25; mean pull of the radius ratio
and of the mid-transit time below 0.4 in size. *Pull* is found minus true over the error that was given.
"""


def page(found: Mapping[str, Rows]) -> str:
    """Return the page."""
    parts = [HEAD, _goals(found), "## Light curves\n", _light_curves(found)]
    parts += ["## Measurements\n", _measurements(found), "## What else was looked for\n", _others(found)]
    return "\n".join(parts)


def _goals(found: Mapping[str, Rows]) -> str:
    calibrated = [row for name, rows in found.items() if SCENARIOS[name].is_calibrated for row in rows]
    ratio, k, tc = (_values(calibrated, key) for key in ("ratio", "k_pull", "tc_pull"))
    if not ratio.size:
        return ""
    means = {
        (name, key): (_mean(rows, key), _error_of_mean(rows, key))
        for name, rows in found.items()
        for key in ("k_pull", "tc_pull")
        if SCENARIOS[name].is_calibrated and _values(rows, key).size > 1
    }
    worst = max(means, key=lambda pair: abs(means[pair][0]), default=None)
    largest, by_chance = "-", "-"
    if worst is not None:
        largest = f"{abs(means[worst][0]):.2f} ± {means[worst][1]:.2f} ({worst[0]})"
        by_chance = f"{largest_by_chance([error for _, error in means.values()]):.2f}"
    lines = [
        "| calibrated scenarios, all seeds | found | goal |",
        "| --- | --- | --- |",
        f"| rms / predicted, median | {np.median(ratio):.3f} | at most 1.05 |",
        f"| rms / predicted, highest of {ratio.size} | {ratio.max():.3f} | at most 1.25 |",
        f"| mean pull of Rp/R\\* | {_with_error(k)} | within 0.4 |",
        f"| standard deviation of that pull | {np.std(k, ddof=1):.2f} | 0.7 to 1.25 |",
        f"| mean pull of the mid-transit time | {_with_error(tc)} | within 0.4 |",
        f"| standard deviation of that pull | {np.std(tc, ddof=1):.2f} | 0.7 to 1.25 |",
        f"| largest mean pull of one scenario | {largest} | within 0.4 |",
        f"| the same where nothing is biased, median | {by_chance} | |",
        f"| Rp/R\\* within 3 sigma | {np.mean(np.abs(k) < 3):.1%} | at least 98 % |",
        f"| mid-transit within 3 sigma | {np.mean(np.abs(tc) < 3):.1%} | at least 98 % |",
        "",
    ]
    return "\n".join(lines)


def largest_by_chance(errors: Sequence[float]) -> float:
    """Return the median of the greatest of means, in size, that are 0 but for their *errors*."""
    low, high = 0.0, 10 * max(errors)
    for _ in range(60):
        middle = (low + high) / 2
        below = math.prod(math.erf(middle / error / math.sqrt(2)) for error in errors if error > 0)
        low, high = (middle, high) if below < 0.5 else (low, middle)
    return high


def _light_curves(found: Mapping[str, Rows]) -> str:
    columns: dict[str, Callable[[Rows], str]] = {
        "nights": lambda rows: f"{len(rows)}",
        "rms, ppt": lambda rows: _median(rows, "rms", 2),
        "rms / predicted: median (range)": lambda rows: _range(rows, "ratio"),
        "pull of Rp/R\\*": lambda rows: _pull(rows, "k_pull"),
        "pull of Tc": lambda rows: _pull(rows, "tc_pull"),
        "frames left out": lambda rows: _median(rows, "n_left_out", 0),
    }
    return _table(found, columns)


def _measurements(found: Mapping[str, Rows]) -> str:
    columns: dict[str, Callable[[Rows], str]] = {
        "registered": lambda rows: f"{_sum(rows, 'n_registered')} of {_sum(rows, 'n_frame')}",
        "wrongly": lambda rows: f"{_sum(rows, 'n_misplaced')}",
        "registration, px": lambda rows: _median(rows, "registration_rms", 4),
        "centres, px": lambda rows: _median(rows, "centroid_rms", 4),
        "FWHM / true": lambda rows: _median(rows, "fwhm_ratio", 3),
        "a star's magnitude through other apertures, mmag": lambda rows: _median(
            rows, "aperture_found_mmag", 2
        ),
        "expected: photons, masters, place in the pixel, wings in the annulus": lambda rows: " ".join(
            [
                _median(rows, "aperture_expected_mmag", 2),
                f"({', '.join(_median(rows, f'aperture_{part}_mmag', 2) for part in PARTS)})",
            ]
        ),
    }
    return _table(found, columns)


def _others(found: Mapping[str, Rows]) -> str:
    lines = []
    for name, rows in found.items():
        if failed := [row for row in rows if row["error"]]:
            lines.append(
                f"* {name}: {len(failed)} of {len(rows)} nights gave no light curve: {failed[0]['error']}"
            )
        if n_hit := _sum(rows, "n_hit"):
            lines.append(
                f"* {name}: of {n_hit} frames with a cosmic ray on the target, the light curve leaves out "
                f"{n_hit - _sum(rows, 'n_hit_kept')}"
            )
        if n_ray := _sum(rows, "n_ray"):
            lines.append(
                f"* {name}: of {n_ray} cosmic rays that add a per cent or more to a bright star, "
                f"{_sum(rows, 'n_ray_found')} are found"
            )
        if neb := [row for row in rows if "neb_found" in row]:
            depth = _values(neb, "neb_depth")
            lines.append(
                f"* {name}: the eclipse is seen in {sum(row['neb_found'] for row in neb)} "
                f"of {len(neb)} nights; depth {np.median(depth) if depth.size else math.nan:.2f} "
                f"(true {SCENARIOS[name].night.companions[-1].eclipse})"
            )
        for code in SCENARIOS[name].flags:
            n_raised = sum(code in row.get("flags", []) for row in rows)
            lines.append(f"* {name}: flag `{code}` raised in {n_raised} of {len(rows)} nights")
    n_false, n_clean = (sum(_sum(rows, key) for rows in found.values()) for key in ("n_ray_false", "n_clean"))
    lines.append(
        f"* all: {n_false} of {n_clean} points of bright stars without a cosmic ray are taken for one"
    )
    return "\n".join([*lines, ""])


def _table(found: Mapping[str, Rows], columns: Mapping[str, Callable[[Rows], str]]) -> str:
    lines = [f"| scenario | {' | '.join(columns)} |", f"| --- |{' --- |' * len(columns)}"]
    for name, rows in found.items():
        mark = "" if SCENARIOS[name].is_calibrated else " (not calibrated)"
        cells = " | ".join(write(rows) for write in columns.values())
        lines.append(f"| {name}{mark} | {cells} |")
    return "\n".join([*lines, ""])


def _values(rows: Rows, key: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    found = [row[key] for row in rows if row.get(key) is not None]
    return np.array([value for value in found if math.isfinite(value)], dtype=np.float64)


def _sum(rows: Rows, key: str) -> int:
    return int(sum(row.get(key, 0) for row in rows))


def _mean(rows: Rows, key: str) -> float:
    values = _values(rows, key)
    return float(values.mean()) if values.size else math.nan


def _error_of_mean(rows: Rows, key: str) -> float:
    values = _values(rows, key)
    return float(values.std(ddof=1)) / math.sqrt(values.size)


def _median(rows: Rows, key: str, digits: int) -> str:
    values = _values(rows, key)
    return f"{np.median(values):.{digits}f}" if values.size else "-"


def _range(rows: Rows, key: str) -> str:
    values = _values(rows, key)
    if not values.size:
        return "-"
    return f"{np.median(values):.2f} ({values.min():.2f} to {values.max():.2f})"


def _pull(rows: Rows, key: str) -> str:
    values = _values(rows, key)
    if values.size < 2:
        return "-"
    return f"{values.mean():+.2f} ± {values.std(ddof=1):.2f}"


def _with_error(values: np.ndarray[Any, np.dtype[np.float64]]) -> str:
    return f"{values.mean():+.2f} ± {values.std(ddof=1) / math.sqrt(values.size):.2f}"
