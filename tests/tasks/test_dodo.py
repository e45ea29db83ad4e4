from __future__ import annotations

import ast
import shutil
import subprocess
import sys

import pytest

from tasks import _entry
from tests.harness import ROOT, results, run, tree

ONE = "TOI-9999.01/20250304/Demo-0m4/ip"
OTHER = "TOI-8888.01/20250306/Demo-0m4/ip"
UPSTREAM = ["preprocess", "registration", "template", "photometry"]
STAGES = [*UPSTREAM, "calibration", "plotting", "packaging", "upload"]


@pytest.fixture(scope="module")
def graph(two_targets):
    """Return the tasks of the stages by their names."""
    run(two_targets, "list")
    dodo = sys.modules["dodo"]
    tasks = [
        task for stage in [*STAGES, "zeropoint", "forced", "neb"] for task in getattr(dodo, f"task_{stage}")()
    ]
    assert len({task.name for task in tasks}) == len(tasks)
    return {task.name: task for task in tasks}


def owners(graph):
    return {path: name for name, task in graph.items() for path in task.targets}


def closure(graph, name):
    """Return the leaves that doit does for *name*: its own, and those that leave what they read."""
    owner, found, waiting = owners(graph), set(), [name]
    while waiting:
        task = graph[waiting.pop()]
        if task.name not in found:
            found.add(task.name)
            waiting += [*task.task_dep, *(owner[path] for path in task.file_dep)]
    return {name for name in found if graph[name].actions}


def leaves(slug, *stages):
    return {f"{stage}:{slug}" for stage in stages}


def test_each_command_is_known_to_write_or_to_leave_the_workspace_as_it_is():
    tree = ast.parse((ROOT / "dodo.py").read_text(encoding="utf-8"))
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    known = (_entry.READING_TASKS, _entry.FIRST_TASKS, _entry.WRITING_TASKS)

    assert sorted(name for names in known for name in names) == sorted(
        name.removeprefix("task_") for name in functions
    )


def test_every_file_has_one_owner(graph):
    named = [path for task in graph.values() for path in task.targets]

    assert len(named) == len(set(named)) > 30


def test_every_file_that_a_task_reads_is_left_by_another(graph):
    owner = owners(graph)
    orphans = [(task.name, path) for task in graph.values() for path in task.file_dep if path not in owner]

    assert orphans == []


def test_no_raw_frame_is_a_dependency_of_doit_and_none_is_a_target(graph):
    paths = [path for task in graph.values() for path in (*task.file_dep, *task.targets)]

    assert not [path for path in paths if path.startswith("raw")]


def test_all_names_of_files_are_relative_to_the_workspace(graph):
    paths = [path for task in graph.values() for path in (*task.file_dep, *task.targets)]

    assert {path.replace("\\", "/").split("/")[0] for path in paths} == {"work", "products"}


@pytest.mark.parametrize("slug", [ONE, OTHER])
def test_one_stage_of_one_target_needs_what_is_before_it_of_that_target_alone(graph, slug):
    target = slug.split("/")[0]

    assert closure(graph, f"photometry:{target}") == leaves(slug, *UPSTREAM)
    assert closure(graph, f"photometry:{slug}") == leaves(slug, *UPSTREAM)
    assert closure(graph, f"plotting:{target}") == leaves(slug, *UPSTREAM, "calibration", "plotting")


def test_a_stage_of_all_targets_needs_what_is_before_it_of_all(graph):
    assert closure(graph, "template") == leaves(ONE, *UPSTREAM[:3]) | leaves(OTHER, *UPSTREAM[:3])


def test_the_neighbours_need_the_light_curve_and_hold_up_no_figure(graph):
    before = leaves(ONE, *UPSTREAM, "calibration")

    assert closure(graph, "forced:TOI-9999.01") == leaves(ONE, *UPSTREAM, "zeropoint", "forced")
    assert closure(graph, "neb:TOI-9999.01") == before | leaves(ONE, "zeropoint", "forced", "neb")
    assert closure(graph, "plotting:TOI-9999.01") == before | leaves(ONE, "plotting")


def test_a_package_needs_all_stages_and_no_upload(graph):
    visit = ONE.rpartition("/")[0]

    assert closure(graph, "packaging:TOI-9999.01") == {
        *leaves(ONE, *UPSTREAM, "zeropoint", "calibration", "forced", "neb", "plotting"),
        f"packaging:{visit}",
    }


def test_one_stage_of_one_target_is_what_doit_does(space):
    shutil.rmtree(space / "work")

    assert set(run(space, "photometry:TOI-8888.01").done) == leaves(OTHER, *UPSTREAM)
    assert set(run(space, "photometry").done) == leaves(ONE, *UPSTREAM)


