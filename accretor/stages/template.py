"""Template: the reference frame of an observation, its star list with roles, its plate solution.

The choice is one that every measurement depends on. With the policy ``keep`` it
stays as long as its frame is good and its settings are the same; the dump says what
would now be chosen. With ``best`` it is made again from all frames.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.core import versions
from accretor.core.dumps import FRAMES, INVENTORY, PLATE_SOLUTION, STARS, TEMPLATE, TEMPLATE_STARS, Schema
from accretor.core.errors import Blocked, DumpError, Unusable
from accretor.core.settings import WorkspaceSettings
from accretor.io import dump, records
from accretor.io import fits as io_fits
from accretor.io.dump import Row
from accretor.stages import preprocess, registration, starlist
from accretor.stages.bench import Bench, Done
from accretor.stages.rows import GOOD, fingerprint

if TYPE_CHECKING:
    from accretor.io.layout import Layout, ObservationPaths
    from accretor.stages.workspace import ObservationPlan

log = logging.getLogger("accretor")

N_SAMPLE = 15
"""Frames that the provisional reference is tried on."""

N_TRIED = 5
"""Frames that are tried as the provisional reference."""


@dataclass(frozen=True)
class Match:
    """How a frame agrees with the provisional reference."""

    n_match: int
    transparency: float
    reason: str
    context: str


def run(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings, bench: Bench) -> Done:
    """Bring ``template.ecsv``, ``template_stars.ecsv`` and ``template.fits`` up to date."""
    info: list[Row] = [*records.rows(plan.paths.stars, STARS)[0]]
    if not any(row["status"] == GOOD for row in info):
        before = dump.read(plan.paths.frames, FRAMES).rows
        raise Blocked(_none_good(plan, [row["reason"] for row in (*before, *info)]))
    scored = _scored(info, plan.paths, settings, bench)
    if not any(math.isfinite(row["score"]) for row in scored):
        raise Blocked(_none_good(plan, [row["reason"] for row in scored]))
    best = _best(scored, info)
    wanted = _pinned(plan, layout, settings) or best["image_name"]
    old = None if bench.redo else _trusted(plan.paths.template_stars, TEMPLATE_STARS)
    pick = _pick(wanted, info, plan, settings)
    is_kept = settings.ensemble.policy == "keep" and not bench.renew
    if old and is_kept and (kept := _still_good(old, info, plan, settings)):
        pick = kept
    chosen = next(row for row in scored if row["input"] == pick["input"])
    context = _context(pick, plan, settings)
    if not (
        old
        and old.meta["input"] == pick["input"]
        and old.meta["context"] == context
        and old.meta.get("solved_with") == starlist.solved_with(plan, layout, settings)
        and _trusted(plan.paths.plate_solution, PLATE_SOLUTION)
        and _is_whole(plan.paths, old)
    ):
        old = starlist.make(pick, context, plan, layout, settings)
    gain = best["score"] - chosen["score"]
    dump.write(
        plan.paths.template,
        TEMPLATE,
        scored,
        {
            "template": chosen["image_name"],
            "best": best["image_name"],
            "gain": round(gain, 6) if math.isfinite(gain) else None,
        },
    )
    said = f"{pick['image_name']}, {len(old.rows)} stars, plate solution: {old.meta['solution']}"
    if best["input"] != pick["input"] and math.isfinite(gain):
        said += f"; {best['image_name']} would now score {gain:.2f} better"
    written = (
        plan.paths.template,
        plan.paths.template_stars,
        plan.paths.plate_solution,
        plan.paths.template_image,
    )
    return Done(written, said, bool(dump.read_meta(plan.paths.plate_solution).get("is_final", True)))


def _none_good(plan: ObservationPlan, reasons: list[str]) -> str:
    """Say that no frame can be the template, and why most cannot."""
    counts = Counter(reason for reason in reasons if reason)
    why = "".join(f": {reason} ({n} of them)" for reason, n in counts.most_common(1))
    return f"{plan.observation.slug}: none of {len(plan.frames)} frames is good{why}"


def choice_id(meta: dict[str, Any], stars: list[Row]) -> str:
    """Return the identity of a choice: what the measurement of a frame depends on.

    How it came about does not matter: the same frame with the same stars, chosen in
    another way, is the same choice.
    """
    return fingerprint(meta["input"], [(row["x"], row["y"]) for row in stars])


def _scored(info: list[Row], paths: ObservationPaths, settings: WorkspaceSettings, bench: Bench) -> list[Row]:
    """Score all frames, matching again only those that are new."""
    from accretor.science import frames, template

    reference = _provisional(info, settings)
    known = _known_matches(paths)
    matches = []
    for i, row in enumerate(info):
        context = fingerprint(versions.TEMPLATE, row["context"], reference["input"], reference["context"])
        match = known.get((row["input"], context))
        matches.append(match or _match(reference, row, context))
        bench.progress(i + 1, len(info))
    is_good = np.array([not match.reason for match in matches])
    remarks = frames.remarks(
        np.where(is_good, [float(match.n_match) for match in matches], np.nan),
        np.array([match.transparency for match in matches]),
        *(np.array([row[name] for row in info]) for name in ("fwhm", "bkg", "bkg_noise")),
    )
    score = template.scores(
        np.array([row["bkg"] for row in info]),
        np.array([row["fwhm"] for row in info]),
        np.array([float(match.n_match) for match in matches]),
        is_good,
        settings.template,
    )
    return [
        {
            "image_name": row["image_name"],
            "bkg": row["bkg"],
            "fwhm": row["fwhm"],
            "n_match": match.n_match,
            "transparency": match.transparency,
            "remark": remark,
            "score": value,
            "reason": match.reason,
            "input": row["input"],
            "context": match.context,
        }
        for row, match, value, remark in zip(info, matches, score, remarks, strict=True)
    ]


def _provisional(info: list[Row], settings: WorkspaceSettings) -> Row:
    """Return the frame that the others are matched to: that of the settings, or the one of the best score.

    The score is by the stars that a frame shows itself.

    A frame of a denser field that has strayed among the others would have it; so it must
    match most of a sample of them, or the next best is tried.
    """
    from accretor.science import template

    for row in info:
        if row["image_name"] == settings.template.frame and row["status"] == GOOD:
            return row
    score = template.scores(
        np.array([row["bkg"] for row in info]),
        np.array([row["fwhm"] for row in info]),
        np.array([float(row["starnum"]) for row in info]),
        np.array([row["status"] == GOOD for row in info]),
        settings.template,
    )
    good = np.flatnonzero(np.isfinite(score))
    sample = [info[i] for i in good[np.unique(np.linspace(0, len(good) - 1, N_SAMPLE).astype(np.int64))]]
    tried: list[tuple[int, Row]] = []
    for _ in range(min(N_TRIED, len(good))):
        best = template.choose(score, np.arange(len(info), dtype=np.float64))
        n_agree = sum(not _match(info[best], row, "").reason for row in sample)
        if 2 * n_agree > len(sample):
            return info[best]
        tried.append((n_agree, info[best]))
        score[best] = np.nan
    return max(tried, key=lambda pair: pair[0])[1]


def _known_matches(paths: ObservationPaths) -> dict[tuple[str, str], Match]:
    old = _trusted(paths.template, TEMPLATE)
    return {
        (row["input"], row["context"]): Match(
            row["n_match"], row["transparency"], row["reason"], row["context"]
        )
        for row in (old.rows if old else [])
    }


def _match(reference: Row, row: Row, context: str) -> Match:
    from accretor.science import alignment

    if row["status"] != GOOD:
        return Match(0, math.nan, row["reason"], context)
    first, second = registration.star_list(reference), registration.star_list(row)
    try:
        transform = registration.aligned(first, second, reference["fwhm"], row["fwhm"])
    except Unusable as verdict:
        return Match(0, math.nan, verdict.reason, context)
    one, two = alignment.pairs(first, second, transform)
    there = np.asarray(reference["star_flux"])[one] / reference["exptime"]
    here = np.asarray(row["star_flux"])[two] / row["exptime"]
    # To the digits of the dump: one that is read back is the one that was made.
    transparency = round(float(np.median(here / there)), 4)
    return Match(transform.n_match, transparency, "", context)


def _best(scored: list[Row], info: list[Row]) -> Row:
    from accretor.science import template

    score = np.array([row["score"] for row in scored])
    return scored[template.choose(score, np.arange(len(info), dtype=np.float64))]


def _pinned(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings) -> str:
    """Return the frame that the settings name, if it is of this observation, or of none that is known."""
    wanted = settings.template.frame
    if not wanted or any(file.name == wanted for file in plan.frames):
        return wanted
    others = dump.read(layout.inventory, INVENTORY).rows
    is_of_another = any(row["observation"] and Path(row["path"]).name == wanted for row in others)
    return "" if is_of_another else wanted


def _pick(wanted: str, info: list[Row], plan: ObservationPlan, settings: WorkspaceSettings) -> Row:
    for row in info:
        if row["image_name"] == wanted:
            if row["status"] != GOOD:
                raise Blocked(f"{plan.observation.slug}: [template] frame {wanted} is poor: {row['reason']}")
            return row
    raise Blocked(
        f"{plan.observation.slug}: [template] frame {settings.template.frame!r} is not one of its frames"
    )


def _trusted(path: Path, schema: Schema) -> dump.Dump | None:
    try:
        return dump.read(path, schema)
    except FileNotFoundError:
        return None
    except DumpError as error:
        aside = dump.set_aside(path)
        log.warning("%s; it is kept as %s and made again", error, aside.name)
        return None


def _is_whole(paths: ObservationPaths, old: dump.Dump) -> bool:
    image = paths.template_image
    return image.is_file() and io_fits.digest(image) == old.meta.get("image")


def _still_good(
    old: dump.Dump, info: list[Row], plan: ObservationPlan, settings: WorkspaceSettings
) -> Row | None:
    """Return the row of the recorded template, if nothing speaks against keeping it."""
    for row in info:
        if row["input"] == old.meta["input"] and row["status"] == GOOD:
            return row if _context(row, plan, settings) == old.meta["context"] else None
    return None


def _context(pick: Row, plan: ObservationPlan, settings: WorkspaceSettings) -> str:
    """Return what a choice is made with; if that changes, it is made again."""
    return fingerprint(
        versions.TEMPLATE,
        pick["context"],
        repr(settings.template),
        preprocess.direction(plan.target),
        repr(plan.target.pixel),
        plan.instrument.pixel_scale,
    )
