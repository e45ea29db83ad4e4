"""The client against servers that fail, lie and send it elsewhere."""

from __future__ import annotations

import contextlib
import pickle
import shutil
import subprocess
import traceback
from http.server import BaseHTTPRequestHandler

import pytest

from accretor.io.http import Client, NoAnswer, NotSent, NotTrusted, Refused, Secret
from tests.loopback import serving

CANARY = "Canary"
"""Not written out where it is used: a traceback shows the lines of the code."""


class Scripted(BaseHTTPRequestHandler):
    """Answers with what the test has laid out, one after another."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        length = int(self.headers.get("Content-Length", 0))
        self.server.seen.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
        status, headers, body = self.server.script.pop(0) if self.server.script else (200, {}, b"last")
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.do_GET()


@pytest.fixture
def serve():
    """Return a function that starts a server with a script."""
    with contextlib.ExitStack() as servers:

        def start(*script):
            server = servers.enter_context(serving(Scripted))
            server.script, server.seen = list(script), []
            return server

        yield start


def client(*servers, **options):
    hosts = {server.place for server in servers}
    return Client("A service", hosts, **{"timeout": (2, 2), "pause": lambda seconds: None} | options)


def test_a_get_is_tried_again_until_the_trouble_has_passed(serve):
    server = serve((503, {}, b""), (500, {}, b""), (200, {}, b"well"))

    answer = client(server).get(f"http://{server.place}/a", params={"q": "1"})

    assert (answer.text, len(server.seen)) == ("well", 3)
    assert server.seen[0][1] == "/a?q=1"
    assert server.seen[0][2]["User-Agent"].startswith("accretor/")


def test_a_get_waits_as_long_as_it_is_asked_to(serve):
    server, waits = serve((429, {"Retry-After": "7"}, b"")), []

    client(server, pause=waits.append).get(f"http://{server.place}/")

    assert waits == [7.0]


def test_a_get_that_never_works_says_so_in_one_line_without_its_query(serve):
    server = serve(*[(503, {}, b"")] * 9)

    with pytest.raises(Refused, match="HTTP status 503") as error:
        client(server, attempts=3).get(f"http://{server.place}/a", params={"token": CANARY})

    assert len(server.seen) == 3
    assert CANARY not in "".join(traceback.format_exception(error.value))


def test_what_another_attempt_would_not_change_is_not_tried_again(serve):
    server = serve((404, {}, b""))

    with pytest.raises(Refused):
        client(server).get(f"http://{server.place}/")

    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [200, 307, 500])
def test_a_post_is_made_once_whatever_the_answer(serve, status):
    other = serve()
    server = serve((status, {"Location": f"http://{other.place}/"}, b"x"))

    answer = client(server, other).post(f"http://{server.place}/", {"a": "1", "password": Secret("Canary")})

    assert (answer.status, len(server.seen), other.seen) == (status, 1, [])
    assert server.seen[0][3] == b"a=1&password=Canary"


def test_a_post_that_is_cut_is_not_made_again_and_tells_no_secret(serve):
    server = serve((200, {"Content-Length": "50"}, b"short"))

    with pytest.raises(NoAnswer, match="broke") as error:
        client(server).post(f"http://{server.place}/", {"password": Secret(CANARY)})

    assert len(server.seen) == 1
    assert CANARY not in "".join(traceback.format_exception(error.value))


def test_a_post_without_a_connection_is_tried_again_and_was_not_sent():
    waits = []
    visitor = Client("A service", {"127.0.0.1:9"}, pause=waits.append)

    with pytest.raises(NotSent, match="cannot be reached"):
        visitor.post("http://127.0.0.1:9/", {})

    assert len(waits) == 3


def test_a_get_follows_redirects_only_to_hosts_of_the_list(serve):
    other = serve((200, {}, b"there"))
    server = serve(
        (302, {"Location": f"http://{other.place}/x"}, b""),
        (302, {"Location": f"http://{other.place}/x"}, b""),
        (301, {"Location": "/again"}, b""),
        (200, {}, b"here"),
    )

    assert client(server, other).get(f"http://{server.place}/").text == "there"
    with pytest.raises(Refused, match="not a server"):
        client(server).get(f"http://{server.place}/")
    assert client(server).get(f"http://{server.place}/").text == "here"


def test_a_get_with_credentials_follows_no_redirect(serve):
    server = serve((302, {"Location": "/elsewhere"}, b""), (200, {}, b"x"))
    visitor = client(server)

    with pytest.raises(Refused, match="302"):
        visitor.get(f"http://{server.place}/", auth=("me", Secret("Canary")))

    visitor.get(f"http://{server.place}/", headers={"Authorization": Secret("Token Canary")})
    assert [seen[2]["Authorization"].split()[0] for seen in server.seen] == ["Basic", "Token"]


def test_redirects_in_a_circle_end(serve):
    server = serve(*[(302, {"Location": "/"}, b"")] * 20)
    with pytest.raises(Refused, match="without end"):
        client(server).get(f"http://{server.place}/")


@pytest.mark.parametrize(
    "url",
    [
        "http://exofop.ipac.caltech.edu/tess/",
        "https://example.org/",
        "https://exofop.ipac.caltech.edu:8443/",
        "https://me:Canary@exofop.ipac.caltech.edu/",
        "file:///etc/passwd",
        "https://exofop.ipac.caltech.edu.example.org/",
        "http://127.0.0.1:1/",
    ],
)
def test_addresses_outside_the_list_or_without_encryption_are_refused(url):
    visitor = Client("A service", {"exofop.ipac.caltech.edu"})
    with pytest.raises(Refused) as error:
        visitor.get(url)
    assert "Canary" not in str(error.value)


def test_what_is_in_the_environment_is_not_used(serve, monkeypatch, tmp_path):
    server = serve()
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password Canary\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    client(server).get(f"http://{server.place}/")

    assert "Authorization" not in server.seen[0][2]


def test_a_saved_file_is_whole_or_absent(serve, tmp_path):
    server = serve((200, {"Content-Length": "50"}, b"short"), (200, {}, b"whole"), (200, {}, b"other"))
    path = tmp_path / "new" / "file"
    with pytest.raises(NoAnswer):
        client(server, attempts=1).save(f"http://{server.place}/", path)
    assert list(path.parent.iterdir()) == []

    client(server).save(f"http://{server.place}/", path)
    assert path.read_bytes() == b"whole"

    def is_wrong(part):
        raise Refused("A service", "it is not what it should be")

    with pytest.raises(Refused, match="not what it should be"):
        client(server).save(f"http://{server.place}/", path, check=is_wrong)
    assert path.read_bytes() == b"whole"
    assert list(path.parent.iterdir()) == [path]


def test_an_answer_that_is_too_long_is_refused(serve, tmp_path):
    server = serve((200, {}, b"x" * 200_000), (200, {}, b"x" * 200_000))
    with pytest.raises(Refused, match="more than"):
        client(server).get(f"http://{server.place}/", limit=100_000)
    with pytest.raises(Refused, match="more than"):
        client(server).save(f"http://{server.place}/", tmp_path / "file", limit=100_000)
    assert list(tmp_path.iterdir()) == []


def test_cookies_can_be_kept_for_another_visit(serve):
    server = serve((200, {"Set-Cookie": "PHPSESSID=Canary; path=/"}, b""), (200, {}, b""))
    first, second = client(server), client(server)

    first.get(f"http://{server.place}/")
    second.take(first.cookies())
    second.get(f"http://{server.place}/")

    assert server.seen[1][2]["Cookie"] == "PHPSESSID=Canary"
    assert "Canary" not in repr(first.cookies())


def test_a_web_page_is_known_by_its_start(serve):
    server = serve((200, {"Content-Type": "application/zip"}, b"\n <!DOCTYPE html><p>Log in</p>"))
    assert client(server).get(f"http://{server.place}/").is_page


def test_a_secret_is_shown_by_nothing():
    secret = Secret("Canary")
    shown = f"{secret} {secret!r} {secret:>10} {[secret]} " + str(secret)
    assert "Canary" not in shown
    assert secret.reveal() == "Canary"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost that no authority has signed."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


def test_a_server_with_a_bad_certificate_is_sent_nothing(certificate):
    from tests.exofop.server import running

    with running(*certificate) as exofop:
        port = exofop.root.rpartition(":")[2]
        unknown = Client("A service", {f"localhost:{port}"})
        with pytest.raises(NotTrusted, match="certificate is not valid; nothing was sent"):
            unknown.post(f"https://localhost:{port}/tess/password_check.php", {"password": Secret("Canary")})
        with pytest.raises(NotTrusted):
            unknown.get(f"https://localhost:{port}/tess/")

        known = Client("A service", {f"localhost:{port}", f"127.0.0.1:{port}"}, certificates=certificate[0])
        assert known.get(f"https://localhost:{port}/tess/").status == 200
        with pytest.raises(NotTrusted):  # the right certificate, the wrong name
            known.get(f"https://127.0.0.1:{port}/tess/")
        store = known.get(f"https://localhost:{port}/tess/../_store")
        assert b"POST" not in store.body
