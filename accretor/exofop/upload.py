"""Sending a plan to ExoFOP so that each form and file is there once, and is proven to be.

Nobody can take an upload back. So nothing is sent before ExoFOP has shown that it does
not hold it; nothing counts as sent before ExoFOP has shown that it does; and a post
whose outcome is not known is never made again on a guess: the ledger remembers it, and
what ExoFOP shows decides.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from accretor.core.errors import UploadError
from accretor.exofop import pieces, readback
from accretor.exofop.ledger import OPEN_STATES, Ledger, State
from accretor.exofop.pieces import Piece
from accretor.exofop.plan import UploadPlan
from accretor.exofop.readback import HeldFile, HeldSeries
from accretor.exofop.session import Session, described, is_login
from accretor.io import atomic
from accretor.io.http import Answer, NoAnswer, NotSent

SETTLE = 120.0
"""Seconds that ExoFOP is given to finish a post that it has not answered, before its lists are believed."""
LEAST_SETTLE = 10.0
"""Seconds of that which no setting goes below, but for a server on this machine: less may double a post."""
LISTING = (0.0, 2.0, 5.0, 10.0)
"""Seconds to wait before each look for what was just taken."""

_LONGEST_PAGE = 200_000


@dataclass(frozen=True)
class Result:
    """What an upload came to."""

    n_sent: int
    """Posts of this run that are proven."""
    n_before: int
    """Forms and files that were proven to be there without a post of this run."""
    remarks: tuple[str, ...] = ()
    """What could not be compared."""
    was_asked: bool = True
    """Whether ExoFOP was asked; else the ledger alone says that nothing was left to do."""


def remaining(plan: UploadPlan, ledger: Ledger) -> list[Piece]:
    """Return what of a plan is not proven to be on ExoFOP, by the ledger.

    Raises
    ------
    UploadError
        If the ledger proves that ExoFOP holds something else in the place of a piece.
    """
    latest, found = ledger.latest(), []
    for piece in pieces.of(plan):
        entry = latest.get(piece.item)
        if entry is None or entry.state is not State.CONFIRMED:
            found.append(piece)
        elif entry.sha256 != piece.sha256:
            raise UploadError(
                f"{piece.label} was uploaded at {entry.time[:16]} UTC with other content "
                f"({entry.sha256[:12]} there, {piece.sha256[:12]} here) and cannot be replaced; "
                "nothing was sent"
            )
    return found


def send(
    plan: UploadPlan,
    package: Path,
    session: Session,
    ledger: Ledger,
    *,
    answers: Path | None = None,
    settle: float = SETTLE,
    listing: tuple[float, ...] = LISTING,
    pause: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
    say: Callable[[str], None] = lambda line: None,
) -> Result:
    """Send what of a plan is not on ExoFOP yet, one post after another, each proven before the next.

    Parameters
    ----------
    package : Path
        Folder of the files; it is checked against the plan before anything is sent.
    session : Session
        Not opened yet; it is not if there is nothing to do.
    ledger : Ledger
        Of this package.
    answers : Path, optional
        Folder for pages that were not as expected.
    settle, listing : float, tuple of float, seconds
        How long to wait before an unanswered post is judged, and before each look for
        one that was taken.
    say : callable
        Told of each post.

    Raises
    ------
    UploadError
        If ExoFOP holds something else, refused a post, or did not prove one. What is
        proven until then is in the ledger, and is not sent again.
    ServiceError, NoCredentials
        If ExoFOP cannot be reached or does not let us in.
    OSError
        If the ledger cannot be written.
    """
    todo = remaining(plan, ledger)
    for piece in pieces.of(plan):
        pieces.content(package, piece)
    if not todo:
        return Result(0, len(pieces.of(plan)), was_asked=False)
    run = _Run(plan, package, session, ledger, answers, settle, listing, pause, now, say)
    _plan(plan, todo, ledger, now())
    session.open()
    run.wait_for_open_posts(todo)
    absent = run.reconcile(todo)
    n_sent = 0
    for number, piece in enumerate(absent, start=1):
        if run.is_there_meanwhile(piece):
            continue
        say(f"{number} of {len(absent)}: {piece.label}")
        run.post(piece)
        n_sent += 1
    return Result(n_sent, len(pieces.of(plan)) - n_sent, tuple(run.remarks))


def _plan(plan: UploadPlan, todo: list[Piece], ledger: Ledger, now: float) -> None:
    """Write down what is agreed to; where a post may be under way, that is not written over."""
    known = ledger.latest()
    new = [
        (piece.item, piece.sha256)
        for piece in todo
        if (entry := known.get(piece.item)) is None
        or (entry.state in {State.PLANNED, State.ABSENT} and entry.plan != plan.plan_id)
    ]
    if new:
        ledger.begin(plan.plan_id, new, now)


@dataclass
class _Run:
    """One go at a plan; it knows what ExoFOP showed last."""

    plan: UploadPlan
    package: Path
    session: Session
    ledger: Ledger
    answers: Path | None
    settle: float
    listing: tuple[float, ...]
    pause: Callable[[float], None]
    now: Callable[[], float]
    say: Callable[[str], None]
    remarks: list[str] = field(default_factory=list)
    listed: list[HeldFile] = field(default_factory=list)
    """The files of the last look."""

    def note(self, piece: Piece, state: State, detail: str = "") -> None:
        """Write to the ledger."""
        self.ledger.add(self.plan.plan_id, piece.item, piece.sha256, state, self.now(), detail)

    def wait_for_open_posts(self, todo: list[Piece]) -> None:
        """Give ExoFOP the time to finish what an earlier run may have sent."""
        latest = self.ledger.latest()
        opened = [
            latest[piece.item].seconds
            for piece in todo
            if piece.item in latest and latest[piece.item].state in OPEN_STATES
        ]
        if opened:
            age = self.now() - max(opened)
            self._let_settle(min(self.settle, max(0.0, self.settle - age)))

    def reconcile(self, todo: list[Piece]) -> list[Piece]:
        """Compare with what ExoFOP holds before anything is sent; return what it does not.

        Raises
        ------
        UploadError
            Naming everything that it holds otherwise.
        """
        files, series = self._held()
        latest, absent, conflicts = self.ledger.latest(), [], []
        for piece in pieces.of(self.plan):
            is_done = piece not in todo
            found = _matches(piece, files, series)
            if is_done and found:
                continue
            if is_done:
                when = latest[piece.item].time[:16]
                conflicts.append(f"{piece.label} was there at {when} UTC, and is not any more")
            elif not found:
                if latest[piece.item].state in OPEN_STATES:
                    self.note(piece, State.ABSENT)
                absent.append(piece)
            elif trouble := self._trouble(piece, found, is_ours=False):
                conflicts.append(trouble)
            else:
                self.note(piece, State.CONFIRMED, "it was there already")
        if conflicts:
            raise UploadError(f"{'; '.join(conflicts)}; nothing was sent")
        return absent

    def is_there_meanwhile(self, piece: Piece) -> bool:
        """Return whether someone else has sent a piece since the first look; it is then confirmed."""
        found = _matches(piece, self.listed, []) if piece.file else self._look(piece)
        return bool(found) and self._is_there(piece, (0.0,), is_ours=False)

    def post(self, piece: Piece) -> None:
        """Send one piece that ExoFOP has shown not to hold, and prove it.

        Raises
        ------
        UploadError
            If it is not proven; the ledger says how far it is.
        """
        while True:
            content = pieces.content(self.package, piece)
            self.note(piece, State.INTENT)
            try:
                answer = self._send(piece, content)
            except NotSent as error:
                self.note(piece, State.ABSENT, "no connection was made")
                raise UploadError(f"{piece.label}: {error.reason}; run again to send the rest") from None
            except NoAnswer as error:
                self.note(piece, State.UNKNOWN, error.reason)
                self._judge(piece, error.reason)
                return
            if not is_login(answer):
                break
            self.note(piece, State.UNKNOWN, "the session had ended")
            self.session.renew()
            if self._is_there(piece, (0.0,), is_ours=False):
                return
            self.note(piece, State.ABSENT)
        if answer.status >= 400:  # HTTP: it failed
            self.note(piece, State.UNKNOWN, described(answer))
            self._keep(piece, answer)
            self._judge(piece, described(answer))
            return
        self.note(piece, State.ANSWERED, f"page {hashlib.sha256(answer.body).hexdigest()[:12]}")
        is_ours = "already exists" not in answer.text.lower()
        if not self._is_there(piece, self.listing, is_ours=is_ours):
            self.note(piece, State.UNKNOWN, f"answered ({described(answer)}) but not listed")
            self._keep(piece, answer)
            raise UploadError(
                f"{piece.label}: ExoFOP answered ({described(answer)}) but does not list it; "
                f"look at {self.answers or 'its pages'} and at ExoFOP before you run again"
            )

    def _send(self, piece: Piece, content: bytes) -> Answer:
        if piece.file is None:
            return self.session.post("insert_tseries.php", piece.series.fields)
        return self.session.post(
            "insert_file.php",
            pieces.file_form(self.plan, piece),
            {"file_name": (piece.file.name, content)},
        )

    def _judge(self, piece: Piece, reason: str) -> None:
        """Find out what became of a post without a proper answer."""
        self._let_settle(self.settle)
        if not self._is_there(piece, (0.0,), is_ours=False):
            self.note(piece, State.ABSENT)
            raise UploadError(f"{piece.label}: {reason}; ExoFOP does not hold it; run again to send the rest")

    def _is_there(self, piece: Piece, waits: tuple[float, ...], *, is_ours: bool) -> bool:
        """Return whether ExoFOP holds a piece, having looked after each of *waits*; if so, it is confirmed.

        Raises
        ------
        UploadError
            If it holds something else in its place.
        """
        for wait in waits:
            self.pause(wait)
            found = self._look(piece)
            if found:
                if trouble := self._trouble(piece, found, is_ours=is_ours):
                    self.note(piece, State.UNKNOWN, trouble)
                    raise UploadError(trouble)
                self.note(piece, State.CONFIRMED, getattr(found[0], "file_id", ""))
                return True
        return False

    def _look(self, piece: Piece) -> list[HeldFile] | list[HeldSeries]:
        """Return what ExoFOP holds in the place of a piece, if need be after another login."""
        while True:
            found = _matches(piece, self._files(), []) if piece.file else _matches(piece, [], self._series())
            # Who is not logged in is not shown everything: nothing there would prove nothing.
            if found or self.session.is_alive():
                return found
            self.session.renew()

    def _held(self) -> tuple[list[HeldFile], list[HeldSeries]]:
        while True:
            held = self._files(), self._series()
            if self.session.is_alive():
                return held
            self.session.renew()

    def _let_settle(self, seconds: float) -> None:
        if seconds > 0:
            self.say(f"waiting {seconds:.0f} s for what ExoFOP may still be doing")
        self.pause(seconds)

    def _files(self) -> list[HeldFile]:
        self.listed = readback.files(self.session, self._tic)
        return self.listed

    def _series(self) -> list[HeldSeries]:
        return readback.series(self.session, self.plan.tag, self._tic)

    @property
    def _tic(self) -> int:
        return int(self.plan.filters[0].fields["id"])

    def _trouble(self, piece: Piece, found: list[HeldFile] | list[HeldSeries], *, is_ours: bool) -> str:
        """Return why what ExoFOP holds does not prove a piece; "" if it does.

        Parameters
        ----------
        is_ours
            It was taken a moment ago from us; where it cannot be compared, or is shown
            in another way, that is remarked, no more.
        """
        if len(found) > 1:
            return f"{piece.label} is on ExoFOP {len(found)} times; write to its staff"
        held = found[0]
        if isinstance(held, HeldSeries):
            unlike = ", ".join(readback.differences(held, piece.series.fields))
            if unlike and is_ours:
                self.remarks.append(f"{piece.label}: ExoFOP shows it differently: {unlike}")
            return f"{piece.label} is on ExoFOP with other values: {unlike}" if unlike and not is_ours else ""
        assert piece.file is not None
        there = readback.digest(self.session, held, piece.file.size)
        if there == piece.sha256:
            return ""
        if there is None and is_ours:
            self.remarks.append(f"{piece.label}: listed; ExoFOP does not give it out to be compared")
            return ""
        other = f"{there[:12]} there" if there else "which it does not give out"
        return (
            f"{piece.label} is on ExoFOP (file {held.file_id}, {held.user} {held.date}) with other content: "
            f"{other}, {piece.sha256[:12]} here"
        )

    def _keep(self, piece: Piece, answer: Answer) -> None:
        """Write an odd page to a file, without what could let others in."""
        if self.answers is None:
            return
        text = answer.text[:_LONGEST_PAGE]
        for cookie in self.session.client.cookies():
            text = text.replace(cookie.value.reveal(), "***") if cookie.value else text
        name = re.sub(r"[^A-Za-z0-9.+_-]+", "-", piece.label)
        atomic.write_text(self.answers / f"{name}.html", text)


def _matches(
    piece: Piece, files: list[HeldFile], series: list[HeldSeries]
) -> list[HeldFile] | list[HeldSeries]:
    if piece.file:
        return [held for held in files if held.name == piece.file.name]
    return [held for held in series if readback.is_of(held, piece.series.fields)]
