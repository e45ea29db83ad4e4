"""Small packages, and sending them to the local ExoFOP."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from accretor.exofop import pieces
from accretor.exofop.plan import FilterPlan, PlannedFile, UploadPlan
from accretor.exofop.server import server
from accretor.exofop.session import Session
from accretor.exofop.upload import ExoFOP
from accretor.io.http import Client, Secret
from accretor.sending import proven
from accretor.sending.credentials import Credentials
from accretor.sending.ledger import Ledger
from tests.exofop.server import PASSWORD, USER

TIC, DATE, TELESCOPE = 292152376, "20250304", "Hilltop-0m5"
TAILS = ("measurements.tbl", "WCS.fits")
TAG = f"{DATE}_{USER}_tic{TIC}_01"


def fields(filter_name: str, **changes: str) -> dict[str, str]:
    """Return the 18 fields of a form."""
    return {
        "planet": "TOI1234.01",
        "tel": TELESCOPE,
        "telsize": "0.5",
        "camera": "QHY600",
        "filter": filter_name,
        "pixscale": "0.39",
        "psf": "2.30",
        "photaprad": "6.0",
        "obsdate": "2025-03-04",
        "obsdur": "76",
        "obsnum": "51",
        "obstype": "Continuous",
        "transcov": "Full",
        "deltamag": "",
        "tag": TAG,
        "groupname": "tfopwg",
        "notes": "clear; a note & more",
        "id": str(TIC),
    } | changes


def name(filter_name: str, tail: str) -> str:
    return f"TIC{TIC}-01_{DATE}_{TELESCOPE}_{filter_name}_{tail}"


def make(
    folder: Path,
    url: str,
    filters: tuple[str, ...] = ("gp", "ip"),
    *,
    version: int = 0,
    tails: tuple[str, ...] = TAILS,
) -> UploadPlan:
    """Write a package, other bytes for each *version*, and return its plan."""
    folder.mkdir(parents=True, exist_ok=True)
    series = []
    for filter_name in filters:
        files = []
        for tail in tails:
            content = f"{filter_name} {tail} {version}\n".encode() * 200 + bytes(range(256))
            (folder / name(filter_name, tail)).write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            files.append(PlannedFile(name(filter_name, tail), f"label of {tail}", len(content), digest))
        series.append(FilterPlan(filter_name, fields(filter_name), tuple(files)))
    return UploadPlan(f"{version:012x}", TAG, tuple(series), server(url).base)


def client(url: str, **options: Any) -> Client:
    where = server(url)
    return Client("ExoFOP", {where.place}, **{"timeout": (2.0, 2.0), "pause": lambda seconds: None} | options)


def session(
    url: str,
    *,
    password: str = PASSWORD,
    folder: Path | None = None,
    visitor: Client | None = None,
    **options: Any,
) -> Session:
    return Session(
        visitor or client(url),
        server(url),
        lambda: Credentials(USER, Secret(password), "a test"),
        username=USER,
        folder=folder,
        **options,
    )


def send(
    plan: UploadPlan,
    package: Path,
    ledger: Ledger,
    *,
    visit: Session | None = None,
    pause: Callable[[float], None] = lambda seconds: None,
    **options: Any,
) -> proven.Result:
    archive = ExoFOP(plan, package, visit or session(plan.server))
    return proven.send(plan.plan_id, pieces.of(plan), archive, ledger, pause=pause, **options)


def everything(plan: UploadPlan) -> dict[str, int]:
    """Return what the server holds of a plan that was sent, see `LocalExoFOP.copies`."""
    found = {file.name: 1 for series in plan.filters for file in series.files}
    return found | {f"summary {series.filter}": 1 for series in plan.filters}
