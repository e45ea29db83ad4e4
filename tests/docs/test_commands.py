# ruff: noqa: E501  # sentences of a table stay on one line
"""Every command, every piece of Python and every setting that the documentation shows is tried.

The commands of a page are run by a shell, in their order, in a folder that holds a reduced
night as `demo`. Names that stand for the reader's own (`TOI-1234.01`, `PATH`, `my-workspace`,
the id of a plan) are replaced by those of that night.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest

from accretor.config import workspace as config
from accretor.core.dumps import RESULTS
from accretor.plots import registry
from accretor.synthetic import catalogue, demo, frames, scene
from tests.docs.pages import PAGES, blocks
from tests.exofop.server import PASSWORD, USER, running
from tests.harness import ROOT, SMALL, make, run

NEEDS = {
    "install": "changes what is installed on this machine; .ci/run does it on a bare one, tests/test_wheel.py from a wheel",
    "network": "asks servers of others; tests/tasks/test_fetch.py, test_download.py, tests/io/test_skynet.py have them here",
    "slurm": "needs a batch system; tests/compute/test_slurm.py starts one",
    "machines": "needs several machines; tests/compute/test_cluster.py has its workers here",
    "camera": "does not end by itself; tests/tasks/test_watch.py ends it",
    "keyring": "asks for a password; tests/exofop/test_credentials.py has a keyring",
    "hours": "runs for long; it is run by hand before a release",
    "development": "tests, linters and generators of pages; .ci/run runs them",
}
"""Why a block is not run here, and where instead."""

ID = "0123456789ab"

pytestmark = pytest.mark.skipif(shutil.which("sh") is None, reason="there is no POSIX shell")

SH = {page: [block for block in blocks(page) if block.language == "sh"] for page in PAGES}
PYTHON = {page: [block for block in blocks(page) if block.language == "python"] for page in PAGES}


@pytest.fixture(scope="module")
def reduced(tmp_path_factory, blank_figures):
    """A night with its catalogue and its package."""
    folder = make(tmp_path_factory.mktemp("docs") / "demo")
    truth = frames.truth(scene.prepare(SMALL))
    (folder / demo.CATALOGUE).write_text(catalogue.as_csv(SMALL, truth), encoding="utf-8")
    with (folder / "workspace.toml").open("a", encoding="utf-8") as file:
        file.write(catalogue.settings(demo.CATALOGUE))
    done = run(folder)
    assert done.status == 0, done.out + done.err
    return folder


@pytest.fixture(scope="module")
def exofop():
    with running() as server:
        yield server


@pytest.fixture
def place(reduced, exofop, tmp_path):
    """A folder with that night in `demo`, whose ExoFOP is here, and a home of its own."""
    exofop.set(reset=True)
    shutil.copytree(reduced, tmp_path / "demo")
    config_file = tmp_path / "demo" / "workspace.toml"
    text = config_file.read_text(encoding="utf-8")
    upload = f'[upload]\nurl = "{exofop.url}"\nsettle = 0.5\n'
    config_file.write_text(text.replace("[upload]\n", upload), encoding="utf-8")
    (tmp_path / "home").mkdir()
    return tmp_path


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The user's environment: `doit` is that of this checkout, `python` this one."""
    tools = tmp_path_factory.mktemp("bin")
    for name, command in (
        ("doit", f'exec "{sys.executable}" -m doit -f "{ROOT / "dodo.py"}" "$@"'),
        ("accretor", f'exec "{sys.executable}" -m accretor.cli "$@"'),
        ("python", f'exec "{sys.executable}" "$@"'),
    ):
        tool = tools / name
        tool.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
        tool.chmod(0o755)
    without = {"ACCRETOR_WORKSPACE", "NETRC"}
    return {
        **{name: value for name, value in os.environ.items() if name not in without},
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "ACCRETOR_EXOFOP_USERNAME": USER,
        "ACCRETOR_EXOFOP_PASSWORD": PASSWORD,
    }


def shell(text, folder, environment):
    home = {name: str(folder / "home") for name in ("HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_STATE_HOME")}
    return subprocess.run(
        ["sh", "-e", "-c", text],
        cwd=folder,
        env={**environment, **home},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def ours(text):
    """Replace the reader's names by those of the night that is here."""
    text = re.sub(r"TOI-1234\.01|TOI-\.\.\.", "TOI-9999.01", text)
    return re.sub(r"\bPATH\b|\bmy-workspace\b", "demo", text)


def test_a_block_that_is_not_run_says_what_it_needs_and_that_is_one_of_the_reasons():
    needs = {
        block.place: block.info["needs"] for page in PAGES for block in SH[page] if "needs" in block.info
    }

    assert {place: need for place, need in needs.items() if need not in NEEDS} == {}
    assert sum(len(SH[page]) for page in PAGES) > 2 * len(needs)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_command_stands_in_a_block_that_is_not_one_of_commands(page):
    command = re.compile(r"^(doit|accretor|uv|python3?|pip|pytest)( |$)")
    hidden = [
        f"{block.place}: {line}"
        for block in blocks(page)
        if block.language == ""
        for line in block.text.splitlines()
        if command.match(line)
    ]

    assert hidden == []


@pytest.mark.long
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any("needs" not in block.info for block in SH[page])],
    ids=lambda page: page.name,
)
def test_the_commands_of_a_page_do_what_they_say(page, place, environment):
    for block in blocks(page):
        if block.language == "toml" and "file" in block.info:
            (place / block.info["file"]).write_text(block.text, encoding="utf-8")
        if block.language != "sh" or "needs" in block.info:
            continue
        text = ours(block.text)
        if ID in text:
            plan = shell("doit upload", place, environment)
            text = text.replace(ID, re.search(r"--confirm ([0-9a-f]{12})$", plan.stdout, re.MULTILINE)[1])
        done = shell(text, place, environment)
        assert done.returncode == 0, f"{block.place}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
        assert "Traceback" not in done.stderr + done.stdout


