"""What a run shows: one line for each piece of work, and at the end what there is now."""

from __future__ import annotations

import contextlib
import logging
import sys
import textwrap
import time
from typing import Any

from doit.reporter import ConsoleReporter

from tasks import (
    _blocked,
    _lock,
    _memory,
    _signals,
    _stage,
    _summary,
    _terminal,
    _trouble,
    _workspace,
)


class Reporter(ConsoleReporter):  # type: ignore[misc]  # doit has no types
    """Shows what is done, not what is up to date."""

    desc = "one line for each piece of work, then a summary"

    def __init__(self, outstream: Any, options: dict[str, Any]) -> None:
        super().__init__(outstream, options)
        self._handled = sys.exception()
        self._is_quiet = False
        self._begun = 0.0
        self._n_done = 0
        self._n_current = 0
        self._n_blocked = 0
        self._draws = False

    def initialize(self, tasks: Any, selected_tasks: Any) -> None:
        """Begin the log, unless the run only asks."""
        _memory.spare()
        self._is_quiet = all(_only_tells(tasks[name], tasks) for name in selected_tasks)
        self._draws = _draws(tasks, selected_tasks)
        if _lock.is_held():
            try:
                _start_log()
            except OSError as error:
                raise SystemExit(f"accretor: {_trouble.in_words(error)}") from None

    def execute_task(self, task: Any) -> None:
        """Remember when the work began; processes that will draw figures start during a fit."""
        _signals.heed()
        self._begun = time.monotonic()
        if self._draws and task.actions and task.name.startswith("calibration:"):
            _stage.get_ready()

    def add_success(self, task: Any) -> None:
        """Tell what was done."""
        if not task.actions or task.meta.get("is_command"):
            return
        self._n_done += 1
        stage, _, name = task.name.partition(":")
        said = task.values.get("said", "")
        self.write(f"{stage:<12} {name or 'workspace'}  {said}  ({time.monotonic() - self._begun:.1f} s)\n")

    def skip_uptodate(self, task: Any) -> None:
        """Count what needs no work."""
        self._n_current += bool(task.actions)

    def add_failure(self, task: Any, fail: Any) -> None:
        """Tell in one line what failed; what only waits for it is counted."""
        _signals.heed()
        self.failures.append({"task": task, "exception": fail})
        stage, _, name = task.name.partition(":")
        if fail.get_name() == "UnmetDependency":
            self._n_blocked += bool(task.actions)
        elif fail.get_name() == "TaskFailed":
            failed, why = _terminal.strong("FAILED"), fail.message.removeprefix(f"{name}: ")
            self.write(f"{stage:<12} {name}  {failed}: {why}\n")
        else:  # a bug of ours: everything that helps to find it
            trace = "".join(fail.traceback).rstrip()
            what = trace.rpartition("\n")[2] or fail.message
            where = _workspace.current().layout.log.as_posix()
            _blocked.remember(stage, name, f"a fault of accretor: {what}; {where} shows where")
            logging.getLogger("accretor").info("%s broke\n%s", task.name, trace)
            self.write(
                f"{stage:<12} {name}  {_terminal.strong('BROKE')}: {what}\n{textwrap.indent(trace, '  ')}\n"
                "  A fault of accretor, not of your frames: what needs this stage waits, all else is done. "
                f"Please report these lines with what `{_workspace.command('doctor')}` writes.\n"
            )

    def complete_run(self) -> None:
        """Tell what there is now, unless the run was broken off."""
        is_broken_off = sys.exception() is not self._handled
        _stage.close(at_once=is_broken_off)
        if not self._is_quiet and not is_broken_off:
            try:
                for line in _summary.lines(self._n_done, self._n_current, self._n_blocked):
                    self.write(f"{line}\n")
            except OSError as trouble:
                self.write(f"{_trouble.in_words(trouble)}\n")
        for error in self.runtime_errors:
            sys.stderr.write(f"{error}\n")
        _end_log()
        _lock.give_back()


def _only_tells(task: Any, tasks: Any) -> bool:
    """Return whether the output of a task, or of all members of a group, is all that a user wants to see."""
    if task.actions:
        return bool(task.meta and task.meta.get("is_command"))
    return bool(task.task_dep) and all(_only_tells(tasks[name], tasks) for name in task.task_dep)


def _draws(tasks: Any, selected: Any) -> bool:
    """Return whether figures are among what is asked for, and all that this needs."""
    seen: set[str] = set()
    waiting = list(selected)
    while waiting:
        name = waiting.pop()
        if name == "plotting" or name.startswith("plotting:"):
            return True
        if name not in seen:
            seen.add(name)
            waiting += tasks[name].task_dep
    return False


def _end_log() -> None:
    logger = logging.getLogger("accretor")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        with contextlib.suppress(OSError):  # the disk is full
            handler.close()


def _start_log() -> None:
    """Write what the stages say to the workspace's log, and warnings to the terminal too."""
    _end_log()  # of a run that came to no end
    logger = logging.getLogger("accretor")
    logger.setLevel(logging.INFO)
    path = _workspace.current().layout.log
    path.parent.mkdir(parents=True, exist_ok=True)
    to_file = logging.FileHandler(path, encoding="utf-8")
    to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(to_file)
    to_terminal = logging.StreamHandler(sys.stderr)
    to_terminal.setLevel(logging.WARNING)
    to_terminal.setFormatter(logging.Formatter("warning: %(message)s"))
    logger.addHandler(to_terminal)
    logger.propagate = False
    logging.raiseExceptions = False  # a log that cannot be written (a full disk) must not drown what is said
