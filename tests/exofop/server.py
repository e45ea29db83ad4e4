"""An ExoFOP of our own, in its own process on this machine, that can fail in every way we could think of.

It believes nothing and refuses nothing: who sends a file twice finds it there twice. Tests look at
its store, not at what the client says. Started as a program it prints its port, and ends with its input.
"""

from __future__ import annotations

import contextlib
import email.parser
import email.policy
import hashlib
import json
import secrets
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

USER, PASSWORD = "a_observer", "s3cret-Canary-pässword"

SERIES = {
    "TIC ID": "id",
    "TIC": "id",
    "TOI": "planet",
    "Telescope": "tel",
    "Camera": "camera",
    "Filter": "filter",
    "Pixel Scale (arcsec)": "pixscale",
    "PSF (arcsec)": "psf",
    "Phot Aperture Rad (pix)": "photaprad",
    "Obs Date": "obsdate",
    "Obs Duration (min)": "obsdur",
    "Num Obs": "obsnum",
    "Obs Type": "obstype",
    "Transit Coverage": "transcov",
    "Delta Mag": "deltamag",
    "User": "user",
    "Group": "groupname",
    "Tag": "number",
    "Notes": "notes",
}


class Store:
    """What the server holds, and how it is to behave."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        self.sessions: dict[str, str] = {}
        self.series: list[dict[str, Any]] = []
        self.files: list[dict[str, Any]] = []
        self.bytes: dict[str, bytes] = {}
        self.posts: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.n_login = 0
        self.n_insert = 0
        self.faults: list[dict[str, Any]] = []
        self.modes: dict[str, Any] = {}
        self.pending: list[tuple[str, dict[str, str], tuple[str, bytes] | None, str]] = []

    def fault(self) -> dict[str, Any]:
        """Return the fault that the present insert is to meet, once."""
        self.n_insert += 1
        for fault in self.faults:
            if fault["at"] == self.n_insert:
                return fault
        return {"kind": ""}

    def insert(self, page: str, fields: dict[str, str], upload: tuple[str, bytes] | None, user: str) -> None:
        with self.lock:
            if page == "insert_tseries.php":
                self.series.append({**fields, "user": user, "number": "18493"})
                return
            assert upload is not None
            name, content = upload
            number = str(1000 + len(self.files))
            self.bytes[number] = content
            self.files.append(
                {
                    "name": name,
                    "id": number,
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "size": len(content),
                    "user": user,
                    **fields,
                }
            )

    def shown(self) -> dict[str, Any]:
        return {
            "series": self.series,
            "files": self.files,
            "posts": self.posts,
            "requests": self.requests,
            "n_login": self.n_login,
            "n_insert": self.n_insert,
        }


STORE = Store()


class Handler(BaseHTTPRequestHandler):
    """Answers as ExoFOP does, as far as that is known: HTML and status 200 for nearly everything."""

    wbufsize = -1  # head and body in one packet: a loopback that waits for more costs 40 ms each time

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        parts = urllib.parse.urlsplit(self.path)
        page, query = parts.path.removeprefix("/tess/"), dict(urllib.parse.parse_qsl(parts.query))
        if page == "/_store":
            self.send(json.dumps(STORE.shown()).encode(), "application/json")
            return
        with STORE.lock:
            STORE.requests.append(f"GET {page}")
            user = self.user()
            if fault := STORE.modes.get("get"):
                self.fail_get(page, fault)
                return
            if STORE.modes.get("maintenance"):
                self.html("Closed", "ExoFOP is down for scheduled maintenance.")
                return
            answer = {
                "": self.index,
                "login.php": self.index,
                "download_filelist.php": self.file_list,
                "download_tag_tseries.php": self.tag_series,
                "download_tseries.php": self.all_series,
                "get_file.php": self.file,
            }.get(page)
        if answer is None:
            self.html("Not found", "No such page", 404)
        else:
            answer(query, user)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        page = urllib.parse.urlsplit(self.path).path.removeprefix("/tess/")
        if page == "/_control":
            self.control(json.loads(body))
            return
        fields, upload = self.form(body)
        with STORE.lock:
            shown = {key: "***" if key == "password" else value for key, value in fields.items()}
            name = upload[0] if upload else None
            digest = hashlib.sha256(upload[1]).hexdigest() if upload else None
            STORE.posts.append({"page": page, "fields": list(shown.items()), "file": name, "sha256": digest})
            STORE.requests.append(f"POST {page}")
        if page == "password_check.php":
            self.log_in(fields)
        elif page in ("insert_tseries.php", "insert_file.php"):
            self.insert(page, fields, upload)
        else:
            self.html("Not found", "No such page", 404)

    def control(self, wanted: dict[str, Any]) -> None:
        with STORE.lock:
            if wanted.pop("reset", False):
                STORE.reset()
            if wanted.pop("flush", False):
                for waiting in STORE.pending:
                    STORE.insert(*waiting)
                STORE.pending.clear()
                for item in (*STORE.files, *STORE.series):
                    item.pop("hidden", None)
            if wanted.pop("end_sessions", False):
                STORE.sessions.clear()
            if (faults := wanted.pop("faults", None)) is not None:
                STORE.faults, STORE.n_insert = faults, 0
            for item in wanted.pop("insert", []):
                upload = (item["name"], bytes.fromhex(item["hex"])) if "name" in item else None
                STORE.insert(item["page"], item["fields"], upload, item["user"])
            STORE.modes.update(wanted)
        self.send(b"{}", "application/json")

    def log_in(self, fields: dict[str, str]) -> None:
        STORE.n_login += 1
        if STORE.modes.get("maintenance"):
            self.html("Closed", "ExoFOP is down for scheduled maintenance.")
            return
        if (fields.get("username"), fields.get("password")) != (USER, PASSWORD):
            self.html("Login", "Invalid username or password")
            return
        if other := STORE.modes.get("login_redirect"):
            self.send(b"", "text/html", 307, {"Location": other})
            return
        key = secrets.token_hex(8)
        STORE.sessions[key] = USER
        headers = {"Set-Cookie": f"PHPSESSID={key}; path=/", "Location": "/tess/"}
        self.send(b"", "text/html", 302, headers)

    def insert(self, page: str, fields: dict[str, str], upload: tuple[str, bytes] | None) -> None:
        with STORE.lock:
            fault = STORE.fault()
            kind = fault["kind"]
            if kind == "expire":
                STORE.sessions.clear()
            user = self.user()
            if not user:
                if fault.get("redirect"):
                    self.send(b"", "text/html", 302, {"Location": "login.php?ref=insert"})
                else:
                    self.html("Login", 'Please log in <form><input type="password" name="password"></form>')
                return
            if kind == "truncate" and upload:
                upload = (upload[0], upload[1][: len(upload[1]) // 2])
            if kind == "late":
                work = threading.Timer(fault.get("seconds", 0.3), STORE.insert, (page, fields, upload, user))
                work.daemon = True
                work.start()
            elif kind == "pending":  # stored when the test says so
                STORE.pending.append((page, fields, upload, user))
            elif kind not in ("error_before", "cut_before", "odd", "redirect", "refused"):
                STORE.insert(page, fields, upload, user)
            if kind == "hidden":  # stored, but not in the lists yet
                (STORE.files if upload else STORE.series)[-1]["hidden"] = True
        self.answer_insert(kind, fault)

    def answer_insert(self, kind: str, fault: dict[str, Any]) -> None:
        texts = {
            "odd": "Sorry, something is different today",
            "refused": "The file was not uploaded successfully: not authorized",
            "exists": "File already exists",
        }
        if kind in ("error_before", "error_after"):
            self.html("Oops", "Internal error", 500)
        elif kind in ("cut_before", "cut_after", "late", "pending", "truncate"):
            self.connection.shutdown(socket.SHUT_RDWR)
        elif kind == "redirect":
            self.send(b"", "text/html", 307, {"Location": fault["to"]})
        else:
            time.sleep(fault["seconds"] if kind == "slow" else 0)
            with contextlib.suppress(OSError):  # who waits no more
                self.html("ExoFOP", texts.get(kind, "Uploaded successfully"))

    def index(self, query: dict[str, str], user: str) -> None:
        if user:
            self.html("ExoFOP", f"Welcome {user} <a href='logout.php'>Log Out</a>")
        else:
            self.html("ExoFOP", "<a href='login.php'>Login</a>")

    def file_list(self, query: dict[str, str], user: str) -> None:
        lag = STORE.modes.get("lag", 0) if STORE.files else 0
        if lag:
            STORE.modes["lag"] = lag - 1
        lines = ["Type,File Name,File ID,TIC,TOI,Date,User,Group,Tag,Description"]
        lines += [
            f"Light_Curve,{file['name']},{file['id']},{file['tid']},,2025-03-05,{file['user']},"
            f'{file["groupname"]},18493,"{file["file_desc"]}"'
            for file in STORE.files[: len(STORE.files) - (1 if lag else 0)]
            # What is proprietary is shown to the group only.
            if file["tid"] == query["id"] and user and not file.get("hidden")
        ]
        self.send("\n".join(lines).encode() + b"\n", "text/csv")

    def tag_series(self, query: dict[str, str], user: str) -> None:
        found = [series for series in STORE.series if series["tag"] == query["tag"]]
        if STORE.modes.get("tag_sentence") and not found:
            self.send(b"No results for this tag\n", "text/plain")
        else:
            self.series(found)

    def all_series(self, query: dict[str, str], user: str) -> None:
        self.series([series for series in STORE.series if series["id"] == query["target"]])

    def series(self, found: list[dict[str, Any]]) -> None:
        lines = ["|".join(SERIES)]
        lines += [
            "|".join(str(one.get(key, "")) for key in SERIES.values())
            for one in found
            if not one.get("hidden")
        ]
        self.send("\n".join(lines).encode() + b"\n", "text/plain")

    def file(self, query: dict[str, str], user: str) -> None:
        content = STORE.bytes.get(query.get("id", ""))
        if content is None or not user or STORE.modes.get("no_files"):
            self.html("ExoFOP", "not available")
        else:
            self.send(content, "application/octet-stream")

    def fail_get(self, page: str, fault: dict[str, Any]) -> None:
        if page not in fault.get("pages", [page]):
            del STORE.modes["get"]
            self.do_GET()
            return
        fault["times"] = fault.get("times", 1) - 1
        if fault["times"] <= 0:
            del STORE.modes["get"]
        match fault["kind"]:
            case "status":
                self.html("Oops", "later", fault["status"])
            case "page":
                self.html("ExoFOP", "Something to read")
            case "empty":
                self.send(b"", "text/plain")
            case "redirect":
                self.send(b"", "text/html", 302, {"Location": fault["to"]})
            case "short":
                self.send_response(200)
                self.send_header("Content-Length", "100000")
                self.end_headers()
                self.wfile.write(b"Type,File Name,File ID\n")
            case "huge":
                self.send_response(200)
                self.end_headers()
                with contextlib.suppress(OSError):
                    for _ in range(200):
                        self.wfile.write(b"x" * 1_000_000)

    def user(self) -> str:
        cookies = self.headers.get("Cookie", "")
        return next((user for key, user in STORE.sessions.items() if f"PHPSESSID={key}" in cookies), "")

    def form(self, body: bytes) -> tuple[dict[str, str], tuple[str, bytes] | None]:
        kind = self.headers.get("Content-Type", "")
        if not kind.startswith("multipart/"):
            return dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True)), None
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        fields, upload = {}, None
        for part in message.iter_parts():
            name = str(part.get_param("name", header="content-disposition"))
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            if part.get_filename():
                assert name == "file_name"
                upload = (str(part.get_filename()), content)
            else:
                fields[name] = content.decode()
        return fields, upload

    def html(self, title: str, text: str, status: int = 200) -> None:
        page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{text}</body></html>"
        self.send(page.encode(), "text/html; charset=utf-8", status)

    def send(self, body: bytes, kind: str, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class LocalExoFOP:
    """The server as tests see it."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.url = f"{root}/tess/"

    def set(self, **wanted: Any) -> None:
        """Reset it, or set faults (of the n-th insert from now on) and modes."""
        data = json.dumps(wanted).encode()
        urllib.request.urlopen(urllib.request.Request(f"{self.root}/_control", data), timeout=20).close()

    def store(self) -> dict[str, Any]:
        """Return what it holds, and what it was asked for."""
        with urllib.request.urlopen(f"{self.root}/_store", timeout=20) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def copies(self) -> dict[str, int]:
        """Return how often it holds each file, and each form under ``summary <filter>``."""
        store = self.store()
        names = [file["name"] for file in store["files"]]
        names += [f"summary {series['filter']}" for series in store["series"]]
        return {name: names.count(name) for name in names}


@contextlib.contextmanager
def running(certificate: Path | None = None, key: Path | None = None) -> Iterator[LocalExoFOP]:
    """Run the server in a process of its own."""
    arguments = [str(path) for path in (certificate, key) if path]
    process = subprocess.Popen(
        [sys.executable, __file__, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        yield LocalExoFOP(f"{'https' if certificate else 'http'}://127.0.0.1:{port}")
    finally:
        process.stdin.close()
        process.wait(timeout=20)
        process.stdout.close()


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that is gone is part of the tests


def main() -> None:
    """Serve until the input ends."""
    server = Listener(("127.0.0.1", 0), Handler)
    if len(sys.argv) > 1:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
