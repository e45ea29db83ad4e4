"""How far each stage is, in one line, from the headers of the dumps."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from typing import Any

from accretor.core.errors import DumpError
from accretor.io import dump
from accretor.plots.registry import FIGURES
from accretor.stages import results
from accretor.stages.workspace import ObservationPlan
from tasks import _blocked, _workspace

Counts = Counter[str]


def of_stage(name: str, target: str) -> str:
    """Return how far stage *name* is with *target*, or with everything if that is empty."""
    plans = [plan for plan in _workspace.observations(name) if target in ("", plan.observation.target)]
    if not plans:
        return "no table" if name == "aij" else _without_frames(name)
    if len(plans) == 1:
        return of_observation(name, plans[0])
    counts = [_counts(name)(plan) for plan in plans]
    total: Counts = Counter()
    for count in counts:
        total.update(count)
    n_done = sum(not count.get("new") for count in counts)
    return f"{n_done} of {len(plans)} observations; {_words(total)}"


def _without_frames(name: str) -> str:
    """Return that there are no frames; for the first stage, also why most of the files are none."""
    left_out = _workspace.current().left_out if name == "preprocess" else ()
    if not left_out:
        return "no frames"
    (reason, n), *_ = Counter(reason for _, reason in left_out).most_common(1)
    files = "1 file is" if len(left_out) == 1 else f"{len(left_out)} files are"
    return f"no frames; {files} left out, {n} of them for: {reason}"


def of_observation(name: str, plan: ObservationPlan) -> str:
    """Return how far stage *name* is with one observation."""
    slug = plan.observation.slug
    if blocked := _blocked.reason(name, slug):
        what, _, rest = blocked.removeprefix(f"{slug}: ").partition("; ")
        return f"blocked: {what}{' (doit why says what to do)' if rest else ''}"
    if name == "calibration":
        with contextlib.suppress(OSError, DumpError):
            return results.said(results.read(plan.paths.results))
    if name == "neb" and (meta := _meta(plan.paths.neighbours)).get("n_neighbour"):
        return f"{meta['said']}".rstrip(".")
    if name in _REMARKED and (meta := _meta(getattr(plan.paths, _REMARKED[name]))).get("remarks"):
        return f"{meta['remarks'][0]}"
    if name == "zeropoint" and (meta := _meta(plan.paths.zero_points)):
        return results.said_of_zero_point(meta)
    if name == "template" and (meta := _meta(plan.paths.template_stars)):
        return f"{meta['frame']}, plate solution: {meta['solution']}{_better(_meta(plan.paths.template))}"
    better = _better_dark(_meta(plan.paths.masters)) if name == "preprocess" else ""
    return _words(_counts(name)(plan)) + better


def _better_dark(meta: dict[str, Any]) -> str:
    """Return by how much the self-dark would be better if its frames were chosen now."""
    choice = meta.get("self_dark") or {}
    if not choice.get("gain"):
        return ""
    return (
        f"; a self-dark of {choice['n_now']} frames would now have {choice['gain']:.0%} less noise "
        "(doit renew=...)"
    )


_REMARKED = {"forced": "forced_info", "neb": "neighbours"}
"""Stages that may have nothing to do, and say why in the header of a dump."""


def _better(meta: dict[str, Any]) -> str:
    """Return what would now be chosen as the template, if that is another frame."""
    if not meta.get("gain") or meta["best"] == meta["template"]:
        return ""
    return f"; {meta['best']} would now score {meta['gain']:.2f} better (doit renew=...)"


def _words(counts: Counts) -> str:
    n_frame = counts.pop("frames", 0)
    parts = [
        f"{counts[word]} {word}" for word in ("good", "poor", "error", "new", "made") if counts.get(word)
    ]
    head = f"{n_frame} frames: " if n_frame else ""
    return head + (", ".join(parts) or "nothing done yet")


def _meta(path: Any) -> dict[str, Any]:
    try:
        return dump.read_meta(path)
    except (DumpError, OSError):  # what cannot be read is told by the run
        return {}


def _frames(*dumps: str) -> Callable[[ObservationPlan], Counts]:
    """Count the frames of a stage; *dumps* are its readable dump, and before it those of the stages before.

    A frame that an earlier stage found poor is poor, and not new.
    """

    def counts(plan: ObservationPlan) -> Counts:
        summaries = [Counter(_meta(getattr(plan.paths, name)).get("summary", {})) for name in dumps]
        *before, own = summaries
        n_dropped = sum(
            n for summary in before for word, n in summary.items() if word not in ("frames", "good")
        )
        n_known = own.pop("frames", 0)
        own["frames"] = len(plan.frames)
        if n_known:
            own["poor"] += n_dropped
        own["new"] = max(len(plan.frames) - n_known - n_dropped, 0)
        return +own

    return counts


def _made(path_of: Callable[[ObservationPlan], Any]) -> Callable[[ObservationPlan], Counts]:
    def counts(plan: ObservationPlan) -> Counts:
        is_made = path_of(plan).exists()
        return Counter({"made": int(is_made), "new": int(not is_made)})

    return counts


def _counts(name: str) -> Callable[[ObservationPlan], Counts]:
    """Return how stage *name* is counted; by default by its dump, whose path has the stage's name."""
    return _COUNTS.get(name) or _made(lambda plan: getattr(plan.paths, name))


_COUNTS: dict[str, Callable[[ObservationPlan], Counts]] = {
    "preprocess": _frames("frames"),
    "registration": _frames("frames", "image_info"),
    "template": _made(lambda plan: plan.paths.template_stars),
    "photometry": _frames("frames", "image_info", "photometry_info"),
    "aij": lambda plan: Counter(_meta(plan.paths.photometry_info).get("summary", {})) or Counter(new=1),
    "zeropoint": _made(lambda plan: plan.paths.zero_points),
    "calibration": _made(lambda plan: plan.paths.results),
    "forced": _frames("frames", "image_info", "forced_info"),
    "neb": _made(lambda plan: plan.paths.neighbours),
    "plotting": _made(lambda plan: plan.paths.plots / FIGURES[0].tail),
}
