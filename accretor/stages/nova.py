"""A plate solution from nova.astrometry.net: one submission for a list of stars, resumed from run to run."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from accretor.core.errors import ServiceError, Unusable
from accretor.core.settings import PlateSolutionSettings
from accretor.io import atomic, nova
from accretor.io.nova import StarList
from accretor.stages.rows import fingerprint

if TYPE_CHECKING:
    from accretor.io.http import Client, Secret

VARIABLE = "ASTROMETRY_NET_API_KEY"
"""Of the environment: the key of an account at the service."""
POLL = (2.0, 15.0)
"""Seconds between two questions whether it is solved yet: at first, and at last."""


def solve(
    stars: StarList,
    record: Path,
    settings: PlateSolutionSettings,
    *,
    pause: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Return the FITS cards of a plate solution.

    *record* remembers the submission: the same stars are sent once. If the service is not
    done by the deadline, the next run asks for the same submission.

    Raises
    ------
    Unusable
        If the service finds no solution, or there is no key.
    ServiceError
        If it fails, or is not done in time.
    """
    from accretor.io.http import Client

    identity = fingerprint([list(stars.x), list(stars.y)], stars.shape, stars.centre, stars.scale)
    known = _known(record, identity)
    if "cards" in known:
        return dict(known["cards"])
    if known.get("state") == "failed":
        raise Unusable(_failed(known["submission"]))
    address = settings.nova_url or nova.ADDRESS
    host = urlsplit(address).netloc
    end = time.monotonic() + settings.nova_deadline
    with Client(nova.SERVICE, [host], deadline=settings.nova_deadline, pause=pause) as client:
        if "submission" not in known:
            session = nova.log_in(client, _key(), address)
            number = nova.submit(client, session, stars, address)
            known = {"stars": identity, "submission": number, "state": "sent"}
            _remember(record, known)
        job = _waited_for(client, known["submission"], address, end, pause)
        if job is None:
            _remember(record, {**known, "state": "failed"})
            raise Unusable(_failed(known["submission"]))
        cards = nova.solution(client, job, address)
    _remember(record, {**known, "state": "solved", "job": job, "cards": cards})
    return cards


def _waited_for(
    client: Client, submission: int, address: str, end: float, pause: Callable[[float], None]
) -> int | None:
    """Return the job that has solved a submission; None if it failed."""
    wait, longest = POLL
    while True:
        job = nova.job_of(client, submission, address)
        if job is not None and (verdict := nova.is_solved(client, job, address)) is not None:
            return job if verdict else None
        if time.monotonic() + wait > end:
            raise ServiceError(
                nova.SERVICE, f"submission {submission} is not solved yet; the next run asks for it again"
            )
        pause(wait)
        wait = min(1.5 * wait, longest)


def _failed(submission: int) -> str:
    return f"{nova.SERVICE} found no plate solution (submission {submission})"


def _known(record: Path, identity: str) -> dict[str, Any]:
    """Return what is known of the submission of these stars; {} if there was none."""
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, UnicodeDecodeError):
        return {}  # not whole: the stars are sent once more
    return found if isinstance(found, dict) and found.get("stars") == identity else {}


def _remember(record: Path, known: dict[str, Any]) -> None:
    atomic.write_text(record, json.dumps(known, indent=1, sort_keys=True) + "\n")


def _key() -> Secret:
    """Return the key from the environment, else from netrc or the keyring."""
    from accretor.io.http import Secret
    from accretor.sending import credentials
    from accretor.sending.credentials import Account, NoCredentials

    if key := os.environ.get(VARIABLE, "").strip():
        return Secret(key)
    account = Account(nova.SERVICE, nova.SERVICE, "ACCRETOR_NOVA")
    try:
        return credentials.find(account, is_asked=False).password
    except NoCredentials as error:
        raise Unusable(f"no API key in {VARIABLE}; {error}") from None
