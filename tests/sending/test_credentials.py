from __future__ import annotations

import os
import sys
import types

import pytest

from accretor.io.http import Secret
from accretor.sending import credentials
from accretor.sending.credentials import Account, NoCredentials

ACCOUNT = Account("ExoFOP", "exofop.ipac.caltech.edu", "ACCRETOR_EXOFOP")
ENVIRONMENT = {"ACCRETOR_EXOFOP_USERNAME": "of_environment", "ACCRETOR_EXOFOP_PASSWORD": "e-Canary"}


@pytest.fixture(autouse=True)
def _no_keyring_and_no_terminal(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    monkeypatch.setattr(sys, "stdin", None)


@pytest.fixture
def home(tmp_path):
    return tmp_path


def netrc(home, text="machine exofop.ipac.caltech.edu login of_netrc password n-Canary\n", mode=0o600):
    path = home / ".netrc"
    path.write_text(text)
    path.chmod(mode)
    return path


def find(home, username="", **environment):
    return credentials.find(ACCOUNT, username, environment=environment, home=home)


class KeyringError(Exception):
    pass


def keyring(monkeypatch, answer):
    module, errors = types.ModuleType("keyring"), types.ModuleType("keyring.errors")

    def get_credential(service, username):
        assert service == ACCOUNT.host
        if isinstance(answer, Exception):
            raise answer
        return answer

    module.get_credential, errors.KeyringError = get_credential, KeyringError
    monkeypatch.setitem(sys.modules, "keyring", module)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)


def test_the_order_is_keyring_netrc_environment(home, monkeypatch):
    assert find(home, **ENVIRONMENT).username == "of_environment"
    netrc(home)
    assert find(home, **ENVIRONMENT).username == "of_netrc"
    keyring(monkeypatch, types.SimpleNamespace(username="of_keyring", password="k-Canary"))
    found = find(home, **ENVIRONMENT)
    assert (found.username, found.password, found.source) == (
        "of_keyring",
        Secret("k-Canary"),
        "the keyring",
    )


@pytest.mark.parametrize("answer", [None, KeyringError("no backend"), RuntimeError("locked")])
def test_a_keyring_that_has_nothing_to_give_is_passed_over(home, monkeypatch, answer):
    keyring(monkeypatch, answer)
    assert find(home, **ENVIRONMENT).source == "the environment"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_netrc_that_others_can_read_is_refused_with_the_remedy(home, mode):
    netrc(home, mode=mode)
    with pytest.raises(NoCredentials, match=r"others can read your password; run: chmod 600 ") as error:
        find(home, **ENVIRONMENT)
    assert "Canary" not in str(error.value)


def test_a_netrc_elsewhere_is_found_by_its_variable(home, tmp_path):
    (tmp_path / "else").mkdir()
    path = netrc(tmp_path / "else")
    assert find(home, NETRC=str(path)).source == str(path)


def test_a_netrc_of_other_machines_says_nothing_and_its_default_is_not_taken(home):
    netrc(
        home, "machine example.org login a password b\ndefault login anonymous password Canary\n", mode=0o644
    )
    with pytest.raises(NoCredentials, match="no password for ExoFOP"):
        find(home)


def test_a_broken_netrc_is_told_by_its_line_and_not_by_its_content(home):
    netrc(home, "machine exofop.ipac.caltech.edu\nlogin me pasword Canary\n")
    with pytest.raises(NoCredentials, match="line 2") as error:
        find(home)
    assert "Canary" not in str(error.value)


def test_credentials_of_another_user_than_the_settings_name_are_refused(home):
    netrc(home)
    with pytest.raises(NoCredentials, match="has ExoFOP user of_netrc, the settings have somebody"):
        find(home, "somebody")
    assert find(home, "of_netrc").username == "of_netrc"


def test_the_user_of_the_settings_needs_only_a_password_in_the_environment(home):
    assert find(home, "somebody", ACCRETOR_EXOFOP_PASSWORD="x").username == "somebody"
    with pytest.raises(NoCredentials):
        find(home, ACCRETOR_EXOFOP_PASSWORD="x")


def test_a_prompt_appears_on_a_terminal_only(home, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr("getpass.getpass", lambda text, stream: asked.append(text) or "p-Canary")
    with pytest.raises(NoCredentials):
        find(home, "somebody")
    assert asked == []

    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(isatty=lambda: True, readline=lambda: "me\n"))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert find(home, "somebody").password == Secret("p-Canary")
    assert find(home).username == "me"
    assert asked == ["ExoFOP password of somebody: ", "ExoFOP password of me: "]
    assert "Canary" not in capsys.readouterr().err


def test_credentials_show_no_password(home):
    assert "Canary" not in repr(find(home, **ENVIRONMENT))
