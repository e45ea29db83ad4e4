"""What a run said of each file, read from the workspace as a user would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from accretor.core.dumps import FRAMES, INVENTORY, LIGHT_CURVE
from accretor.io import dump
from tests.harness import Run, tree

SLUG = "TOI-9999.01/20250304/Demo-0m4/ip"
LIGHTS = "raw/TOI-9999.01"

Row = dict[str, Any]


def reasons(workspace: Path) -> dict[str, str]:
    """Return why each raw file is not in a light curve, "" if it is, by its path below ``raw/``."""
    found = {
        row["path"]: row["reason"] for row in dump.read(workspace / "work/inventory.ecsv", INVENTORY).rows
    }
    for path in sorted((workspace / "work").rglob("frames.ecsv")):
        names = {row["image_name"]: row["path"] for row in dump.read(path, FRAMES).rows}
        found |= {row["path"]: row["reason"] for row in dump.read(path, FRAMES).rows if row["reason"]}
        curve = path.with_name("lightcurve.ecsv")
        if curve.exists():
            found |= {names[row["image_name"]]: row["reason"] for row in dump.read(curve, LIGHT_CURVE).rows}
    return found


def frames(workspace: Path, slug: str = SLUG) -> dict[str, Row]:
    """Return the rows of ``frames.ecsv`` by the name of the frame."""
    rows = dump.read(workspace / "work" / slug / "frames.ecsv", FRAMES).rows
    return {row["image_name"]: row for row in rows}


def curve(workspace: Path, slug: str = SLUG) -> list[Row]:
    """Return the light curve."""
    return dump.read(workspace / "work" / slug / "lightcurve.ecsv", LIGHT_CURVE).rows


def numbers(rows: list[Row]) -> list[tuple[str, ...]]:
    """Return all but the names of a light curve, so that NaN equals NaN."""
    return [tuple(repr(value) for name, value in row.items() if name != "image_name") for row in rows]


def is_tidy(run: Run) -> bool:
    """Tell whether a run kept its tracebacks to itself."""
    return not any(word in run.out + run.err for word in ("Traceback", "BROKE", "Warning", "WARNING"))


def outside(workspace: Path) -> dict[str, str]:
    """Return all that is beside the workspace, and its raw frames: what no run may change."""
    beside = {
        str(path): str(path.readlink()) if path.is_symlink() else ""
        for path in sorted(workspace.parent.rglob("*"))
        if not path.is_relative_to(workspace)
    }
    return beside | tree(workspace / "raw")
