"""Running doit on a workspace as users do, and saying what ran."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from accretor.synthetic import demo, frames
from accretor.synthetic.night import BadFrame, Cloud, Night

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"

SMALL: Night = dataclasses.replace(
    demo.DEMO,
    seed=11,
    n_frame=24,
    cadence=600.0,
    size=(160, 128),
    n_star=24,
    cloud=Cloud(depth=0.3, hour=1.0, sigma=8.0),
    bad_frame=BadFrame(index=5, fault="trailed"),
)
"""The demo's night in few and small frames: a run of all stages but the figures takes about a second."""

_LINE = re.compile(r"^(\w+) +(\S+)  (.*)  \([\d.]+ s\)$")
_FAILED = re.compile(r"^(\w+) +(\S+)  FAILED: (.*)$")
_CHANGES = re.compile(r"<!-- changes -->.*?<!-- /changes -->", re.DOTALL)
_COUNTS = re.compile(r"(\d+) measured, (\d+) kept")


@dataclass(frozen=True)
class Run:
    """What a run did."""

    status: int
    out: str
    err: str

    @property
    def done(self) -> dict[str, str]:
        """What each task that ran said of itself, by its name ``stage:observation``."""
        found = (_LINE.match(line) for line in self.out.splitlines())
        return {f"{match[1]}:{match[2]}": match[3] for match in found if match}

    @property
    def failed(self) -> dict[str, str]:
        """Why each task that failed did so."""
        found = (_FAILED.match(line) for line in self.out.splitlines())
        return {f"{match[1]}:{match[2]}": match[3] for match in found if match}

    @property
    def stages(self) -> list[str]:
        """The stages that ran, each once, in their order."""
        return list(dict.fromkeys(task.partition(":")[0] for task in self.done))

    def measured(self, stage: str) -> int:
        """Return how many frames *stage* measured, in all observations; 0 if it did not run."""
        counts = (_COUNTS.search(said) for task, said in self.done.items() if task.startswith(f"{stage}:"))
        return sum(int(match[1]) for match in counts if match)


@contextlib.contextmanager
def blank_figures() -> Iterator[None]:
    """Have what runs in this process draw blank figures: drawing takes longer than all the rest."""
    from matplotlib.figure import Figure

    from accretor.plots.registry import FigureEntry

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FigureEntry, "load", lambda entry: lambda *_, **__: Figure(figsize=(1, 1)))
        yield


def make(
    folder: Path, night: Night = SMALL, *, lights: range | list[int] | None = None, config: str = ""
) -> Path:
    """Make a workspace with a simulated *night* (or only some of its light frames), and return it."""
    frames.write(night, folder, lights=lights)
    # Starting processes would cost more than all the work on such frames.
    compute = "" if "[compute]" in config else '\n[compute]\nexecutor = "serial"\n'
    (folder / "workspace.toml").write_text(demo.WORKSPACE + compute + config, encoding="utf-8")
    return folder


def run(workspace: Path, *arguments: str) -> Run:
    """Run doit in this process (twice as fast as another one) with output and current folder given back."""
    from doit import Globals, cmd_run
    from doit.doit_cmd import DoitMain

    out, err = io.StringIO(), io.StringIO()
    cmd_run.opt_outfile["default"] = out  # doit takes the one that there was when it was loaded
    here, path = Path.cwd(), list(sys.path)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    hooks = sys.excepthook, sys.unraisablehook
    for name in [name for name in sys.modules if name == "dodo" or name.split(".")[0] == "tasks"]:
        del sys.modules[name]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            command = ["-f", str(ROOT / "dodo.py"), *arguments, f"workspace={workspace}"]
            try:
                status = int(DoitMain(config_filenames=()).run(command) or 0)
            except SystemExit as stop:
                status = stop.code if isinstance(stop.code, int) else 3
                err.write("" if isinstance(stop.code, int) else f"{stop.code}\n")
    finally:
        if lock := sys.modules.get("tasks._lock"):
            lock.give_back()  # as the end of a process would
        if Globals.dep_manager is not None:
            Globals.dep_manager.backend._conn.close()  # doit itself leaves it open where it only looks
            Globals.dep_manager = None
        os.chdir(here)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        sys.excepthook, sys.unraisablehook = hooks
        sys.path[:] = path
    return Run(status, out.getvalue(), err.getvalue())


def start(workspace: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start doit in a process of its own, with its own process group."""
    command = [
        sys.executable,
        "-m",
        "doit",
        "-f",
        str(ROOT / "dodo.py"),
        *arguments,
        f"workspace={workspace}",
    ]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=os.name != "nt",
    )


def spawn(workspace: Path, *arguments: str) -> Run:
    """Run doit in a process of its own."""
    process = start(workspace, *arguments)
    out, err = process.communicate(timeout=240)
    return Run(process.returncode, out, err)


def tree(folder: Path, *, without: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the sha256 of every file below *folder* by its relative name."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in without
    }


CACHES = (".holder.json", "digests.jsonl", "doit.sqlite", "figures.json", "inventory.ecsv", ".lock")
"""Files of work/ that tell of this machine and this day, or only save time."""


def results(workspace: Path) -> dict[str, str]:
    """Return the sha256 of all dumps and products of a workspace.

    What changed since an earlier reduction is history, and no part of the result.
    """
    found = tree(workspace / "work", without=CACHES) | {
        f"products/{name}": digest
        for name, digest in tree(workspace / "products", without=("history.json",)).items()
    }
    for path in (workspace / "products").rglob("report.html"):
        page = path.read_text(encoding="utf-8")
        without = _CHANGES.sub("", page).encode("utf-8")
        assert len(without) < len(page.encode("utf-8"))
        found[f"products/{path.relative_to(workspace / 'products').as_posix()}"] = hashlib.sha256(
            without
        ).hexdigest()
    return found
