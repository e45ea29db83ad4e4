"""Sending the pieces of a plan so that each is in the archive once, and is proven to be.

Nobody can take an upload back. So nothing is sent before the archive has shown that it does
not hold it; nothing counts as sent before the archive has shown that it does; and a post
whose outcome is not known is never made again on a guess: the ledger remembers it, and
what the archive shows decides. What an archive says, and how, is told by an `Archive`.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from accretor.core.errors import UploadError
from accretor.io import atomic
from accretor.io.http import Answer, NoAnswer, NotSent
from accretor.sending.ledger import OPEN_STATES, Item, Ledger, State

SETTLE = 120.0
"""Seconds that an archive is given to finish a post that it has not answered, before it is believed."""
LEAST_SETTLE = 10.0
"""Seconds of that which no setting goes below, but for a server on this machine: less may double a post."""
LISTING = (0.0, 2.0, 5.0, 10.0)
"""Seconds to wait before each look for what was just taken."""

_LONGEST_PAGE = 200_000


class Piece(Protocol):
    """One post of a plan."""

    @property
    def item(self) -> Item:
        """What it is, in the ledger."""

    @property
    def sha256(self) -> str:
        """Of all that is sent."""

    @property
    def label(self) -> str:
        """Name for messages, and for the file of an odd answer."""


P = TypeVar("P", bound=Piece)
P_contra = TypeVar("P_contra", bound=Piece, contravariant=True)
H = TypeVar("H")


@dataclass(frozen=True)
class Difference:
    """Why what an archive holds does not prove a piece."""

    trouble: str
    """In a sentence, with both."""
    remark: str = ""
    """What is remarked, no more, of a piece taken from us a moment ago; "" if that is trouble too."""


class Archive(Protocol[P_contra, H]):
    """A server that takes pieces, and shows what it holds; ``H`` is one thing that it holds."""

    name: str
    """For messages."""

    def enter(self) -> None:
        """Be logged in; raises where that is not shown."""

    def is_inside(self) -> bool:
        """Ask whether we are logged in still: who is not may not be shown everything."""

    def enter_again(self) -> None:
        """Log in after the session has ended; raises if that happens too often."""

    def secrets(self) -> Iterable[str]:
        """Return what must not stand in a page that is kept."""

    def content(self, piece: P_contra) -> bytes:
        """Return the bytes of a piece; raises `UploadError` if they are not those that were planned."""

    def post(self, piece: P_contra, content: bytes) -> Answer:
        """Send a piece once, and return the answer whatever it is; raises `NotSent` or `NoAnswer`."""

    def asks_for_login(self, answer: Answer) -> bool:
        """Tell whether an answer to a post is not about it, since we are not logged in any more."""

    def says_it_was_there(self, answer: Answer) -> bool:
        """Tell whether a post was answered with the news that such a thing is there already."""

    def described(self, answer: Answer) -> str:
        """Return in a few words what an answer is."""

    def held(self, pieces: Sequence[P_contra]) -> list[Sequence[H]]:
        """Ask for all that the archive holds, and return what is in the place of each piece."""

    def look(self, piece: P_contra) -> Sequence[H]:
        """Ask for what the archive holds in the place of one piece."""

    def lately(self, piece: P_contra) -> Sequence[H] | None:
        """Return what the last look showed in the place of a piece; None if it must be looked at again."""

    def number(self, held: H) -> str:
        """Return what the archive knows a thing by; "" if it does not tell."""

    def difference(self, piece: P_contra, held: H) -> Difference | None:
        """Compare what is in the place of a piece with the piece; None if it proves it."""


@dataclass(frozen=True)
class Result:
    """What an upload came to."""

    n_sent: int
    """Posts of this run that are proven."""
    n_before: int
    """Pieces that were proven to be there without a post of this run."""
    remarks: tuple[str, ...] = ()
    """What could not be compared."""
    was_asked: bool = True
    """Whether the archive was asked; else the ledger alone says that nothing was left to do."""


def remaining(pieces: Iterable[P], ledger: Ledger) -> list[P]:
    """Return those pieces that are not proven to be in the archive, by the ledger.

    Raises
    ------
    UploadError
        If the ledger proves that the archive holds something else in the place of a piece.
    """
    latest, found = ledger.latest(), []
    for piece in pieces:
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
    plan_id: str,
    pieces: Sequence[P],
    archive: Archive[P, H],
    ledger: Ledger,
    *,
    answers: Path | None = None,
    settle: float = SETTLE,
    listing: tuple[float, ...] = LISTING,
    pause: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
    say: Callable[[str], None] = lambda line: None,
) -> Result:
    """Send the pieces that the archive does not hold yet, one after another, each proven before the next.

    Parameters
    ----------
    plan_id : str
        Of the plan that was agreed to.
    pieces : sequence of Piece
        Of the plan, in their order.
    archive : Archive
        It is not entered if there is nothing to do.
    ledger : Ledger
        Of this package at this archive.
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
        If the archive holds something else, refused a post, or did not prove one. What is
        proven until then is in the ledger, and is not sent again.
    ServiceError, NoCredentials
        If it cannot be reached or does not let us in.
    OSError
        If the ledger cannot be written.
    """
    todo = remaining(pieces, ledger)
    for piece in pieces:
        archive.content(piece)
    if not todo:
        return Result(0, len(pieces), was_asked=False)
    run = _Run(plan_id, pieces, archive, ledger, answers, settle, listing, pause, now, say)
    _plan(plan_id, todo, ledger, now())
    archive.enter()
    run.wait_for_open_posts(todo)
    absent = run.reconcile(todo)
    n_sent = 0
    for number, piece in enumerate(absent, start=1):
        if run.is_there_meanwhile(piece):
            continue
        say(f"{number} of {len(absent)}: {piece.label}")
        run.post(piece)
        n_sent += 1
    return Result(n_sent, len(pieces) - n_sent, tuple(run.remarks))


def _plan(plan_id: str, todo: Collection[Piece], ledger: Ledger, now: float) -> None:
    """Write down what is agreed to; where a post may be under way, that is not written over."""
    known = ledger.latest()
    new = [
        (piece.item, piece.sha256)
        for piece in todo
        if (entry := known.get(piece.item)) is None
        or (entry.state in {State.PLANNED, State.ABSENT} and entry.plan != plan_id)
    ]
    if new:
        ledger.begin(plan_id, new, now)


@dataclass
class _Run(Generic[P, H]):
    """One go at a plan."""

    plan_id: str
    pieces: Sequence[P]
    archive: Archive[P, H]
    ledger: Ledger
    answers: Path | None
    settle: float
    listing: tuple[float, ...]
    pause: Callable[[float], None]
    now: Callable[[], float]
    say: Callable[[str], None]
    remarks: list[str] = field(default_factory=list)

    def note(self, piece: P, state: State, detail: str = "") -> None:
        """Write to the ledger."""
        self.ledger.add(self.plan_id, piece.item, piece.sha256, state, self.now(), detail)

    def wait_for_open_posts(self, todo: Iterable[P]) -> None:
        """Give the archive the time to finish what an earlier run may have sent."""
        latest = self.ledger.latest()
        opened = [
            latest[piece.item].seconds
            for piece in todo
            if piece.item in latest and latest[piece.item].state in OPEN_STATES
        ]
        if opened:
            age = self.now() - max(opened)
            self._let_settle(min(self.settle, max(0.0, self.settle - age)))

    def reconcile(self, todo: Collection[P]) -> list[P]:
        """Compare with what the archive holds before anything is sent; return what it does not.

        Raises
        ------
        UploadError
            Naming everything that it holds otherwise.
        """
        held = self._held()
        latest, absent, conflicts = self.ledger.latest(), [], []
        for piece, found in zip(self.pieces, held, strict=True):
            is_done = piece not in todo
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

    def is_there_meanwhile(self, piece: P) -> bool:
        """Return whether someone else has sent a piece since the first look; it is then confirmed."""
        found = self.archive.lately(piece)
        if found is None:
            found = self._look(piece)
        return bool(found) and self._is_there(piece, (0.0,), is_ours=False)

    def post(self, piece: P) -> None:
        """Send one piece that the archive has shown not to hold, and prove it.

        Raises
        ------
        UploadError
            If it is not proven; the ledger says how far it is.
        """
        while True:
            content = self.archive.content(piece)
            self.note(piece, State.INTENT)
            try:
                answer = self.archive.post(piece, content)
            except NotSent as error:
                self.note(piece, State.ABSENT, "no connection was made")
                raise UploadError(f"{piece.label}: {error.reason}; run again to send the rest") from None
            except NoAnswer as error:
                self.note(piece, State.UNKNOWN, error.reason)
                self._judge(piece, error.reason)
                return
            if not self.archive.asks_for_login(answer):
                break
            self.note(piece, State.UNKNOWN, "the session had ended")
            self.archive.enter_again()
            if self._is_there(piece, (0.0,), is_ours=False):
                return
            self.note(piece, State.ABSENT)
        described = self.archive.described(answer)
        if answer.status >= 400:  # HTTP: it failed
            self.note(piece, State.UNKNOWN, described)
            self._keep(piece, answer)
            self._judge(piece, described)
            return
        self.note(piece, State.ANSWERED, f"page {hashlib.sha256(answer.body).hexdigest()[:12]}")
        is_ours = not self.archive.says_it_was_there(answer)
        if not self._is_there(piece, self.listing, is_ours=is_ours):
            self.note(piece, State.UNKNOWN, f"answered ({described}) but not listed")
            self._keep(piece, answer)
            raise UploadError(
                f"{piece.label}: {self.archive.name} answered ({described}) but does not list it; "
                f"look at {self.answers or 'its pages'} and at {self.archive.name} before you run again"
            )

    def _judge(self, piece: P, reason: str) -> None:
        """Find out what became of a post without a proper answer."""
        self._let_settle(self.settle)
        if not self._is_there(piece, (0.0,), is_ours=False):
            self.note(piece, State.ABSENT)
            raise UploadError(
                f"{piece.label}: {reason}; {self.archive.name} does not hold it; run again to send the rest"
            )

    def _is_there(self, piece: P, waits: tuple[float, ...], *, is_ours: bool) -> bool:
        """Return whether the archive holds a piece, looking after each of *waits*; if so, it is confirmed.

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
                self.note(piece, State.CONFIRMED, self.archive.number(found[0]))
                return True
        return False

    def _look(self, piece: P) -> Sequence[H]:
        """Return what the archive holds in the place of a piece, if need be after another login."""
        while True:
            found = self.archive.look(piece)
            # Who is not logged in is not shown everything: nothing there would prove nothing.
            if found or self.archive.is_inside():
                return found
            self.archive.enter_again()

    def _held(self) -> list[Sequence[H]]:
        while True:
            held = self.archive.held(self.pieces)
            if self.archive.is_inside():
                return held
            self.archive.enter_again()

    def _let_settle(self, seconds: float) -> None:
        if seconds > 0:
            self.say(f"waiting {seconds:.0f} s for what {self.archive.name} may still be doing")
        self.pause(seconds)

    def _trouble(self, piece: P, found: Sequence[H], *, is_ours: bool) -> str:
        """Return why what the archive holds does not prove a piece; "" if it does.

        Parameters
        ----------
        is_ours
            It was taken a moment ago from us; where it cannot be compared, or is shown
            in another way, that is remarked, no more.
        """
        if len(found) > 1:
            return f"{piece.label} is on {self.archive.name} {len(found)} times; write to its staff"
        difference = self.archive.difference(piece, found[0])
        if difference is None:
            return ""
        if is_ours and difference.remark:
            self.remarks.append(f"{piece.label}: {difference.remark}")
            return ""
        return difference.trouble

    def _keep(self, piece: P, answer: Answer) -> None:
        """Write an odd page to a file, without what could let others in."""
        if self.answers is None:
            return
        text = answer.text[:_LONGEST_PAGE]
        for secret in self.archive.secrets():
            text = text.replace(secret, "***") if secret else text
        name = re.sub(r"[^A-Za-z0-9.+_-]+", "-", piece.label)
        atomic.write_text(self.answers / f"{name}.html", text)
