"""Output that no terminal can refuse: what its encoding lacks is written in plain letters."""

from __future__ import annotations

import codecs
import io
import sys

_PLAIN = {"±": "+-", "×": "x", "–": "-", "…": "...", "°": " deg", "→": "->", "′": "'", "″": '"'}


def survive() -> None:
    """Let every character be written, whatever LANG, the console or PYTHONIOENCODING say."""
    codecs.register_error("accretor.plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="accretor.plain")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    # Bytes of a file name that are no text come as single surrogates.
    return "".join(_PLAIN.get(letter, "?") for letter in error.object[error.start : error.end]), error.end
