from __future__ import annotations

import os

import pytest

from accretor.core.errors import Unusable
from accretor.exofop import session as sessions
from accretor.exofop.server import PRODUCTION, server
from accretor.exofop.session import LoginError
from tests.exofop.sending import session
from tests.exofop.server import PASSWORD, USER

NOW = 1.7e9


def test_a_login_is_believed_when_the_page_offers_to_log_out(exofop):
    visit = session(exofop.url)
    assert not visit.is_alive()
    visit.open()
    assert visit.is_alive()


def test_a_login_is_kept_for_the_next_run_for_seven_days(exofop, tmp_path):
    for now, n_login in ((NOW, 1), (NOW + 6.9 * 86400, 1), (NOW + 7.1 * 86400, 2)):
        session(exofop.url, folder=tmp_path, now=lambda now=now: now).open()
        assert exofop.store()["n_login"] == n_login


def test_a_kept_login_that_exofop_has_ended_is_made_anew(exofop, tmp_path):
    session(exofop.url, folder=tmp_path).open()
    exofop.set(end_sessions=True)
    session(exofop.url, folder=tmp_path).open()
    assert exofop.store()["n_login"] == 2


def test_a_wrong_password_is_tried_once_and_forgets_the_login(exofop, tmp_path):
    session(exofop.url, folder=tmp_path).open()
    exofop.set(end_sessions=True)
    with pytest.raises(LoginError, match="wrong"):
        session(exofop.url, folder=tmp_path, password="other").open()
    assert list(tmp_path.iterdir()) == []
    assert exofop.store()["n_login"] == 2


def test_the_password_is_in_no_file_and_the_cookies_are_the_user_s_alone(exofop, tmp_path):
    folder = tmp_path / "state"
    session(exofop.url, folder=folder).open()
    (path,) = folder.iterdir()
    assert PASSWORD not in path.read_text()
    assert USER in path.read_text()
    if os.name != "nt":
        assert path.stat().st_mode & 0o777 == 0o600
        assert folder.stat().st_mode & 0o777 == 0o700


def test_only_servers_of_the_table_and_this_machine_are_exofop():
    assert server().base == PRODUCTION
    assert server("https://exofopdev.ipac.caltech.edu/tess").host == "exofopdev.ipac.caltech.edu"
    assert server("http://127.0.0.1:8080/tess").place == "127.0.0.1:8080"
    for address in (
        "http://exofop.ipac.caltech.edu/tess/",
        "https://exofop.ipac.caltech.edu.example.org/tess/",
        "http://192.168.1.1/tess/",
        "http://me@127.0.0.1/tess/",
        "file:///tess/",
        "http://127.0.0.1:x/",
    ):
        with pytest.raises(Unusable):
            server(address)


@pytest.mark.parametrize(
    ("page", "is_in"),
    [
        ("<a href='logout.php'>Log Out</a>", True),
        ("Sign-out", True),
        ("<a href='login.php'>Login</a>", False),
        ("", False),
        ("Scheduled maintenance; you will be logged out", False),
        ('log out <input type="password">', False),
    ],
)
def test_a_page_shows_a_login_by_the_way_out(page, is_in):
    assert sessions.is_logged_in(page) is is_in
