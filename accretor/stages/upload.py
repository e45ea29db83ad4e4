"""Upload: what would be sent to ExoFOP. Nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accretor.core.errors import Blocked, Unusable
from accretor.core.settings import WorkspaceSettings
from accretor.exofop.plan import UploadPlan, describe, plan
from accretor.exofop.summary import FilterForm, Form
from accretor.stages import packaging
from accretor.stages import results as results_of

if TYPE_CHECKING:
    from accretor.io.layout import Layout
    from accretor.stages.workspace import ObservationPlan


def make_plan(plans: tuple[ObservationPlan, ...], layout: Layout, settings: WorkspaceSettings) -> UploadPlan:
    """Return the forms and files of a visit as they would be sent; no network is used.

    Raises
    ------
    Blocked
        If the package is not complete, or the form lacks a value.
    """
    visit = plans[0].observation.visit
    paths = layout.visit(visit)
    recorded = packaging.manifest(paths)
    if recorded["problems"]:
        raise Blocked(f"{visit.slug}: the package is not complete: {'; '.join(recorded['problems'])}")
    first = plans[0]
    instrument = first.instrument
    form = Form(
        tic=first.target.tic,
        planet=first.target.planet,
        name=first.target.name,
        telescope_diameter=instrument.telescope_diameter or float("nan"),
        camera=instrument.camera or instrument.name,
        username=settings.upload.username,
        group=settings.upload.group,
        public_note=settings.upload.public_note,
    )
    try:
        return plan(
            paths.package,
            {name: file["sha256"] for name, file in recorded["files"].items()},
            form,
            {item.observation.filter: _filter_form(item, settings) for item in plans},
        )
    except Unusable as verdict:
        raise Blocked(
            f"{visit.slug}: {verdict.reason}; see [upload] and [instrument] of {layout.config.name}"
        ) from None


def text(upload: UploadPlan) -> str:
    """Return the plan for people."""
    return describe(upload)


def _filter_form(item: ObservationPlan, settings: WorkspaceSettings) -> FilterForm:
    results = results_of.read(item.paths.results)
    scale = results["pixel_scale_arcsec"] or float("nan")
    return FilterForm(
        psf=results["fwhm_px"] * scale, coverage=results["coverage"], delta_mag=settings.upload.delta_mag
    )
