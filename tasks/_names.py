"""Names of tasks as people type them: brought to those of the graph, or refused with what there is."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase

from doit.cmdparse import CmdOption, TaskParse
from doit.task import Task

from accretor.core.slug import slug

_SHOWN = 8
"""Names that a message tells at most."""


def found(words: Sequence[str], tasks: Iterable[Task], commands: Collection[str]) -> list[str]:
    """Return *words* of the command line with each name as it is in the graph.

    A name of a header or of the workspace file is as good as its folder:
    ``check:HAT-P-32 b`` is ``check:HAT-P-32-b``.

    Parameters
    ----------
    words
        Names of tasks, files that a task leaves, or patterns with ``*``; options of a
        task after it are left as they are.
    tasks
        All tasks that there are.
    commands
        Other words that may have been meant.

    Raises
    ------
    SystemExit
        If there is no such task: one line that tells what there is.
    """
    by_name = {task.name: task for task in tasks}
    files = {target for task in by_name.values() for target in task.targets}
    names: list[str] = []
    rest = list(words)
    while rest:
        word, *rest = asked = rest
        name = word if word in by_name or word in files or word.startswith("-") else _plain(word)
        is_known = any(fnmatchcase(one, name) for one in by_name) if "*" in name else name in by_name
        if not (is_known or name in files or name.startswith("-")):
            raise SystemExit(f"accretor: {word}: {_what_there_is(asked, by_name, commands)}")
        names.append(name)
        if name in by_name and by_name[name].params:
            options = TaskParse([CmdOption(option) for option in by_name[name].params])
            _, further = options.parse(rest)
            taken = len(rest) - len(further)
            names += rest[:taken]
            rest = rest[taken:]
    return names


def _plain(word: str) -> str:
    """Return a name with target, night, telescope and filter as their folders are called."""
    stage, colon, rest = word.partition(":")
    if not colon or "*" in rest:
        return word
    return f"{stage}:{'/'.join(slug(part) for part in rest.split('/'))}"


def _what_there_is(words: Sequence[str], names: Iterable[str], commands: Collection[str]) -> str:
    """Return what is wrong with the first of *words*, and which names there are."""
    stage, colon, _ = words[0].partition(":")
    stages = [name for name in names if ":" not in name]
    if stage not in stages:
        known = [*stages, *commands]
        near = _nearest(stage, known)
        return f"there is no such {'stage' if colon else 'command or stage'}; " + (
            f"did you mean {near}?" if near else "`doit list` has the stages, `doit help` the commands"
        )
    members = [name for name in names if name.startswith(f"{stage}:")]
    if not members:
        return f"{stage} has nothing to work on yet; `doit list` tells what there is"
    if "*" in words[0]:
        return f"nothing fits this pattern; {_some(stage, members)}"
    # The shell takes a name with a space apart.
    near = _nearest(_plain(" ".join(words)), members) or _nearest(_plain(words[0]), members)
    target, _, _ = words[0].partition("/")
    if target in members:
        kind, members = "observation", [name for name in members if name.startswith(f"{target}/")]
    else:
        kind = "target"
    meant = f"did you mean {near}? " if near else ""
    return f"there is no such {kind}; {meant}{_some(stage, members)}"


def _some(stage: str, members: Sequence[str]) -> str:
    """Return the targets among *members*, or where there are none the observations."""
    names = [name.partition(":")[2] for name in members]
    names = [name for name in names if "/" not in name] or names
    further = f" and {len(names) - _SHOWN} more (`doit list --all` has all)" if len(names) > _SHOWN else ""
    return f"{stage} is for {', '.join(names[:_SHOWN])}{further}"


def _nearest(word: str, known: Sequence[str]) -> str | None:
    """Return the known name most like *word*, whatever its capitals; one that it begins first."""
    folded = {name.casefold(): name for name in known}
    begun = [name for name in folded if name.startswith(word.casefold())]
    near = begun or difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None
