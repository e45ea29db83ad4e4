"""A full disk, a read-only one, and files in the way: one line each, nothing half-written, and it heals."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness import Run, make, results, run, spawn, tree

pytestmark = pytest.mark.usefixtures("blank_figures")

STAGES = "calibration"  # and all before it
MAY_STAY = (".journal", "blocked.json")
"""What a failed run leaves besides whole results: rows that are measured, and why it failed."""


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """A workspace in which all but the figures is done."""
    workspace = make(tmp_path_factory.mktemp("reference") / "ws")
    assert run(workspace, STAGES).status == 0
    return workspace


@pytest.fixture
def done(reference, tmp_path):
    """A workspace of its own in which all but the figures is done."""
    return Path(shutil.copytree(reference, tmp_path / "ws"))


def mount(*arguments: object) -> None:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root may mount, and this knows how on Linux")
    made = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"no mounting here: {made.stderr.strip()}")


@contextlib.contextmanager
def read_only(folder: Path):
    mount("--bind", folder, folder)
    try:
        mount("-o", "remount,bind,ro", folder)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def small_disk(tmp_path):
    """A disk with a workspace on it, and a function that leaves so many kilobytes free."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount("-t", "tmpfs", "-o", "size=32m", "tmpfs", disk)
    try:
        make(disk)

        def leave(kilobyte: int) -> None:
            full = shutil.disk_usage(disk).used // 1024
            mount("-o", f"remount,size={full + kilobyte}k", disk)

        yield disk, leave
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def assert_one_line(told: Run, *words: str) -> None:
    """Assert that a run failed, and says why in one line that has these words."""
    assert told.status != 0
    assert "Traceback" not in told.out + told.err
    lines = [
        line
        for line in (told.out + told.err).splitlines()
        if "FAILED" in line or line.startswith("accretor: ")
    ]
    assert len(lines) == 1, told.out + told.err
    for word in words:
        assert word in lines[0]


@pytest.mark.parametrize(
    "kilobyte",
    [40, 520, *(pytest.param(n, marks=pytest.mark.slow) for n in (0, 120, 250, 400, 450, 600, 700))],
)
def test_a_full_disk_is_said_in_one_line_and_costs_nothing(small_disk, reference, kilobyte):
    disk, leave = small_disk
    raw = tree(disk / "raw")
    whole = results(reference)
    leave(kilobyte)

    full = run(disk, STAGES)

    assert_one_line(full, "full")
    assert not list(disk.rglob("*.part"))
    found = {name: digest for name, digest in results(disk).items() if not name.endswith(MAY_STAY)}
    assert found.items() <= whole.items()
    leave(16_000)
    assert run(disk, STAGES).status == 0
    assert results(disk) == whole
    assert tree(disk / "raw") == raw


@pytest.mark.slow
def test_a_disk_that_is_full_when_figures_are_drawn_keeps_the_light_curve(small_disk, tmp_path):
    disk, leave = small_disk
    leave(1400)

    assert_one_line(run(disk), "the disk is full; make room and run again, what is done is kept")
    leave(16_000)
    after = run(disk)

    assert after.stages == ["plotting", "packaging"]
    other = make(tmp_path / "other")
    assert run(other).status == 0
    assert results(disk) == results(other)


def test_on_a_full_disk_there_can_still_be_nothing_to_do(small_disk):
    disk, leave = small_disk
    assert run(disk, STAGES).status == 0
    leave(0)

    again = spawn(disk, STAGES)

    assert (again.status, again.done) == (0, {})
    assert again.err.count("\n") <= 1  # that doit's memory of it could not be saved


def test_a_read_only_workspace_is_said_in_one_line_and_can_still_be_asked(done):
    with read_only(done):
        assert_one_line(run(done), "the workspace must be writable")

        listed = run(done, "list")

    assert (listed.status, listed.err) == (0, "")
    assert "24 frames: 23 good, 1 poor" in listed.out


def test_a_read_only_folder_without_a_workspace_is_said_in_one_line(done):
    shutil.rmtree(done / "work")
    with read_only(done):
        assert_one_line(run(done), "work: ", "the workspace must be writable")


def test_the_raw_folder_may_be_read_only(done, reference):
    shutil.rmtree(done / "work")
    with read_only(done / "raw"):
        assert run(done, STAGES).status == 0

    assert results(done) == results(reference)


@pytest.mark.parametrize("name", ["work", "work/TOI-9999.01", "logs"])
def test_a_file_where_a_folder_is_needed_is_said_in_one_line(done, reference, name):
    shutil.rmtree(done / name)
    (done / name).write_text("not a folder", encoding="utf-8")

    assert_one_line(run(done, STAGES), name, "folder is needed", "move")
    assert "Traceback" not in run(done, "list").err
    (done / name).unlink()
    assert run(done, STAGES).status == 0
    assert results(done) == results(reference)


@pytest.mark.parametrize(
    "name", ["products", pytest.param("products/TOI-9999.01/20250304/Demo-0m4/plots", marks=pytest.mark.slow)]
)
def test_a_file_in_the_place_of_the_products_is_said_in_one_line(done, name):
    (done / name).parent.mkdir(parents=True, exist_ok=True)
    (done / name).write_text("not a folder", encoding="utf-8")

    told = run(done)

    lines = [line for line in told.out.splitlines() if "FAILED" in line]
    assert (told.status != 0, [line.split()[0] for line in lines]) == (
        True,
        ["forced", "plotting", "index"],
    )
    assert all(word in line for line in lines for word in ("products", "folder is needed", "move"))
    assert "Traceback" not in told.out + told.err + run(done, "list").err


@pytest.mark.parametrize("name", ["work/.lock", "work/inventory.ecsv", "work/doit.sqlite"])
def test_a_folder_where_a_file_is_needed_is_said_in_one_line(done, name):
    (done / name).unlink()
    (done / name / "deep").mkdir(parents=True)

    assert_one_line(run(done, STAGES), name)


def garbage(state: bytes) -> bytes:
    return b"no database at all" * 500


def nothing(state: bytes) -> bytes:
    return b""


def head(state: bytes) -> bytes:
    return state[:100]


def half(state: bytes) -> bytes:
    return state[: len(state) // 2]


def zeros(state: bytes) -> bytes:
    return bytes(len(state))


@pytest.mark.parametrize("damage", [garbage, nothing, head, half, zeros])
def test_damaged_memory_of_doit_is_made_again_and_nothing_is_measured(done, reference, damage):
    state = done / "work" / "doit.sqlite"
    state.write_bytes(damage(state.read_bytes()))

    healed = run(done, STAGES)

    assert healed.status == 0
    assert healed.err.count("\n") <= 1
    assert [healed.measured(stage) for stage in ("preprocess", "registration", "photometry")] == [0, 0, 0]
    assert results(done) == results(reference)
    assert run(done, STAGES).done == {}


def test_memory_of_doit_that_another_program_locks_is_said_in_one_line(done):
    import sqlite3

    state = sqlite3.connect(done / "work" / "doit.sqlite", isolation_level=None)
    state.execute("begin exclusive")
    try:
        assert_one_line(run(done), "work/doit.sqlite: database is locked")
    finally:
        state.close()
