"""The star list of a template: where the target is, the stars with their roles, the plate solution."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.core.arrays import Floats, Image
from accretor.core.dumps import FRAMES, PLATE_SOLUTION, STARS, TEMPLATE_STARS
from accretor.core.errors import Blocked, DumpError, Unusable
from accretor.core.part import parse
from accretor.core.settings import WorkspaceSettings
from accretor.io import dump, records
from accretor.io import fits as io_fits
from accretor.io.dump import Row
from accretor.science import times
from accretor.stages import catalogs as kept
from accretor.stages import masters, platesolve, preprocess, reduced, registration
from accretor.stages import solution as solution_of
from accretor.stages.platesolve import Solution
from accretor.stages.rows import GOOD, fingerprint
from accretor.stages.solution import Attempt

if TYPE_CHECKING:
    from accretor.io.layout import Layout
    from accretor.stages.workspace import ObservationPlan

VERSION = 1
"""Raised when another plate solution comes out."""

NEIGHBOUR_RADIUS = 150.0
"""Arcsec around the target within which stars are neighbours (TFOP SG1: 2.5 arcmin)."""


def make(
    pick: Row, context: str, plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings
) -> dump.Dump:
    """Make the star list and the plate solution of the template, and write them."""
    from accretor.science import sources, template

    frames = dump.read(plan.paths.frames, FRAMES).rows
    frame = next(row for row in frames if row["input"] == pick["input"])
    files = reduced.frame_files(plan, layout, [frame], masters.files(plan.paths))[0]
    _, image = reduced.read(files)
    attempts = _attempts(pick, frame, files, image, plan, layout, settings)
    solution = _chosen(attempts, pick, plan)
    place = _target_place(solution, pick, frame, plan, files.masters.readout.origin)
    stars = template.star_list(
        image,
        pick["fwhm"],
        max_stars=settings.template.max_stars,
        keep=place[np.newaxis],
        bad=masters.load(files.masters).bad,
        saturation=files.saturation * files.gain,
    )
    try:
        target = template.find(stars.xy, place, radius=max(2 * pick["fwhm"], 5.0))
    except Unusable as verdict:
        margin = min(*place, *(np.array(image.shape[::-1]) - 1 - place))
        raise Blocked(_not_there(plan, pick, solution, verdict.reason, margin)) from None
    scale = platesolve.pixel_scale(solution) if solution else _scale_hint(plan)
    rows = _star_rows(stars, target, solution, scale, pick["fwhm"])
    digest = io_fits.write_image(plan.paths.template_image, image, _cards(plan, frame, solution))
    meta = {
        "frame": pick["image_name"],
        "input": pick["input"],
        "context": context,
        "fwhm": pick["fwhm"],
        "shape": list(image.shape),
        "pixel_scale": round(scale, 5) if scale > 0 else None,
        "solution": solution.origin if solution else "none",
        "solved_with": solved_with(plan, layout, settings),
        "wcs": solution.cards if solution else {},
        "image": digest,
    }
    dump.write(plan.paths.template_stars, TEMPLATE_STARS, rows, meta)
    assert isinstance(stars, sources.Sources)
    return dump.read(plan.paths.template_stars, TEMPLATE_STARS)


def solved_with(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings) -> str:
    """Return what the plate solution depends on besides the frame: settings and catalogues."""
    files = {
        name: io_fits.digest(path) if path.is_file() else ""
        for name, path in kept.files(layout, settings, plan.target).items()
    }
    return fingerprint(VERSION, repr(settings.plate_solution), repr(settings.catalogs.file), files)


def _not_there(
    plan: ObservationPlan, pick: Row, solution: Solution | None, reason: str, margin: float
) -> str:
    """Say why the target was not found; *margin* is its distance from the edge, pixel."""
    if margin < 2 * pick["fwhm"]:
        return (
            f"{plan.observation.slug}: the target is {margin:.0f} pixels from the edge of "
            f"{pick['image_name']}, too near; if other frames show it better, name one in [template] frame"
        )
    is_header = solution is not None and solution.origin == "header"
    check = "ra and dec of the target" + (" and the plate solution in the header" if is_header else "")
    return f"{plan.observation.slug}: the target is not in {pick['image_name']}: {reason}; check {check}"


def _attempts(
    pick: Row,
    frame: Row,
    files: reduced.FrameFiles,
    image: Image,
    plan: ObservationPlan,
    layout: Layout,
    settings: WorkspaceSettings,
) -> list[Attempt]:
    """Try the ways to a plate solution, and write down what came of each."""
    trouble = ""
    try:
        catalogs = kept.stored(layout, settings, plan.target)
    except (Unusable, DumpError) as error:
        catalogs, trouble = {}, str(error)
    xy = registration.star_list(pick)
    attempts = solution_of.find(
        solution_of.Frame(
            path=Path(files.path),
            hdu=files.hdu,
            xy=xy,
            flux=np.asarray(pick["star_flux"])[: len(xy)],
            shape=(image.shape[0], image.shape[1]),
            target=_apparent(plan, frame),
            pixel_scale=_scale_hint(plan),
            record=plan.paths.nova,
            origin=files.masters.readout.origin,
            step=parse(files.part).step,
            index_folder=layout.root / index if (index := settings.plate_solution.index_folder) else None,
        ),
        solution_of.listed(catalogs, times.julian_year(frame["jd_utc"])),
        settings.plate_solution,
        is_offline=settings.catalogs.offline,
        trouble=trouble,
    )
    dump.write(
        plan.paths.plate_solution,
        PLATE_SOLUTION,
        [attempt.row() for attempt in attempts],
        {"frame": pick["image_name"], "is_final": not any(attempt.may_pass for attempt in attempts)},
    )
    return attempts


def _chosen(attempts: list[Attempt], pick: Row, plan: ObservationPlan) -> Solution | None:
    """Return the solution that is used; None where a pixel position must do."""
    for attempt in attempts:
        if attempt.is_chosen:
            return attempt.solution
    if plan.target.pixel is None:
        tried = "; ".join(f"{attempt.way}: {attempt.reason}" for attempt in attempts)
        had_one = any(attempt.catalog for attempt in attempts)
        remedy = (
            "check ra and dec of [[target]] and pixel_scale of [[instrument]]"
            if had_one
            else f"doit fetch:{plan.observation.target} gets a catalogue to make one"
        )
        raise Blocked(
            f"{plan.observation.slug}: no plate solution of {pick['image_name']}; "
            f"{remedy}, or say where the target is: "
            f'[target.pixel] frame = "{pick["image_name"]}", x = ..., y = ... (0-based). Tried: {tried}'
        )
    return None


def _apparent(plan: ObservationPlan, frame: Row) -> tuple[float, float]:
    """Return where the target is at the time of *frame*, degree, with its proper motion."""
    return times.at_epoch(times.Direction(*preprocess.direction(plan.target)), frame["jd_utc"])


def _target_place(
    solution: Solution | None, pick: Row, frame: Row, plan: ObservationPlan, origin: tuple[int, int]
) -> Floats:
    """Return where the target is in the template, pixel."""
    if solution is not None:
        x, y = solution.wcs().all_world2pix(*_apparent(plan, frame), 0)
        return np.array([float(x), float(y)])

    hint = plan.target.pixel
    assert hint is not None
    info, _ = records.rows(plan.paths.stars, STARS)
    for row in info:
        if row["image_name"] == hint.frame and row["status"] == GOOD:
            first, second = registration.star_list(row), registration.star_list(pick)
            transform = registration.aligned(first, second, row["fwhm"], pick["fwhm"])
            return np.asarray(transform.apply(np.array([[hint.x, hint.y]]) - origin)[0])
    raise Blocked(
        f"{plan.observation.slug}: [target.pixel] frame {hint.frame!r} is not one of its good frames"
    )


def _scale_hint(plan: ObservationPlan) -> float:
    exposure = plan.frames[0].exposure
    return exposure.pixel_scale if exposure else math.nan


def _star_rows(stars: Any, target: int, solution: Solution | None, scale: float, fwhm: float) -> list[Row]:
    """Return the star list, the target first, then by brightness."""
    from accretor.science import template

    radius = NEIGHBOUR_RADIUS / scale if scale > 0 else 20 * fwhm
    roles = template.roles(stars.xy, target, neighbour_radius=radius)
    contrast = template.contrast(stars.xy, stars.flux, radius=3 * fwhm)
    sky = solution.wcs().all_pix2world(stars.xy, 0) if solution else np.full((len(stars), 2), np.nan)
    order = [target, *(i for i in range(len(stars)) if i != target)]
    return [
        {
            "star": number,
            "role": roles[i],
            "x": stars.x[i],
            "y": stars.y[i],
            "ra": sky[i, 0],
            "dec": sky[i, 1],
            "flux": stars.flux[i],
            "contrast": contrast[i],
            "is_saturated": stars.is_saturated[i],
        }
        for number, i in enumerate(order)
    ]


def _cards(plan: ObservationPlan, frame: Row, solution: Solution | None) -> dict[str, Any]:
    cards: dict[str, Any] = {
        "OBJECT": plan.target.name,
        "TELESCOP": plan.observation.telescope,
        "FILTER": plan.observation.filter,
        "EXPTIME": (frame["exptime"], "second"),
        "DATE-AVG": (frame["obstime"], "UTC of mid-exposure"),
        "JD_UTC": (frame["jd_utc"], "mid-exposure"),
        "BJD_TDB": (frame["bjd_tdb"], "mid-exposure"),
        "AIRMASS": frame["airmass"],
        "BUNIT": "electron",
        "RAWFILE": frame["image_name"],
        "WCSORIG": (solution.origin if solution else "none", "where the plate solution is from"),
    }
    return {**cards, **(solution.cards if solution else {})}
