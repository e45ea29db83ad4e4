"""Upload: the plan of what is sent to ExoFOP, and the sending of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from accretor.config import lacking
from accretor.core.errors import Blocked, Unusable, UploadError
from accretor.core.settings import UploadFilterSettings, UploadSettings, WorkspaceSettings
from accretor.stages import manifest
from accretor.stages import results as results_of

if TYPE_CHECKING:
    from accretor.exofop.plan import UploadPlan
    from accretor.exofop.summary import FilterForm
    from accretor.io.layout import Layout, VisitPaths
    from accretor.sending.ledger import Entry, Item
    from accretor.stages.workspace import ObservationPlan


NO_USER = "USERNAME"
"""Stands in a plan for the user of ExoFOP as long as the settings name none; such a plan is not sent."""


def make_plan(plans: tuple[ObservationPlan, ...], layout: Layout, settings: WorkspaceSettings) -> UploadPlan:
    """Return the forms and files of a visit as they would be sent; no network is used.

    Raises
    ------
    Blocked
        If the package is not complete, or the form lacks a value.
    """
    from accretor.exofop.plan import plan
    from accretor.exofop.server import server
    from accretor.exofop.summary import LACKING, Form

    visit = plans[0].observation.visit
    paths = layout.visit(visit)
    recorded = manifest.read(paths)
    if recorded["problems"]:
        raise Blocked(f"{visit.slug}: the package is not complete: {'; '.join(recorded['problems'])}")
    first = plans[0]
    instrument = first.instrument
    upload = settings.upload
    form = Form(
        tic=first.target.tic,
        planet=first.target.planet,
        name=first.target.name,
        telescope_diameter=upload.telescope_size or instrument.telescope_diameter or float("nan"),
        camera=upload.camera or instrument.camera or instrument.name,
        username=upload.username or NO_USER,
        group=upload.group,
        public_note=upload.public_note,
        series=_series(first.observation.telescope, settings),
    )
    try:
        return plan(
            paths.package,
            {name: file["sha256"] for name, file in recorded["files"].items()},
            form,
            {item.observation.filter: _filter_form(item, settings) for item in plans},
            server=server(upload.url).base,
            is_proprietary=upload.proprietary,
        )
    except Unusable as verdict:
        reason = verdict.reason
        if reason.startswith(LACKING):
            # The reason has the telescope's diameter.
            too = lacking.for_exofop(settings, instruments=())
            reason += f"; write that into {layout.config.name}" + (f", and {', '.join(too)}" if too else "")
        raise Blocked(f"{visit.slug}: {reason}") from None


def _series(telescope: str, settings: WorkspaceSettings) -> str:
    """Return what ends the tag of a telescope: nothing for the first of the settings, so that one stays.

    Two telescopes of one user in the same night would have the same tag.
    """
    names = [instrument.name for instrument in settings.instrument]
    return "" if not names or telescope == names[0] else telescope


def text(upload: UploadPlan, command: str, missing: Sequence[str] = ()) -> str:
    """Return the plan for people, with the command that sends it.

    Parameters
    ----------
    missing : sequence of str
        What is still to be filled in, see `accretor.config.lacking.for_exofop`.
    """
    from accretor.exofop.plan import describe

    shown = describe(upload)
    if f"_{NO_USER}_" in upload.tag:
        return f"{shown}To send it, first fill in workspace.toml: {', '.join(missing)}\n"
    if missing:
        shown += f"Still to be filled in, in workspace.toml: {', '.join(missing)}\n"
    return f"{shown}To send exactly this: {command} --confirm {upload.plan_id}\n"


def send(
    plan: UploadPlan,
    confirmed: str,
    root: Path,
    paths: VisitPaths,
    settings: UploadSettings,
    say: Callable[[str], None],
) -> str:
    """Send *plan* of the workspace at *root* if *confirmed* is its id; return what came of it in one line.

    Raises
    ------
    UploadError
        If the id is another one, or the night is simulated: then nothing is sent.
        Else as `accretor.sending.proven.send`.
    """
    from accretor.exofop import pieces
    from accretor.exofop.server import SERVICE, server
    from accretor.exofop.session import Session, account
    from accretor.exofop.upload import ExoFOP
    from accretor.io.http import is_loopback
    from accretor.sending import consent, cookies, credentials, proven
    from accretor.sending.ledger import Ledger

    if not settings.username:
        raise UploadError('name the ExoFOP user first: [upload] username = "..."; nothing was sent')
    consent.check(confirmed, plan.plan_id)
    where = server(plan.server)
    consent.refuse_simulated(root, where.host, SERVICE)
    with where.client() as client:
        session = Session(
            client,
            where,
            functools.partial(credentials.find, account(where), settings.username),
            username=settings.username,
            folder=cookies.folder(),
        )
        result = proven.send(
            plan.plan_id,
            pieces.of(plan),
            ExoFOP(plan, paths.package, session),
            Ledger(paths.ledger),
            answers=paths.answers,
            settle=settings.settle if is_loopback(where.host) else max(proven.LEAST_SETTLE, settings.settle),
            say=say,
        )
    n = len(pieces.of(plan))
    if not result.was_asked:
        return f"0 sent; by the ledger all {n} were confirmed; ExoFOP was not asked again"
    said = f"{result.n_sent} sent, {result.n_before} there before; ExoFOP holds all {n}"
    return "; ".join([said, *result.remarks])


def log_out() -> list[str]:
    """Forget all logins, and return the servers that they were for."""
    from accretor.sending import cookies

    folder = cookies.folder()
    found = sorted(folder.glob("exofop-*.json")) if folder.is_dir() else []
    return [path.stem.removeprefix("exofop-") for path in found if cookies.forget(path)]


def state(paths: VisitPaths) -> str:
    """Return in a few words how far the upload of a visit is, by its ledger."""
    from accretor.sending.ledger import Ledger, State, progress

    said, latest = progress(Ledger(paths.ledger))
    is_done = bool(latest) and all(entry.state is State.CONFIRMED for entry in latest.values())
    return f"{said}; the package has changed since" if is_done and _has_changed(paths, latest) else said


def _has_changed(paths: VisitPaths, latest: Mapping[Item, Entry]) -> bool:
    if not paths.manifest.is_file():
        return False
    now = {name: file["sha256"] for name, file in manifest.read(paths)["files"].items()}
    return now != {item.name: entry.sha256 for item, entry in latest.items() if item.kind == "file"}


def _filter_form(item: ObservationPlan, settings: WorkspaceSettings) -> FilterForm:
    from accretor.exofop.summary import FilterForm

    results = results_of.read(item.paths.results)
    general = settings.upload
    own = general.filter.get(item.observation.filter, UploadFilterSettings())
    scale = own.pixel_scale or results["pixel_scale_arcsec"] or float("nan")
    delta_mag = own.delta_mag if own.delta_mag is not None else general.delta_mag
    if delta_mag is None:
        from accretor.stages import neb

        delta_mag = neb.delta_mag(item.paths)
    return FilterForm(
        psf=own.psf or general.psf or results["fwhm_px"] * scale,
        coverage=own.coverage or general.coverage or results["coverage"],
        delta_mag=delta_mag,
        pixel_scale=own.pixel_scale,
        aperture_radius=own.aperture_radius,
        duration=own.duration,
        n_observation=own.n_observation,
    )
