"""`doit upload` from the plan to the proof, against a local ExoFOP."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from pathlib import Path

import pytest

from accretor.plots.registry import FigureEntry
from tests.exofop.server import PASSWORD, USER, LocalExoFOP, running
from tests.harness import make, run, spawn, start

pytestmark = pytest.mark.usefixtures("blank_figures")

TASK = "upload:TOI-9999.01"
STEM = "TIC999999999-01_20250304_Demo-0m4_ip_"
LABELS = {
    "measurements.tbl": "AstroImageJ Photometry Measurement Table",
    "measurements.plotcfg": "AstroImageJ Plot Configuration File",
    "measurements.radec": "AstroImageJ Photometry Aperture File",
    "lightcurve.png": "Light Curve Plot",
    "compstar-lightcurves.png": "Compstar Light Curve Plots",
    "field.png": "Field Image with Apertures",
    "field-zoom.png": "Zoomed-in FOV",
    "seeing-profile.png": "Seeing Profile",
    "notes.txt": "Notes and Results Text",
    "WCS.fits": "Plate-Solved Image",
    "subset.csv": "Photometry Table Subset for Joint Fitting",
}
"""What the package of the demo holds, in the order and with the labels of the SG1 upload tool."""
N = len(LABELS) + 1
CANARY = b"Canary"


@pytest.fixture(scope="module")
def exofop_process():
    with running() as server:
        yield server


@pytest.fixture
def exofop(exofop_process) -> LocalExoFOP:
    exofop_process.set(reset=True)
    return exofop_process


@pytest.fixture(scope="module")
def reduced(tmp_path_factory) -> Path:
    """A night with its package, whose figures are blank: they take longer than all the rest."""
    from matplotlib.figure import Figure

    folder = make(tmp_path_factory.mktemp("upload") / "workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FigureEntry, "load", lambda entry: lambda *_, **__: Figure(figsize=(1, 1)))
        assert run(folder).status == 0
    return folder


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A home of its own, with a password in the environment."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.setenv("ACCRETOR_EXOFOP_USERNAME", USER)
    monkeypatch.setenv("ACCRETOR_EXOFOP_PASSWORD", PASSWORD)
    return folder


@pytest.fixture
def workspace(reduced, tmp_path, exofop, home) -> Path:
    folder = Path(shutil.copytree(reduced, tmp_path / "workspace"))
    configure(folder, exofop)
    return folder


def configure(workspace, exofop, more=""):
    config = workspace / "workspace.toml"
    text = config.read_text(encoding="utf-8").partition("[upload]")[0]
    upload = f'[upload]\nusername = "{USER}"\nurl = "{exofop.url}"\nsettle = 0.5\n{more}'
    config.write_text(f"{text}{upload}\n[compute]\nexecutor = 'serial'\n", encoding="utf-8")


def plan_id(workspace):
    found = run(workspace, TASK)
    assert found.status == 0, found.out
    return re.search(r"--confirm ([0-9a-f]{12})$", found.out, re.MULTILINE)[1]


def state(workspace):
    lines = run(workspace, "list").out.splitlines()
    return next(line.split(None, 1)[1] for line in lines if line.startswith("upload "))


def inserts(exofop):
    return [post for post in exofop.store()["posts"] if "insert" in post["page"]]


def test_the_plan_uses_no_network_and_has_every_post_in_its_order(workspace, exofop):
    found = run(workspace, TASK)

    assert exofop.store()["requests"] == []
    places = [found.out.index(f"{STEM}{tail}") for tail in LABELS]
    assert places == sorted(places)
    assert f"To {exofop.url}" in found.out
    assert plan_id(workspace) == plan_id(workspace)
    assert state(workspace) == "not sent"
    assert not (workspace / "uploads").exists()


def test_the_posts_are_those_of_the_accepted_tool(workspace, exofop):
    """Their pages, their order, their fields: section by section as ExoFOP's forms want them."""
    found = run(workspace, TASK, "--confirm", plan_id(workspace))

    assert found.status == 0, found.out
    login, form, *files = exofop.store()["posts"]
    tag = f"20250304_{USER}_tic999999999_01"
    assert login["page"] == "password_check.php"
    assert [key for key, _ in login["fields"]] == ["username", "password", "ref", "ref_page"]
    assert dict(login["fields"])["ref"] == "login_user"
    assert form["page"] == "insert_tseries.php"
    values = dict(form["fields"])
    wanted = "planet tel telsize camera filter pixscale psf photaprad obsdate obsdur obsnum obstype transcov"
    assert list(values) == [*wanted.split(), "deltamag", "tag", "groupname", "notes", "id"]
    known = {
        "planet": "TOI9999.01",
        "tel": "Demo-0m4",
        "telsize": "0.4",
        "camera": "Demo-0m4",
        "filter": "ip",
    }
    known |= {"obsdate": "2025-03-04", "obstype": "Continuous", "tag": tag, "groupname": "tfopwg"}
    known |= {"id": "999999999", "notes": "", "deltamag": "", "obsnum": "23"}
    assert {key: values[key] for key in known} == known
    assert [post["file"] for post in files] == [f"{STEM}{tail}" for tail in LABELS]
    for post in files:
        assert post["page"] == "insert_file.php"
        assert post["fields"] == [
            ["file_type", "Light_Curve"],
            ["planet", "TOI9999.01"],
            ["file_desc", LABELS[post["file"].removeprefix(STEM)]],
            ["file_tag", tag],
            ["groupname", "tfopwg"],
            ["propflag", "on"],
            ["tid", "999999999"],
        ]


