"""Output that no terminal can refuse: what its encoding lacks is written in plain letters."""

from __future__ import annotations

import codecs
import io
import os
import sys

from accretor.io.listing import Listing

_PLAIN = {"±": "+-", "×": "x", "–": "-", "…": "...", "°": " deg", "→": "->", "′": "'", "″": '"'}


def strong(words: str) -> str:
    """Return *words* in red where there is a terminal that shows colours, and nobody asked for none.

    See https://no-color.org: any NO_COLOR but an empty one means none.
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty():
        return words
    return f"\x1b[31m{words}\x1b[0m"


def survive() -> None:
    """Let every character be written, whatever LANG, the console or PYTHONIOENCODING say."""
    codecs.register_error("accretor.plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper | Listing):
            stream.reconfigure(errors="accretor.plain")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    # Bytes of a file name that are no text come as single surrogates.
    return "".join(_PLAIN.get(letter, "?") for letter in error.object[error.start : error.end]), error.end
