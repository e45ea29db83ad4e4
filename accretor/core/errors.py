"""Everything that can go wrong with someone else's files, settings or servers.

Each class is named for the one whose move it is. A message is one line: what
(file, target), why (value found, value needed), and what to do about it. Bugs of
our own stay ``ValueError`` and ``TypeError``, with their tracebacks.
"""

from __future__ import annotations

import copyreg
from pathlib import Path
from typing import Any


class AccretorError(Exception):
    """Base of all errors that are told to the user in one line."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Let it come back whole from a worker, whatever its class is made with."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class ConfigError(AccretorError):
    """The user must edit the workspace file."""

    def __init__(self, path: Path, key: str, reason: str) -> None:
        super().__init__(f"{path}: {key}: {reason}" if key else f"{path}: {reason}")
        self.path = path
        self.key = key
        self.reason = reason


class HeaderError(AccretorError):
    """A raw frame does not say what it must; the frame is left out."""

    def __init__(self, keyword: str, reason: str) -> None:
        super().__init__(f"{keyword}: {reason}" if keyword else reason)
        self.keyword = keyword
        self.reason = reason


class DumpError(AccretorError):
    """A dump is not what its schema says; it is set aside and made again."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class Unusable(AccretorError):  # noqa: N818  # a verdict on data, expected, not a fault
    """The data are too bad for this step; the reason becomes a row of a table."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Blocked(AccretorError):  # noqa: N818  # a verdict on an observation, expected
    """A stage cannot go on for this observation; the others can."""


class ServiceError(AccretorError):
    """Someone else's server or program failed; this is never an empty answer."""

    def __init__(self, service: str, reason: str) -> None:
        super().__init__(f"{service}: {reason}")
        self.service = service
        self.reason = reason


class UploadError(AccretorError):
    """ExoFOP refused, or did not prove, what was sent."""


class ComputeError(AccretorError):
    """The work cannot be done where the settings want it; what is done is kept."""


class WorkerDied(AccretorError):  # noqa: N818  # a verdict on some items, all others are done
    """Some pieces of work end the process that does them: a crash in a library, or too much memory."""

    def __init__(self, items: tuple[int, ...]) -> None:
        super().__init__(f"{len(items)} pieces of work ended the process that worked on them")
        self.items = items
        """Their indices."""
