"""Output whose reader may go away before the end."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import TextIO


class Listing(io.TextIOBase):
    """A stream that ends the program quietly when its reader goes away, as in ``doit list | head``.

    The meaning of SIGPIPE, which belongs to the whole process, stays what it is.
    """

    def __init__(self, stream: TextIO, spoken: Callable[[str], str] = str) -> None:
        """Make one that writes to *stream* what *spoken* makes of each text."""
        self._stream = stream
        self._spoken = spoken

    def write(self, text: str) -> int:
        """Write *text* at once, or end the program quietly if nobody reads it.

        Raises
        ------
        SystemExit
            If the reader is gone.
        """
        try:
            self._stream.write(self._spoken(text))
            self._stream.flush()
        except BrokenPipeError:
            _abandon(self._stream)
            raise SystemExit(1) from None
        return len(text)

    def isatty(self) -> bool:
        """Return whether people read it."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the number that the system has for it."""
        return self._stream.fileno()

    def reconfigure(self, *, errors: str) -> None:
        """Have *errors* handle the letters that its encoding lacks, if it has one."""
        if isinstance(self._stream, io.TextIOWrapper | Listing):
            self._stream.reconfigure(errors=errors)


def _abandon(stream: TextIO) -> None:
    """Let what is still in the buffer not meet the closed pipe at the end of the interpreter."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
