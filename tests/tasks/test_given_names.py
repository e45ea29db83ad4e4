"""Names of tasks on the command line: those of headers work, and a wrong one is told with what there is."""

from __future__ import annotations

import pytest
from doit.task import Task

from tasks._names import found

NAMES = (
    *("photometry", "photometry:HAT-P-32-b", "photometry:TOI-9999.01", "upload", "export"),
    *("photometry:HAT-P-32-b/20250304/Demo-0m4/gp", "photometry:HAT-P-32-b/20250304/Demo-0m4/ip"),
)
TASKS = [*(Task(name, None) for name in NAMES), Task("index", None, targets=["products/index.html"])]


def refused(*words):
    with pytest.raises(SystemExit) as stop:
        found(words, TASKS, ["list", "forget"])
    (line,) = str(stop.value).splitlines()
    return line


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("photometry:HAT-P-32 b", "photometry:HAT-P-32-b"),
        ("photometry:HAT-P-32 b/20250304/Demo-0m4/gp", "photometry:HAT-P-32-b/20250304/Demo-0m4/gp"),
        ("photometry:TOI-9999.01", "photometry:TOI-9999.01"),
        ("photometry:*/gp", "photometry:*/gp"),
        ("products/index.html", "products/index.html"),
        ("--option", "--option"),
    ],
)
def test_a_name_of_the_workspace_file_is_as_good_as_its_folder(word, name):
    assert found([word], TASKS, []) == [name]


def test_options_of_a_task_are_no_names():
    option = {"name": "confirm", "long": "confirm", "type": str, "default": ""}
    tasks = [*TASKS, Task("upload:HAT-P-32-b", None, params=[option])]

    asked = ["upload:HAT-P-32 b", "--confirm", "0123456789ab", "photometry"]
    assert found(asked, tasks, []) == ["upload:HAT-P-32-b", *asked[1:]]
    asked[1:3] = ["--confirm=0123456789ab"]
    assert found(asked, tasks, []) == ["upload:HAT-P-32-b", *asked[1:]]


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["photmetry"], "photometry"),
        (["lsit"], "list"),
        (["fotometry:TOI-9999.01"], "photometry"),
        (["photometry:toi-9999"], "photometry:TOI-9999.01"),
        (["photometry:HAT-P-32", "b"], "photometry:HAT-P-32-b"),
        (["photometry:HAT-P-32-b/20250304/Demo-0m4/g"], "photometry:HAT-P-32-b/20250304/Demo-0m4/gp"),
    ],
)
def test_a_name_that_does_not_exist_is_refused_with_the_one_that_was_meant(words, meant):
    line = refused(*words)
    assert line.startswith(f"accretor: {words[0]}: ")
    assert f"did you mean {meant}?" in line


def test_a_wrong_name_is_told_with_those_that_there_are():
    assert "photometry is for HAT-P-32-b, TOI-9999.01" in refused("photometry:WASP-1")
    assert "gp, HAT-P-32-b/20250304/Demo-0m4/ip" in refused("photometry:HAT-P-32-b/1999/x/zs")
    assert "upload has nothing to work on yet" in refused("upload:TOI-9999.01")
    assert "nothing fits this pattern; photometry is for" in refused("photometry:WASP*")
    assert "`doit list` has the stages" in refused("qqq")
