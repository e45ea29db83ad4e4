"""Rows of later stages, made while the pixels of a new frame are in memory.

In a night that grows, masters and template are known: then a new frame is read once for
preprocess, registration and photometry. The rows are those that the later stages would
make, and go to their journals, where these find them by what they are made from and with.
Where a stage then wants something else - another master, another template - it does not
find it, and measures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from accretor.core.dumps import FRAMES, PHOTOMETRY, STARS
from accretor.core.errors import Blocked, DumpError
from accretor.core.settings import WorkspaceSettings
from accretor.io import dump, journal
from accretor.io.dump import Row
from accretor.stages import masters, photometry, reduced, registration, rows
from accretor.stages.rows import HandOn, Job

if TYPE_CHECKING:
    from accretor.io.layout import Layout
    from accretor.stages.workspace import ObservationPlan


def of_preprocess(
    plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings, jobs: Sequence[Job]
) -> tuple[list[Job], HandOn]:
    """Return the jobs of preprocess with what registration will want of new frames, and what takes it."""
    try:
        found = masters.files(plan.paths)
        _ = plan.detector
    except (FileNotFoundError, DumpError, Blocked):
        return list(jobs), _nothing_taken
    given = [dump.rounded_part(FRAMES, job.given | {"input": job.input or ""}) for job in jobs]
    files = reduced.frame_files(plan, layout, given, found)
    later = registration.jobs_of(given, files, settings.registration)
    is_there = rows.made(STARS, plan.paths.image_info)
    if all((job.input, job.context) in is_there for job in later):
        return list(jobs), _nothing_taken
    later, hand_on = of_registration(plan, settings, later)

    def take(index: int, digest: str, made: Mapping[str, Row]) -> None:
        job = later[index]
        # A file of another date may hold what is known already.
        if (digest, job.context) not in is_there:
            row = registration.BLANK | job.given | made["registration"]
            _hand_on(plan.paths.stars, job.context, digest, row)
        hand_on(index, digest, made)

    return [
        job
        if (after.input, after.context) in is_there
        else replace(job, payload=replace(job.payload, ahead=after.payload))
        for job, after in zip(jobs, later, strict=True)
    ], take


def of_registration(
    plan: ObservationPlan, settings: WorkspaceSettings, jobs: Sequence[Job]
) -> tuple[list[Job], HandOn]:
    """Return the jobs of registration with what photometry will want of new frames, and what takes it."""
    wanted = photometry.foreseen(plan, settings)
    if wanted is None:
        return list(jobs), _nothing_taken
    common = photometry.made_with(wanted)
    contexts = [photometry.context(common, job.context, job.payload.files) for job in jobs]
    is_there = rows.made(PHOTOMETRY, plan.paths.photometry_info)

    def take(index: int, digest: str, made: Mapping[str, Row]) -> None:
        if "photometry" in made and (digest, contexts[index]) not in is_there:
            given = {name: jobs[index].given[name] for name in photometry.GIVEN}
            row = photometry.BLANK | given | made["photometry"]
            _hand_on(plan.paths.photometry, contexts[index], digest, row)

    return [
        job if (job.input, context) in is_there else replace(job, payload=replace(job.payload, wanted=wanted))
        for job, context in zip(jobs, contexts, strict=True)
    ], take


def _nothing_taken(index: int, digest: str, made: Mapping[str, Row]) -> None:
    """Take nothing: none was asked for."""


def _hand_on(path: Path, context: str, digest: str, row: Row) -> None:
    """Keep a row for the stage that will want it; one that is to be tried again is not kept."""
    if row["status"] != rows.ERROR:
        with journal.Journal(path) as later:
            later.add({**row, "input": digest, "context": context, rows.IS_AHEAD: True})
