"""A new frame of a night whose template is known is read once, and gives the same bytes as ever."""

from __future__ import annotations

import shutil

import pytest

from accretor.io import journal
from accretor.stages import ahead
from accretor.synthetic import demo, frames
from tests.harness import SMALL, run, tree
from tests.pipeline.causes import put

SLUG = f"{SMALL.target}/20250304/Demo-0m4/ip"
MADE = ("frames.ecsv", "image_info.ecsv", "stars.fits", "photometry.ecsv", "photometry.fits")


@pytest.fixture(scope="module")
def shorter(tmp_path_factory):
    """A night of which all but the last three frames are measured."""
    workspace = tmp_path_factory.mktemp("ahead") / "workspace"
    frames.write(SMALL, workspace, lights=range(SMALL.n_frame - 3))
    (workspace / "workspace.toml").write_text(demo.WORKSPACE, encoding="utf-8")
    assert run(workspace, "photometry").status == 0
    return workspace


@pytest.fixture
def night(shorter, tmp_path):
    """The same with all of its frames."""
    workspace = tmp_path / "workspace"
    shutil.copytree(shorter, workspace)
    frames.write(SMALL, workspace, lights=range(SMALL.n_frame))
    return workspace


def dumps(workspace):
    return {name: (workspace / "work" / SLUG / name).read_bytes() for name in MADE}


def journals(workspace):
    return [name for name in tree(workspace / "work") if name.endswith(".journal")]


def test_rows_made_ahead_are_those_that_each_stage_makes_by_itself(night, tmp_path, monkeypatch):
    apart = tmp_path / "apart"
    shutil.copytree(night, apart)
    taken = []
    take = ahead._hand_on
    monkeypatch.setattr(ahead, "_hand_on", lambda *given: taken.append(given[0].name) or take(*given))
    together = run(night, "photometry")
    assert sorted(taken) == 3 * ["photometry.fits"] + 3 * ["stars.fits"]
    assert not journals(night)

    monkeypatch.setattr(ahead, "of_preprocess", lambda plan, layout, settings, jobs: (jobs, None))
    monkeypatch.setattr(ahead, "of_registration", lambda plan, settings, jobs: (jobs, None))
    by_itself = run(apart, "photometry")
    assert dumps(night) == dumps(apart)
    assert together.done.keys() == by_itself.done.keys()
    for name, said in together.done.items():
        assert said == by_itself.done[name], "what was made ahead counts as measured"


def test_rows_made_ahead_wait_for_the_stage_that_wants_them(night):
    assert run(night, "preprocess").status == 0
    assert len(journals(night)) == 2
    done = run(night, "photometry")
    assert "3 measured" in done.done[f"registration:{SLUG}"]
    assert "3 measured" in done.done[f"photometry:{SLUG}"]
    assert not journals(night)


def test_rows_made_ahead_with_other_settings_are_not_taken(night, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(night, other)
    change = put("registration", "threshold = 6.0")
    change(other, None)
    assert run(other, "photometry").status == 0

    assert run(night, "preprocess").status == 0
    change(night, None)
    done = run(night, "photometry")
    assert f"{SMALL.n_frame} measured" in done.done[f"registration:{SLUG}"]
    assert dumps(night) == dumps(other)


def test_a_row_torn_by_a_kill_is_made_again(night, tmp_path):
    whole = tmp_path / "whole"
    shutil.copytree(night, whole)
    assert run(whole, "photometry").status == 0

    assert run(night, "preprocess").status == 0
    for name in ("stars.fits", "photometry.fits"):
        path = journal.path_of(night / "work" / SLUG / name)
        path.write_bytes(path.read_bytes()[:-200])
    assert run(night, "photometry").status == 0
    assert dumps(night) == dumps(whole)
