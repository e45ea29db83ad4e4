"""Bringing a dump up to date, row by row.

A row stands as long as what it was made from (``input``: the raw bytes) and what it
was made with (``context``: settings, masters, choices, version) are what they were.
Other rows are made, each for itself; so adding a frame costs a frame, and a killed
run loses the frames in hand.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from accretor.core.dumps import Schema
from accretor.core.errors import DumpError, Unusable, WorkerDied
from accretor.io import dump as ecsv
from accretor.io.dump import Row

log = logging.getLogger("accretor")

GOOD, POOR, ERROR = "good", "poor", "error"

AHEAD = "ahead"
"""Key in what *work* returns: rows that it made ahead, by the stage that will want them."""
IS_AHEAD = "is_ahead"
"""Key in a row of a journal that an earlier stage made."""

HandOn = Callable[[int, str, Mapping[str, Row]], None]
"""Takes the index of a job, the digest of its raw bytes, and the rows that were made ahead, by stage."""

AGAIN = "it is tried again at the next run"
DIED = "the process that worked on it died (out of memory, or a crash in a library)"


@dataclass(frozen=True)
class Job:
    """One row that the dump must have."""

    input: str | None
    """Digest of the raw bytes; None if only the work will tell."""
    context: str
    """What the row must be made with, in short: settings, masters, choices, version."""
    given: Row
    """Columns that are known without work, and may change without it: name, time."""
    payload: Any
    """What the work gets; it must be picklable."""


@dataclass
class Outcome:
    """What was done to a dump."""

    rows: list[Row]
    n_done: int = 0
    n_kept: int = 0
    n_removed: int = 0
    reasons: dict[str, str] = field(default_factory=dict)
    """Reason of each frame that is not good, by name."""

    @property
    def is_final(self) -> bool:
        """Whether no row is to be tried again."""
        return all(row["status"] != ERROR for row in self.rows)

    def __str__(self) -> str:
        """Return one line for people."""
        parts = [f"{self.n_done} measured", f"{self.n_kept} kept"]
        if self.n_removed:
            parts.append(f"{self.n_removed} removed")
        if self.reasons:
            parts.append(f"{len(self.reasons)} not good")
        return ", ".join(parts)


class Mapper(Protocol):
    """What runs a function over many items: `accretor.compute.pool.Pool`."""

    def map(self, work: Callable[[Any], Any], items: Sequence[Any]) -> Any:
        """Yield ``(index, result)`` in any order."""


def fingerprint(*parts: Any) -> str:
    """Return a short digest of *parts*, which must be JSON-able."""
    text = json.dumps(parts, sort_keys=True, default=str, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def augment(
    schema: Schema,
    readable: Path,
    jobs: Sequence[Job],
    *,
    work: Callable[[Any], Row],
    blank: Row,
    pool: Mapper,
    progress: Callable[[int, int], None],
    meta: Mapping[str, Any],
    binary: Path | None = None,
    shape: Mapping[str, int] | None = None,
    redo: bool = False,
    remember: Callable[[int, Row], None] | None = None,
    hand_on: HandOn | None = None,
) -> Outcome:
    """Bring a dump up to date, measuring only what is missing.

    Parameters
    ----------
    schema
        Columns of the dump.
    readable
        Its ECSV file.
    jobs
        The rows it must have, in the order in which they shall stand.
    work
        Makes one row from a payload, with its ``input`` if the job has none; `Unusable`
        makes it a poor row with the reason.
    blank
        Values of the columns that a poor row cannot know.
    meta
        What the header of the dump shall say besides its summary.
    binary, shape
        FITS file for schemas with vectors, and the lengths of their axes.
    redo
        Make every row again.
    remember
        Called with the index of a job and its row as soon as it is made, so that a kill
        does not lose what else is to be kept of it.
    hand_on
        Called with what *work* made for later stages.
    """
    from accretor.io import journal, records

    primary = binary or readable
    old = _stored(schema, readable, binary)
    stored: dict[tuple[str, str], Row] = {}
    is_ahead: set[tuple[str, str]] = set()
    if redo:
        journal.discard(primary)
    else:
        stored = {(row["input"], row["context"]): row for row in old if row["status"] != ERROR}
        for row in journal.replay(primary):
            key = row["input"], row["context"]
            if row.pop(IS_AHEAD, False) and key not in stored:
                is_ahead.add(key)
            if row["status"] != ERROR:
                stored[key] = row
    missing = [i for i, job in enumerate(jobs) if (job.input, job.context) not in stored]
    made: dict[int, Row] = {}
    if missing:
        with journal.Journal(primary) as open_journal:
            for i, measured in _measure(work, jobs, missing, pool):
                job = jobs[i]
                row = {**blank, **job.given, "input": job.input or "", **measured, "context": job.context}
                ahead = row.pop(AHEAD, None)
                open_journal.add(row)
                if remember:
                    remember(i, row)
                if hand_on and ahead:
                    hand_on(i, row["input"], ahead)
                made[i] = row
                progress(len(made), len(missing))
    rows = [
        records.updated(made[i] if i in made else stored[job.input or "", job.context], job.given)
        for i, job in enumerate(jobs)
    ]
    n_done = len(made) + sum((job.input or "", job.context) in is_ahead for job in jobs)
    outcome = Outcome(
        rows=[records.updated(row, ecsv.rounded(schema, row)) for row in rows],
        n_done=n_done,
        n_kept=len(rows) - n_done,
        n_removed=len({row["input"] for row in old if row["input"]} - {row["input"] for row in rows}),
        reasons={row["image_name"]: row["reason"] for row in rows if row["reason"]},
    )
    _save(schema, outcome.rows, readable, binary, shape or {}, meta)
    journal.discard(primary)
    return outcome


def n_pending(schema: Schema, readable: Path, jobs: Sequence[Job]) -> int:
    """Return how many rows `augment` would have to make; what a killed run left is not looked at."""
    known = made(schema, readable)
    return sum((job.input, job.context) not in known for job in jobs)


def made(schema: Schema, readable: Path) -> set[tuple[str | None, str]]:
    """Return what the rows of a dump were made from and with; nothing, if it cannot be read."""
    try:
        columns = ecsv.read_columns(readable, schema, ("input", "context", "status"))
    except (FileNotFoundError, DumpError):
        return set()
    return {(digest, context) for digest, context, status in zip(*columns, strict=True) if status != ERROR}


def summary(rows: Sequence[Row]) -> dict[str, int]:
    """Count the rows by status."""
    found = {"frames": len(rows)}
    for row in rows:
        found[row["status"]] = found.get(row["status"], 0) + 1
    return found


def _stored(schema: Schema, readable: Path, binary: Path | None) -> Sequence[Row]:
    """Return the rows of the dump; one that cannot be trusted is set aside, and said."""
    from accretor.io import records

    primary = binary or readable
    try:
        return records.rows(binary, schema)[0] if binary else ecsv.read(readable, schema).rows
    except FileNotFoundError:
        return []
    except DumpError as error:
        aside = ecsv.set_aside(primary)
        log.warning("%s; it is kept as %s and made again", error, aside.name)
        return []


def _measure(
    work: Callable[[Any], Row], jobs: Sequence[Job], missing: Sequence[int], pool: Mapper
) -> Iterator[tuple[int, Row]]:
    try:
        for index, row in pool.map(Guarded(work), [jobs[i].payload for i in missing]):
            yield missing[index], row
    except WorkerDied as verdict:
        for index in verdict.items:
            yield missing[index], {"status": ERROR, "reason": f"{DIED}; {AGAIN}"}


@dataclass(frozen=True)
class Guarded:
    """Calls *work*; what is wrong with the frame becomes a row."""

    work: Callable[[Any], Row]

    def __call__(self, payload: Any) -> Row:
        """Return the row, with its status."""
        try:
            return {"status": GOOD, "reason": "", **self.work(payload)}
        except Unusable as verdict:
            return {"status": POOR, "reason": verdict.reason}
        except (OSError, MemoryError) as error:
            return {
                "status": ERROR,
                "reason": f"{type(error).__name__}: {error}; {AGAIN}",
            }


def _save(
    schema: Schema,
    rows: Sequence[Row],
    readable: Path,
    binary: Path | None,
    shape: Mapping[str, int],
    meta: Mapping[str, Any],
) -> None:
    from accretor.io import records

    if binary:
        records.write(binary, schema, rows, shape, {})
    ecsv.write(readable, schema, rows, {"summary": summary(rows), **meta})
