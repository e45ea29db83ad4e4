"""Taking out of a text what is nobody's business: who sits where, and what lets in."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SECRET = re.compile(
    r"(?i)\b(pass(?:word|wd|phrase)?|secret|token|api[_-]?key|apikey|session(?:id)?|cookie|authorization)"
    r"(\s*[=:]\s*)(?:bearer\s+|basic\s+)?(\"[^\"]*\"|'[^']*'|[^\s,;&]+)"
)
_CREDENTIALS = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@]+@")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""All but tabulator and end of line."""
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def controls(text: str) -> tuple[str, ...]:
    """Return the control characters of a text, each once; they ring, or repaint a terminal."""
    return tuple(dict.fromkeys(_CONTROL.findall(text)))


def without_controls(text: str) -> str:
    """Return *text* without control characters; tabulators and ends of lines stay."""
    return _CONTROL.sub("", text.replace("\r\n", "\n"))


def scrub(text: str, words: Mapping[str, str]) -> str:
    """Return *text* without passwords, keys, mail addresses, and certain *words*.

    Parameters
    ----------
    words : mapping
        What must not appear, such as the home folder or the name of the login, and what stands
        in its place; the longest go first, and a word of letters is replaced as a whole only.
    """
    text = _CREDENTIALS.sub(r"\1<login>@", text)
    text = _SECRET.sub(r"\1\2<secret>", text)
    text = _MAIL.sub("<e-mail>", text)
    for word in sorted(filter(None, words), key=len, reverse=True):
        edge = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
        pattern = re.escape(word)
        if word[0].isalnum():
            pattern = edge[0] + pattern
        if word[-1].isalnum():
            pattern += edge[1]
        text = re.sub(pattern, lambda _, word=word: words[word], text, flags=re.IGNORECASE)  # type: ignore[misc]
    return text
