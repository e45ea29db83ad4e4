"""Names, groups and up-to-date checks of the graph; it knows no astronomy.

A stage is a group of targets, a target a group of observations (or visits), and a
leaf one of these: ``photometry`` > ``photometry:TOI-1234.01`` >
``photometry:TOI-1234.01/20250223/LCO-CTIO-1m0/gp``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from doit import Globals
from doit.task import Task

from accretor.io import dump, journal
from accretor.io.layout import Layout
from accretor.stages.rows import fingerprint
from tasks import _blocked

NOT_DONE = "it has not been done"

_FILE_REASONS = {
    "changed_file_dep": "changed",
    "missing_file_dep": "is not there yet",
    "added_file_dep": "was not needed before",
    "missing_target": "is not there",
}
"""doit's words for what is the matter with files, and ours."""


class Doc(str):
    """The help of a task, which `doit help` prints; `doit list` formats it, and gets its state instead.

    The state is looked up only then, so that a run does not pay for it.
    """

    state: Callable[[], str]

    def __new__(cls, text: str, state: Callable[[], str]) -> Doc:
        """Make the help *text* with a function that tells the state."""
        doc = super().__new__(cls, text)
        doc.state = state
        return doc

    def __format__(self, spec: str) -> str:
        return format(self.state(), spec)

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (str(self),)  # the processes of `doit -n` need no state


class Member(str):
    """Name of the group of a leaf that is also in a second group: it equals both names.

    doit only ever asks whether ``task.subtask_of == group.name``.
    """

    other: str
    __hash__ = str.__hash__

    def __new__(cls, name: str, other: str) -> Member:
        """Make the name of one group, which equals that of another too."""
        member = super().__new__(cls, name)
        member.other = other
        return member

    def __eq__(self, name: object) -> bool:
        return str.__eq__(self, name) is True or name == self.other

    def __ne__(self, name: object) -> bool:
        return not self == name

    def __reduce__(self) -> tuple[Any, ...]:
        return Member, (str(self), self.other)


class Unchanged:
    """Up to date as long as what the work is made with, and every file that it left, are as they were.

    doit itself looks only whether a target exists. A file whose size and time are
    as they were is taken to be the same; else its digest decides.
    """

    def __init__(
        self, made_with: Mapping[str, str], *, later: Callable[[], Mapping[str, str]] | None = None
    ) -> None:
        self._fixed = dict(made_with)
        self._later = later
        self.made_with = dict(made_with)
        self.found: list[str] | None = None
        """What `reasons` found."""

    def __call__(self, task: Any, values: dict[str, Any]) -> bool:
        """Compare with what the last run saved, and have this run save the like."""
        task.value_savers.append(lambda: {"made_with": self.made_with, "stands": _stands(task.values)})
        return not self.reasons(values)

    def reasons(self, values: Mapping[str, Any]) -> list[str]:
        """Return why the task is not up to date, in words, given what its last run saved."""
        if self._later is not None:
            self.made_with = {**self._fixed, **self._later()}
        before = values.get("made_with")
        if not isinstance(before, dict):
            return [NOT_DONE]
        found = [f"{name} changed" for name, value in self.made_with.items() if before.get(name) != value]
        if not values.get("is_final", True):
            found.append("some frames failed for a reason that may pass")
        stands: dict[str, list[Any]] = values.get("stands") or {}
        for path, state in stands.items():
            if not Path(path).is_file():
                found.append(f"{path} is gone")
            elif not _is_same(Path(path), state):
                found.append(f"{path} was changed by hand or by another program")
        return found if stands else [*found, "it left no file"]


@dataclass(frozen=True)
class Leaf:
    """One piece of work of a stage."""

    target: str
    """Folder name of the target."""
    name: str
    """Slug of the observation or visit."""
    action: Callable[..., Any]
    arguments: tuple[Any, ...]
    file_dep: Sequence[Path]
    targets: Sequence[Path]
    made_with: Mapping[str, str]
    """Digest of everything but files that the work depends on, under a name for people."""
    state: Callable[[], str]
    """Tells in one line how far this is."""
    later: Callable[[], Mapping[str, str]] | None = None
    """Returns digests of what may come while others work, and is looked at when the turn comes."""
    is_command: bool = False
    """It is run whenever it is named, is never up to date, and counts among no stages."""
    is_asked_for: bool = False
    """To be done now, up to date or not."""
    owned: Sequence[Path] = ()
    """Folders whose files are all of this piece of work."""


