"""What happens before the graph is made: the workspace is entered and, for a run, taken."""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import doit
from doit.cmd_base import Command

from accretor.io.layout import Layout
from accretor.io.listing import Listing
from tasks import _lock, _memory, _names, _terminal, _trouble, _wishes, _workspace

READING_COMMANDS = {"list", "info", "help", "dumpdb", "tabcompletion"}
"""Commands of doit that do nothing to a workspace."""

READING_TASKS = {"why", "watch", "logout", "ttf", "show"}
"""Tasks that write nothing themselves."""

FIRST_TASKS = {"init", "doctor"}
"""Tasks that need no workspace, or one that is broken."""

WRITING_TASKS = {
    *_wishes.STAGES,
    *("check", "notes", "index", "upload", "ephemeris", "download", "fetch", "skynet"),
    *("export", "cite", "organize"),
}
"""All others: one run at a time does any of them."""


def begin() -> None:
    """Enter the workspace and, for a run, wait until it is free.

    The graph is made after this; so a run that waited for another sees what that
    one left, and the frames that came meanwhile.
    """
    _terminal.survive()
    layout = Layout(Path())
    try:
        command, asked = _asked()
        if command:
            _prepare(command)
        if asked and (FIRST_TASKS.issuperset(asked) or _is_about_a_folder(asked)):
            _workspace.enter_any()
            return
        name = command.get_name() if command else ""
        if name in {"help", "tabcompletion"} and not _workspace.is_there():
            _workspace.enter_none()
            return
        _workspace.enter()
        if name == "run" and any(word.partition(":")[0] == "fetch" for word in asked):
            _workspace.let_ask()
        if not _only_reads(name, asked):
            _lock.take(layout)
    except OSError as error:
        raise SystemExit(f"accretor: {_trouble.in_words(error)}") from None
    _memory.mend(layout.state)


def _prepare(command: Command) -> None:
    """Have *command* look at the names that it was given, and end quietly when its reader goes away.

    doit has no place of its own between the making of the graph and its use.
    """
    execute = command._execute

    @functools.wraps(execute)
    def prepared(**options: Any) -> Any:
        if not command.sel_default_tasks:
            others = command.loader.cmd_names if command.get_name() == "run" else ()
            command.sel_tasks[:] = _names.found(command.sel_tasks, command.task_list, others)
        command.outstream = _spoken(command.outstream)
        if "outfile" in options and not isinstance(options["outfile"], str):
            options["outfile"] = _spoken(options["outfile"])
        with contextlib.redirect_stdout(Listing(sys.stdout)):
            return execute(**options)

    command._execute = prepared


def _spoken(stream: TextIO) -> Listing:
    """Return a stream for people; doit holds the standard output from before the console script took it."""
    return Listing(sys.stdout if stream is sys.__stdout__ else stream)


def _is_about_a_folder(asked: list[str]) -> bool:
    """Return whether a package that anybody made is to be checked, for which no workspace is needed."""
    return asked == ["check"] and doit.get_var("folder", None) is not None


def _only_reads(command: str, asked: list[str]) -> bool:
    """Return whether what doit was asked for leaves the workspace as it is; when in doubt, not."""
    if command in READING_COMMANDS:
        return True
    stages = [name.partition(":")[0] for name in asked]
    is_reading = bool(stages) and stages[0] in READING_TASKS
    # What follows `why` is what is asked about.
    return is_reading and (stages[0] == "why" or not WRITING_TASKS.intersection(stages))


def _asked() -> tuple[Command | None, list[str]]:
    """Return the command and its arguments; None if they are not known.

    doit tells a dodo.py nothing of the command that loads it; so its own frame is asked.
    """
    frame: FrameType | None = inspect.currentframe()
    while frame is not None:
        names = frame.f_locals
        if frame.f_code.co_name == "execute" and isinstance(names.get("self"), Command):
            return names["self"], [str(name) for name in names.get("args") or ()]
        frame = frame.f_back
    return None, []
