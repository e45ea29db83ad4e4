"""Which way imports point, and through which doors the outside libraries come in."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.harness import ROOT

MAY_IMPORT = {
    "core": set(),
    "science": {"core"},
    "compute": {"core"},
    # Headers hold angles as text, and angles are arithmetic without numpy.
    "instruments": {"core", "science.angles"},
    # The inventory asks the dialects what a header says, and how far from a target it points; amplifiers
    # are put together where they are read, each without the level of its overscan.
    "io": {"core", "instruments", "science.angles", "science.readout"},
    # A target's coordinates and a dialect's name are checked where they are read.
    "config": {"core", "instruments", "science.angles"},
    "plots": {"core", "science", "io"},
    "aij": {"core", "science", "io"},
    # What any archive needs, whatever its own words are.
    "sending": {"core", "io"},
    "exofop": {"core", "science", "io", "aij", "sending"},
    "archives": {"core", "science", "io"},
    "catalogs": {"core", "science", "io"},
    "synthetic": {"core", "science", "io"},
    "report": {"core"},
    "stages": {
        "archives",
        "core",
        "science",
        "compute",
        "instruments",
        "io",
        "config",
        "plots",
        "aij",
        "exofop",
        "sending",
        "catalogs",
        "report",
    },
    "cli": {"io"},
    "tasks": {
        "archives",
        "core",
        "science",
        "compute",
        "instruments",
        "io",
        "config",
        "plots",
        "aij",
        "exofop",
        "sending",
        "catalogs",
        "synthetic",
        "stages",
    },
}
"""What each package may import of ours: packages, or single modules of them."""

DOORS = {
    "doit": {"tasks/", "dodo.py", "accretor/cli.py"},
    "filelock": {"tasks/"},
    "sqlite3": {"tasks/"},
    "requests": {"accretor/io/http.py"},
    "urllib3": {"accretor/io/http.py"},
    "matplotlib": {"accretor/plots/"},
    "PIL": {"accretor/plots/"},
    "jinja2": {"accretor/report/", "accretor/exofop/notes_template.py"},
    "markupsafe": {"accretor/report/"},
    "photutils": {"accretor/science/"},
    "scipy": {"accretor/science/"},
    "tomllib": {"accretor/config/"},
    "xxhash": {"accretor/io/digests.py"},
    "msgspec": {"accretor/config/", "accretor/core/settings/"},
    # Files are fetched on several lines at once; that is waiting, not computing.
    "concurrent": {"accretor/compute/", "accretor/exofop/archive.py"},
    "multiprocessing": {"accretor/compute/", "tasks/"},
    "dask": {"accretor/compute/"},
    "distributed": {"accretor/compute/"},
    "dask_jobqueue": {"accretor/compute/"},
    "netrc": {"accretor/sending/credentials.py"},
    "getpass": {"accretor/sending/credentials.py"},
    "keyring": {"accretor/sending/credentials.py"},
    "pyarrow": {"accretor/io/exports.py"},
    "pickle": set(),
    "random": set(),
}
"""Files that may import a library, or folders of them; imports for type checkers alone are free."""

ASKS_ENVIRONMENT = {
    "accretor/compute/",
    "accretor/sending/cookies.py",
    "accretor/sending/credentials.py",
    "accretor/stages/nova.py",  # the key of another service
    "accretor/stages/skynet.py",  # likewise
    "tasks/",
}
"""Files that may look at the environment, or folders of them."""

LATE = {"PIL", "astropy", "jinja2", "markupsafe", "matplotlib", "photutils", "requests", "scipy"}
"""Libraries that take long to load, and are loaded by the functions that need them."""


class Import(NamedTuple):
    """One name that a file imports."""

    file: str
    name: str
    """With dots, as ``accretor.science.angles`` or ``numpy``."""
    is_typing: bool
    """Only for type checkers."""
    is_late: bool
    """Inside a function."""


def imports(path: Path) -> list[Import]:
    """Return all that the file *path* imports."""
    found = []
    waiting = [(ast.parse(path.read_text(encoding="utf-8")), False, False)]
    while waiting:
        node, is_typing, is_late = waiting.pop()
        is_typing = is_typing or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        is_late = is_late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        waiting += [(child, is_typing, is_late) for child in ast.iter_child_nodes(node)]
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        file = path.relative_to(ROOT).as_posix()
        found += [Import(file, name, is_typing, is_late) for name in names]
    return found


FILES = [
    ROOT / "dodo.py",
    *(path for name in ("accretor", "tasks") for path in sorted((ROOT / name).rglob("*.py"))),
]
ALL = [found for path in FILES for found in imports(path)]
OURS = [found for found in ALL if found.name.split(".")[0] in ("accretor", "tasks", "dodo")]


def package(file: str) -> str:
    """Return the room of the house in which a file is."""
    parts = file.removesuffix(".py").split("/")
    return parts[1] if parts[0] == "accretor" else parts[0]


def is_below(name: str, allowed: set[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in allowed)


def is_through(file: str, doors: set[str]) -> bool:
    return any(file == door or (door.endswith("/") and file.startswith(door)) for door in doors)


def test_every_package_has_its_place_in_the_table():
    rooms = {
        path.parent.name if path.name == "__init__.py" else path.stem
        for path in (ROOT / "accretor").glob("*/__init__.py")
    }

    assert rooms | {"cli", "tasks"} == set(MAY_IMPORT)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_point_the_way_of_the_table(room):
    wrong = [
        f"{found.file} imports {found.name}"
        for found in OURS
        if package(found.file) == room
        and found.name.startswith("accretor.")
        and found.name != "accretor.__version__"
        and not is_below(found.name.removeprefix("accretor."), MAY_IMPORT[room] | {room})
    ]

    assert wrong == []


@pytest.mark.parametrize(
    ("room", "module"),
    [(room, name) for room, names in MAY_IMPORT.items() for name in sorted(names) if "." in name],
)
def test_an_exception_of_the_table_is_one_that_is_needed(room, module):
    assert [
        found for found in OURS if package(found.file) == room and found.name.startswith(f"accretor.{module}")
    ]


def test_nothing_but_dodo_and_the_tasks_themselves_imports_the_tasks():
    assert {package(found.file) for found in OURS if found.name.split(".")[0] == "tasks"} == {"dodo", "tasks"}


def test_nothing_imports_dodo():
    assert [found for found in OURS if found.name.split(".")[0] == "dodo"] == []


@pytest.mark.parametrize("library", DOORS)
def test_an_outside_library_comes_in_through_its_door(library):
    wrong = [
        found.file
        for found in ALL
        if found.name.split(".")[0] == library
        and not found.is_typing
        and not is_through(found.file, DOORS[library])
    ]

    assert wrong == []


def test_libraries_that_take_long_to_load_are_loaded_by_the_functions_that_need_them():
    early = [
        f"{found.file} imports {found.name}"
        for found in ALL
        if found.name.split(".")[0] in LATE
        and not found.is_late
        and not found.is_typing
        # The registry loads a module of plots when its figure is drawn.
        and not (found.file.startswith("accretor/plots/") and found.name.startswith("matplotlib."))
    ]

    assert early == []


def test_settings_words_and_the_inventory_load_without_numpy():
    names = sorted(
        found.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        for room in ("core", "instruments")
        for found in (ROOT / "accretor" / room).glob("*.py")
        if found.name != "arrays.py"  # which is about nothing else
    )
    script = f"import sys, accretor.io.inventory, {', '.join(names)}; sys.exit('numpy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=60, check=False).returncode == 0


def test_nothing_draws_from_a_random_state_that_others_share():
    drawn = [
        f"{path.relative_to(ROOT)}: {ast.unparse(node)}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and ast.unparse(node.value) in ("np.random", "numpy.random")
        and node.attr not in ("Generator", "PCG64", "SeedSequence")
    ]

    assert drawn == []


def test_the_environment_is_asked_in_few_places():
    asking = {
        path.relative_to(ROOT).as_posix()
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv")
    }

    assert [file for file in asking if not is_through(file, ASKS_ENVIRONMENT)] == []
