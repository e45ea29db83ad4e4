"""Keep reducing while a night is being observed: frames are taken up as they arrive.

    doit watch                        until Ctrl-C
    doit watch --idle 60              until no frame came for 60 minutes
    doit watch --interval 5           look every 5 seconds

Each time frames are new, it does what `doit` does, in a process that has loaded all libraries
before (a quarter of a gigabyte of memory while it waits). After each round it says of the
observations that frames came for when clouds come, the target saturates, drifts or is lost.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from doit.task import Task

from accretor.core.dumps import LIGHT_CURVE
from accretor.core.errors import AccretorError, DumpError
from accretor.io import dump, inventory
from accretor.io.layout import Layout
from accretor.stages import alerts
from accretor.stages.workspace import layout_of, open_workspace
from tasks._graph import Doc
from tasks._round import Ready

SETTLING = 1.0
"""Second that a folder must be quiet before a round begins, so that a burst of files is one round."""

Listing = list[tuple[str, int, int]]


def tasks() -> Iterator[Task]:
    """Yield the one task."""
    task = Task(
        "watch",
        [watch],
        params=[
            {
                "name": "interval",
                "long": "interval",
                "type": float,
                "default": 10.0,
                "help": "second between looks",
            },
            {
                "name": "idle",
                "long": "idle",
                "type": float,
                "default": 0.0,
                "help": "minutes without a frame after which to end; 0 is never",
            },
        ],
        verbosity=2,
        uptodate=[False],
        meta={"is_command": True},
    )
    task.doc = Doc(__doc__ or "", lambda: "reduces frames as they arrive")
    yield task


def watch(interval: float, idle: float) -> None:
    """Do a round whenever the raw folder has changed, until interrupted or idle."""
    layout = layout_of(Path())
    seen: Listing | None = None
    since = time.monotonic()
    with contextlib.closing(Ready(Path.cwd())) as ready:
        while True:
            listing = _settled(layout)
            if listing != seen:
                _round(ready, seen or [], listing)
                # The time that the round took is not idle time: nobody looked for frames meanwhile.
                seen, since = listing, time.monotonic()
            elif idle and time.monotonic() - since > 60 * idle:
                print(f"no frame for {idle:g} minutes: done")
                return
            else:
                time.sleep(interval)


def _settled(layout: Layout) -> Listing:
    """Return what is in the raw folder once it has been quiet for a moment."""
    listing = inventory.scan(layout.raw, layout.own)
    while True:
        time.sleep(SETTLING)
        again = inventory.scan(layout.raw, layout.own)
        if again == listing:
            return listing
        listing = again


def _round(ready: Ready, before: Listing, now: Listing) -> None:
    """Do what `doit` does, in a process of its own (the graph is made of the frames at its start)."""
    ready.go()
    for line in _alerts(before, now):
        print(f"!! {line}", flush=True)
    ready.prepare()


def _alerts(before: Listing, now: Listing) -> Iterator[str]:
    """Yield what is wrong with the observations that are under way, by what has changed in the raw folder."""
    try:
        plans = open_workspace(Path(), is_recorded=False).observations
    except AccretorError:
        return
    for plan in plans:
        if not _is_under_way([frame.path for frame in plan.frames], before, now):
            continue
        try:
            curve = dump.read(plan.paths.light_curve, LIGHT_CURVE).rows
        except (FileNotFoundError, DumpError):
            continue
        for alert in alerts.of_light_curve(curve):
            yield f"{plan.observation.slug}: {alert}"


def _is_under_way(frames: Sequence[str], before: Listing, now: Listing) -> bool:
    """Return whether the newest of *frames* (in order of time) is new or has changed.

    Frames that came after *now* was listed do not count: the round may not have seen them.
    """
    present = {path for path, *_ in now}
    changed = {path for path, *_ in set(now) - set(before)}
    newest = next((path for path in reversed(frames) if path in present), None)
    return newest in changed
