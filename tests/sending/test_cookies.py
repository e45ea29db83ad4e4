from __future__ import annotations

import os
from pathlib import Path

import pytest

from accretor.io.http import Cookie, Secret
from accretor.sending import cookies

NOW, LIFE = 1.7e9, 86_400.0
COOKIE = Cookie("PHPSESSID", Secret("Canary"), "127.0.0.1", "/", is_secure=False)


def test_cookies_of_another_user_or_in_a_file_open_to_others_are_not_used(tmp_path):
    path = tmp_path / "state" / "cookies.json"
    cookies.save(path, "me", [COOKIE], NOW)
    assert cookies.load(path, "me", NOW + 1, LIFE) == (COOKIE,)
    assert cookies.load(path, "you", NOW + 1, LIFE) == ()
    assert cookies.load(path, "me", NOW - 1, LIFE) == ()
    assert cookies.load(path, "me", NOW + LIFE, LIFE) == ()
    path.write_text("{}")
    assert cookies.load(path, "me", NOW, LIFE) == ()
    cookies.save(path, "me", [COOKIE], NOW)
    if os.name != "nt":
        path.chmod(0o644)
        assert cookies.load(path, "me", NOW, LIFE) == ()
        assert not path.exists()
    assert not cookies.forget(tmp_path / "none")


@pytest.mark.parametrize(
    ("system", "environment", "place"),
    [
        ("linux", {}, "home/.local/state/accretor"),
        ("linux", {"XDG_STATE_HOME": "state"}, "state/accretor"),
        ("darwin", {"XDG_STATE_HOME": "state"}, "home/Library/Application Support/accretor"),
        ("win32", {}, "home/AppData/Local/accretor"),
        ("win32", {"LOCALAPPDATA": "local"}, "local/accretor"),
    ],
)
def test_cookies_are_kept_where_the_system_keeps_such_things(system, environment, place):
    assert cookies.folder(environment, Path("home"), system) == Path(place)


def test_each_archive_and_server_has_a_file_of_its_own():
    files = {
        cookies.path_of(archive, server, Path("state"))
        for archive in ("ExoFOP", "Other")
        for server in ("a.org:443", "127.0.0.1:8000")
    }

    assert len(files) == 4
    assert Path("state/exofop-127.0.0.1-8000.json") in files
