"""A login to ExoFOP that is believed only when ExoFOP shows it.

ExoFOP answers a wrong password with HTTP status 200 and a page; so does it for
maintenance. So a login counts only if the page after it offers to log out.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path

from accretor.core.errors import ServiceError
from accretor.exofop.server import SERVICE, Server
from accretor.io.http import LIMIT, Answer, Client
from accretor.sending import cookies
from accretor.sending.credentials import Account, Credentials

VARIABLE = "ACCRETOR_EXOFOP"
LIFE = 7 * 86_400.0
"""Seconds after which ExoFOP forgets a login, by its own documentation."""
RENEWALS = 3
"""Logins after the first that one session makes, when it is found to have ended."""

_LOG_OUT = re.compile(r"(?i)\b(log|sign)[\s_-]?out\b")
_PASSWORD_FIELD = re.compile(r"(?i)type\s*=\s*[\"']?password")
_MAINTENANCE = "maintenance"
_WRONG = "invalid username or password"
_TITLE = re.compile(r"(?is)<title[^>]*>(.*?)</title>")


class LoginError(ServiceError):
    """ExoFOP did not let us in, or did not show that it did; no second attempt is made."""


def account(server: Server) -> Account:
    """Return what the credentials of *server* are known by."""
    return Account(SERVICE, server.host, VARIABLE)


class Session:
    """A visit to ExoFOP as a user.

    Parameters
    ----------
    client, server : Client, Server
        The client must be allowed to go to the server.
    credentials : callable
        Gives user name and password; called only if a login is needed.
    username : str
        Whose cookies may be used instead of a login.
    folder : Path, optional
        Where cookies are kept between runs; None keeps none.
    """

    def __init__(
        self,
        client: Client,
        server: Server,
        credentials: Callable[[], Credentials],
        *,
        username: str,
        folder: Path | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.client = client
        self.server = server
        self.username = username
        self._credentials = credentials
        self._path = cookies.path_of(SERVICE, server.place, folder) if folder else None
        self._now = now
        self._renewals = 0

    def open(self) -> None:
        """Be logged in: by the cookies of an earlier run if they are good still, else by a login.

        Raises
        ------
        LoginError
            At the first login that fails.
        ServiceError, NoCredentials
        """
        kept = cookies.load(self._path, self.username, self._now(), LIFE) if self._path else ()
        if kept:
            self.client.take(kept)
            if self.is_alive():
                return
        self._log_in()

    def renew(self) -> None:
        """Log in again after ExoFOP has ended the session.

        Raises
        ------
        LoginError
            If that fails, or happens too often.
        """
        if self._renewals == RENEWALS:
            raise LoginError(SERVICE, f"the session ended {RENEWALS + 1} times; try again later")
        self._renewals += 1
        self._log_in(outcome="what was sent before stays; run again to send the rest")

    def is_alive(self) -> bool:
        """Ask ExoFOP whether this session is logged in."""
        return is_logged_in(self.client.get(self.server.base).text)

    def get(self, page: str, params: Mapping[str, str] | None = None, *, limit: int = LIMIT) -> Answer:
        """Return a page of ExoFOP."""
        return self.client.get(self.server.url(page), params=params, limit=limit)

    def post(
        self,
        page: str,
        form: Mapping[str, str],
        files: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> Answer:
        """Send a form to a page of ExoFOP, once."""
        return self.client.post(self.server.url(page), form, files=files)

    def _log_in(self, outcome: str = "nothing was sent") -> None:
        """Log in; *outcome* ends what is said if that fails."""
        found = self._credentials()
        self.client.take(())
        answer = self.client.post(
            self.server.url("password_check.php"),
            {
                "username": found.username,
                "password": found.password,
                "ref": "login_user",
                "ref_page": "/tess/",
            },
        )
        if _WRONG in answer.text.lower():
            if self._path:
                cookies.forget(self._path)
            raise LoginError(
                SERVICE,
                f"the name or the password of user {found.username} is wrong ({found.source}); {outcome}",
            )
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise LoginError(SERVICE, f"the login was not possible: {described(answer)}; {outcome}")
        page = self.client.get(self.server.base)
        if not is_logged_in(page.text):
            trouble = (
                "ExoFOP is closed for maintenance"
                if _MAINTENANCE in page.text.lower()
                else "the page after the login does not show that anyone is logged in"
            )
            raise LoginError(SERVICE, f"{trouble}: {described(page)}; {outcome}")
        if self._path:
            with contextlib.suppress(OSError):  # it costs a login the next time, no more
                cookies.save(self._path, found.username, self.client.cookies(), self._now())


def is_logged_in(page: str) -> bool:
    """Return whether a page is shown to someone who is logged in."""
    return bool(_LOG_OUT.search(page)) and not _PASSWORD_FIELD.search(page)


def is_login(answer: Answer) -> bool:
    """Return whether an answer asks for a login, instead of what was to be done."""
    if answer.is_redirect:
        return "login" in answer.headers.get("location", "").lower()
    return answer.is_page and bool(_PASSWORD_FIELD.search(answer.text))


def described(answer: Answer) -> str:
    """Return in a few words what an answer is, for a message."""
    title = _TITLE.search(answer.text)
    words = " ".join(re.sub(r"[^\x20-\x7e]", " ", title[1]).split())[:60] if title else ""
    return f"HTTP status {answer.status}" + (f", {words!r}" if words else "")