@pytest.mark.parametrize("page", [page for page in PAGES if PYTHON[page]], ids=lambda page: page.name)
def test_the_python_of_a_page_runs(page, place, environment):
    code = "\n".join(ours(block.text) for block in PYTHON[page])
    (place / "example.py").write_text(code, encoding="utf-8")
    done = shell("python -W error example.py", place, environment)

    assert done.returncode == 0, f"{page}\n{done.stderr[-1500:]}"


_WHOLE = 'observer = "A. Observer"\n[[target]]\nname = "TOI-1234.01"\ntic = 1\nra = 10.0\ndec = 20.0\n'


@pytest.mark.parametrize(
    "block",
    [block for page in PAGES for block in blocks(page) if block.language == "toml"],
    ids=lambda block: block.place,
)
def test_settings_that_are_shown_are_settings(block, tmp_path):
    given = tomllib.loads(block.text)
    top = {name for name, value in given.items() if not isinstance(value, dict | list)}
    # Single keys go before the tables, as they must in a file.
    head = "".join(line + "\n" for line in block.text.splitlines() if line.partition(" =")[0] in top)
    rest = block.text.replace(head, "", 1) if head else block.text
    text = block.text if "observer" in given else head + _WHOLE + rest
    if "target" in given and "observer" not in given:
        text = 'observer = "A. Observer"\n' + block.text
    if "instrument" not in given:
        text += '\n[[instrument]]\nname = "Hilltop-0m5"\n'
    path = tmp_path / "workspace.toml"
    path.write_text(text, encoding="utf-8")

    assert config.load(path).target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_other_pages_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        there = (page.parent / file) if file else page
        if not there.exists():
            lost.append(link)
        elif anchor and there.suffix == ".md":
            heads = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
            if anchor not in slugs:
                lost.append(link)

    assert lost == []


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {page.relative_to(ROOT / "docs").as_posix() for page in ROOT.glob("docs/**/*.md")} - {"README.md"}

    assert {name for name in pages if f"({name})" not in index} == set()


def test_every_figure_is_on_the_page_of_figures():
    page = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
    entries = (
        *registry.FIGURES,
        *registry.DIAGNOSTICS,
        *registry.OF_VISIT,
        *registry.OF_TARGET,
        *registry.OPTIONAL,
    )

    named = {name.rpartition("/")[2] for name in re.findall(r"`([^`]+\.png)`", page)}
    assert [entry.tail for entry in entries if entry.tail not in named] == []


def test_every_server_that_the_code_names_is_on_the_page_of_security():
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    asked = {
        host
        for path in (ROOT / "accretor").rglob("*.py")
        for host in re.findall(r"https://([a-z0-9-]+(?:\.[a-z0-9-]+)+)", path.read_text(encoding="utf-8"))
    }

    # One that is only asked where the settings name it, and two in texts for people.
    unsaid = {"exofopdev.ipac.caltech.edu", "lco.global", "www.cosmos.esa.int"}
    assert {host for host in asked if host not in page} == unsaid


def test_the_numbers_of_the_notes_are_keys_of_the_results():
    page = (ROOT / "docs" / "explain" / "notes.md").read_text(encoding="utf-8")
    keys = {key.name for key in RESULTS}
    rows = [line.split("|")[2] for line in page.splitlines() if line.startswith("| ")][2:]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert named <= keys
    assert {"tc_bjd_tdb", "depth_ppt", "o_c_minute", "beta", "delta_bic", "science_version"} <= named


ELSEWHERE = {
    "fetch": "network", "download": "network", "ttf": "network", "skynet": "network", "watch": "camera"
}  # fmt: skip


def test_the_commands_of_the_table_in_the_readme_work(place):
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `doit")]
    commands = [command for row in rows for command in re.findall(r"`doit ?([^`]*)`", row)]
    failed = {}
    for command in commands:
        name = command.partition(":")[0].partition(" ")[0]
        if name not in ELSEWHERE:
            where = place / ("fresh" if name == "init" else "demo")  # never over a workspace that is there
            shutil.copytree(place / "demo" / "raw", place / "fresh" / "raw", dirs_exist_ok=True)
            done = run(where, *ours(command).split())
            if done.status or "Traceback" in done.out + done.err:
                failed[command] = done.out[-300:] + done.err[-300:]

    assert len(commands) > 20
    assert failed == {}
