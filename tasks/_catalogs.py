"""What the catalogues of a target are, for tasks that depend on them; a user may put one anywhere."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from accretor.stages import catalogs
from accretor.stages.workspace import ObservationPlan
from tasks import _workspace


def identity(plan: ObservationPlan) -> list[tuple[str, str]]:
    """Return name and digest of each catalogue of the target; "" for one that is not there."""
    workspace = _workspace.current()
    found = catalogs.files(workspace.layout, workspace.settings, plan.target)
    return [(name, _digest(path)) for name, path in found.items()]


@functools.cache
def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
