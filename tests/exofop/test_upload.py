"""The upload against a server that fails; what counts is what that server holds in the end."""

from __future__ import annotations

import dataclasses
import hashlib
import time

import pytest

from accretor.core.errors import ServiceError, UploadError
from accretor.exofop import pieces
from accretor.exofop.server import server
from accretor.exofop.session import LoginError, Session
from accretor.io.http import NotSent, Refused, Secret
from accretor.sending.credentials import Credentials
from accretor.sending.ledger import Ledger, State
from tests.exofop.sending import client, everything, fields, make, name, send, session
from tests.exofop.server import PASSWORD, USER

N = 6
"""Posts of a package of two filters with two files each."""


@pytest.fixture
def package(tmp_path):
    return tmp_path / "package"


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "sent" / "ledger.jsonl")


@pytest.fixture
def plan(package, exofop):
    return make(package, exofop.url)


def states(ledger):
    return [entry.state for entry in ledger.latest().values()]


def inserts(exofop):
    return [post for post in exofop.store()["posts"] if post["page"] != "password_check.php"]


def test_a_package_is_sent_in_order_and_each_piece_once(exofop, plan, package, ledger):
    found = send(plan, package, ledger)

    assert (found.n_sent, found.n_before, found.remarks) == (N, 0, ())
    assert exofop.copies() == everything(plan)
    assert states(ledger) == [State.CONFIRMED] * N
    pages = ["insert_tseries.php", *["insert_file.php"] * 2] * 2
    assert [post["page"] for post in inserts(exofop)] == pages
    sent = [post["file"] for post in inserts(exofop) if post["file"]]
    assert sent == [file.name for series in plan.filters for file in series.files]
    digests = {file["name"]: file["sha256"] for file in exofop.store()["files"]}
    assert digests == {file.name: file.sha256 for series in plan.filters for file in series.files}


def test_the_posts_have_exactly_the_fields_of_the_accepted_tool(exofop, plan, package, ledger):
    send(plan, package, ledger)

    posts = exofop.store()["posts"]
    assert [posts[0]["page"], *[key for key, _ in posts[0]["fields"]]] == [
        "password_check.php",
        "username",
        "password",
        "ref",
        "ref_page",
    ]
    assert posts[1]["fields"] == [[key, value] for key, value in fields("gp").items()]
    assert dict(posts[2]["fields"]) == {
        "file_type": "Light_Curve",
        "planet": "TOI1234.01",
        "file_desc": "label of measurements.tbl",
        "file_tag": plan.tag,
        "groupname": "tfopwg",
        "propflag": "on",
        "tid": "292152376",
    }


def test_what_is_confirmed_needs_no_network(exofop, plan, package, ledger):
    send(plan, package, ledger)
    before = exofop.store()["requests"]

    found = send(plan, package, ledger)

    assert (found.n_sent, found.n_before, found.was_asked) == (0, N, False)
    assert exofop.store()["requests"] == before


def test_another_machine_sees_what_the_first_one_sent(exofop, plan, package, ledger, tmp_path):
    exofop.set(faults=[{"at": 4, "kind": "error_before"}])
    with pytest.raises(UploadError):
        send(plan, package, ledger)

    found = send(plan, package, Ledger(tmp_path / "elsewhere" / "ledger.jsonl"))

    assert (found.n_sent, found.n_before) == (N - 3, 3)
    assert exofop.copies() == everything(plan)
    assert send(plan, package, ledger).n_sent == 0
    assert exofop.copies() == everything(plan)


def test_a_wrong_password_stops_before_anything_is_sent(exofop, plan, package, ledger):
    with pytest.raises(LoginError, match="the name or the password of user") as error:
        send(plan, package, ledger, visit=session(exofop.url, password="wrong-Canary"))

    assert "Canary" not in str(error.value)
    assert [post["page"] for post in exofop.store()["posts"]] == ["password_check.php"]
    assert set(states(ledger)) == {State.PLANNED}


def test_maintenance_is_not_a_login(exofop, plan, package, ledger):
    exofop.set(maintenance=True)

    with pytest.raises(LoginError, match="maintenance"):
        send(plan, package, ledger)

    assert inserts(exofop) == []


