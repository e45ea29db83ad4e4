"""The workspace of this run, and the one run that may write in it."""

from __future__ import annotations

import atexit
import functools
import os
import sys
import tempfile
from pathlib import Path

import doit
from doit.doit_cmd import DoitMain

from accretor.core.errors import AccretorError
from accretor.core.settings import Target, WorkspaceSettings
from accretor.io.layout import CONFIG, Layout
from accretor.stages import catalogs as kept
from accretor.stages.workspace import ObservationPlan, Workspace, open_workspace
from tasks import _lock, _trouble

DEMO = "demo"
VARIABLE = "ACCRETOR_WORKSPACE"

_is_any: list[bool] = []
"""Not empty if the current folder need not be a workspace."""
_may_ask: list[bool] = []
"""Not empty if the command is one that may use the network before there is a graph."""


def locate() -> Path:
    """Return the folder of the workspace.

    It is the doit variable ``workspace=PATH``, else the environment's
    ACCRETOR_WORKSPACE, else the current folder if it is a workspace, else the demo.
    """
    here = Path(doit.get_initial_workdir())
    if named := doit.get_var("workspace", None) or os.environ.get(VARIABLE):
        return here / Path(named).expanduser()
    if (here / CONFIG).is_file():
        return here
    return here / DEMO


def enter() -> None:
    """Make the workspace the current folder.

    Names in doit's state are then relative to the workspace, which can be moved. A
    demo workspace that is not there yet is made.
    """
    root = locate()
    if root.name == DEMO and not (root / CONFIG).is_file() and not doit.get_var("workspace", None):
        _make_demo(root)
    if not root.is_dir():
        raise SystemExit(f"accretor: {root}: there is no such folder")
    if not (root / CONFIG).is_file():
        raise SystemExit(
            f"accretor: {root}: there is no {CONFIG}; `{command('init')}` writes one from the frames in raw/"
        )
    os.chdir(root)
    Layout(Path()).work.mkdir(exist_ok=True)


def is_there() -> bool:
    """Return whether the folder that is meant is a workspace."""
    return (locate() / CONFIG).is_file()


def enter_none() -> None:
    """Make an empty folder that ends with this program the current one: for who only wants to know the words.

    The graph is then that of an empty workspace.
    """
    _is_any.append(True)
    folder = tempfile.TemporaryDirectory(prefix="accretor-")
    atexit.register(folder.cleanup)
    atexit.register(os.chdir, Path.cwd())  # before the folder goes
    os.chdir(folder.name)
    Layout(Path()).work.mkdir()


def observations(stage: str) -> list[ObservationPlan]:
    """Return the observations that *stage* works on: those of frames, those of tables, or both."""
    plans = current().observations
    if stage == "aij":
        return [plan for plan in plans if not plan.frames]
    if stage in ("preprocess", "registration", "template", "photometry", "zeropoint", "forced", "neb"):
        return [plan for plan in plans if plan.frames]
    return list(plans)


def enter_any() -> None:
    """Make the folder that is meant the current one, be it a workspace or not.

    The graph is then that of an empty workspace.
    """
    named = doit.get_var("workspace", None) or os.environ.get(VARIABLE) or "."
    root = Path(doit.get_initial_workdir()) / Path(named).expanduser()
    if not root.is_dir():
        raise SystemExit(f"accretor: {root}: there is no such folder")
    os.chdir(root)
    Layout(Path()).work.mkdir(exist_ok=True)
    _is_any.append(True)


def shown(path: Path) -> str:
    """Return a path of the workspace as it is called from where the user is."""
    try:
        return os.path.relpath(path, doit.get_initial_workdir())
    except ValueError:  # on another drive of Windows
        return str(path.absolute())


def program() -> str:
    """Return the name by which this program was called: doit or accretor."""
    return "accretor" if DoitMain.BIN_NAME == "accretor" else "doit"


def command(task: str) -> str:
    """Return the command that does *task* in this workspace, as the user has to type it."""
    named = doit.get_var("workspace", None)
    return " ".join([program(), task, *([f"workspace={named}"] if named else [])])


@functools.cache
def current() -> Workspace:
    """Return the workspace that was entered, as it was when the run began.

    Who only reads while another run is at work leaves the inventory to that one.
    """
    root = Path()
    if _is_any:
        return Workspace(Layout(root), WorkspaceSettings(observer="", target=()), (), ())
    try:
        with _lock.if_free(Layout(root)) as is_held:
            workspace = open_workspace(
                root, progress=_reading, is_recorded=is_held, ask=_ask if _may_ask else None
            )
    except AccretorError as error:
        raise SystemExit(f"accretor: {error}") from None
    except OSError as error:
        raise SystemExit(f"accretor: {_trouble.in_words(error)}") from None
    for special in workspace.settings.observation:
        if not any(special.is_for(plan.observation.slug) for plan in workspace.observations):
            sys.stderr.write(
                f"accretor: {CONFIG}: [[observation]] {special.name}: there is no such observation yet; "
                "these settings are not used (`doit list --all` has the names)\n"
            )
    return workspace


def let_ask() -> None:
    """Let ExoFOP be asked for targets that nothing here tells the place of: for the command that fetches."""
    _may_ask.append(True)


def _ask(target: Target, layout: Layout, settings: WorkspaceSettings) -> list[str]:
    """Ask ExoFOP for a target of which nothing here tells the place."""
    from accretor.stages import identification

    sys.stderr.write(f"accretor: {target.name}: asking ExoFOP for what workspace.toml does not tell\n")
    return identification.fetch(target, layout, settings, lambda line: None)


def catalogs(plan: ObservationPlan) -> list[Path]:
    """Return the files of the catalogues of an observation's field that are there."""
    files = kept.files(current().layout, plan.settings, plan.target)
    return [path for path in files.values() if path.is_file()]


def _make_demo(root: Path) -> None:
    """Make the demo workspace, unless another run has made it while this one waited for it."""
    from accretor.synthetic import demo

    layout = Layout(root)
    layout.work.mkdir(parents=True, exist_ok=True)
    _lock.take(layout)
    try:
        if not layout.config.is_file():
            sys.stderr.write(f"No workspace here: making a night of known truth in {root.name}/ ...\n")
            demo.make(root)
    finally:
        _lock.give_back()


def _reading(done: int, total: int) -> None:
    """Tell of the headers that are read, where there are many."""
    if sys.stderr.isatty() and total > 500:
        sys.stderr.write(f"\rreading headers {done}/{total}" if done < total else "\r\x1b[K")
