"""Java's properties files, in which AstroImageJ keeps its settings."""

from __future__ import annotations

import re
from collections.abc import Mapping

_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\(.)")


def write(keys: Mapping[str, str], *comments: str) -> bytes:
    """Return the file: the comments, then the keys in alphabetical order; no date, unlike Java's."""
    lines = [
        *(f"#{comment}" for comment in comments if comment),
        *(f"{key}={_escape(keys[key])}" for key in sorted(keys)),
    ]
    return "".join(f"{line}\n" for line in lines).encode("latin-1")


def parse(content: bytes) -> dict[str, str]:
    """Return the keys of a file in which each has one line."""
    found = {}
    for line in content.decode("latin-1").splitlines():
        key, equals, value = line.partition("=")
        if equals and not key.startswith(("#", "!")):
            found[key.strip()] = _unescape(value)
    return found


def _escape(value: str) -> str:
    escaped = "".join(f"\\{letter}" if letter in "\\:=#!" else _latin(letter) for letter in value)
    return f"\\{escaped}" if escaped.startswith(" ") else escaped


def _latin(letter: str) -> str:
    if " " <= letter <= "~":
        return letter
    # Java counts in UTF-16: a letter beyond the first plane takes two escapes.
    utf16 = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{utf16[at] << 8 | utf16[at + 1]:04X}" for at in range(0, len(utf16), 2))


def _unescape(value: str) -> str:
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], value)
    return plain.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass")
