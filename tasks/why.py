"""Say why a piece of work would be done, and how much of it; nothing is done.

    doit why                          everything that is not up to date
    doit why photometry:TOI-1234.01   one stage of one target, and what it needs

Names the input, the setting or the version that changed since the work was last
done, and how many frames would be measured.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from doit.exceptions import TaskFailed
from doit.task import Task

from accretor.core.dumps import FORCED, FRAMES, PHOTOMETRY, STARS, Schema
from accretor.core.errors import AccretorError
from accretor.stages.rows import n_pending
from accretor.stages.workspace import ObservationPlan
from tasks import _blocked, _wishes, _workspace
from tasks._graph import NOT_DONE, Doc, reasons

_ROW_STAGES: dict[str, tuple[Schema, str]] = {
    "preprocess": (FRAMES, "frames"),
    "registration": (STARS, "image_info"),
    "photometry": (PHOTOMETRY, "photometry_info"),
    "forced": (FORCED, "forced_info"),
}
"""Stages that work frame by frame: schema and name of the readable dump."""

_NEEDED_BY = {
    "forced": ("forced", "neb", "packaging"),
    "neb": ("neb", "packaging"),
    "plotting": ("plotting", "packaging"),
}
"""Stages that not all later stages need."""


def tasks() -> Iterator[Task]:
    """Yield the one task."""
    task = Task("why", [tell], pos_arg="names", verbosity=2, uptodate=[False], meta={"is_command": True})
    task.doc = Doc(__doc__ or "", lambda: "says what would be done, and why")
    yield task


def tell(names: list[str] | None) -> TaskFailed | None:
    """Print the reasons for the tasks *names* and what they need, or for all."""
    leaves = [
        task
        for stage in _wishes.STAGES
        for task in importlib.import_module(f"tasks.{stage}").tasks()
        if task.actions
    ]
    wanted = leaves if not names else [leaf for leaf in leaves if _is_needed(leaf.name, names)]
    if not wanted:
        return TaskFailed(f"no task is called {' or '.join(names or [])}; see doit list --all")
    lines = [line for leaf in wanted for line in _lines(leaf)]
    for line in lines or ["everything is up to date"]:
        print(line)
    return None


def _is_needed(name: str, names: list[str]) -> bool:
    """Return whether the leaf *name* is one of the tasks asked for, or comes before one of them."""
    stage, _, slug = name.partition(":")
    for wanted in names:
        wanted_stage, _, part = wanted.partition(":")
        if wanted_stage not in _wishes.STAGES:
            continue
        is_before = wanted_stage in _NEEDED_BY.get(stage, _wishes.STAGES[_wishes.STAGES.index(stage) :])
        if is_before and (not part or f"{slug}/".startswith(f"{part}/") or f"{part}/".startswith(f"{slug}/")):
            return True
    return False


def _lines(leaf: Task) -> Iterator[str]:
    stage, _, slug = leaf.name.partition(":")
    found = reasons(leaf)
    if failed := _blocked.reason(stage, slug):
        yield f"{leaf.name}  failed the last time: {failed}"
    if found:
        yield f"{leaf.name}  {_amount(stage, slug)}"
        yield from (
            f"    {reason}" for reason in (["it has not been done yet"] if found == [NOT_DONE] else found)
        )


def _amount(stage: str, slug: str) -> str:
    if stage not in _ROW_STAGES:
        return "would be made"
    plan = next(plan for plan in _workspace.current().observations if plan.observation.slug == slug)
    n = _n_frame(stage, plan)
    return (
        "how many frames to measure depends on the stages before" if n is None else f"{n} frames to measure"
    )


def _n_frame(stage: str, plan: ObservationPlan) -> int | None:
    """Return how many frames would be measured; None if that is not known before the stages before ran."""
    workspace = _workspace.current()
    schema, dump_name = _ROW_STAGES[stage]
    module: Any = importlib.import_module(f"accretor.stages.{stage}")
    try:
        jobs = module.jobs(plan, workspace.layout, plan.settings)
    except (AccretorError, FileNotFoundError, StopIteration, KeyError):
        return None
    return n_pending(schema, getattr(plan.paths, dump_name), jobs)
