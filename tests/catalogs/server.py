"""TAP and VizieR services on this machine, which have what they are given, and fail as they are told to."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import io
import re
import threading
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from astropy.io.votable import from_table
from astropy.io.votable.tree import Info
from astropy.table import Table as Stars

from accretor.catalogs.source import Source, Table
from accretor.catalogs.validate import Field, separation
from tests.loopback import serving

PAGE = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body>Back on Monday.</body></html>"
LOGIN = b"<html><head><title>Please log in</title></head><form><input type=password></form></html>"
_CIRCLE = re.compile(r"CIRCLE\('ICRS', ([\d.+-]+), ([\d.+-]+), ([\d.]+)\)")


@dataclass
class Services:
    """What the services have, and what they shall do wrong."""

    stars: dict[str, tuple[Table, Stars]] = field(default_factory=dict)
    """By the name of the table: how it is described, and its stars under the service's names."""
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """By path; each is done once, one of: 500, 429, html, login, cut, short, stall, error, error400, empty,
    wrong_sky, gzip, bad_gzip, short_gzip, redirect, no_status, silent (cuts off and does not say so)."""
    always: dict[str, str] = field(default_factory=dict)
    """By path: what is wrong with every answer."""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and query of each request."""
    address: str = ""
    place: str = ""
    elsewhere: str = "https://elsewhere.example/tap/sync"
    """Where a redirect leads."""
    is_over: threading.Event = field(default_factory=threading.Event)
    """Lets go of the answers that stall."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def hold(self, source: Source, stars: dict[str, np.ndarray]) -> None:
        """Have a catalogue in all tables of *source*; *stars* by our names, as an answer has them."""
        for table in source.tables:
            columns = {
                theirs.rpartition(".")[2]: stars[ours]
                for ours, theirs in table.columns.items()
                if ours in stars
            }
            self.stars[table.name] = (table, Stars(columns))

    def elsewhere_of(self, source: Source) -> dict[str, str]:
        """Return the setting that brings all requests for *source* here."""
        return {urlsplit(table.address).hostname or "": self.address for table in source.tables}


def around(target: Field, n_star: int, seed: int = 1, **columns: Any) -> dict[str, np.ndarray]:
    """Return stars evenly over a field, the first of which is the target (epoch 2000, no motion)."""
    generator = np.random.Generator(np.random.PCG64(seed))
    away = np.radians(target.radius * np.sqrt(generator.uniform(0, 1, n_star)) * 0.9999)
    away[0] = 0
    angle = generator.uniform(0, 2 * np.pi, n_star)
    d = np.radians(target.dec)
    dec = np.arcsin(np.sin(d) * np.cos(away) + np.cos(d) * np.sin(away) * np.cos(angle))
    ra = np.radians(target.ra) + np.arctan2(
        np.sin(angle) * np.sin(away) * np.cos(d), np.cos(away) - np.sin(d) * np.sin(dec)
    )
    return {
        "identifier": np.arange(1, n_star + 1) + 4_000_000_000_000_000_000,
        "ra": np.degrees(ra) % 360,
        "dec": np.degrees(dec),
        "pm_ra": np.zeros(n_star),
        "pm_dec": np.zeros(n_star),
        **{name: np.broadcast_to(value, n_star).copy() for name, value in columns.items()},
    }


USUAL = {"_flux_error": 1.0, "_flux": 1000.0, "_error": 0.01, "_flag": 1, "_snr": 500.0}
GOOD = {
    "excess": 1.154360, "ruwe": 1.0, "n": 5, "star": 0.9, "i_kron": 15.0, "tenth": 20.0, "quality": 52,
    "variable": "", "disposition": "", "kind": "STAR", "photocentre": "", "region": 1, "component": 1,
}  # fmt: skip


def everything(source: Source, target: Field, n_star: int) -> dict[str, np.ndarray]:
    """Return stars with a value in every column that any service of *source* has, all of them good."""
    stars = around(target, n_star, **dict.fromkeys(source.system, 15.0))
    for name in {ours for table in source.tables for ours in table.columns} - set(stars):
        usual = next((value for tail, value in USUAL.items() if name.endswith(tail)), 0.0)
        stars[name] = np.broadcast_to(GOOD.get(name, usual), n_star)
    return stars | {"number": np.arange(1, n_star + 1)}


