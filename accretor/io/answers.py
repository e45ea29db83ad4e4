"""What comes of a request to someone else's server, and what must be kept secret about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accretor.core.errors import ServiceError

REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""HTTP statuses that only say where to look."""


class NotSent(ServiceError):  # noqa: N818  # a verdict on one request
    """No connection was made: the server has seen nothing of the request."""


class NotTrusted(NotSent):
    """The server cannot prove who it is."""


class NoAnswer(ServiceError):  # noqa: N818  # a verdict on one request
    """The request may have reached the server, which did not answer in full."""


class Refused(ServiceError):  # noqa: N818  # a verdict on one request
    """The server answered, but not with what was asked for."""

    def __init__(self, service: str, reason: str, status: int = 0) -> None:
        super().__init__(service, reason)
        self.status = status
        """HTTP status; 0 if that is not the matter."""


class Secret:
    """A text that is shown nowhere: not by print, repr or format, and not by pickle.

    `reveal` gives it to the one call that needs it.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> Any:
        raise TypeError("a secret is never written down")


@dataclass(frozen=True)
class Cookie:
    """What a server gave to be known by."""

    name: str
    value: Secret
    domain: str
    path: str
    is_secure: bool


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    url: str
    """Without query."""
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 are replaced."""
        return self.body.decode("utf-8", errors="replace")

    @property
    def is_redirect(self) -> bool:
        """Whether it only says where to look."""
        return self.status in REDIRECTS

    @property
    def is_page(self) -> bool:
        """Whether it is a web page, whatever was asked for."""
        start = self.body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        return start.startswith((b"<!doctype", b"<html", b"<head", b"<body"))


def excerpt(content: bytes) -> str:
    """Return the beginning of an answer that is not what was asked for, in a few plain words."""
    text = content[:20000].decode("utf-8", "replace")
    if title := re.search(r"(?is)<title[^>]*>(.*?)</title>", text):
        kind, text = "a page: ", title[1]
    elif re.match(r"(?is)\s*<", text):
        kind, text = "a page: ", re.sub(r"(?s)<[^>]*>", " ", text)
    elif not text.strip():
        return "nothing"
    else:
        kind = ""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return f"{kind}{plain[:80]!r}" if plain else "an empty page"
