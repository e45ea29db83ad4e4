"""What ``workspace.toml`` still leaves to its user: all of it at once, not one thing a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from accretor.config.draft import FILL_IN
from accretor.core.settings import InstrumentSettings, WorkspaceSettings


@dataclass(frozen=True)
class Blank:
    """A line that the user must fill in."""

    line: int
    """From 1."""
    key: str
    need: str
    """What belongs there, in words."""


def blanks(path: Path) -> list[Blank]:
    """Return the lines of a file that `doit init` left to the user and that are still empty."""
    found = []
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        given, _, comment = line.partition("#")
        key, _, value = (part.strip() for part in given.partition("="))
        if value in {'""', "0"} and FILL_IN in comment:
            found.append(Blank(number, key, comment.replace(FILL_IN, "").strip(" :")))
    return found


def for_exofop(settings: WorkspaceSettings, instruments: Iterable[InstrumentSettings]) -> list[str]:
    """Return the keys without a value that no frame can tell and that the notes or ExoFOP's form need.

    Parameters
    ----------
    instruments : iterable of InstrumentSettings
        Those of the nights in question; one that is in no settings has the name that its headers give it.
    """
    keys = []
    if not (settings.packaging.observers or settings.observer).strip():
        keys.append('observer = "..."')
    if settings.upload.telescope_size is None:
        nameless = dict.fromkeys(one.name for one in instruments if one.telescope_diameter is None)
        keys += [f"[[instrument]] telescope_diameter = ... (m) of {name}" for name in nameless]
    if not settings.upload.username:
        keys.append('[upload] username = "..."')
    return keys
