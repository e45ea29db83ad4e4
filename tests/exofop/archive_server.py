"""A server on this machine that gives out what it is told to, and fails as it is told to."""

from __future__ import annotations

import contextlib
import http.server
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.loopback import serving

PAGE = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body>Back soon.</body></html>"
LOGIN = b"<html><title>Log in</title><form><input type='password'></form></html>"
COOKIE = "a-session"


@dataclass
class Archive:
    """What the server has, and what it shall do wrong."""

    pages: dict[str, bytes] = field(default_factory=dict)
    """By ``page.php``, or ``page.php?name=value`` of one parameter."""
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """By the same names; each is done once: html, cut, short, stall, 500, slow, other_part, no_range, 416."""
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    """Page, query and headers of each request."""
    posted: list[str] = field(default_factory=list)
    """Pages that a form was sent to; their faults are drop and 500."""
    private: set[str] = field(default_factory=set)
    """Of these names, what only someone who has logged in is given."""
    password: str = ""
    """Of the only user there is; "" lets nobody in."""
    address: str = ""
    place: str = ""
    n_open: int = 0
    n_open_most: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)
    """Lets go of the answers that stall."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def counted(self, page: str) -> int:
        """Return how often *page* was asked for."""
        return sum(asked == page for asked, _, _ in self.asked)


class _Handler(http.server.BaseHTTPRequestHandler):
    archive: Archive

    def log_message(self, *_: Any) -> None:
        """Be silent."""

    def do_GET(self) -> None:
        archive = self.archive
        with archive.lock:
            archive.n_open += 1
            archive.n_open_most = max(archive.n_open, archive.n_open_most)
        try:
            self._answer(archive)
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            with archive.lock:
                archive.n_open -= 1

    def do_POST(self) -> None:
        body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        page = urlsplit(self.path).path.removeprefix("/tess/")
        self.archive.posted.append(page)
        fault = self.archive.faults[page].pop(0) if self.archive.faults[page] else ""
        if fault == "drop":
            self.close_connection = True
            return
        if fault == "500":
            self._send(500, PAGE)
            return
        is_right = bool(self.archive.password) and body.get("password") == [self.archive.password]
        self.send_response(200)
        if is_right:
            self.send_header("Set-Cookie", f"PHPSESSID={COOKIE}; path=/")
        answer = b"<html>Welcome</html>" if is_right else b"<html>Invalid username or password</html>"
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _answer(self, archive: Archive) -> None:
        parts = urlsplit(self.path)
        page = parts.path.removeprefix("/tess/").lstrip("/")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        archive.asked.append((page, query, dict(self.headers)))
        names = [page, *(f"{page}?{name}={value}" for name, value in query.items())]
        fault = next((archive.faults[name].pop(0) for name in names if archive.faults[name]), "")
        body = next((archive.pages[name] for name in reversed(names) if name in archive.pages), None)
        is_known = COOKIE in self.headers.get("Cookie", "")
        if not page:
            self._send(200, b"<html><a>Log out</a></html>" if is_known else LOGIN)
        elif archive.private.intersection(names) and not is_known:
            self._send(200, LOGIN)
        elif body is None:
            self._send(404, PAGE)
        elif fault == "html":
            self._send(200, PAGE)
        elif fault == "500":
            self._send(500, PAGE)
        elif fault == "cut":
            self._send(200, body, sent=body[: len(body) // 2])
        elif fault == "stall":
            self._send(200, body, sent=body[: len(body) // 2])
            self.wfile.flush()
            archive.is_over.wait(60)
        elif fault == "short":
            self._send(200, body[: len(body) // 2])
        else:
            if fault == "slow":
                time.sleep(0.6)
            self._part(body, fault)

    def _part(self, body: bytes, fault: str) -> None:
        wanted = self.headers.get("Range", "")
        if not wanted or fault == "no_range":
            self._send(200, body)
        elif fault == "416":
            self._send(416, b"")
        else:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            told = start - 1 if fault == "other_part" else start
            self._send(206, body[start:], span=f"bytes {told}-{len(body) - 1}/{len(body)}")

    def _send(self, status: int, body: bytes, *, sent: bytes | None = None, span: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if span:
            self.send_header("Content-Range", span)
        self.end_headers()
        self.wfile.write(body if sent is None else sent)
        self.close_connection = True


@contextlib.contextmanager
def serve(archive: Archive) -> Iterator[Archive]:
    """Run the server for a while."""
    with serving(_Handler, archive=archive) as server:
        archive.place, archive.address = server.place, f"{server.address}/tess"
        yield archive
