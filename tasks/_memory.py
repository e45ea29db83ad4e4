"""What doit remembers between runs. It only saves time: without it each stage finds its dump complete."""

from __future__ import annotations

import functools
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from doit import Globals

_BROKEN = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR)


def mend(path: Path) -> None:
    """Make sure that doit will be able to read and write its state, which may mean to begin a new one.

    Raises
    ------
    SystemExit
        If there can be none: in one line, for which doit would need a traceback.
    """
    try:
        try:
            _probe(path)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) not in _BROKEN:
                raise
            sys.stderr.write(f"{path} cannot be read ({error}); it only saves time, and is made again\n")
            for file in (path, path.with_name(f"{path.name}-journal")):
                file.unlink(missing_ok=True)
            _probe(path)
    except (sqlite3.Error, OSError) as error:
        raise SystemExit(
            f"accretor: {path}: {error}; it only saves time and may be deleted, "
            "but the workspace must be writable and the disk not full"
        ) from None


def spare() -> None:
    """Let a run whose state cannot be saved end in one line: the next one does no more than look."""
    manager = Globals.dep_manager
    manager.close = functools.partial(_close, manager.close)


def _probe(path: Path) -> None:
    with closing(sqlite3.connect(path)) as state:
        said = state.execute("pragma quick_check").fetchone()[0]
        if said != "ok":
            raise sqlite3.DatabaseError(said)
        # The table that doit makes, so that it has no write of its own to fail in.
        state.execute("create table if not exists doit (task_id text not null primary key, task_data json)")
        state.execute("select task_id, task_data from doit limit 1").fetchone()


def _close(close: Callable[[], None]) -> None:
    try:
        close()
    except sqlite3.Error as error:
        sys.stderr.write(
            f"doit's state could not be saved ({error}); the next run looks at more than it needs to\n"
        )
