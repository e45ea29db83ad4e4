"""What is observed: one planet candidate, one night, one telescope, one filter."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Observation:
    """One planet candidate, through one filter of one telescope, in one night."""

    target: str
    night: str
    """Local evening, YYYYMMDD."""
    telescope: str
    filter: str

    @property
    def slug(self) -> str:
        """Folder and task name, e.g. ``TOI-1234.01/20250304/Hilltop-0m5/ip``."""
        return f"{self.target}/{self.night}/{self.telescope}/{self.filter}"

    @property
    def visit(self) -> Visit:
        """The package to which this observation belongs."""
        return Visit(self.target, self.night, self.telescope)


@dataclass(frozen=True, order=True)
class Visit:
    """One planet candidate, one telescope, one night, all its filters: one package."""

    target: str
    night: str
    telescope: str

    @property
    def slug(self) -> str:
        """Folder and task name, e.g. ``TOI-1234.01/20250304/Hilltop-0m5``."""
        return f"{self.target}/{self.night}/{self.telescope}"
