"""The manifest of a package: size and sha256 of its files, and what it lacks."""

from __future__ import annotations

import json

from accretor.core.errors import Blocked
from accretor.io.dump import Row
from accretor.io.layout import VisitPaths


def read(paths: VisitPaths) -> Row:
    """Return the manifest of a visit.

    Raises
    ------
    Blocked
        If there is none yet, or it is damaged.
    """
    try:
        found: Row = json.loads(paths.manifest.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise Blocked(f"{paths.folder}: there is no package yet; run doit packaging") from None
    except ValueError:
        raise Blocked(f"{paths.manifest}: is damaged; run doit packaging") from None
    if not isinstance(found, dict) or not {"files", "problems"} <= found.keys():
        raise Blocked(f"{paths.manifest}: is no manifest; run doit packaging")
    return found