@pytest.mark.parametrize(
    ("fault", "at"), [("error_before", 3), ("cut_before", 1), ("odd", 1), ("odd", 5), ("refused", 3)]
)
def test_what_was_not_taken_is_sent_by_the_next_run_and_nothing_twice(
    exofop, plan, package, ledger, fault, at
):
    exofop.set(faults=[{"at": at, "kind": fault}])
    with pytest.raises(UploadError):
        send(plan, package, ledger)
    assert len(inserts(exofop)) == at
    assert states(ledger).count(State.CONFIRMED) == at - 1

    found = send(plan, package, ledger)

    assert (found.n_sent, found.n_before) == (N - at + 1, at - 1)
    assert exofop.copies() == everything(plan)
    assert len(inserts(exofop)) == N + 1


@pytest.mark.parametrize(
    ("fault", "at"), [("error_after", 1), ("cut_after", 4), ("cut_after", 6), ("exists", 2)]
)
def test_what_was_taken_without_a_proper_answer_is_found_there(exofop, plan, package, ledger, fault, at):
    exofop.set(faults=[{"at": at, "kind": fault}])

    found = send(plan, package, ledger)

    assert found.n_sent == N
    assert exofop.copies() == everything(plan)
    assert len(inserts(exofop)) == N


def test_what_is_stored_late_is_waited_for(exofop, plan, package, ledger):
    exofop.set(faults=[{"at": 3, "kind": "late", "seconds": 0.5}])

    found = send(plan, package, ledger, settle=1.5, listing=(0.0,), pause=time.sleep)

    assert found.n_sent == N
    assert exofop.copies() == everything(plan)


def test_an_answer_that_takes_too_long_is_no_failure(exofop, plan, package, ledger):
    exofop.set(faults=[{"at": 2, "kind": "slow", "seconds": 1.0}])
    visit = session(exofop.url, visitor=client(exofop.url, timeout=(1.0, 0.3)))

    assert send(plan, package, ledger, visit=visit).n_sent == N

    assert exofop.copies() == everything(plan)


def test_a_list_that_lags_is_looked_at_again(exofop, plan, package, ledger):
    exofop.set(lag=2)

    send(plan, package, ledger)

    assert exofop.copies() == everything(plan)
    assert len(inserts(exofop)) == N


@pytest.mark.parametrize("redirect", [False, True])
@pytest.mark.parametrize("at", [1, 5])
def test_a_session_that_ends_in_mid_package_is_renewed_once(exofop, plan, package, ledger, at, redirect):
    exofop.set(faults=[{"at": at, "kind": "expire", "redirect": redirect}])

    found = send(plan, package, ledger)

    assert found.n_sent == N
    assert exofop.copies() == everything(plan)
    assert exofop.store()["n_login"] == 2


def test_a_session_that_always_ends_is_given_up(exofop, plan, package, ledger):
    exofop.set(faults=[{"at": at, "kind": "expire"} for at in range(1, 20)])

    with pytest.raises(LoginError, match="ended 4 times"):
        send(plan, package, ledger)

    assert exofop.copies() == {}
    assert exofop.store()["n_login"] == 4


def test_a_login_that_fails_in_mid_package_does_not_say_that_nothing_was_sent(exofop, plan, package, ledger):
    exofop.set(faults=[{"at": 5, "kind": "expire"}])
    passwords = iter([PASSWORD, "wrong"])
    visit = Session(
        client(exofop.url),
        server(exofop.url),
        lambda: Credentials(USER, Secret(next(passwords)), "a test"),
        username=USER,
    )

    with pytest.raises(LoginError, match="run again to send the rest") as error:
        send(plan, package, ledger, visit=visit)

    assert "nothing was sent" not in str(error.value)
    assert exofop.copies() != {}


def test_files_hidden_from_an_ended_session_are_not_taken_for_absent(exofop, plan, package, ledger, tmp_path):
    """The lists show nothing proprietary to who is not logged in: that must not look like nothing there."""
    send(plan, package, ledger)
    visit = session(exofop.url)
    opened = visit.open
    visit.open = lambda: (opened(), exofop.set(end_sessions=True))

    found = send(plan, package, Ledger(tmp_path / "other.jsonl"), visit=visit)

    assert (found.n_sent, found.n_before) == (0, N)
    assert exofop.copies() == everything(plan)


