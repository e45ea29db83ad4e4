"""A tree of links to the raw frames, by what they are: for people who look for frames by hand."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from accretor.core.dumps import IMAGE_COUNTS
from accretor.core.errors import Blocked
from accretor.core.slug import slug
from accretor.io import dump
from accretor.io.dump import Row
from accretor.io.inventory import Assignment
from accretor.stages.workspace import Workspace


@dataclass(frozen=True)
class Organized:
    """What was done."""

    n_new: int
    n_kept: int
    n_removed: int
    counts: list[Row]
    """Rows of `IMAGE_COUNTS`."""


def run(workspace: Workspace) -> Organized:
    """Make the links that are missing, remove those that are no longer true, and count the images.

    The raw frames are not touched. Links are symbolic, or hard where the system allows no others.

    Raises
    ------
    Blocked
        If a file that is no link of ours is in the way, or no link can be made.
    """
    top = workspace.layout.organized
    wanted = _links(workspace)
    present = (
        {path for path in top.rglob("*") if path.is_symlink() or path.is_file()} if top.is_dir() else set()
    )
    present.discard(top / "images.ecsv")
    stale = [path for path in present - set(wanted) if _is_link(path)]
    for path in stale:
        path.unlink()
    _remove_empty(top)
    new = [(path, raw) for path, raw in sorted(wanted.items()) if not _leads_to(path, raw)]
    for path, raw in new:
        _link(path, raw)
    counts = _counts(workspace)
    dump.write(top / "images.ecsv", IMAGE_COUNTS, counts, {})
    return Organized(len(new), len(wanted) - len(new), len(stale), counts)


def _links(workspace: Workspace) -> dict[Path, Path]:
    """Return the raw frame by the path of its link."""
    found: dict[Path, Path] = {}
    for item in workspace.assignments:
        folder = _folder(item)
        if folder is None:
            continue
        path = workspace.layout.organized / folder / item.file.name
        if path in found:  # two frames of one name, from two folders
            path = path.with_name(item.file.path.replace("/", "_"))
        found[path] = workspace.layout.raw / item.file.path
    return found


def _folder(item: Assignment) -> str | None:
    """Return where a frame belongs; None for a file that is no frame, or is left out."""
    exposure = item.file.exposure
    if exposure is None or (item.reason and exposure.kind == "light"):
        return None
    if item.observation is not None:
        observation = item.observation
        return f"{observation.target}/{observation.night}/{observation.telescope}/{observation.filter}"
    parts = [
        "calibration",
        exposure.instrument,
        exposure.kind,
        *([exposure.filter] if exposure.filter else []),
    ]
    return "/".join(slug(part) for part in parts)


def _counts(workspace: Workspace) -> list[Row]:
    """Count the frames of each folder, and those that are in none."""
    counts = Counter(_folder(item) or "" for item in workspace.assignments)
    seconds: Counter[str] = Counter()
    for item in workspace.assignments:
        exposure = item.file.exposure
        if exposure is not None and exposure.exposure == exposure.exposure:  # not NaN
            seconds[_folder(item) or ""] += exposure.exposure  # type: ignore[assignment]  # a Counter of floats
    return [
        {"folder": folder or "(left out: see work/inventory.ecsv)", "n_frame": n, "exposure": seconds[folder]}
        for folder, n in sorted(counts.items(), key=lambda pair: (not pair[0], pair[0]))
    ]


def _is_link(path: Path) -> bool:
    return path.is_symlink() or path.stat().st_nlink > 1


def _leads_to(path: Path, raw: Path) -> bool:
    try:
        return path.samefile(raw)
    except OSError:
        return False


def _link(path: Path, raw: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() or path.exists():
        if not _is_link(path):
            raise Blocked(f"{path} is a file and no link of ours; move it away and run again")
        path.unlink()
    try:
        path.symlink_to(os.path.relpath(raw, path.parent))
    except OSError:  # Windows gives them to administrators and developers only
        try:
            path.hardlink_to(raw)
        except OSError as error:
            raise Blocked(f"{path}: no link can be made here ({error.strerror or error})") from None


def _remove_empty(top: Path) -> None:
    for folder in sorted(
        (path for path in top.rglob("*") if path.is_dir() and not path.is_symlink()), reverse=True
    ):
        if not any(folder.iterdir()):
            folder.rmdir()
