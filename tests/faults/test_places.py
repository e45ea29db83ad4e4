"""Odd places and names: nothing is written outside of the workspace, nor through a link."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from accretor.core.dumps import INVENTORY
from accretor.io import dump
from tests.faults import files, look
from tests.faults.files import with_text
from tests.harness import ROOT, Run, results, run, tree

ODD = 'Nuit d\'été 100 %{x} "观测" $(touch pwned) ; a=b'
HOSTILE = (
    b"../../x",
    b"/etc",
    b"CON",
    b"a:b",
    b"..",
    b".hidden",
    b"end.",
    b"x\\y",
    b"$\\frac",
    b"{x} %s",
    b"<script>",
    "🔭".encode(),
)
needs_links = pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")


def spawn(workspace: Path, *arguments: str, **environment: str) -> tuple[Run, str]:
    """Run doit in another environment; return also its output as it was, one letter for each byte."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LC_", "PYTHONUTF8", "LANG"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "doit", "-f", str(ROOT / "dodo.py"), *arguments],
        cwd=workspace,
        env=kept | environment,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=240,
        check=False,
    )
    text = [stream.decode("utf-8", "replace") for stream in (done.stdout, done.stderr)]
    return Run(done.returncode, *text), (done.stdout + done.stderr).decode("latin-1")


def test_workspace_of_any_name_gives_the_same_bytes_and_no_product_knows_it(clean, copy):
    workspace = copy(ODD)
    before = look.outside(workspace)

    done, _ = spawn(workspace)

    assert done.status == 0
    assert look.is_tidy(done)
    assert look.outside(workspace) == before
    wanted = results(clean)  # of the first stages alone
    assert {name: digest for name, digest in results(workspace).items() if name in wanted} == wanted
    secrets = [text.encode() for text in (ODD[:12], str(workspace.parent), platform.node()) if len(text) > 4]
    for path in sorted((workspace / "products").rglob("*")):
        assert path.is_dir() or not [text for text in secrets if text in path.read_bytes()]


ASCII = {"PYTHONIOENCODING": "ascii", "PYTHONCOERCECLOCALE": "0", "NO_COLOR": "1"}


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", **ASCII},
        pytest.param({"LC_ALL": "C", "PYTHONIOENCODING": "cp1252", "TERM": "dumb"}, marks=pytest.mark.slow),
        pytest.param({"LC_ALL": "de_DE.UTF-8", "LC_NUMERIC": "de_DE.UTF-8"}, marks=pytest.mark.slow),
    ],
    ids=["ascii", "cp1252", "german"],
)
def test_locale_and_console_change_no_byte_and_end_no_run(clean, copy, environment):
    workspace = copy("été 观测")
    name = workspace / "raw" / "notes – 观测.fits"
    name.write_bytes(b"")

    done, shown = spawn(workspace, "calibration", **environment)
    listed, _ = spawn(workspace, "list", **environment)

    assert (done.status, listed.status) == (0, 0)
    assert look.is_tidy(done)
    assert "Error" not in done.out + done.err + listed.err
    if environment.get("PYTHONIOENCODING") == "ascii":
        assert shown.isascii()
        assert "+-" in shown
    ours = results(workspace)
    assert ours == results(clean)


def test_hostile_words_of_a_header_stay_inside_the_workspace(clean, copy):
    workspace = copy()
    light = sorted((workspace / look.LIGHTS).iterdir())[2].read_bytes()
    for number, text in enumerate(HOSTILE):
        content = files.moved(light, 10 * (number + 1))
        for keyword in (b"FILTER", b"TELESCOP", b"INSTRUME", b"OBSERVER", b"SITEID"):
            content = with_text(keyword.ljust(8) + b"= '" + text + b"'")(content)
        (workspace / "raw" / f"hostile-{number}.fits").write_bytes(content)
    config = workspace / "workspace.toml"
    config.write_text(
        config.read_text("utf-8").replace('name = "Demo-0m4"', 'name = "Demo-0m4"\nlatitude = 28.3'), "utf-8"
    )
    before = look.outside(workspace)

    done = run(workspace, "calibration")

    assert look.is_tidy(done)
    assert look.outside(workspace) == before
    assert "calibration:" + look.SLUG in done.done
    made = [path.relative_to(workspace).as_posix() for path in workspace.rglob("*")]
    assert not [name for name in made if not name.isascii() or set(name) & set(":\\$<>%{}")]
    rows = dump.read(workspace / "work/inventory.ecsv", INVENTORY).rows
    assert all(row["observation"] for row in rows if row["path"].startswith("hostile"))


