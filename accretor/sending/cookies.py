"""Cookies between two runs, in the user's own folder, for no one else to read."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from accretor.io.atomic import PART
from accretor.io.http import Cookie, Secret


def folder(
    environment: Mapping[str, str] = os.environ, home: Path | None = None, system: str = sys.platform
) -> Path:
    """Return the user's folder for what a program remembers between runs on this *system*."""
    home = home or Path.home()
    if system == "win32":
        return Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local") / "accretor"
    if system == "darwin":
        return home / "Library" / "Application Support" / "accretor"
    return Path(environment.get("XDG_STATE_HOME") or home / ".local" / "state") / "accretor"


def path_of(archive: str, server: str, place: Path) -> Path:
    """Return the file of the cookies of an archive at *server*, ``host:port``, in the folder *place*."""
    return place / f"{archive.lower()}-{server.replace(':', '-')}.json"


def save(path: Path, username: str, cookies: Collection[Cookie], now: float) -> None:
    """Write the cookies of a login of *username*; *now* is in seconds since 1970.

    Raises
    ------
    OSError
        If they cannot be written; the login is good all the same.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = {
        "username": username,
        "saved": now,
        "cookies": [
            [cookie.name, cookie.value.reveal(), cookie.domain, cookie.path, cookie.is_secure]
            for cookie in cookies
        ],
    }
    part = path.with_name(f".{path.name}{PART}")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file)
    part.replace(path)


def load(path: Path, username: str, now: float, life: float) -> tuple[Cookie, ...]:
    """Return the cookies of *username* that are younger than *life*, second, if they are to be trusted."""
    try:
        if os.name != "nt" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            forget(path)  # others may have read them
            return ()
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["username"] != username or not 0 <= now - content["saved"] < life:
            return ()
        return tuple(
            Cookie(name, Secret(value), domain, where, is_secure)
            for name, value, domain, where, is_secure in content["cookies"]
        )
    except (OSError, ValueError, LookupError, TypeError):
        return ()


def forget(path: Path) -> bool:
    """Remove the cookies; return whether there were any."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
        return True
    return False
