"""What every action gets besides the files: where work is done, and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from accretor.compute.pool import Pool


@dataclass(frozen=True)
class Bench:
    """The workbench of a run."""

    pool: Pool
    progress: Callable[[int, int], None]
    """Called with the rows that are done and the rows in all."""
    redo: bool = False
    """Measure again what is there already."""
    renew: bool = False
    """Make again the choices that are kept otherwise: template, star list, self-dark."""


@dataclass(frozen=True)
class Done:
    """What an action leaves behind."""

    files: tuple[Path, ...]
    """Every file that stands for its result; if one is changed or gone, the action runs again."""
    said: str
    """One line for people."""
    is_final: bool = True
    """Whether nothing failed for a reason that may pass, such as memory; else the next run tries again."""
