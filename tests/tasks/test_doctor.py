"""`doit doctor`: one text for a bug report, whatever state a workspace is in."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from astropy.io import fits

from tests.harness import make, results, run


@pytest.fixture
def workspace(tmp_path):
    return make(tmp_path / "space", lights=range(6))


def test_a_sound_workspace_has_no_problem(workspace):
    found = run(workspace, "doctor")

    assert found.status == 0, found.out
    assert found.out.startswith("problems\n  none found\n")
    assert "TOI-9999.01/20250304/Demo-0m4/ip: 6 frames" in found.out
    assert "instrument[0].telescope_diameter = 0.4" in found.out
    assert "TOI-9999.01: no catalogue is kept; `doit fetch` gets them" in found.out
    assert "nova.astrometry.net is not asked" in found.out
    assert (workspace / "logs" / "doctor.txt").read_text(encoding="utf-8") in found.out


def test_it_changes_nothing_but_its_own_file(workspace):
    run(workspace, "preprocess")
    before = results(workspace)

    run(workspace, "doctor")

    assert results(workspace) == before


@pytest.mark.parametrize("is_kept", [True, False])
def test_that_python_keeps_no_bytecode_is_told_for_then_every_run_is_slow(workspace, monkeypatch, is_kept):
    monkeypatch.setattr(sys, "dont_write_bytecode", not is_kept)

    assert ("keeps no bytecode" in run(workspace, "doctor").out) is not is_kept


def test_catalogue_of_the_settings_that_is_not_there_is_a_problem(workspace):
    (workspace / "mine.csv").write_text("ra,dec\n", encoding="utf-8")
    with (workspace / "workspace.toml").open("a", encoding="utf-8") as file:
        for name in ("mine", "lost"):
            file.write(f'\n[[catalogs.file]]\nname = "{name}"\npath = "{name}.csv"\n')

    found = run(workspace, "doctor")

    assert found.status != 0
    assert "TOI-9999.01: there is no file of the catalogue lost" in found.out.partition("program")[0]
    assert "  TOI-9999.01: mine\n" in found.out


def test_broken_settings_are_a_problem_with_their_key(workspace):
    with (workspace / "workspace.toml").open("a", encoding="utf-8") as file:
        file.write("\n[photometri]\n")

    found = run(workspace, "doctor")

    assert found.status != 0
    assert "photometri: unknown key; did you mean photometry?" in found.out


def test_a_folder_that_is_no_workspace_is_told_what_to_do(tmp_path):
    found = run(tmp_path, "doctor")

    assert found.status != 0
    assert "`doit init` writes one from your frames" in found.out


def test_what_failed_before_is_quoted_from_the_log_without_the_home_folder(workspace):
    with (workspace / "workspace.toml").open("a", encoding="utf-8") as file:
        file.write('\n[template]\nframe = "no-such.fits"\n')
    run(workspace, "template")
    log = workspace / "logs" / "accretor.log"
    log.write_text(log.read_text(encoding="utf-8") + f"WARNING {Path.home()}/x failed: y\n", encoding="utf-8")

    found = run(workspace, "doctor")

    assert "no-such.fits" in found.out
    assert "~/x failed: y" in found.out
    assert "A. Observer" not in found.out


def test_what_init_left_to_the_user_is_told_line_by_line_and_the_frames_are_looked_at_all_the_same(workspace):
    (workspace / "workspace.toml").unlink()
    (workspace / "raw" / "notes.txt").write_text("seeing was good", encoding="utf-8")
    run(workspace, "init")
    config = (workspace / "workspace.toml").read_text(encoding="utf-8").splitlines()
    line = next(number for number, text in enumerate(config, start=1) if text.startswith("tic = 0"))

    found = run(workspace, "doctor")

    problems, _, rest = found.out.partition("\nprogram")
    wanted = f"workspace.toml, line {line}: tic is to be filled in: number in the TESS Input Catalog"
    assert wanted in problems
    assert [text.split()[3] for text in problems.splitlines()[1:]] == ["observer", "tic", "ra", "dec"]
    assert "frames (by their headers alone)" in rest
    assert "Demo-0m4: 6 light in ip" in rest
    assert "left out: not a FITS name (notes.txt)" in rest


def test_gain_that_is_still_to_be_measured_is_no_reason_to_ask_for_it(workspace):
    for path in sorted((workspace / "raw").rglob("*.fits")):
        with fits.open(path, mode="update") as hdus:
            hdus[0].header.remove("GAIN", ignore_missing=True)

    found = run(workspace, "doctor")

    assert found.status == 0, found.out
    assert "no header tells the gain: preprocess measures what it can" in found.out
    assert "add gain" not in found.out
