"""`doit doctor`: one text for a bug report, whatever state a workspace is in."""

from __future__ import annotations

from pathlib import Path

import pytest

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


def test_catalogue_of_the_settings_that_is_not_there_is_a_problem(workspace):
    (workspace / "mine.csv").write_text("ra,dec\n", encoding="utf-8")
    with (workspace / "workspace.toml").open("a", encoding="utf-8") as file:
        for name in ("mine", "lost"):
            file.write(f'\n[[catalogs.file]]\nname = "{name}"\npath = "{name}.csv"\n')

    found = run(workspace, "doctor")

    assert found.status != 0
    assert "TOI-9999.01: the catalogue lost is not there" in found.out.partition("program")[0]
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
