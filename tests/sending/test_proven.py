"""The proof of each post at an archive that has nothing of ExoFOP: one kind of piece, no login."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import pytest

from accretor.core.errors import UploadError
from accretor.io.http import Answer, NoAnswer, NotSent
from accretor.sending import consent, proven
from accretor.sending.ledger import Item, Ledger, State, progress
from accretor.sending.proven import Difference

PLAN = "0123456789ab"
TOKEN = "Canary"


@dataclass(frozen=True)
class Report:
    """A light curve to be sent."""

    label: str
    text: bytes

    @property
    def item(self):
        return Item("https://variables.example/", "report", "ip", self.label)

    @property
    def sha256(self):
        return hashlib.sha256(self.text).hexdigest()


@dataclass
class Variables:
    """An archive that holds reports by their names, with a fault for each post in turn."""

    faults: list[str] = field(default_factory=list)
    shelf: list[tuple[str, bytes]] = field(default_factory=list)
    n_post: int = 0
    n_look: int = 0
    gives_out: bool = True
    name = "Variables"

    def enter(self):
        pass

    def is_inside(self):
        return True

    def enter_again(self):
        raise AssertionError("nobody is ever logged out here")

    def secrets(self):
        return [TOKEN]

    def content(self, piece):
        return piece.text

    def post(self, piece, content):
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "unreachable":
            raise NotSent(self.name, "there is no network")
        self.n_post += 1
        if fault == "full":
            return self.answer(507, "the disk is full")
        if fault != "lost":
            self.shelf.append((piece.label, content))
        if fault in {"lost", "silent"}:
            raise NoAnswer(self.name, "the connection broke")
        return self.answer(200, "thank you")

    def answer(self, status, text):
        return Answer("https://variables.example/report", status, {}, f"{text} {TOKEN}".encode())

    def asks_for_login(self, answer):
        return False

    def says_it_was_there(self, answer):
        return False

    def described(self, answer):
        return f"HTTP status {answer.status}"

    def held(self, pieces):
        self.n_look += 1
        return [[one for one in self.shelf if one[0] == piece.label] for piece in pieces]

    def look(self, piece):
        return self.held([piece])[0]

    def lately(self, piece):
        return None

    def number(self, held):
        return f"no. {self.shelf.index(held)}"

    def difference(self, piece, held):
        if self.gives_out and held[1] == piece.text:
            return None
        remark = "" if self.gives_out else "listed, and not given out"
        return Difference(f"{piece.label} is in Variables with other content", remark)


REPORTS = [Report("first.txt", b"1 2 3"), Report("second.txt", b"4 5 6")]
WHOLE = [(report.label, report.text) for report in REPORTS]


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "variables" / "ledger.jsonl")


def send(archive, ledger, reports=REPORTS, **options):
    return proven.send(PLAN, reports, archive, ledger, pause=lambda seconds: None, **options)


def test_each_piece_is_there_once_and_a_second_run_asks_for_nothing(ledger):
    archive = Variables()

    assert send(archive, ledger).n_sent == 2
    n_look = archive.n_look
    again = send(archive, ledger)

    assert (again.n_sent, again.n_before, again.was_asked) == (0, 2, False)
    assert archive.shelf == WHOLE
    assert archive.n_look == n_look
    assert [entry.detail for entry in ledger.latest().values()] == ["no. 0", "no. 1"]
    assert progress(ledger)[0].startswith("confirmed on 20")


@pytest.mark.parametrize("fault", ["unreachable", "lost", "full"])
@pytest.mark.parametrize("at", [0, 1])
def test_what_was_not_taken_is_sent_by_the_next_run(ledger, fault, at):
    archive = Variables([""] * at + [fault])
    with pytest.raises(UploadError, match=f"^{REPORTS[at].label}: .*run again to send the rest$"):
        send(archive, ledger)
    assert archive.shelf == WHOLE[:at]
    assert progress(ledger)[0] == f"sent {at} of 2"

    assert send(archive, ledger).n_sent == 2 - at
    assert archive.shelf == WHOLE


def test_a_post_without_an_answer_that_was_taken_is_found_and_not_repeated(ledger):
    archive = Variables(["silent"])

    send(archive, ledger)

    assert archive.shelf == WHOLE
    assert archive.n_post == 2


@pytest.mark.parametrize("state", [State.INTENT, State.UNKNOWN, State.ANSWERED])
def test_a_run_that_was_killed_after_a_post_is_taken_up_by_what_the_archive_shows(ledger, state):
    archive = Variables(shelf=[WHOLE[0]])
    ledger.add(PLAN, REPORTS[0].item, REPORTS[0].sha256, state, 0.0)

    assert send(archive, ledger).n_sent == 1
    assert archive.shelf == WHOLE


def test_nothing_is_sent_where_the_archive_holds_something_else(ledger):
    archive = Variables(shelf=[("second.txt", b"of another")])

    with pytest.raises(UploadError, match=r"second.txt is in Variables with other content; nothing was sent"):
        send(archive, ledger)

    assert archive.n_post == 0


def test_nothing_is_sent_twice_under_another_content(ledger):
    archive = Variables()
    send(archive, ledger)

    with pytest.raises(
        UploadError, match=r"first.txt was uploaded at .* with other content .*; nothing was sent"
    ):
        send(archive, ledger, [Report("first.txt", b"9 9 9")])

    assert archive.shelf == WHOLE


def test_what_is_listed_and_not_given_out_is_remarked_of_ours_and_refused_of_others(ledger, tmp_path):
    archive = Variables(gives_out=False)
    found = send(archive, ledger)
    assert found.remarks == ("first.txt: listed, and not given out", "second.txt: listed, and not given out")

    with pytest.raises(UploadError, match="other content"):
        send(archive, Ledger(tmp_path / "of another machine.jsonl"))


def test_a_page_that_is_kept_has_no_secret_of_the_archive(ledger, tmp_path):
    with pytest.raises(UploadError):
        send(Variables(["full"]), ledger, answers=tmp_path / "answers")

    (page,) = (tmp_path / "answers").iterdir()
    assert page.name == "first.txt.html"
    assert page.read_text(encoding="utf-8") == "the disk is full ***"


def test_the_id_of_a_plan_changes_with_every_byte_of_it():
    ids = {
        consent.plan_id(["https://variables.example/", [one.label, one.sha256]])
        for one in (*REPORTS, Report("first.txt", b"1 2 4"))
    }

    assert len(ids) == 3
    assert all(len(one) == 12 for one in ids)
    with pytest.raises(UploadError, match="the plan is abc now, not abd; nothing was sent"):
        consent.check("abd", "abc")


def test_a_simulated_night_goes_to_a_server_on_this_machine_only(tmp_path):
    consent.refuse_simulated(tmp_path, "variables.example", "Variables")
    (tmp_path / consent.MADE_UP).touch()
    consent.refuse_simulated(tmp_path, "127.0.0.1", "Variables")

    with pytest.raises(UploadError, match=r"simulated .* not for Variables; nothing was sent"):
        consent.refuse_simulated(tmp_path, "variables.example", "Variables")
