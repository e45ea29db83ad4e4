"""Check: a package looked at before it goes out, and the result for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from accretor.core.errors import Unusable
from accretor.exofop import check
from accretor.exofop.check import Report
from accretor.exofop.findings import Finding
from accretor.exofop.notes import tells_results
from accretor.exofop.summary import COVERAGES
from accretor.io import atomic

if TYPE_CHECKING:
    from accretor.core.settings import WorkspaceSettings
    from accretor.io.layout import Layout
    from accretor.stages.workspace import ObservationPlan


def visit(plans: tuple[ObservationPlan, ...], layout: Layout, settings: WorkspaceSettings) -> Report:
    """Check the package of a visit, and write the result beside it.

    What ExoFOP's form would lack is a remark: it can still be given in the settings.
    """
    from dataclasses import replace

    paths = layout.visit(plans[0].observation.visit)
    target = plans[0].target
    report = check.check(paths.package, tic=target.tic, planet=target.planet)
    report = replace(report, remarks=(*report.remarks, *_form(plans, layout, settings, report)))
    atomic.write_text(paths.check, check.as_json(report))
    return report


def folder(path: Path, result: Path) -> Report:
    """Check a package of anybody, and write the result to the file *result*."""
    report = check.check(path)
    atomic.write_text(result, check.as_json(report))
    return report


def _form(
    plans: tuple[ObservationPlan, ...], layout: Layout, settings: WorkspaceSettings, report: Report
) -> list[Finding]:
    """Return what the form of ExoFOP lacks."""
    from accretor.core.errors import Blocked
    from accretor.stages import upload

    if not report.is_sound:
        return []
    try:
        planned = upload.make_plan(plans, layout, settings)
    except (Blocked, Unusable) as verdict:
        return [Finding("text", f"the form of ExoFOP cannot be filled: {verdict}")]
    found = [
        Finding("text", f"filter {one.filter}: coverage {one.fields['transcov']!r} is not one of ExoFOP's")
        for one in planned.filters
        if one.fields["transcov"] not in COVERAGES
    ]
    if words := tells_results(settings.upload.public_note):
        text = f"[upload] public_note is public at once, and seems to tell a result: {words!r}"
        found.append(Finding("text", text))
    return found
