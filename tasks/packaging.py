"""Make the package of each night: one flat folder with all that TFOP SG1 asks for.

    doit packaging:TOI-1234.01

Measurement table, plot configuration and apertures for AstroImageJ, the figures,
the plate-solved image, the notes; all filters of a night and telescope in one
folder, named as ExoFOP's upload tools want it. manifest.json beside the folder
has the sha256 of every file, and what is missing, if anything.

Settings: [packaging], [plotting] title.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from doit.task import Task

from accretor.core import versions
from accretor.core.errors import Blocked
from accretor.io.layout import VisitPaths
from accretor.stages import manifest, plotting
from tasks import _stage, _visits, _wishes, _workspace
from tasks._graph import Leaf, digests, stage


def tasks() -> Iterator[Task]:
    """Yield the tasks of the stage."""
    yield from stage("packaging", __doc__ or "", _leaves(), lambda target: _visits.state_of(target, _state))


def run(name: str, slug: str) -> Any:
    """Make the package of the visit *slug*."""
    from accretor.stages import packaging

    workspace = _workspace.current()
    plans = _visits.plans_of(slug)
    return _stage.perform(
        name,
        slug,
        lambda bench: packaging.run(plans, workspace.layout, workspace.settings, bench),
        writes=(
            workspace.layout.visit(plans[0].observation.visit).package,
            *(plan.paths.exports for plan in plans),
        ),
    )


def _leaves() -> Iterator[Leaf]:
    workspace = _workspace.current()
    settings = workspace.settings
    for visit, plans in workspace.visits.items():
        paths = workspace.layout.visit(visit)
        yield Leaf(
            target=visit.target,
            name=visit.slug,
            action=run,
            arguments=(),
            file_dep=[
                path
                for plan in plans
                for path in (
                    plan.paths.frames,
                    plan.paths.template_stars,
                    *([plan.paths.template_image] if plan.frames or plan.aij.image else []),
                    plan.paths.photometry,
                    plan.paths.frame_wcs,
                    plan.paths.light_curve,
                    plan.paths.comparison,
                    plan.paths.results,
                    *([plan.paths.neighbours, plan.paths.magnitudes] if plan.frames else []),
                    *([plan.paths.forced] if plan.frames and settings.packaging.neb_stars else []),
                    *(
                        plan.paths.plots / entry.tail
                        for entry in plotting.figures_of(plan)
                        if entry.is_packaged
                    ),
                )
            ],
            targets=[paths.manifest],
            made_with=digests(
                {
                    "version of the stage": versions.PACKAGING,
                    "science version": versions.SCIENCE,
                    "filters of the night": [plan.observation.slug for plan in plans],
                    "[[target]]": [repr(plan.target) for plan in plans],
                    "[[instrument]]": [repr(plan.instrument) for plan in plans],
                    "observer": settings.observer,
                    "[packaging]": repr(settings.packaging),
                    "[calibration]": [repr(plan.settings.calibration) for plan in plans],
                    "notes.txt.j2": _content(workspace.layout.notes_template),
                    "[plotting]": [repr(plan.settings.plotting) for plan in plans],
                }
            ),
            is_asked_for=_wishes.is_redone("packaging"),
            owned=[paths.package, *(plan.paths.exports for plan in plans)],
            state=lambda paths=paths: _state(paths),  # type: ignore[misc]
        )


def _content(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _state(paths: VisitPaths) -> str:
    try:
        found = manifest.read(paths)
    except Blocked:
        return "nothing done yet"
    return f"{len(found['files'])} files, {'NOT complete' if found['problems'] else 'complete'}"
