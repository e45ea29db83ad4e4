"""What the tasks of all stages that work on observations share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from doit.task import Task

from accretor.plots import registry
from accretor.stages import nebnames
from accretor.stages.workspace import ObservationPlan
from tasks import _stage, _state, _wishes, _workspace
from tasks._graph import Leaf, digests, stage


def tasks(
    name: str,
    text: str,
    *,
    files: Callable[[ObservationPlan], tuple[Sequence[Path], Sequence[Path]]],
    made_with: Callable[[ObservationPlan], Mapping[str, Any]],
    further: Iterable[Leaf] = (),
) -> Iterator[Task]:
    """Yield the tasks of a stage that works on one observation at a time.

    Parameters
    ----------
    files
        Returns what the stage reads, and what it leaves.
    made_with
        Returns everything but files that the outcome depends on, by names for people.
    further
        Leaves of the stage that work on several observations.
    """
    plans = _workspace.observations(name)
    leaves = [_leaf(name, plan, files(plan), digests(made_with(plan))) for plan in plans]
    yield from stage(name, text, [*leaves, *further], lambda target: _state.of_stage(name, target))


def run(name: str, slug: str) -> Any:
    """Do the stage *name* for the observation *slug*; this is the action of every leaf."""
    import importlib

    workspace = _workspace.current()
    plan = next(plan for plan in workspace.observations if plan.observation.slug == slug)
    module = importlib.import_module(f"accretor.stages.{name}")
    return _stage.perform(
        name,
        slug,
        lambda bench: module.run(plan, workspace.layout, plan.settings, bench),
        writes=(plan.paths.master("bias").parent, plan.paths.calibrated, plan.paths.plots),
    )


_OPTIONAL = {entry.name: entry.tail for entry in registry.OPTIONAL}

_OWNED: dict[str, Callable[[ObservationPlan], list[Path]]] = {
    "preprocess": lambda plan: [plan.paths.folder / "masters"],
    "photometry": lambda plan: [plan.paths.calibrated],
    "zeropoint": lambda plan: [plan.paths.plots / _OPTIONAL["zero_points"]],
    "forced": lambda plan: [plan.paths.plots / _OPTIONAL["limits"]],
    "neb": lambda plan: [plan.paths.plots / name for name in nebnames.FILES],
}
"""Folders whose files are all of one stage, and files that it may leave."""


def _leaf(
    name: str,
    plan: ObservationPlan,
    files: tuple[Sequence[Path], Sequence[Path]],
    made_with: Mapping[str, str],
) -> Leaf:
    reads, leaves = files
    return Leaf(
        target=plan.observation.target,
        name=plan.observation.slug,
        action=run,
        arguments=(),
        file_dep=reads,
        targets=leaves,
        made_with=made_with,
        state=lambda: _state.of_observation(name, plan),
        is_asked_for=_wishes.is_redone(name) or _wishes.is_renewed(name, plan.observation.slug),
        owned=_OWNED[name](plan) if name in _OWNED else [],
    )
