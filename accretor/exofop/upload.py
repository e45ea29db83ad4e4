"""How ExoFOP takes the forms and files of a plan, and how it shows what it holds.

That each is there once, and is proven to be, is the work of `accretor.sending.proven`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from accretor.exofop import pieces, readback
from accretor.exofop.pieces import Piece
from accretor.exofop.plan import UploadPlan
from accretor.exofop.readback import HeldFile, HeldSeries
from accretor.exofop.server import SERVICE
from accretor.exofop.session import Session, described, is_login
from accretor.io.http import Answer
from accretor.sending.proven import Difference

Held: TypeAlias = HeldFile | HeldSeries
"""One thing that ExoFOP lists."""


@dataclass
class ExoFOP:
    """ExoFOP as the archive of one plan: an `accretor.sending.proven.Archive`."""

    plan: UploadPlan
    package: Path
    """Folder of the files; they are compared with the plan before they are sent."""
    session: Session
    """Not opened yet."""
    listed: list[HeldFile] = field(default_factory=list)
    """The files of the last look."""
    name = SERVICE

    def enter(self) -> None:
        """Log in, or find that we are."""
        self.session.open()

    def is_inside(self) -> bool:
        """Ask whether this session is logged in."""
        return self.session.is_alive()

    def enter_again(self) -> None:
        """Log in after ExoFOP has ended the session."""
        self.session.renew()

    def secrets(self) -> Iterable[str]:
        """Return the values of the cookies, which pages may quote."""
        return [cookie.value.reveal() for cookie in self.session.client.cookies()]

    def content(self, piece: Piece) -> bytes:
        """Return the bytes of a file as they were planned; none for a form."""
        return pieces.content(self.package, piece)

    def post(self, piece: Piece, content: bytes) -> Answer:
        """Send a form, or a file with its own form."""
        if piece.file is None:
            return self.session.post("insert_tseries.php", piece.series.fields)
        return self.session.post(
            "insert_file.php",
            pieces.file_form(self.plan, piece),
            {"file_name": (piece.file.name, content)},
        )

    def asks_for_login(self, answer: Answer) -> bool:
        """Tell whether a post was answered with the form of the login."""
        return is_login(answer)

    def says_it_was_there(self, answer: Answer) -> bool:
        """Tell whether ExoFOP says so; then it may be another's."""
        return "already exists" in answer.text.lower()

    def described(self, answer: Answer) -> str:
        """Return the status and the title of a page."""
        return described(answer)

    def held(self, pieces: Sequence[Piece]) -> list[Sequence[Held]]:
        """Return what ExoFOP lists in the place of each piece, by its two lists."""
        files, series = self._files(), self._series()
        return [_matching(piece, files, series) for piece in pieces]

    def look(self, piece: Piece) -> Sequence[Held]:
        """Return what ExoFOP lists in the place of a piece, by the list of its kind."""
        return _matching(piece, self._files(), []) if piece.file else _matching(piece, [], self._series())

    def lately(self, piece: Piece) -> Sequence[Held] | None:
        """Return the file as it was listed after the last post; a form must be looked for."""
        return _matching(piece, self.listed, []) if piece.file else None

    def number(self, held: Held) -> str:
        """Return the number of a file; forms have none."""
        return held.file_id if isinstance(held, HeldFile) else ""

    def difference(self, piece: Piece, held: Held) -> Difference | None:
        """Compare the bytes of a file, or the values of a form."""
        if isinstance(held, HeldSeries):
            unlike = ", ".join(readback.differences(held, piece.series.fields))
            return (
                Difference(
                    f"{piece.label} is on ExoFOP with other values: {unlike}",
                    f"ExoFOP shows it differently: {unlike}",
                )
                if unlike
                else None
            )
        assert piece.file is not None
        there = readback.digest(self.session, held, piece.file.size)
        if there == piece.sha256:
            return None
        other = f"{there[:12]} there" if there else "which it does not give out"
        return Difference(
            f"{piece.label} is on ExoFOP (file {held.file_id}, {held.user} {held.date}) with other content: "
            f"{other}, {piece.sha256[:12]} here",
            "" if there else "listed; ExoFOP does not give it out to be compared",
        )

    def _files(self) -> list[HeldFile]:
        self.listed = readback.files(self.session, self._tic)
        return self.listed

    def _series(self) -> list[HeldSeries]:
        return readback.series(self.session, self.plan.tag, self._tic)

    @property
    def _tic(self) -> int:
        return int(self.plan.filters[0].fields["id"])


def _matching(piece: Piece, files: Iterable[HeldFile], series: Iterable[HeldSeries]) -> Sequence[Held]:
    if piece.file:
        return [held for held in files if held.name == piece.file.name]
    return [held for held in series if readback.is_of(held, piece.series.fields)]
