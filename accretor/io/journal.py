"""Rows that are finished but not yet in their dump.

One JSON line for each row, handed to the system as soon as the row is there. What a
kill leaves is read back at the next start; a torn last line is the one that is lost.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from accretor.io.dump import Row

SYNC = 1.0
"""Second of work that a power cut may cost."""


def path_of(dump: Path) -> Path:
    """Return the journal of *dump*."""
    return dump.with_name(f"{dump.name}.journal")


def replay(dump: Path) -> Iterator[Row]:
    """Yield the rows that a killed run left for *dump*."""
    try:
        lines = path_of(dump).read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    for line in lines:
        try:
            row = json.loads(line, object_hook=_restore)
        except ValueError:
            continue  # torn by the kill
        if isinstance(row, dict):
            yield row


def discard(dump: Path) -> None:
    """Remove the journal of *dump*, whose rows are now in it."""
    path_of(dump).unlink(missing_ok=True)


class Journal:
    """The journal of *dump*, open for more rows."""

    def __init__(self, dump: Path) -> None:
        path = path_of(dump)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        self._synced = time.monotonic()
        # A torn line of a killed run must not swallow the next row.
        self._file.write(b"\n")

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What is in the buffer after a failure belongs to that failure, which is already on its way.
        with contextlib.suppress(OSError):
            self._file.close()

    def add(self, row: Row) -> None:
        """Keep *row* whatever happens next.

        Raises
        ------
        OSError
            If the disk is full.
        """
        try:
            self._file.write(json.dumps(row, default=_plain).encode("utf-8") + b"\n")
            self._file.flush()
            # A killed process loses nothing that was handed to the system; only a power cut needs the
            # disk, whose 10 ms for every row would be more than some frames take.
            if time.monotonic() - self._synced > SYNC:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            error.filename = self._file.name
            raise


def _plain(value: Any) -> Any:
    import numpy as np

    if isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value, dtype="<f8")
        return {"shape": array.shape, "base64": base64.b64encode(array.tobytes()).decode("ascii")}
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a row cannot hold {type(value).__name__}")


def _restore(value: dict[str, Any]) -> Any:
    if value.keys() == {"shape", "base64"}:
        import numpy as np

        data = np.frombuffer(base64.b64decode(value["base64"]), dtype="<f8")
        return data.astype(np.float64).reshape(value["shape"])
    return value
