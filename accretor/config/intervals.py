"""Intervals of time that a user gives for the scatter: in ``workspace.toml``, or in a table beside it."""

from __future__ import annotations

import csv
import math
from pathlib import Path

Intervals = tuple[tuple[float, float], ...]

COLUMNS = ("init_time", "final_time")
"""As PROFE's ``times.csv`` has them: BJD_TDB day."""


def read(path: Path) -> Intervals:
    """Return the intervals of a CSV table with the columns ``init_time`` and ``final_time``.

    A table without a row, as PROFE makes it at first, holds no interval.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If a column is missing, or a line does not hold two times in their order.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        names = {str(name).strip(): name for name in rows.fieldnames or ()}
        if missing := [column for column in COLUMNS if column not in names]:
            raise ValueError(f"has no column {missing[0]}")
        start, end = (names[column] for column in COLUMNS)
        found = [(rows.line_num, str(row[start] or ""), str(row[end] or "")) for row in rows]
    return tuple(_interval(line, first, last) for line, first, last in found if first.strip() or last.strip())


def check(intervals: Intervals) -> None:
    """Refuse an interval that does not go forwards.

    Raises
    ------
    ValueError
        With the interval.
    """
    for first, last in intervals:
        if not (math.isfinite(first) and math.isfinite(last) and first < last):
            raise ValueError(f"{first!r} to {last!r} is no interval: two times (BJD_TDB), the earlier first")


def _interval(line: int, first: str, last: str) -> tuple[float, float]:
    try:
        found = float(first), float(last)
        check((found,))
    except ValueError as error:
        raise ValueError(f"line {line}: {error}") from None
    return found
