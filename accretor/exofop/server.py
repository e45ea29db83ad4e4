"""Where ExoFOP is: the one table of addresses, and the pages by their names."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from accretor.core.errors import Unusable
from accretor.io.http import Client, is_loopback

SERVICE = "ExoFOP"
PRODUCTION = "https://exofop.ipac.caltech.edu/tess/"
STAGING = "https://exofopdev.ipac.caltech.edu/tess/"
"""The developers' copy; ask exofop-support@ipac.caltech.edu before it is used."""

ADDRESSES = (PRODUCTION, STAGING)
"""Everywhere that accretor may go to for ExoFOP, but for this machine itself in tests."""


@dataclass(frozen=True)
class Server:
    """One of the servers of ExoFOP."""

    base: str
    """Address that ends in a slash."""

    @property
    def host(self) -> str:
        """Name of the machine, as in a netrc file."""
        return urlsplit(self.base).hostname or ""

    @property
    def place(self) -> str:
        """``host:port``, as `accretor.io.http.Client` wants it."""
        parts = urlsplit(self.base)
        return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"

    def url(self, page: str) -> str:
        """Return the address of *page*, e.g. ``download_toi.php``."""
        return self.base + page

    def client(self) -> Client:
        """Return a visitor of this server who is not logged in."""
        return Client(SERVICE, {self.place})


def server(address: str = "") -> Server:
    """Return the server at *address*; default: the public one.

    Raises
    ------
    Unusable
        If it is neither in `ADDRESSES` nor on this machine.
    """
    base = (address or PRODUCTION).rstrip("/") + "/"
    parts = urlsplit(base)
    is_here = parts.scheme in {"http", "https"} and is_loopback(parts.hostname or "") and not parts.username
    if base not in ADDRESSES and not is_here:
        raise Unusable(f"{address} is no server of ExoFOP; known are {' and '.join(ADDRESSES)}")
    try:
        parts.port  # noqa: B018  # it is looked at when it is asked for
    except ValueError:
        raise Unusable(f"{address} has no valid port") from None
    return Server(base)