def test_the_same_name_with_other_bytes_stops_with_both_shown(exofop, plan, package, ledger):
    theirs = b"other bytes"
    item = {"page": "insert_file.php", "name": name("ip", "WCS.fits"), "hex": theirs.hex(), "user": "b"}
    exofop.set(insert=[item | {"fields": {"tid": "292152376", "groupname": "tfopwg", "file_desc": "x"}}])

    with pytest.raises(UploadError) as error:
        send(plan, package, ledger)

    message = str(error.value)
    assert hashlib.sha256(theirs).hexdigest()[:12] in message
    assert plan.filters[1].files[1].sha256[:12] in message
    assert "nothing was sent" in message
    assert inserts(exofop) == []


def test_a_form_with_other_values_stops_with_both_shown(exofop, plan, package, ledger):
    form = {"page": "insert_tseries.php", "fields": fields("ip", psf="3.10"), "user": USER}
    exofop.set(insert=[form])

    with pytest.raises(UploadError, match=r"psf is 3\.10 there, 2\.30 here"):
        send(plan, package, ledger)

    assert inserts(exofop) == []


def test_a_form_that_is_there_in_another_spelling_is_not_sent_again(exofop, plan, package, ledger):
    spelled = fields("gp", psf="2.3", photaprad="6", obsdate="2025-03-04 00:00:00", camera="qhy600")
    exofop.set(insert=[{"page": "insert_tseries.php", "fields": spelled, "user": USER}])

    assert send(plan, package, ledger).n_sent == N - 1

    assert exofop.copies() == everything(plan)


def test_forms_of_another_telescope_under_the_same_tag_are_left_alone(exofop, plan, package, ledger):
    form = {"page": "insert_tseries.php", "fields": fields("gp", tel="Hilltop-1m0"), "user": USER}
    exofop.set(insert=[form])

    assert send(plan, package, ledger).n_sent == N


def test_bytes_that_arrive_cut_short_are_noticed(exofop, plan, package, ledger):
    exofop.set(faults=[{"at": 3, "kind": "truncate"}])

    with pytest.raises(UploadError, match="other content"):
        send(plan, package, ledger)

    with pytest.raises(UploadError, match="other content"):
        send(plan, package, ledger)
    assert len(inserts(exofop)) == 3


def test_files_that_exofop_does_not_give_out_are_confirmed_by_its_list_with_a_remark(
    exofop, plan, package, ledger
):
    exofop.set(no_files=True)

    found = send(plan, package, ledger)

    assert found.n_sent == N
    assert len(found.remarks) == 4


def test_an_unanswered_file_that_cannot_be_compared_is_not_believed(exofop, plan, package, ledger):
    exofop.set(no_files=True, faults=[{"at": 2, "kind": "cut_after"}])

    with pytest.raises(UploadError, match="does not give out"):
        send(plan, package, ledger)

    assert states(ledger).count(State.CONFIRMED) == 1


def test_a_sentence_instead_of_the_tag_s_table_makes_it_look_at_the_star_s(exofop, plan, package, ledger):
    exofop.set(tag_sentence=True)

    assert send(plan, package, ledger).n_sent == N

    assert exofop.copies() == everything(plan)


@pytest.mark.parametrize("kind", ["page", "empty", "short", "status", "huge"])
def test_a_list_that_is_none_is_never_an_empty_one(exofop, plan, package, ledger, kind):
    fault = {
        "kind": kind,
        "status": 404,
        "times": 9,
        "pages": ["download_filelist.php", "download_tag_tseries.php"],
    }
    visit = session(exofop.url)
    visit.open()
    exofop.set(get=fault)
    visit.open = lambda: None

    with pytest.raises(ServiceError):
        send(plan, package, ledger, visit=visit)

    assert inserts(exofop) == []


def test_a_redirect_to_another_host_carries_no_file_there(exofop, plan, package, ledger):
    from tests.exofop.server import running

    with running() as other:
        exofop.set(faults=[{"at": 2, "kind": "redirect", "to": f"{other.url}insert_file.php"}])
        with pytest.raises(UploadError, match="does not list it"):
            send(plan, package, ledger)
        assert other.store()["requests"] == []

        assert send(plan, package, ledger).n_sent == N - 1
    assert exofop.copies() == everything(plan)


def test_a_redirect_of_the_login_carries_no_password_there(exofop, plan, package, ledger):
    from tests.exofop.server import running

    with running() as other:
        exofop.set(login_redirect=f"{other.url}password_check.php")
        with pytest.raises(LoginError):
            send(plan, package, ledger)
        assert other.store()["requests"] == []