def votable(stars: Stars, status: str = "OK", text: str = "") -> bytes:
    """Return a VOTable as TAP services write it: the verdict before the table, OVERFLOW after it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        document = from_table(stars)
    resource = document.resources[0]
    if status:
        info = Info(name="QUERY_STATUS", value=status)
        info.content = text or None
        resource.infos.append(info)
    buffer = io.BytesIO()
    document.to_xml(buffer)
    return buffer.getvalue()


class _Handler(http.server.BaseHTTPRequestHandler):
    services: Services

    def log_message(self, *_: Any) -> None:
        """Be silent."""

    def do_GET(self) -> None:
        services = self.services
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with services.lock:
            services.asked.append((parts.path, query))
            waiting = services.faults[parts.path]
            fault = waiting.pop(0) if waiting else services.always.get(parts.path, "")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._answer(query, fault)

    def _answer(self, query: dict[str, str], fault: str) -> None:
        plain = {"html": PAGE, "login": LOGIN}
        if fault in plain:
            self._send(200, plain[fault])
        elif fault in ("500", "503"):
            self._send(int(fault), PAGE)
        elif fault == "429":
            self._send(429, b"", {"Retry-After": "7"})
        elif fault == "redirect":
            self._send(303, b"", {"Location": self.services.elsewhere})
        elif fault in ("error", "error400"):
            body = votable(Stars({"x": [0.0]}), "ERROR", "Column 'nonsense' is unknown")
            self._send(400 if fault == "error400" else 200, body)
        elif fault == "stall":
            self._send(200, votable(Stars({"x": [0.0]})), n_sent=100)
            self.wfile.flush()
            self.services.is_over.wait(60)
        else:
            self._stars(query, fault)

    def _stars(self, query: dict[str, str], fault: str) -> None:
        stars, limit = self._found(query, fault)
        is_cut = len(stars) > limit
        is_tap = "QUERY" in query
        status = ("OVERFLOW" if is_cut else "OK") if is_tap and fault not in ("no_status", "silent") else ""
        if fault == "silent":
            status = "OK"
        body = votable(stars[:limit], status)
        if fault in ("gzip", "short_gzip"):
            body = gzip.compress(body, mtime=0)
        if fault == "short_gzip":
            body = body[: len(body) // 2]
        if fault == "bad_gzip":
            body = b"\x1f\x8b" + body
        if fault == "short":
            body = body[: len(body) // 2]
        self._send(200, body, {"Content-Type": "text/xml"}, n_sent=len(body) // 2 if fault == "cut" else None)

    def _found(self, query: dict[str, str], fault: str) -> tuple[Stars, int]:
        """Return the stars that the query asks for, as a service reads it, and how many it may give."""
        if "QUERY" in query:
            text, limit = query["QUERY"], int(query["MAXREC"])
            name = re.search(r"FROM (.*?) WHERE", text)[1].strip('"')
            ra, dec, radius = map(float, _CIRCLE.search(text).groups())
            described, stars = self.services.stars[name]
            bounds = [
                (m[2], m[3], float(m[4])) for m in re.finditer(r'(AND )("?[\w.]+"?) (>=|<) ([\d.e+-]+)', text)
            ]
        else:
            name, limit = query["-source"], int(query["-out.max"])
            ra, dec = map(float, re.fullmatch(r"([\d.]+)([+-][\d.]+)", query["-c"]).groups())
            radius = float(query["-c.rd"])
            described, stars = self.services.stars[name]
            bounds = [
                (column, sign, float(value))
                for column, text in query.items()
                if not column.startswith("-")
                for sign, value in re.findall(r"(>=|<)([\d.e+-]+)", text)
            ]
        theirs = {ours: column.rpartition(".")[2] for ours, column in described.columns.items()}
        if fault == "wrong_sky":
            stars = stars.copy()
            stars[theirs["dec"]] -= np.sign(stars[theirs["dec"]]) * 10
            return stars, limit
        keep = (
            separation(ra, dec, np.asarray(stars[theirs["ra"]]), np.asarray(stars[theirs["dec"]])) <= radius
        )
        for column, sign, value in bounds:
            values = stars[column.strip('"').rpartition(".")[2]]
            keep &= np.asarray(values >= value if sign == ">=" else values < value)
        if fault == "empty":
            keep[:] = False
        return stars[keep], limit

    def _send(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, n_sent: int | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:n_sent])
        self.close_connection = True


@contextlib.contextmanager
def serve(services: Services) -> Iterator[Services]:
    """Run the services for a while."""
    with serving(_Handler, services=services) as server:
        services.place, services.address = server.place, server.address
        try:
            yield services
        finally:
            services.is_over.set()
