"""A server on this machine, for as long as a test needs it."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator
from typing import Any


class Server(http.server.ThreadingHTTPServer):
    """Answers each request in a thread of its own."""

    daemon_threads = True

    @property
    def place(self) -> str:
        """``host:port``, as `accretor.io.http.Client` wants it."""
        return f"127.0.0.1:{self.server_port}"

    @property
    def address(self) -> str:
        """Of its root, without a slash at the end."""
        return f"http://{self.place}"


@contextlib.contextmanager
def serving(handler: type[http.server.BaseHTTPRequestHandler], **known: Any) -> Iterator[Server]:
    """Run a server on a free port; a *handler* that has *known* as attributes answers each request."""
    server = Server(("127.0.0.1", 0), type("Handler", (handler,), known))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
