"""Whether a good part of a night has gone from raw/ since it was measured.

Whoever archives raw frames does not mean to thin a light curve that is finished, and would
not see it among other numbers. A few frames less are a choice; many at once are asked about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from accretor.core.dumps import CALIBRATIONS, FRAMES, Schema
from accretor.core.errors import Blocked, DumpError
from accretor.io import dump

if TYPE_CHECKING:
    from accretor.io.inventory import RawFile
    from accretor.io.layout import Layout
    from accretor.stages.workspace import ObservationPlan

FEWEST = 3
"""Fewer are taken away on purpose."""
SHARE = 0.2
"""So is a smaller part of what there was."""


def refuse(plan: ObservationPlan, layout: Layout) -> None:
    """Stop where many frames of the last run, or of its masters, are no longer below raw/.

    Raises
    ------
    Blocked
        With what is gone, and how to go on in both cases.
    """
    paths, calibrations = plan.paths, plan.calibrations
    before = {"frames": [(row["path"], row["obstime"]) for row in _rows(paths.frames, FRAMES)]}
    for row in _rows(paths.calibrations, CALIBRATIONS):
        if row["use"]:
            before.setdefault(row["kind"], []).append((row["path"], row["mid"]))
    now: dict[str, Sequence[RawFile]] = {
        "frames": plan.frames,
        "bias": calibrations.bias,
        "dark": calibrations.dark,
        "flat": calibrations.flat,
    }
    found = []
    for kind, old in before.items():
        n_gone = _n_gone(layout.raw, old, now.get(kind, ()))
        if n_gone >= FEWEST and n_gone > SHARE * len(old):
            found.append(f"{n_gone} of {len(old)} {kind if kind == 'frames' else f'{kind} frames'}")
    if found:
        slug = plan.observation.slug
        raise Blocked(
            f"{slug}: {' and '.join(found)} of the last run are gone from raw/, and what they gave is kept "
            f"as it is. Put them back; or, if the results shall be made without them: doit redo=preprocess "
            f"preprocess:{slug}, then doit. A light curve leaves frames out by [calibration] exclude_frames"
        )


def _n_gone(raw: Path, old: Sequence[tuple[str, str]], now: Sequence[RawFile]) -> int:
    """Return how many files are gone that are not there in another folder, or under another name."""
    names = {PurePosixPath(file.path).name for file in now}
    moments = {file.exposure.mid for file in now if file.exposure and file.exposure.mid}
    return sum(
        PurePosixPath(path).name not in names and moment not in moments and not (raw / path).exists()
        for path, moment in old
    )


def _rows(path: Path, schema: Schema) -> Iterable[dump.Row]:
    try:
        return dump.read(path, schema).rows
    except (FileNotFoundError, DumpError):
        return []
