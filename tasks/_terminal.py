"""Output that no terminal can refuse: what its encoding lacks is written in plain letters."""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import TextIO

_PLAIN = {"±": "+-", "×": "x", "–": "-", "…": "...", "°": " deg", "→": "->", "′": "'", "″": '"'}


def survive() -> None:
    """Let every character be written, whatever LANG, the console or PYTHONIOENCODING say."""
    codecs.register_error("accretor.plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="accretor.plain")


class Listing(io.TextIOBase):
    """A stream whose reader may go away before the end, as in ``doit list | head``."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write *text* at once, or end the program quietly if nobody reads it.

        Raises
        ------
        SystemExit
            If the reader is gone.
        """
        try:
            n_written = self._stream.write(text)
            self._stream.flush()
        except BrokenPipeError:
            # What is still in the buffer must not meet the closed pipe at the end of the interpreter.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            raise SystemExit(1) from None
        return n_written


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    # Bytes of a file name that are no text come as single surrogates.
    return "".join(_PLAIN.get(letter, "?") for letter in error.object[error.start : error.end]), error.end
