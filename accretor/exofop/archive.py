"""What ExoFOP has of a target: its tables, and the files of its observations."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accretor.core.errors import ServiceError, Unusable
from accretor.core.slug import slug
from accretor.exofop import tables
from accretor.exofop.identifiers import is_toi, toi
from accretor.exofop.server import SERVICE, Server
from accretor.io import atomic, unzip
from accretor.io.answers import excerpt
from accretor.io.http import Client, NotSent, Refused
from accretor.io.layout import ArchivePaths
from accretor.io.unzip import LIMITS, Limits

PARALLEL = 2
"""Downloads at a time: what the servers of ExoFOP are known to bear."""

ZIP_LIMIT = 2_000_000_000
"""Byte of one observation's archive."""


@dataclass(frozen=True)
class Page:
    """Where ExoFOP gives out a table."""

    address: str
    by: str
    """What the target is called in the query: ``target`` (a TOI or TIC) or ``id`` (a TIC)."""
    needed: tuple[str, ...] = ()
    """Columns without which it is another table."""


PAGES: Mapping[str, Page] = {
    "time_series": Page("download_tseries.php", "target", ("Telescope", "Filter", "Tag")),
    "imaging": Page("download_imaging.php", "target"),
    "spectroscopy": Page("download_spect.php", "target"),
    "companions": Page("download_stellarcomp.php", "target"),
    "stellar": Page("download_stellar.php", "id"),
    "nearby": Page("download_nearbytarget.php", "id"),
}
"""The tables, under the names that they have here."""

WITH_FILES = ("time_series", "imaging", "spectroscopy")
"""Tables whose rows have files."""


@dataclass(frozen=True)
class Fetched:
    """What came of a download."""

    new: tuple[str, ...] = ()
    """Tags whose files were fetched."""
    kept: tuple[str, ...] = ()
    """Tags whose files were there."""
    failures: tuple[str, ...] = ()
    """What could not be had, each in a sentence."""


def fetch_tables(client: Client, server: Server, name: str, tic: int, paths: ArchivePaths) -> list[str]:
    """Fetch all tables of a target, and return what could not be had, each in a sentence.

    A table that cannot be had stays as it is here.

    Parameters
    ----------
    name : str
        Of the target. The tables are asked for by its TOI, if it is one, else by its TIC number.
    tic : int
        Of the target; rows of another star make a table that is not believed.

    Raises
    ------
    NotSent
        If ExoFOP cannot be reached.
    """
    failures = []
    asked = {"target": toi(name).target if is_toi(name) else str(tic), "id": str(tic)}
    for kind, page in PAGES.items():
        try:
            answer = client.get(server.url(page.address), params={page.by: asked[page.by], "output": "pipe"})
            if kind != "nearby":
                _check_star(tables.parse(answer.body, kind, page.needed), kind, tic)
            tables.write(paths.table(kind), kind, answer.body, page.needed)
        except NotSent:
            raise
        except ServiceError as error:
            failures.append(error.reason)
    return failures


