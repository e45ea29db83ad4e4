"""Images of an observation with Skynet's telescopes, fetched into raw/.

This is the only writer of raw/, and does so only when a user asks for it by name. It
adds files, each whole or not at all, and never changes one that is there.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accretor.core.errors import HeaderError, ServiceError, Unusable
from accretor.io import atomic, header
from accretor.io.http import Client, NotSent, Refused, Secret

SERVICE = "Skynet"
HOST = "api.skynet.unc.edu"
ADDRESS = f"https://{HOST}/2.0"
LIMIT = 1_000_000_000
"""Byte of one image."""

_REFUSED = (401, 403)


@dataclass(frozen=True)
class Fetched:
    """What came of a download."""

    new: tuple[str, ...]
    """Names of files."""
    kept: tuple[str, ...]
    """Names of files that were there, whole."""
    failures: tuple[str, ...]
    """Each in a sentence."""


def fetch(
    client: Client,
    observation: int,
    folder: Path,
    record: Path,
    token: Secret,
    *,
    after: str = "",
    before: str = "",
    address: str = ADDRESS,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Fetched:
    """Fetch the images of an observation that are not in *folder* yet.

    A file that is there is left alone whatever it is; if its size is not that of the
    manifest, that is a failure for the user to look at. An image that comes cut is not kept.

    Parameters
    ----------
    observation : int
        Number of the observation on Skynet.
    folder : Path
        Where ``r<exposure>.fits`` go.
    record : Path
        The manifest: size and sha256 of what was fetched.
    after, before : str
        Only exposures whose middle is not before *after*, and is before *before*: dates or times
        in ISO 8601, in UTC unless they have a zone; "" is no limit. An exposure of which Skynet
        does not tell the time is taken.
    token : Secret
        Of the user; it is sent to Skynet in a header, and is in no message.

    Raises
    ------
    Unusable
        If *after* or *before* is not a time.
    ServiceError
        If the list of exposures cannot be had.
    OSError
        If the disk is full.
    """
    headers: dict[str, str | Secret] = {"Authentication-Token": token}
    span = _moment(after), _moment(before)
    exposures = _exposures(client, f"{address}/obs/{observation}", headers, span)
    manifest = read_manifest(record)
    new, kept, failures = [], [], []
    for number, exposure in enumerate(exposures, start=1):
        name = f"r{exposure}.fits"
        path = folder / name
        if path.exists():
            trouble = _trouble(path, manifest.get(name))
            if trouble:
                failures.append(f"{path}: {trouble}; move it away to fetch it again")
            else:
                kept.append(name)
                manifest.setdefault(name, _described(path))
        else:
            try:
                client.save(
                    f"{address}/download/fits/",
                    path,
                    params={"reduceQuiet": "1", "image": f"r{exposure}"},
                    headers=headers,
                    limit=LIMIT,
                    check=_check_image,
                    is_resumed=True,
                )
            except NotSent:
                raise
            except (ServiceError, Unusable) as error:
                failures.append(f"{name}: {error.reason}")
                continue
            new.append(name)
            manifest[name] = _described(path)
        _keep(record, manifest)
        progress(number, len(exposures))
    return Fetched(tuple(new), tuple(kept), tuple(failures))


def read_manifest(path: Path) -> dict[str, Any]:
    """Return size and sha256 of the images that were fetched; nothing if that cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _moment(text: str) -> datetime.datetime | None:
    """Return a time in UTC; None of an empty text."""
    if not text:
        return None
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise Unusable(f"{text!r} is not a date or time such as 2025-03-04 or 2025-03-04T05:30") from None
    return found.replace(tzinfo=datetime.UTC) if found.tzinfo is None else found.astimezone(datetime.UTC)


def _is_within(exposure: Any, span: tuple[datetime.datetime | None, datetime.datetime | None]) -> bool:
    try:
        middle = _moment(str(exposure.get("centerTime") or ""))
    except Unusable:
        middle = None
    after, before = span
    return middle is None or ((after is None or middle >= after) and (before is None or middle < before))


def _exposures(
    client: Client,
    url: str,
    headers: dict[str, str | Secret],
    span: tuple[datetime.datetime | None, datetime.datetime | None],
) -> list[int]:
    try:
        answer = client.get(url, headers=headers)
    except Refused as error:
        if error.status in _REFUSED:
            raise ServiceError(SERVICE, "the token is not taken, or is not of this observation") from None
        raise
    try:
        found = json.loads(answer.text)
        exposures = {int(exposure["id"]) for exposure in found["exps"] if _is_within(exposure, span)}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ServiceError(
            SERVICE, f"{url}: the answer is not the list of an observation's exposures"
        ) from None
    return sorted(exposures)


def _check_image(path: Path) -> None:
    """Refuse what is no FITS image, or is cut."""
    try:
        header.read(path)
    except HeaderError as error:
        raise Unusable(f"what came is not a whole FITS image: {error}") from None


def _trouble(path: Path, entry: Any) -> str:
    """Return what is wrong with a file that is there; "" if nothing is."""
    size = path.stat().st_size
    if isinstance(entry, dict) and entry.get("size") != size:
        return f"has {size} bytes, {entry.get('size')} were fetched"
    try:
        _check_image(path)
    except Unusable as error:
        return error.reason
    return ""


def _described(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"size": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _keep(path: Path, manifest: dict[str, Any]) -> None:
    atomic.write_text(path, json.dumps(dict(sorted(manifest.items())), indent=1) + "\n")
