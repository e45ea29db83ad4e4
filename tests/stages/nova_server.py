"""A server on this machine that speaks as nova.astrometry.net does, and fails as it is told to."""

from __future__ import annotations

import contextlib
import http.server
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from tests.loopback import serving

KEY = "a-secret-key"
SESSION = "a-secret-session"


@dataclass
class Nova:
    """What the server knows, and what it shall do wrong."""

    address: str = ""
    header: bytes = b""
    """FITS header that it finds."""
    submissions: list[dict[str, Any]] = field(default_factory=list)
    """What was sent."""
    asked: list[str] = field(default_factory=list)
    patience: int = 0
    """Questions for the submission before it has a job."""
    verdict: str = "success"
    """Of the job: success, failure, solving."""
    fault: str = ""
    """login_html, login_refused, no_session, upload_error, upload_cut, status_500, wcs_html"""


class _Handler(http.server.BaseHTTPRequestHandler):
    nova: Nova

    def log_message(self, *_: Any) -> None:
        """Be silent."""

    def do_POST(self) -> None:
        nova, body = self.nova, self.rfile.read(int(self.headers["Content-Length"])).decode()
        said = json.loads(parse_qs(body)["request-json"][0])
        nova.asked.append(self.path)
        if self.path == "/api/login":
            if nova.fault == "login_html":
                return self._send(b"<html>Back soon.</html>")
            if nova.fault == "no_session":
                return self._json({"status": "success"})
            if said["apikey"] != KEY or nova.fault == "login_refused":
                return self._json({"status": "error", "errormessage": f"bad apikey {said['apikey']}"})
            return self._json({"status": "success", "session": SESSION})
        assert self.path == "/api/url_upload"
        if nova.fault == "upload_error" or said.get("session") != SESSION:
            return self._json({"status": "error", "errormessage": "no"})
        nova.submissions.append(said)
        if nova.fault == "upload_cut":
            return self.connection.close()
        return self._json({"status": "success", "subid": 6000 + len(nova.submissions)})

    def do_GET(self) -> None:
        nova = self.nova
        nova.asked.append(self.path)
        if nova.fault == "status_500":
            self.send_error(500)
        elif self.path.startswith("/api/submissions/"):
            nova.patience -= 1
            self._json({"jobs": [None] if nova.patience >= 0 else [77], "processing_finished": ""})
        elif self.path == "/api/jobs/77":
            self._json({"status": nova.verdict})
        elif self.path == "/wcs_file/77":
            self._send(b"<html>oops</html>" if nova.fault == "wcs_html" else nova.header)
        else:
            self.send_error(404)

    def _json(self, said: dict[str, Any]) -> None:
        self._send(json.dumps(said).encode())

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def serve(nova: Nova) -> Iterator[Nova]:
    """Run the server for a while."""
    with serving(_Handler, nova=nova) as server:
        nova.address = server.address
        yield nova