def tags(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the tags of a table, each once, in the order of their numbers."""
    found = {row.get("Tag", "").strip() for row in rows} - {""}
    return sorted(found, key=lambda tag: (not tag.isdigit(), int(tag) if tag.isdigit() else 0, tag))


def fetch_files(
    kind: str,
    wanted: Sequence[str],
    paths: ArchivePaths,
    server: Server,
    visitor: Callable[[], Client],
    *,
    limits: Limits = LIMITS,
) -> Fetched:
    """Fetch and unpack the files of observations that are not here yet, two at a time.

    Parameters
    ----------
    kind : str
        One of `WITH_FILES`.
    wanted : sequence of str
        Tags.
    visitor : callable
        Makes a client, logged in or not; each thread has one.

    Returns
    -------
    Fetched
        One observation that fails does not stop the others.

    Raises
    ------
    OSError
        If the disk is full; what is there is whole.
    """
    manifest = read_manifest(paths.tags)
    kept = [tag for tag in wanted if is_here(manifest.get(f"{kind}/{tag}"), folder_of(paths, kind, tag))]
    missing = [tag for tag in wanted if tag not in kept]
    if not missing:
        return Fetched(kept=tuple(kept))
    lock, mine, visitors = threading.Lock(), threading.local(), contextlib.ExitStack()

    def fetch(tag: str) -> str:
        """Return why the files of *tag* cannot be had; "" if they are there now."""
        if not hasattr(mine, "client"):
            mine.client = visitor()
            with lock:
                visitors.enter_context(mine.client)
        try:
            entry = _fetch(mine.client, server, tag, folder_of(paths, kind, tag), limits)
        except (ServiceError, Unusable) as error:
            return f"tag {tag}: {error.reason}"
        with lock:
            manifest[f"{kind}/{tag}"] = entry
            content = json.dumps(dict(sorted(manifest.items())), indent=1, ensure_ascii=False)
            atomic.write_text(paths.tags, content + "\n")
        return ""

    pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="download")
    with visitors:
        try:
            outcomes = dict(zip(missing, pool.map(fetch, missing), strict=True))
        finally:
            pool.shutdown(cancel_futures=True)
    new = tuple(tag for tag, trouble in outcomes.items() if not trouble)
    return Fetched(new, tuple(kept), tuple(trouble for trouble in outcomes.values() if trouble))


def folder_of(paths: ArchivePaths, kind: str, tag: str) -> Path:
    """Return the folder of the files of an observation."""
    return paths.folder / kind / slug(tag)


def read_manifest(path: Path) -> dict[str, Any]:
    """Return what is known of the files that are here; nothing if that cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_here(entry: Any, folder: Path) -> bool:
    """Return whether all files of an observation are there, in their sizes."""
    files = entry.get("files") if isinstance(entry, dict) else None
    return isinstance(files, dict) and all(_has_size(folder / name, of) for name, of in files.items())


def _has_size(path: Path, of: Any) -> bool:
    return path.is_file() and isinstance(of, dict) and path.stat().st_size == of.get("size")


def _fetch(client: Client, server: Server, tag: str, folder: Path, limits: Limits) -> dict[str, Any]:
    """Fetch the archive of a tag, unpack it into *folder*, and return its entry of the manifest."""
    archive = folder.with_name(f"{folder.name}.zip")
    was_begun = archive.with_name(f"{archive.name}.partial").is_file()
    try:
        _save(client, server, tag, archive, limits)
    except (Unusable, Refused):
        # The rest may not fit to what an earlier run had: the server packs anew for each visitor.
        if not was_begun:
            raise
        _save(client, server, tag, archive, limits)
    try:
        entry = {"zip": _described(archive)}
        if folder.exists():
            _set_aside(folder)
        names = unzip.unpack(archive, folder, limits)
    finally:
        archive.unlink(missing_ok=True)
    return {**entry, "files": {name: _described(folder / name) for name in names}}


def _save(client: Client, server: Server, tag: str, archive: Path, limits: Limits) -> None:
    client.save(
        server.url("download_tag_files_zip.php"),
        archive,
        params={"tag": tag},
        limit=ZIP_LIMIT,
        check=lambda path: _check_zip(path, limits),
        is_resumed=True,
    )


def _check_zip(path: Path, limits: Limits) -> None:
    with path.open("rb") as file:
        start = file.read(20000)
    if not start.startswith(b"PK"):
        raise Unusable(f"the answer is not an archive but {excerpt(start)}")
    unzip.check(path, limits)


def _set_aside(folder: Path) -> None:
    """Rename a folder that nothing vouches for, without touching one that was set aside before."""
    number = 1
    while (aside := folder.with_name(f"{folder.name}.bad{number}")).exists():
        number += 1
    folder.replace(aside)


def _described(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"size": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _check_star(rows: Sequence[Mapping[str, str]], what: str, tic: int) -> None:
    """Refuse a table of another star."""
    for row in rows:
        number = row.get("TIC ID") or row.get("TIC", "")
        digits = number.upper().removeprefix("TIC").strip()
        if digits.isdigit() and int(digits) != tic:
            raise ServiceError(SERVICE, f"{what}: the answer is of TIC {digits}, not of TIC {tic}")
