"""The page of all visits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from accretor import __version__
from accretor.core import versions
from accretor.io import atomic
from accretor.report import record
from accretor.stages.bench import Done

if TYPE_CHECKING:
    from accretor.io.layout import Layout
    from accretor.stages.workspace import ObservationPlan, Workspace
from accretor.stages import pages
from accretor.stages.pages import Content

MOST_LEFT_OUT: Final = 200
"""Files that the index names; the inventory has all."""


def write(workspace: Workspace) -> Done:
    """Write the page of all visits."""
    from accretor.report import page

    layout = workspace.layout
    targets: dict[str, Content] = {}
    missing = []
    for visit, plans in workspace.visits.items():
        kept = record.read(layout.visit(visit).record).get("filters", {})
        for plan in plans:
            found = kept.get(plan.observation.filter)
            if found is None:
                missing.append(
                    [plan.observation.slug, "its stages have not come to an end; doit list says why"]
                )
                continue
            o_c = layout.o_c(visit.target)
            target = targets.setdefault(
                visit.target,
                {
                    "name": plan.target.name,
                    "o_c": pages.relative(o_c, layout.products) if o_c.is_file() else "",
                    "observations": [],
                },
            )
            target["observations"].append(_index_row(plan, found, layout))
    left_out = [[path, reason] for path, reason in workspace.left_out]
    content: Content = {
        "title": "Observations",
        "version": __version__,
        "n_observation": sum(len(target["observations"]) for target in targets.values()),
        "targets": list(targets.values()),
        "missing": missing,
        "missing_columns": pages.columns("observation", "why+"),
        "left_out": left_out[:MOST_LEFT_OUT],
        "left_out_columns": pages.columns("file+", "why+"),
        "n_more": max(0, len(left_out) - MOST_LEFT_OUT),
    }
    atomic.write_text(layout.index, page.index(content))
    n = content["n_observation"]
    return Done((layout.index,), f"index.html, {n} observation{'' if n == 1 else 's'}")


def seen(workspace: Workspace) -> dict[str, str]:
    """Return digests of what the index is made from; it is written when all else is done."""
    layout = workspace.layout
    found = {
        visit.slug: f"{pages.digest(layout.visit(visit).record)} {layout.o_c(visit.target).is_file()}"
        for visit in workspace.visits
    }
    listed = json.dumps(workspace.left_out)
    return {
        "version of the stage": f"{versions.REPORT} {__version__}",
        "files left out": hashlib.sha256(listed.encode()).hexdigest(),
        "observations": ", ".join(plan.observation.slug for plan in workspace.observations),
        **{f"record of {slug}": digest for slug, digest in found.items()},
    }


def _index_row(plan: ObservationPlan, kept: Mapping[str, Any], layout: Layout) -> Content:
    now, observation = kept["now"], plan.observation
    ratio, error = now["rp_rs"], now["rp_rs_error"]
    scatter = now["rms_per_point_ppt"]
    said = f"{observation.slug}: " + ", ".join(
        f"{one['name']}: {one['value']}" for one in kept["verdicts"][:2]
    )
    return {
        "report": pages.relative(layout.visit(observation.visit).report, layout.products),
        "night": observation.night,
        "telescope": observation.telescope,
        "filter": observation.filter,
        "spark": {**kept["spark"], "alt": f"Light curve of {said}"},
        "frames": f"{now['n_frame_good']} of {now['n_frame_good'] + now['n_frame_poor']}",
        "scatter": pages.number(scatter, 2),
        "ratio": f"{ratio:.4f} ± {error:.4f}" if ratio is not None and error is not None else "no fit",
        "verdicts": kept["verdicts"],
    }