def test_object_of_four_thousand_letters_or_none_is_no_path(copy):
    workspace = copy()
    light = sorted((workspace / look.LIGHTS).iterdir())[2].read_bytes()
    long = b"OBJECT  = '" + b"../" * 21 + b"&'"
    more = [b"CONTINUE  '" + b"x" * 66 + b"&'"] * 60
    (workspace / "raw" / "long.fits").write_bytes(with_text(long, *more)(files.moved(light, 10)))
    (workspace / "raw" / "nul.fits").write_bytes(
        with_text(b"OBJECT  = 'a\x00b/../c'")(files.moved(light, 20))
    )
    before = look.outside(workspace)

    done = run(workspace, "preprocess")

    assert done.status == 0
    assert look.is_tidy(done)
    assert look.outside(workspace) == before
    assert [
        row["status"] for name, row in look.frames(workspace).items() if name in {"long.fits", "nul.fits"}
    ] == [
        "good",
        "good",
    ]


@pytest.mark.parametrize(("one", "other"), [("TOI-1.01", "TOI 1.01"), ("toi-1.01", "TOI-1.01"), ("é", "é")])
def test_two_targets_of_one_folder_are_refused_by_name(tmp_path, one, other):
    text = "".join(f'[[target]]\nname = "{name}"\ntic = 1\nra = 1.0\ndec = 1.0\n' for name in (one, other))
    (tmp_path / "workspace.toml").write_text('observer = "A"\n' + text, "utf-8")

    done = run(tmp_path)

    assert done.status != 0
    assert "would share a folder" in done.err
    assert one in done.err
    assert look.is_tidy(done)


@needs_links
def test_raw_may_be_a_link_and_hold_loops(clean, tmp_path):
    archive = tmp_path / "archive"
    shutil.copytree(clean / "raw", archive)
    (archive / "again").symlink_to(archive)
    (archive / "nowhere.fits").symlink_to(tmp_path / "gone.fits")
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    shutil.copy(clean / "workspace.toml", workspace)
    (workspace / "raw").symlink_to(archive)

    done = run(workspace, "calibration")

    assert done.status == 0
    assert results(workspace) == results(clean)
    assert tree(archive) == tree(clean / "raw")


@needs_links
def test_nothing_is_written_through_a_link(clean, copy, tmp_path):
    workspace = copy()
    run(workspace, "calibration")
    victim = tmp_path / "victim"
    victim.write_text("mine", "utf-8")
    folder = workspace / "work" / look.SLUG
    for name in (
        "lightcurve.ecsv",
        "results.json",
        "photometry.ecsv",
        "photometry.fits",
        "masters/flat.fits",
    ):
        (folder / name).unlink()
        (folder / name).symlink_to(victim)
    (folder / ".frames.ecsv.part").symlink_to(victim)
    (folder / "frames.ecsv").unlink()

    done = run(workspace, "calibration")

    assert done.status == 0
    assert victim.read_text("utf-8") == "mine"
    assert {
        name: digest for name, digest in results(workspace).items() if not name.endswith(".bad")
    } == results(clean)


@needs_links
@pytest.mark.parametrize(
    "place", ["work/TOI-9999.01", f"work/{look.SLUG}", "products/TOI-9999.01/20250304/Demo-0m4/package"]
)
def test_folder_that_is_a_link_is_refused_and_what_is_behind_it_kept(clean, copy, tmp_path, place):
    workspace = copy()
    if place.startswith("products"):
        shutil.copytree(clean / "work", workspace / "work")
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "thesis.txt").write_text("mine", "utf-8")
    (workspace / place).parent.mkdir(parents=True, exist_ok=True)
    (workspace / place).symlink_to(victim)

    done = run(workspace, "packaging" if place.startswith("products") else "calibration")

    assert done.status != 0
    assert look.is_tidy(done)
    assert f"{Path(place)} is a link" in done.out
    assert tree(victim) == {"thesis.txt": tree(victim)["thesis.txt"]}


def test_products_stay_when_the_raw_frames_are_archived_away(clean, tmp_path):
    workspace = tmp_path / "workspace"
    shutil.copytree(clean, workspace)
    before = results(workspace)
    shutil.rmtree(workspace / "raw" / "TOI-9999.01")

    some = run(workspace, "calibration")
    shutil.rmtree(workspace / "raw")
    (workspace / "raw").mkdir()
    none = run(workspace, "calibration")
    listed = run(workspace, "list")

    assert [done.status for done in (some, none, listed)] == [0, 0, 0]
    assert results(workspace) == before
    assert "No frame of a target is below raw/" in none.out
    assert "no frames" in listed.out


def test_missing_raw_folder_is_told_and_changes_nothing(clean, tmp_path):
    workspace = tmp_path / "workspace"
    shutil.copytree(clean, workspace)
    shutil.rmtree(workspace / "raw")

    done = run(workspace, "calibration")

    assert done.status != 0
    assert done.err.startswith("accretor: raw: ")
    assert look.is_tidy(done)
    assert results(workspace) == results(clean)
