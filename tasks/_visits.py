"""What the tasks of the stages that work on visits (all filters of a night) share."""

from __future__ import annotations

from collections.abc import Callable

from accretor.core.observation import Visit
from accretor.io.layout import VisitPaths
from accretor.stages.workspace import ObservationPlan
from tasks import _workspace


def plans_of(slug: str) -> tuple[ObservationPlan, ...]:
    """Return the observations of the visit with this slug."""
    return next(plans for visit, plans in _workspace.current().visits.items() if visit.slug == slug)


def state_of(target: str, one: Callable[[VisitPaths], str]) -> str:
    """Return in one line how far the visits of *target* (all with "") are."""
    workspace = _workspace.current()
    found: list[Visit] = [visit for visit in workspace.visits if target in ("", visit.target)]
    if not found:
        return "no frames"
    states = [one(workspace.layout.visit(visit)) for visit in found]
    if len(states) == 1:
        return states[0]
    return ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
