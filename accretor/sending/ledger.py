"""What was sent to an archive: lines that are only ever added, each forced to the disk.

A post leaves ``intent`` before it begins and ``answered`` or ``unknown`` after it;
``confirmed`` only follows when the archive has shown what it holds. So whatever kills a
run, the next one knows of every post that may have been made. The line on which a
kill tears the file is the only one that is lost, and nothing was done after it.
"""

from __future__ import annotations

import datetime
import enum
import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path


class State(enum.StrEnum):
    """How far one form or file is."""

    PLANNED = "planned"
    """Agreed to, not sent."""
    INTENT = "intent"
    """About to be sent; it may have been."""
    ANSWERED = "answered"
    """The archive answered; it must still show what it holds."""
    UNKNOWN = "unknown"
    """Sent, perhaps, and not answered as it should be."""
    ABSENT = "absent"
    """The archive showed that it does not hold it."""
    CONFIRMED = "confirmed"
    """The archive showed that it holds it."""


OPEN_STATES = frozenset({State.INTENT, State.ANSWERED, State.UNKNOWN})
"""States in which only the archive can tell what became of a post."""


@dataclass(frozen=True)
class Item:
    """One thing to send: the form of a filter, or a file."""

    server: str
    """Address of the archive."""
    kind: str
    """As ``file``; ExoFOP has ``summary``, the form of a filter, beside it."""
    filter: str
    name: str
    """Of the file; of a form, telescope and date."""


@dataclass(frozen=True)
class Entry:
    """One line of the ledger."""

    time: str
    """UTC."""
    plan: str
    """Id of the plan that was agreed to."""
    item: Item
    sha256: str
    """Of the file, or of the fields of the form."""
    state: State
    detail: str = ""

    @property
    def seconds(self) -> float:
        """The time in seconds since 1970."""
        return datetime.datetime.fromisoformat(self.time).timestamp()


class Ledger:
    """The ledger of one package, at *path*; it need not be there yet."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self) -> list[Entry]:
        """Return all lines but torn ones, the oldest first."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        return [entry for line in lines if (entry := _entry(line))]

    def latest(self) -> Mapping[Item, Entry]:
        """Return the last line of each item, in the order in which they were planned."""
        found: dict[Item, Entry] = {}
        for entry in self.entries():
            found[entry.item] = entry
        return found

    def add(self, plan: str, item: Item, sha256: str, state: State, now: float, detail: str = "") -> None:
        """Write one line, and return when it is on the disk.

        Parameters
        ----------
        plan : str
            Id of the plan.
        now : float
            Seconds since 1970.

        Raises
        ------
        OSError
            If it cannot be written: then nothing must be sent.
        """
        self._write([_line(plan, item, sha256, state, now, detail)])

    def begin(self, plan: str, planned: Collection[tuple[Item, str]], now: float) -> None:
        """Write a line for each item and its digest: it is agreed to, and not sent yet."""
        self._write([_line(plan, item, sha256, State.PLANNED, now, "") for item, sha256 in planned])

    def _write(self, lines: list[str]) -> None:
        is_new = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # A torn line must not swallow the next one.
        start = "" if is_new or _ends_well(self.path) else "\n"
        with self.path.open("ab") as file:
            file.write((start + "".join(f"{line}\n" for line in lines)).encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
        if is_new and os.name != "nt":
            _sync(self.path.parent)


def progress(ledger: Ledger) -> tuple[str, Mapping[Item, Entry]]:
    """Return in a few words how far an upload is, and the last line of each item that counts.

    What was planned once, and is in the last plan no more, is not missing.
    """
    entries = ledger.entries()
    latest = {
        item: entry
        for item, entry in ledger.latest().items()
        if entry.plan == entries[-1].plan or entry.state not in {State.PLANNED, State.ABSENT}
    }
    if not latest:
        return "not sent", latest
    done = [entry for entry in latest.values() if entry.state is State.CONFIRMED]
    if len(done) < len(latest):
        return f"sent {len(done)} of {len(latest)}", latest
    return f"confirmed on {max(entry.time for entry in done)[:10]}", latest


def _line(plan: str, item: Item, sha256: str, state: State, now: float, detail: str) -> str:
    return json.dumps(
        {
            "time": datetime.datetime.fromtimestamp(now, datetime.UTC).isoformat(timespec="milliseconds"),
            "plan": plan,
            "server": item.server,
            "kind": item.kind,
            "filter": item.filter,
            "name": item.name,
            "sha256": sha256,
            "state": state.value,
            "detail": detail,
        }
    )


def _entry(line: bytes) -> Entry | None:
    try:
        found = json.loads(line)
        item = Item(found["server"], found["kind"], found["filter"], found["name"])
        entry = Entry(
            found["time"], found["plan"], item, found["sha256"], State(found["state"]), found["detail"]
        )
        datetime.datetime.fromisoformat(entry.time)
    except (ValueError, LookupError, TypeError):
        return None
    return entry


def _ends_well(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
