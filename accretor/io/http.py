"""Other people's servers: the only importer of requests.

What every caller gets from `Client`, without asking:

* https only, with the certificate checked; plain http only to this machine, for tests;
* no host that is not in the list, and no redirect to one;
* no redirect followed with a form, a file or a credential in hand;
* time limits, a limit on the size of an answer, and a name by which operators know us;
* a GET is tried again, a POST only if there was no connection at all;
* errors that are `ServiceError`, of one line, without query, form or credential.

Nothing is taken from the environment: no proxy, no netrc, no other certificates.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from accretor import __version__
from accretor.core.errors import ServiceError
from accretor.io.answers import REDIRECTS, Answer, Cookie, NoAnswer, NotSent, NotTrusted, Refused, Secret
from accretor.io.atomic import PART

if TYPE_CHECKING:
    import requests

__all__ = ["Answer", "Client", "Cookie", "NoAnswer", "NotSent", "NotTrusted", "Refused", "Secret"]

USER_AGENT = f"accretor/{__version__} (photometry of TESS planet candidates)"
TIMEOUT = (10.0, 60.0)
"""Seconds to wait for a connection, and between two pieces of an answer."""
DEADLINE = 600.0
"""Seconds for one answer, all attempts together."""
LIMIT = 50_000_000
"""Bytes of an answer that is kept in memory."""
ATTEMPTS = 4
"""Of a GET; a POST is tried as often only where no connection is made."""

_PASSING = frozenset({429, 500, 502, 503, 504})
_LONGEST_PAUSE = 60.0
_PIECE = 65_536


class Client:
    """A visitor of the servers in a list. It keeps their cookies; one for each thread.

    Parameters
    ----------
    service : str
        Name in messages, e.g. ``ExoFOP``.
    hosts : collection of str
        Where it may go: ``name`` on the usual port, or ``name:port``.
    certificates : Path, optional
        Authorities to trust instead of the usual ones; for tests.
    attempts, backoff, pause
        How often, after how many seconds (doubled each time) and how to wait.
    """

    def __init__(
        self,
        service: str,
        hosts: Collection[str],
        *,
        timeout: tuple[float, float] = TIMEOUT,
        deadline: float = DEADLINE,
        certificates: Path | None = None,
        attempts: int = ATTEMPTS,
        backoff: float = 1.0,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        import requests

        self.service = service
        self._hosts = frozenset(host.lower() for host in hosts)
        self._timeout = timeout
        self._deadline = deadline
        self._attempts = attempts
        self._backoff = backoff
        self._pause = pause
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = True if certificates is None else str(certificates)
        # A connection of its own for each request: it is then certain whether one was made.
        self._session.headers.update({"User-Agent": USER_AGENT, "Connection": "close"})

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        auth: tuple[str, Secret] | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        limit: int = LIMIT,
        accepts: Collection[int] = (200,),
    ) -> Answer:
        """Return the answer to a GET, tried again where the trouble may pass.

        Parameters
        ----------
        params
            Of the query; they are in no message.
        auth, headers
            Credentials; a request that has any follows no redirect.
        limit : int, byte
            A longer answer is refused.
        accepts
            HTTP statuses that are no error.

        Raises
        ------
        NotSent, NoAnswer, Refused
            After the last attempt, or at once if another would not help.
        """
        parts: list[bytes] = []

        def keep(response: requests.Response) -> None:
            parts[:] = self._pieces(response, limit)

        head = self._get(url, params, auth, headers, accepts, keep)
        return Answer(head.url, head.status, head.headers, b"".join(parts))

    def save(
        self,
        url: str,
        path: Path,
        *,
        params: Mapping[str, str] | None = None,
        auth: tuple[str, Secret] | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        limit: int = 2_000_000_000,
        check: Callable[[Path], None] | None = None,
        is_resumed: bool = False,
    ) -> Answer:
        """Write the answer to a GET to *path*, which appears whole or not at all.

        Parameters
        ----------
        is_resumed
            What came before a connection broke is kept in ``<path>.partial``, in this run and
            from run to run; only the rest is then asked for. *check* must prove the whole.
        check : callable, optional
            Looks at the finished part file, and raises what it finds wrong with it.

        Returns
        -------
        Answer
            Without the body.

        Raises
        ------
        NotSent, NoAnswer, Refused
            As `get`.
        OSError
            If the file cannot be written.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.partial" if is_resumed else f".{path.name}{PART}")
        accepts = (200, 206) if is_resumed else (200,)

        def ahead() -> dict[str, str]:
            """Return the headers that ask for what is not there yet."""
            if not is_resumed:
                return {}
            size = part.stat().st_size if part.is_file() else 0
            return {"Accept-Encoding": "identity", **({"Range": f"bytes={size}-"} if size else {})}

        def keep(response: requests.Response) -> None:
            start = f"bytes {part.stat().st_size}-" if part.is_file() else ""
            goes_on = response.status_code == 206
            if goes_on and not (start and response.headers.get("Content-Range", "").startswith(start)):
                part.unlink(missing_ok=True)
                raise NoAnswer(self.service, f"{_place(response.url)} sends another part than was asked for")
            with part.open("ab" if goes_on else "wb") as file:
                for piece in self._pieces(response, limit - file.tell()):
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())

        try:
            answer = self._get(url, params, auth, headers, accepts, keep, ahead)
            if check:
                check(part)
            part.replace(path)
        except BaseException as error:
            if not is_resumed or not isinstance(error, NotSent | NoAnswer | KeyboardInterrupt):
                part.unlink(missing_ok=True)
            raise
        return answer

    def post(
        self,
        url: str,
        form: Mapping[str, str | Secret],
        *,
        files: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> Answer:
        """Send a form once, and return the answer whatever its status; no redirect is followed.

        Parameters
        ----------
        form
            Fields in their order.
        files : mapping of field to (file name, content), optional
            They make the form ``multipart/form-data``.

        Raises
        ------
        NotSent
            If no connection was made, after some attempts: nothing was sent.
        NoAnswer
            If something may have been sent; whether it was taken must be found out.
        """
        self._check(url)
        data = {name: _revealed(value) for name, value in form.items()}
        end = time.monotonic() + self._deadline
        for attempt in range(1, self._attempts + 1):
            try:
                with self._translated(url), self._open("POST", url, data=data, files=files) as response:
                    body = b"".join(self._pieces(response, LIMIT, end))
                    return _answer(response, body)
            except NotTrusted:
                raise
            except NotSent:
                if attempt == self._attempts:
                    raise
                self._wait(attempt, None, end)
        raise AssertionError("unreachable")

    def cookies(self) -> tuple[Cookie, ...]:
        """Return the cookies that the servers have given."""
        return tuple(
            Cookie(cookie.name, Secret(cookie.value or ""), cookie.domain, cookie.path, bool(cookie.secure))
            for cookie in self._session.cookies
        )

    def take(self, cookies: Collection[Cookie]) -> None:
        """Use *cookies* of an earlier visit, and no others."""
        self._session.cookies.clear()
        for cookie in cookies:
            self._session.cookies.set(
                cookie.name,
                cookie.value.reveal(),
                domain=cookie.domain,
                path=cookie.path,
                secure=cookie.is_secure,
            )

    def _get(
        self,
        url: str,
        params: Mapping[str, str] | None,
        auth: tuple[str, Secret] | None,
        headers: Mapping[str, str | Secret] | None,
        accepts: Collection[int],
        keep: Callable[[requests.Response], None],
        ahead: Callable[[], Mapping[str, str]] = dict,
    ) -> Answer:
        is_secret = auth is not None or headers is not None
        own = {name: _revealed(value) for name, value in (headers or {}).items()}
        credentials = (auth[0], auth[1].reveal()) if auth else None
        end = time.monotonic() + self._deadline
        for attempt in range(1, self._attempts + 1):
            is_last = attempt == self._attempts or time.monotonic() >= end
            asked = None
            options = {"auth": credentials, "headers": own | dict(ahead())}
            try:
                with self._followed(url, params, is_secret, options) as response:
                    if response.status_code in accepts:
                        keep(response)
                        return _answer(response, b"")
                    said = self._status(response.url or url, response.status_code)
                    if response.status_code not in _PASSING or is_last:
                        raise said
                    asked = response.headers.get("Retry-After")
            except NotTrusted:
                raise
            except (NotSent, NoAnswer):
                if is_last:
                    raise
            self._wait(attempt, asked, end)
        raise AssertionError("unreachable")

    @contextlib.contextmanager
    def _followed(
        self, url: str, params: Mapping[str, str] | None, is_secret: bool, options: Mapping[str, Any]
    ) -> Iterator[requests.Response]:
        """Open *url*, or where it redirects to inside the list of hosts."""
        for _ in range(6):
            self._check(url)
            with self._translated(url), self._open("GET", url, params=params, **options) as response:
                if response.status_code not in REDIRECTS:
                    yield response
                    return
                if is_secret:
                    raise self._status(url, response.status_code)
                url, params = urljoin(url, response.headers.get("Location", "")), None
        raise Refused(self.service, f"{_place(url)} redirects without end")

    def _open(self, method: str, url: str, **options: Any) -> requests.Response:
        return self._session.request(
            method, url, timeout=self._timeout, allow_redirects=False, stream=True, **options
        )

    def _pieces(self, response: requests.Response, limit: int, end: float | None = None) -> Iterator[bytes]:
        """Yield the body, unless it is too long or too slow."""
        end = time.monotonic() + self._deadline if end is None else end
        place, size = _place(response.url), 0
        with self._translated(response.url):
            for piece in response.iter_content(_PIECE):
                size += len(piece)
                if size > limit:
                    raise Refused(self.service, f"{place} sends more than {limit / 1e6:.0f} MB")
                if time.monotonic() > end:
                    raise NoAnswer(self.service, f"{place} did not end within {self._deadline:.0f} s")
                yield piece

    def _wait(self, attempt: int, asked: str | None, end: float) -> None:
        """Wait before the next attempt, as long as the server asks for if it does."""
        seconds = float(asked) if asked and asked.isdigit() else self._backoff * 2 ** (attempt - 1)
        self._pause(max(0.0, min(seconds, _LONGEST_PAUSE, end - time.monotonic())))

    def _check(self, url: str) -> None:
        """Refuse a place where we must not go."""
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        usual = {"https": 443, "http": 80}.get(parts.scheme)
        port = parts.port or usual
        if parts.username is not None:
            raise Refused(self.service, "an address must not hold a user name")
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
            raise Refused(self.service, f"{parts.scheme}://{host} is not encrypted; only https is used")
        if f"{host}:{port}" not in self._hosts and not (port == usual and host in self._hosts):
            raise Refused(self.service, f"{host}:{port} is not a server that accretor goes to")

    @contextlib.contextmanager
    def _translated(self, url: str) -> Iterator[None]:
        """Turn what requests raises, which holds the whole request, into our own errors, which do not."""
        import requests

        try:
            yield
        except requests.RequestException as error:
            raised = self._error(_place(url), error)
        else:
            return
        raise raised from None

    def _error(self, place: str, error: requests.RequestException) -> ServiceError:
        import requests

        cause = error.args[0] if error.args else None
        reason = type(getattr(cause, "reason", cause)).__name__
        if isinstance(error, requests.exceptions.SSLError):
            if "CERTIFICATE" in str(error).upper() or "hostname" in str(error):
                return NotTrusted(self.service, f"{place}: its certificate is not valid; nothing was sent")
            return NoAnswer(self.service, f"{place}: the encrypted connection broke")
        if isinstance(error, requests.exceptions.ConnectTimeout):
            return NotSent(self.service, f"{place} does not answer")
        if isinstance(error, requests.exceptions.InvalidSchema | requests.exceptions.InvalidURL):
            return Refused(self.service, f"{place} is not an address")
        if reason in {"NewConnectionError", "NameResolutionError"}:
            return NotSent(self.service, f"{place} cannot be reached; is there a network?")
        if isinstance(error, requests.exceptions.Timeout):
            return NoAnswer(self.service, f"{place} did not answer within {self._timeout[1]:.0f} s")
        return NoAnswer(self.service, f"{place}: the connection broke before the answer was whole")

    def _status(self, url: str, status: int) -> Refused:
        return Refused(self.service, f"{_place(url)} answered with HTTP status {status}", status)


def is_loopback(host: str) -> bool:
    """Return whether *host* is this machine itself."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _answer(response: requests.Response, body: bytes) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(_place(response.url), response.status_code, headers, body)


def _place(url: str) -> str:
    """Return *url* without what may be secret in it."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def _revealed(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value
