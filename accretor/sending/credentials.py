"""User names and passwords of services, from where users keep such things.

In this order: the system's keyring (if the package ``keyring`` is there), the netrc
file, the environment, and a prompt on a terminal. Never from the command line, which
other users can read, nor from a file of the workspace, which goes to other people.
"""

from __future__ import annotations

import getpass
import importlib
import netrc
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from accretor.core.errors import AccretorError
from accretor.io.http import Secret


class NoCredentials(AccretorError):  # noqa: N818  # the user's move, not a fault
    """There is no user name and password, or none that may be used."""


@dataclass(frozen=True)
class Account:
    """What credentials are wanted for."""

    service: str
    """Name in messages, e.g. ``ExoFOP``."""
    host: str
    """Name of the machine: the ``machine`` of netrc, the service of the keyring."""
    variable: str
    """Beginning of two variables of the environment: ``<variable>_USERNAME`` and ``<variable>_PASSWORD``."""


@dataclass(frozen=True)
class Credentials:
    """A user name and its password."""

    username: str
    password: Secret
    source: str
    """Where they are from, for messages."""


def find(
    account: Account,
    username: str = "",
    *,
    environment: Mapping[str, str] = os.environ,
    home: Path | None = None,
    is_asked: bool = True,
) -> Credentials:
    """Return the credentials for an account.

    Parameters
    ----------
    username : str
        The user that is wanted; "" takes any.
    environment, home
        Of the process and of the user; default: the real ones.
    is_asked
        Ask on the terminal, if there is one and nothing else knows.

    Raises
    ------
    NoCredentials
        If there are none, if they are of another user, or if others can read them.
    """
    found = (
        _from_keyring(account, username)
        or _from_netrc(account, environment, home or Path.home())
        or _from_environment(account, username, environment)
        or (_from_prompt(account, username) if is_asked else None)
    )
    if found is None:
        raise NoCredentials(
            f"no password for {account.service}: put one in the keyring, "
            f"in ~/.netrc (machine {account.host}), "
            f"or in {account.variable}_USERNAME and {account.variable}_PASSWORD"
        )
    if username and found.username != username:
        raise NoCredentials(
            f"{found.source} has {account.service} user {found.username}, the settings have {username}"
        )
    return found


def _from_keyring(account: Account, username: str) -> Credentials | None:
    try:
        keyring = importlib.import_module("keyring")
        errors = importlib.import_module("keyring.errors")
    except ImportError:  # it is an extra
        return None
    try:
        found = keyring.get_credential(account.host, username or None)
    except (errors.KeyringError, OSError, RuntimeError):  # no backend, or a locked one
        return None
    if found is None or not (found.username and found.password):
        return None
    return Credentials(found.username, Secret(found.password), "the keyring")


def _from_netrc(account: Account, environment: Mapping[str, str], home: Path) -> Credentials | None:
    named = environment.get("NETRC")
    usual = [home / ".netrc", *([home / "_netrc"] if os.name == "nt" else [])]
    path = next((path for path in ([Path(named)] if named else usual) if path.is_file()), None)
    if path is None:
        return None
    try:
        entries = netrc.netrc(path).hosts
    except (netrc.NetrcParseError, UnicodeDecodeError) as error:
        line = f", line {error.lineno}" if isinstance(error, netrc.NetrcParseError) else ""
        # Its own words may quote the password.
        raise NoCredentials(f"{path}{line}: is not in the form of a netrc file") from None
    except OSError as error:
        raise NoCredentials(f"{path}: {error.strerror}") from None
    # The entry `default` is meant for any machine, and so for none that is sent a password unasked.
    entry = entries.get(account.host)
    if entry is None:
        return None
    if os.name != "nt" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise NoCredentials(f"{path}: others can read your password; run: chmod 600 {path}")
    login, _, password = entry
    return Credentials(login, Secret(password or ""), str(path)) if password else None


def _from_environment(account: Account, username: str, environment: Mapping[str, str]) -> Credentials | None:
    password = environment.get(f"{account.variable}_PASSWORD")
    name = environment.get(f"{account.variable}_USERNAME") or username
    if not (password and name):
        return None
    return Credentials(name, Secret(password), "the environment")


def _from_prompt(account: Account, username: str) -> Credentials | None:
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    try:
        if not username:
            sys.stderr.write(f"{account.service} user: ")
            sys.stderr.flush()
            username = sys.stdin.readline().strip()
        password = getpass.getpass(f"{account.service} password of {username}: ", stream=sys.stderr)
    except EOFError:
        return None
    return Credentials(username, Secret(password), "the prompt") if username and password else None
