from __future__ import annotations

import importlib
import os
import pickle

import pytest

from tasks import _graph
from tasks._graph import NOT_DONE, Doc, Leaf, Member, Unchanged, stage


class Finished:
    """What doit hands to an up-to-date check: a task, and what it saved when it was done."""

    def __init__(self, *files):
        self.values = {"files": [str(path) for path in files]}
        self.value_savers = []

    def saved(self, check):
        check(self, {})
        return self.value_savers[-1]()


def act(*arguments):
    """Stand for the work of a leaf."""


def leaf(name, **changes):
    values = {
        "target": name.split("/")[0],
        "name": name,
        "action": act,
        "arguments": (),
        "file_dep": [],
        "targets": [],
        "made_with": {"settings": "v1"},
        "state": lambda: f"state of {name}",
    }
    return Leaf(**{**values, **changes})


def made(*leaves):
    return {
        task.name: task for task in stage("photometry", "Measure.", leaves, lambda target: f"all of {target}")
    }


@pytest.fixture
def files(tmp_path):
    found = [tmp_path / "a", tmp_path / "b"]
    for path in found:
        path.write_text(path.name * 100, encoding="utf-8")
    return found


@pytest.fixture
def saved(files):
    return Finished(*files).saved(Unchanged({"settings": "v1"}))


def reasons(saved, **made_with):
    return Unchanged({"settings": "v1", **made_with}).reasons(saved)


def test_a_member_equals_the_names_of_both_its_groups_and_no_other():
    member = Member("photometry", "photometry:T")

    assert member == "photometry"
    assert member == "photometry:T"
    assert member == "photometry:T"
    assert member != "photometry:U"
    assert not member != "photometry:T"  # noqa: SIM202  # it is the other operator
    assert member is not None
    assert member != None  # noqa: E711  # as doit compares it


def test_a_member_equals_both_in_another_process():
    # Running doit within the tests loads the module anew, and pickle wants the class of that one.
    loaded = importlib.import_module("tasks._graph")
    member = pickle.loads(pickle.dumps(loaded.Member("photometry", "photometry:T")))

    assert member == "photometry"
    assert member == "photometry:T"


def test_a_help_text_shows_its_state_where_it_is_formatted_and_itself_elsewhere():
    doc = Doc("Measure the stars.", lambda: "24 frames")

    assert f"{doc}" == "24 frames"
    assert f"{doc:>10}" == " 24 frames"
    assert f"{doc:<12}|" == "24 frames   |"
    assert doc == "Measure the stars."
    assert doc.split("\n")[0] == "Measure the stars."


def test_a_state_is_looked_up_only_where_it_is_shown():
    def never():
        raise AssertionError

    doc = Doc("Measure.", never)
    assert len(doc) == len(str.__str__(doc))


def test_what_was_never_done_is_not_up_to_date():
    assert Unchanged({"settings": "v1"}).reasons({}) == [NOT_DONE]
    assert not Unchanged({"settings": "v1"})(Finished(), {})


def test_what_was_done_with_the_same_and_left_what_is_there_is_up_to_date(saved, files):
    assert reasons(saved) == []
    assert Unchanged({"settings": "v1"})(Finished(*files), saved)


def test_what_was_saved_survives_the_state_file(saved):
    import json

    assert reasons(json.loads(json.dumps(saved))) == []


def test_files_that_were_only_touched_or_copied_are_as_they_were(saved, files):
    os.utime(files[0], ns=(1, 1))
    assert reasons(saved) == []


def test_a_file_that_is_gone_is_named(saved, files):
    files[1].unlink()
    assert reasons(saved) == [f"{files[1]} is gone"]


@pytest.mark.parametrize("text", ["", "b" * 99, "b" * 99 + "c", "b" * 101])
def test_a_file_that_was_edited_is_named_even_at_the_same_size(saved, files, text):
    files[1].write_text(text, encoding="utf-8")
    os.utime(files[1], ns=(1, 1))  # on a coarse clock the time could be the same
    assert reasons(saved) == [f"{files[1]} was changed by hand or by another program"]


def test_what_changed_of_what_it_is_made_with_is_named(saved):
    assert reasons(saved, settings="v2", raw="x") == ["settings changed", "raw changed"]


def test_work_that_left_no_file_is_done_again():
    nothing = Finished().saved(Unchanged({"settings": "v1"}))

    assert reasons(nothing) == ["it left no file"]


def test_a_stage_has_a_group_of_all_a_group_for_each_target_and_its_leaves():
    tasks = made(leaf("T/1/s/ip"), leaf("U/1/s/ip"), leaf("T/2/s/ip"))

    assert list(tasks) == [
        "photometry",
        "photometry:T",
        "photometry:T/1/s/ip",
        "photometry:T/2/s/ip",
        "photometry:U",
        "photometry:U/1/s/ip",
    ]
    assert set(tasks["photometry"].task_dep) == set(tasks) - {"photometry"}
    assert tasks["photometry:T"].task_dep == ["photometry:T/1/s/ip", "photometry:T/2/s/ip"]
    assert [name for name, task in tasks.items() if task.actions] == [name for name in tasks if "/" in name]


def test_a_stage_without_work_is_still_a_stage():
    assert list(made()) == ["photometry"]


def test_a_leaf_is_a_member_of_its_stage_and_its_target():
    tasks = made(leaf("T/1/s/ip"), leaf("U/1/s/ip"))

    assert tasks["photometry:T/1/s/ip"].subtask_of == "photometry"
    assert tasks["photometry:T/1/s/ip"].subtask_of == "photometry:T"
    assert tasks["photometry:T/1/s/ip"].subtask_of != "photometry:U"


def test_a_group_of_several_leaves_shows_its_own_state():
    tasks = made(leaf("T/1/s/ip"), leaf("T/2/s/ip"))
    group = tasks["photometry:T"].doc

    assert group == "Measure."
    assert group.state.args[1].args == ("T",)


@pytest.fixture
def forgotten(monkeypatch):
    """Return what is no longer remembered as failed."""
    found = []
    monkeypatch.setattr(_graph._blocked, "forget", lambda *names: found.append(names))
    return found


def test_cleaning_removes_files_what_goes_with_them_and_nothing_else(tmp_path, files, capsys, forgotten):
    owned = tmp_path / "masters"
    (owned / "kept").mkdir(parents=True)
    (owned / "bias.fits").touch()

    beside = [files[0].with_name(files[0].name + tail) for tail in (".journal", ".bad")]
    for path in beside:
        path.touch()
    found = ("stage", "observation", [files[0], tmp_path / "never made"], [owned, tmp_path / "no folder"])

    _graph.clean(*found, dryrun=True)
    assert files[0].exists()
    assert all(path.exists() for path in beside)
    _graph.clean(*found, dryrun=False)

    assert not files[0].exists()
    assert files[1].exists()
    assert not any(path.exists() for path in beside)
    assert [path.name for path in owned.iterdir()] == ["kept"]
    assert capsys.readouterr().out.count("remove ") == 8
    assert forgotten == [("stage", "observation")]


def test_each_part_of_what_work_is_made_with_has_a_digest_of_its_own():
    one, other = _graph.digests({"a": [1], "b": "x"}), _graph.digests({"a": [1], "b": "y"})

    assert one["a"] == other["a"]
    assert one["b"] != other["b"]