def test_what_was_sent_is_never_sent_again_whatever_is_deleted(workspace, exofop):
    confirmed = plan_id(workspace)
    assert f"{N} sent" in run(workspace, TASK, "--confirm", confirmed).out
    assert re.fullmatch(r"confirmed on \d{4}-\d\d-\d\d", state(workspace))

    (workspace / "work" / "doit.sqlite").unlink()
    by_ledger = f"0 sent; by the ledger all {N} were confirmed; ExoFOP was not asked again"
    assert by_ledger in run(workspace, TASK, f"confirm={confirmed}").out
    run(workspace, "forget", "upload")
    run(workspace, "clean", "upload", "packaging")
    assert (workspace / "uploads").is_dir()
    assert plan_id(workspace) == confirmed, "the package made again is the same"
    assert "0 sent" in run(workspace, TASK, "--confirm", confirmed).out
    shutil.rmtree(workspace / "uploads")
    assert (
        f"0 sent, {N} there before; ExoFOP holds all {N}" in run(workspace, TASK, "--confirm", confirmed).out
    )
    assert set(exofop.copies().values()) == {1}
    assert len(inserts(exofop)) == N


@pytest.mark.parametrize("way", ["--confirm", "confirm="])
def test_an_outdated_id_sends_nothing_and_says_so_in_one_line(workspace, exofop, way):
    old = plan_id(workspace)
    configure(workspace, exofop, 'public_note = "a better note"')

    found = run(workspace, TASK, *([way, old] if way == "--confirm" else [f"{way}{old}"]))

    assert found.status != 0
    assert len(found.out.splitlines()) == 1
    assert f"not {old}; nothing was sent" in found.out
    assert exofop.store()["requests"] == []


def test_every_value_of_the_form_can_be_set(workspace, exofop):
    configure(
        workspace,
        exofop,
        'camera = "QHY600"\ntelescope_size = 0.35\ncoverage = "Ingress"\npsf = 9.0\ndelta_mag = 5.5\n'
        "proprietary = false\n[upload.filter.ip]\npsf = 2.5\npixel_scale = 0.614\naperture_radius = 7.0\n"
        "duration = 200\nn_observation = 99\n",
    )
    run(workspace, TASK, "--confirm", plan_id(workspace))

    _, form, file, *_ = exofop.store()["posts"]
    values = dict(form["fields"])
    known = {"camera": "QHY600", "telsize": "0.35", "transcov": "Ingress", "psf": "2.50", "deltamag": "5.5"}
    known |= {"pixscale": "0.61", "photaprad": "7.0", "obsdur": "200", "obsnum": "99"}
    assert {key: values[key] for key in known} == known
    assert "propflag" not in dict(file["fields"])


def test_a_server_outside_the_table_is_not_gone_to(workspace, exofop):
    config = workspace / "workspace.toml"
    config.write_text(config.read_text().replace(exofop.url, "https://exofop.example.org/tess/"))

    found = run(workspace, TASK)

    assert "is no server of ExoFOP" in found.failed["upload:TOI-9999.01/20250304/Demo-0m4"]


def test_an_upload_that_failed_tells_how_far_it_is_and_goes_on(workspace, exofop):
    confirmed = plan_id(workspace)
    exofop.set(faults=[{"at": 5, "kind": "error_before"}])

    failed = run(workspace, TASK, "--confirm", confirmed)
    assert "ExoFOP does not hold it; run again to send the rest" in failed.out
    assert state(workspace) == f"sent 4 of {N}"

    assert f"{N - 4} sent, 4 there before" in run(workspace, TASK, "--confirm", confirmed).out
    assert set(exofop.copies().values()) == {1}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_kill_in_mid_post_costs_nothing_and_doubles_nothing(workspace, exofop):
    confirmed = plan_id(workspace)
    exofop.set(faults=[{"at": 3, "kind": "slow", "seconds": 20.0}])
    process = start(workspace, TASK, "--confirm", confirmed)
    while exofop.store()["n_insert"] < 3:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert state(workspace) == f"sent 2 of {N}"

    assert f"{N - 3} sent, 3 there before" in run(workspace, TASK, "--confirm", confirmed).out
    assert exofop.copies().keys() == {"summary ip", *(f"{STEM}{tail}" for tail in LABELS)}
    assert set(exofop.copies().values()) == {1}


def test_no_file_and_no_output_holds_the_password_after_runs_that_failed(
    workspace, exofop, home, tmp_path, monkeypatch
):
    confirmed = plan_id(workspace)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    said = []
    for change in (
        {"maintenance": True},
        {"maintenance": False, "faults": [{"at": 2, "kind": "error_before"}]},
    ):
        exofop.set(**change)
        said.append(spawn(workspace, TASK, "--confirm", confirmed))
    exofop.set(end_sessions=True)
    (home / ".netrc").write_text("machine 127.0.0.1 login me pasword Canary")
    (home / ".netrc").chmod(0o600)
    said.append(run(workspace, TASK, "--confirm", confirmed))
    (home / ".netrc").write_text(f"machine 127.0.0.1 login {USER} password wrong-Canary")
    said.append(run(workspace, TASK, "--confirm", confirmed))
    (home / ".netrc").unlink()

    assert all(found.status != 0 for found in said)
    assert all("Canary" not in found.out + found.err for found in said)
    assert "wrong" in said[-1].out
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "doit.sqlite" for path in files)
    assert any(path.name == "accretor.log" for path in files)
    assert [path for path in files if CANARY in path.read_bytes()] == []


def test_a_login_is_kept_until_it_is_forgotten(workspace, exofop, home):
    confirmed = plan_id(workspace)
    exofop.set(faults=[{"at": 2, "kind": "error_before"}])
    run(workspace, TASK, "--confirm", confirmed)
    (cookies,) = home.rglob("exofop-*.json")

    assert "127.0.0.1" in run(workspace, "logout").out

    assert not cookies.exists()
    assert "nobody was logged in" in run(workspace, "logout").out