def test_a_plan_with_changed_files_is_not_begun(exofop, plan, package, ledger):
    (package / name("ip", "WCS.fits")).write_bytes(b"edited")

    with pytest.raises(UploadError, match=r"ip_WCS\.fits is not what was planned"):
        send(plan, package, ledger)

    assert exofop.store()["requests"] == []


def test_a_new_version_of_what_was_sent_is_refused_without_a_network(exofop, plan, package, ledger):
    send(plan, package, ledger)
    before = exofop.store()["requests"]
    newer = make(package, exofop.url, version=1)

    with pytest.raises(UploadError, match="cannot be replaced"):
        send(newer, package, ledger)

    assert exofop.store()["requests"] == before


def test_what_was_confirmed_and_is_gone_is_said_and_not_sent_again(exofop, plan, package, ledger):
    exofop.set(faults=[{"at": 4, "kind": "error_before"}])
    with pytest.raises(UploadError):
        send(plan, package, ledger)
    exofop.set(reset=True)

    with pytest.raises(UploadError, match="is not any more"):
        send(plan, package, ledger)

    assert inserts(exofop) == []


def test_without_a_server_nothing_is_sent_and_that_is_said(plan, package, ledger, exofop):
    nowhere = "http://127.0.0.1:9/tess/"
    lost = dataclasses.replace(plan, server=nowhere)

    with pytest.raises(NotSent, match="cannot be reached"):
        send(lost, package, ledger, visit=session(nowhere))


def test_a_server_that_goes_away_before_a_post_has_seen_nothing_of_it(exofop, plan, package, ledger):
    visit = session(exofop.url)
    post = visit.client.post

    def gone(url, *arguments, **options):
        if "insert" in url:
            url = "http://127.0.0.1:9/tess/insert_tseries.php"
            visit.client._hosts |= {"127.0.0.1:9"}
        return post(url, *arguments, **options)

    visit.client.post = gone
    with pytest.raises(UploadError, match="cannot be reached"):
        send(plan, package, ledger, visit=visit)

    assert State.ABSENT in states(ledger)
    assert send(plan, package, ledger).n_sent == N


def test_the_ledger_knows_of_a_post_before_it_is_made(exofop, plan, package, ledger):
    visit, seen = session(exofop.url), []
    post = visit.client.post

    def watched(url, *arguments, **options):
        if "insert" in url:
            seen.append(states(Ledger(ledger.path)).count(State.INTENT))
        return post(url, *arguments, **options)

    visit.client.post = watched
    send(plan, package, ledger, visit=visit)

    assert seen == [1] * N


@pytest.mark.parametrize("piece", [2, 3])
def test_what_another_machine_sends_meanwhile_is_not_sent_again(exofop, plan, package, ledger, piece):
    theirs = pieces.of(plan)[piece]
    item = {"page": "insert_tseries.php", "fields": theirs.series.fields, "user": USER}
    if theirs.file:
        content = (package / theirs.file.name).read_bytes()
        item |= {"page": "insert_file.php", "name": theirs.file.name, "hex": content.hex()}
        item["fields"] = pieces.file_form(plan, theirs)

    def say(line):
        if line.startswith("2 of"):
            exofop.set(insert=[item])

    found = send(plan, package, ledger, say=say)

    assert (found.n_sent, found.n_before) == (N - 1, 1)
    assert exofop.copies() == everything(plan)


def test_an_open_post_is_given_time_before_it_is_judged(exofop, plan, package, ledger):
    piece = pieces.of(plan)[0]
    ledger.add(plan.plan_id, piece.item, piece.sha256, State.INTENT, 1000.0)
    waits = []

    send(plan, package, ledger, pause=waits.append, settle=120.0, now=lambda: 1030.0)

    assert waits[0] == pytest.approx(90.0)


def test_an_odd_answer_is_kept_without_the_session(exofop, plan, package, ledger, tmp_path):
    exofop.set(faults=[{"at": 2, "kind": "odd"}])
    visit = session(exofop.url)

    with pytest.raises(UploadError):
        send(plan, package, ledger, visit=visit, answers=tmp_path / "answers")

    (page,) = (tmp_path / "answers").iterdir()
    assert "Sorry" in page.read_text()
    assert visit.client.cookies()[0].value.reveal() not in page.read_text()
    assert PASSWORD not in page.read_text()


def test_a_server_that_sends_files_without_end_is_stopped(exofop):
    exofop.set(get={"kind": "huge"})
    with pytest.raises(Refused, match="more than"):
        client(exofop.url).get(exofop.url, limit=1_000_000)