def stage(name: str, text: str, leaves: Iterable[Leaf], state: Callable[[str], str]) -> Iterator[Task]:
    """Yield the tasks of a stage: its group, its targets, its leaves.

    Parameters
    ----------
    name
        Of the stage.
    text
        Help of the stage.
    state
        Tells in one line how far a target with several leaves is; with "" the whole stage.
    """
    by_target: dict[str, list[Leaf]] = {}
    for leaf in leaves:
        by_target.setdefault(leaf.target, []).append(leaf)
    tasks = {
        target: [_leaf(name, f"{name}:{target}", leaf, text) for leaf in members]
        for target, members in by_target.items()
    }
    everything = [task for members in tasks.values() for task in members]
    groups = [f"{name}:{target}" for target in tasks]
    yield _group(name, groups, everything, text, lambda: state(""))
    for target, members in tasks.items():
        yield _group(f"{name}:{target}", [], members, text, partial(state, target))
        yield from members


def reasons(task: Task) -> list[str]:
    """Return why a leaf is not up to date, in words; nothing if it is."""
    check = next(check for check, _, _ in task.uptodate if isinstance(check, Unchanged))
    if check.found is None:  # a list asks for each leaf, for its target and for its stage
        check.found = _reasons(task, check)
    return check.found


def _reasons(task: Task, check: Unchanged) -> list[str]:
    manager = Globals.dep_manager
    found = check.reasons(manager.get_values(task.name))
    if found == [NOT_DONE]:
        return found
    status = manager.get_status(task, {}, get_log=True)
    for kind, words in _FILE_REASONS.items():
        found += [f"{path} {words}" for path in status.reasons.get(kind, ())]
    return list(dict.fromkeys(found))


def _group(name: str, groups: list[str], members: list[Task], text: str, state: Callable[[], str]) -> Task:
    task = Task(name, None, task_dep=[*groups, *(member.name for member in members)], has_subtask=True)
    task.doc = Doc(text, partial(_group_state, members, state))
    return task


def _group_state(members: list[Task], state: Callable[[], str]) -> str:
    if len(members) == 1:
        return f"{members[0].doc}"
    n_stale = sum(reasons(task) not in ([], [NOT_DONE]) for task in members)
    return state() + (f"; {n_stale} stale" if n_stale else "")


def _leaf_state(task: Task, leaf: Leaf) -> str:
    found = [] if leaf.is_command else reasons(task)
    stale = f"; stale: {found[0]}" if found and found != [NOT_DONE] else ""
    return leaf.state() + stale


def _leaf(stage_name: str, group: str, leaf: Leaf, text: str) -> Task:
    task = Task(
        f"{stage_name}:{leaf.name}",
        [(leaf.action, [stage_name, leaf.name, *leaf.arguments])],
        file_dep=[str(path) for path in leaf.file_dep],
        targets=[str(path) for path in leaf.targets],
        uptodate=[Unchanged(leaf.made_with, later=leaf.later), *([False] if leaf.is_asked_for else [])],
        clean=[(clean, [stage_name, leaf.name, list(leaf.targets), list(leaf.owned)])],
        verbosity=2,
        meta={"is_command": leaf.is_command},
    )
    task.subtask_of = Member(stage_name, group)
    task.doc = Doc(text, partial(_leaf_state, task, leaf))
    return task


def clean(stage_name: str, name: str, targets: list[Path], folders: list[Path], dryrun: bool) -> None:
    """Remove what a piece of work left: its targets, files and folders of its own, and what goes with them.

    Raises
    ------
    Blocked
        If one of the folders is a link: what is there may be someone else's.
    """
    Layout(Path()).refuse_links(*(path.parent for path in targets), *folders)
    inside = [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())]
    beside = [other for path in targets for other in (journal.path_of(path), dump.aside_of(path))]
    for path in [*targets, *beside, *folders, *inside]:
        if path.is_file():
            print(f"remove {path}")
            if not dryrun:
                path.unlink()
    if not dryrun:
        _blocked.forget(stage_name, name)


def digests(parts: Mapping[str, Any]) -> dict[str, str]:
    """Return a short digest of each part of what a piece of work is made with."""
    return {name: fingerprint(value) for name, value in parts.items()}


def _stands(values: dict[str, Any]) -> dict[str, list[Any]]:
    return {path: _state_of(Path(path)) for path in values.get("files", ()) if Path(path).is_file()}


def _state_of(path: Path) -> list[Any]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns, _digest(path)]


def _is_same(path: Path, state: list[Any]) -> bool:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return False
    size, mtime_ns, digest = state
    return bool(stat.st_size == size and (stat.st_mtime_ns == mtime_ns or _digest(path) == digest))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