def test_a_second_run_has_nothing_to_do_and_changes_nothing(space):
    before = results(space)
    found = run(space, "calibration")

    assert (found.status, found.done) == (0, {})
    assert "tasks: 0 done, 10 up to date" in found.out
    assert results(space) == before


def test_the_list_shows_stages_and_targets_and_with_all_the_observations(space):
    short, long = (
        [line.split()[0] for line in run(space, *arguments).out.splitlines()]
        for arguments in (["list"], ["list", "--all"])
    )

    assert [name for name in short if name.startswith("photometry")] == [
        "photometry",
        "photometry:TOI-8888.01",
        "photometry:TOI-9999.01",
    ]
    assert {*leaves(ONE, *UPSTREAM), *leaves(OTHER, *UPSTREAM)} <= set(long)
    assert set(short) < set(long)


@pytest.mark.parametrize("group", ["photometry", "photometry:TOI-9999.01"])
def test_the_list_of_a_group_reaches_its_observations(space, group):
    listed = {line.split()[0] for line in run(space, "list", "--all", group).out.splitlines()}

    assert f"photometry:{ONE}" in listed
    assert (f"photometry:{OTHER}" in listed) == (group == "photometry")


@pytest.mark.parametrize(
    ("group", "forgotten"),
    [
        ("photometry", leaves(ONE, "photometry") | leaves(OTHER, "photometry")),
        ("photometry:TOI-9999.01", leaves(ONE, "photometry")),
        (f"photometry:{OTHER}", leaves(OTHER, "photometry")),
    ],
)
def test_what_is_forgotten_is_looked_at_again_and_nothing_is_measured(space, group, forgotten):
    assert run(space, "forget", group).status == 0
    found = run(space, "calibration")

    assert set(found.done) == forgotten
    assert found.measured("photometry") == 0


@pytest.mark.parametrize(
    ("group", "cleaned", "kept"),
    [
        ("photometry", [ONE, OTHER], []),
        ("photometry:TOI-9999.01", [ONE], [OTHER]),
        (f"photometry:{OTHER}", [OTHER], [ONE]),
    ],
)
def test_what_is_cleaned_is_gone_and_nothing_else(space, group, cleaned, kept):
    before = set(tree(space))
    assert run(space, "clean", group).status == 0
    gone = before - set(tree(space))

    files = ("photometry.fits", "photometry.ecsv", "growth.ecsv", "frame_wcs.ecsv")
    assert gone == {f"work/{slug}/{name}" for slug in cleaned for name in files}
    assert all((space / "work" / slug / "photometry.fits").is_file() for slug in kept)
    assert set(run(space, "calibration").done) == set().union(
        *(leaves(slug, "photometry") for slug in cleaned)
    )


def test_help_of_a_stage_says_what_it_does_and_its_settings(space):
    found = run(space, "help", "photometry")

    assert found.out.startswith("photometry  Measure the stars of the template in every frame")
    assert (
        "Settings: [photometry] radii_fwhm or radii, annulus_fwhm, mode, sky, recentre, forced;" in found.out
    )


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_a_help_with_an_example_and_its_settings(graph, stage):
    text = str.__str__(graph[stage].doc)

    assert f"doit {stage}" in text
    assert "Settings: [" in text


def test_damaged_results_and_packages_do_not_stop_the_list(space):
    (space / "work" / ONE / "results.json").write_text('{"torn', encoding="utf-8")
    manifest = space / "products" / "TOI-9999.01" / "20250304" / "Demo-0m4" / "manifest.json"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text('{"torn', encoding="utf-8")

    assert run(space, "list").status == 0
    assert run(space, "preprocess").status == 0
    assert set(run(space, "calibration").done) == leaves(ONE, "calibration")


HEAVY = ("astropy", "matplotlib", "photutils", "requests", "scipy")
SCRIPT = f"""\
import sys
from doit.doit_cmd import DoitMain
status = DoitMain(config_filenames=()).run(["-f", sys.argv[1], *sys.argv[2:]])
print("status", status, *sorted(set(sys.modules) & {set(HEAVY)!r}))
"""


@pytest.mark.parametrize(
    "arguments", [["list"], ["list", "--all"], ["calibration"], ["help", "photometry"]], ids=" ".join
)
def test_looking_and_having_nothing_to_do_import_no_heavy_library(two_targets, arguments):
    command = [sys.executable, "-c", SCRIPT, str(ROOT / "dodo.py"), *arguments, f"workspace={two_targets}"]
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", timeout=60, cwd=ROOT, check=False
    )

    assert done.stdout.splitlines()[-1:] == ["status 0"], done.stderr[-2000:]
