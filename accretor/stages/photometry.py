"""Photometry: every star of the template, in every frame, through every radius."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.core import versions
from accretor.core.arrays import Floats
from accretor.core.dumps import FRAMES, GROWTH, PHOTOMETRY, STARS, TEMPLATE_STARS
from accretor.core.errors import DumpError
from accretor.core.settings import PhotometrySettings, WorkspaceSettings
from accretor.io import dump, records
from accretor.io.dump import Row
from accretor.stages import (
    aijchoice,
    calibrated,
    framewcs,
    masters,
    reduced,
    registration,
    rows,
    scratch,
    template,
    weighting,
)
from accretor.stages.bench import Bench, Done
from accretor.stages.reduced import FrameFiles
from accretor.stages.rows import GOOD, Job, fingerprint
from accretor.stages.weighting import Weighting

if TYPE_CHECKING:
    from accretor.io.layout import Layout
    from accretor.science.calibrated import Calibrated
    from accretor.stages.workspace import ObservationPlan

SATURATED, NEAR_EDGE, RECENTRED, BAD_PIXEL = 1, 2, 4, 8
"""Bits of the column ``flag``."""

LEAST_SIGNAL = 20.0
"""Signal over noise in the template from which on a star may find its own centre: a fainter one would follow
the noise, and be too bright."""

MOST_SCALE = 3.0
"""Factor by which apertures may follow the seeing: beyond it, it is not the seeing."""

BLANK: Row = {
    "n_match": 0,
    "match_rms": math.nan,
    "shift_x": math.nan,
    "shift_y": math.nan,
    "rotation": math.nan,
    "aperture_scale": math.nan,
    **{column.name: None for column in PHOTOMETRY.arrays},
}


GIVEN = ("image_name", "obstime")
"""Columns that are known without work."""


@dataclass(frozen=True)
class StarList:
    """What is measured in every frame, and through what."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    """Positions in the template, pixel; the target first."""
    recentre: tuple[bool, ...]
    """Stars that may find their own centre."""
    reference: tuple[tuple[float, float], ...]
    """The stars of the template to which those of a frame are matched, brightest first."""
    choice: str
    """Identity of the template and its star list."""
    centre: tuple[float, float]
    """Middle of the template, pixel."""
    fwhm: float
    """Of the template, pixel."""
    radii: tuple[float, ...]
    """Pixel."""
    annulus: tuple[float, float]
    """Pixel."""
    mode: str
    """``fixed``, ``variable`` or ``optimal``."""
    sky: str
    """Estimator of the sky."""
    reach: tuple[float, ...]
    """How far from each star its light is kept out of the annuli of others, pixel."""
    cap: tuple[float, ...]
    """Most of it for the annulus of each star, lest nothing of that be left, pixel."""
    weighting: Weighting | None = None
    """How pixels are weighted, in the mode ``optimal``."""


@dataclass(frozen=True)
class PhotometryTask:
    """What a worker needs to measure one frame."""

    files: FrameFiles
    registered: Row
    """Row of ``stars.fits``: the stars found in the frame."""
    wanted: StarList


def run(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings, bench: Bench) -> Done:
    """Bring ``photometry.fits`` and ``photometry.ecsv`` up to date."""
    info, _ = records.rows(plan.paths.stars, STARS)
    wanted = _wanted(plan, settings.photometry, info)
    outcome = rows.augment(
        PHOTOMETRY,
        plan.paths.photometry_info,
        _jobs(plan, layout, wanted, info),
        work=measure,
        blank=BLANK,
        pool=bench.pool,
        progress=bench.progress,
        meta={
            "radii": list(wanted.radii),
            "annulus": list(wanted.annulus),
            "mode": wanted.mode,
            "n_star": len(wanted.x),
            **_said_of_weights(wanted.weighting),
        },
        binary=plan.paths.photometry,
        shape={"star": len(wanted.x), "radius": len(wanted.radii)},
        redo=bench.redo,
    )
    scratch.clear(plan)
    _write_growth(plan, wanted)
    measured, _ = columns(plan.paths, "input", "x", "y")
    framewcs.write(plan, dump.read(plan.paths.frames, FRAMES).rows, measured, redo=bench.redo)
    paths = plan.paths
    written = [paths.photometry, paths.photometry_info, paths.growth, paths.frame_wcs]
    if settings.preprocess.save_calibrated:
        written += calibrated.write(plan, layout, bench)
    else:
        calibrated.remove(plan, keep=[])
    return Done(tuple(written), f"{outcome}; {len(wanted.x)} stars", outcome.is_final)


def _said_of_weights(chosen: Weighting | None) -> Row:
    """Return what the header of the dump says of the mode ``optimal``."""
    if chosen is None:
        return {}
    return {
        "profile_misfit": round(chosen.misfit, 5),
        "n_weighted": sum(turn > 0 for turn in chosen.turn),
        "is_target_weighted": chosen.turn[0] > 0,
    }


def foreseen(plan: ObservationPlan, settings: WorkspaceSettings) -> StarList | None:
    """Return what will be measured in a new frame if the template stays; None if that cannot be told."""
    if settings.ensemble.policy != "keep" or not plan.paths.photometry_info.is_file():
        return None
    try:
        info, _ = records.rows(plan.paths.stars, STARS)
        return _wanted(plan, settings.photometry, info)
    except (FileNotFoundError, DumpError, StopIteration):
        return None


def jobs(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings) -> list[Job]:
    """Return the rows that the photometry must have: the frames that registration found good."""
    info, _ = records.rows(plan.paths.stars, STARS)
    return _jobs(plan, layout, _wanted(plan, settings.photometry, info), info)


def _jobs(plan: ObservationPlan, layout: Layout, wanted: StarList, info: Sequence[Row]) -> list[Job]:
    good = [row for row in info if row["status"] == GOOD]
    frames = {row["input"]: row for row in dump.read(plan.paths.frames, FRAMES).rows}
    files = reduced.frame_files(
        plan, layout, [frames[row["input"]] for row in good], masters.files(plan.paths)
    )
    common = made_with(wanted)
    return [_job(row, frame, wanted, common) for row, frame in zip(good, files, strict=True)]


def measure(task: PhotometryTask, image: Calibrated | None = None) -> Row:
    """Return the row of one frame; *image* is it, if it has been read."""
    from accretor.science import aperture, optimal

    wanted, seen = task.wanted, task.registered
    first, second = np.array(wanted.reference), registration.star_list(seen)
    transform = registration.aligned(first, second, wanted.fwhm, seen["fwhm"])
    image = reduced.look_at(task.files) if image is None else image
    place = transform.apply(np.column_stack([wanted.x, wanted.y]))
    centre = transform.apply(np.array([wanted.centre]))[0]
    width = registered_fwhm(task.registered, wanted)
    scale = aperture_scale(width, wanted)
    chosen = wanted.weighting
    profile = weighting.profile(image, place, chosen.gauge, width) if chosen else None
    turn = np.array(chosen.turn) if chosen else None
    found = aperture.measure(
        image,
        image.raw,
        place[:, 0],
        place[:, 1],
        radii=scale * np.array(wanted.radii),
        annulus=(scale * wanted.annulus[0], scale * wanted.annulus[1]),
        fwhm=wanted.fwhm,
        gain=task.files.gain,
        # Where the sky is not light alone, its noise is measured and not computed.
        read_noise=task.files.read_noise if task.files.masters.has_zero_level else math.nan,
        recentre=np.array(wanted.recentre),
        saturation=task.files.saturation,
        dark_variance=task.files.dark_current * task.files.exposure,
        bad=masters.load(task.files.masters).bad,
        estimator=wanted.sky,
        profile=profile,
        turn=turn,
        reach=np.array(wanted.reach),
        cap=np.array(wanted.cap),
    )
    if chosen and profile and turn is not None:
        is_gauge = np.isin(np.arange(len(turn)), chosen.gauge)
        found = optimal.gauged(found, image, is_gauge, np.array(wanted.radii), profile, turn)
    flag = SATURATED * found.is_saturated + NEAR_EDGE * found.is_near_edge + RECENTRED * found.is_recentred
    flag = flag + BAD_PIXEL * (found.n_bad > 0)
    return {
        "n_match": transform.n_match,
        "match_rms": transform.rms,
        "shift_x": centre[0] - wanted.centre[0],
        "shift_y": centre[1] - wanted.centre[1],
        "rotation": transform.rotation,
        "aperture_scale": scale,
        "flux": found.flux,
        "flux_error": found.flux_error,
        "sky": found.sky,
        "sky_noise": found.sky_noise,
        "n_sky": found.n_sky,
        "x": found.x,
        "y": found.y,
        "peak": found.peak,
        "star_fwhm": found.fwhm,
        "x_width": found.x_width,
        "y_width": found.y_width,
        "angle": found.angle,
        "roundness": found.roundness,
        "flag": flag,
    }


def registered_fwhm(registered: Row, wanted: StarList) -> float:
    """Return the FWHM of a frame, pixel; that of the template where it is not known."""
    return float(registered["fwhm"]) if math.isfinite(registered["fwhm"]) else wanted.fwhm


def aperture_scale(width: float, wanted: StarList) -> float:
    """Return the factor on all radii of a frame of this FWHM.

    Whatever is compared with the stars of the frame must be measured by the same.
    """
    if wanted.mode != "variable":
        return 1.0
    # To the digits of the dump: what is written is what was used.
    return round(min(max(width / wanted.fwhm, 1 / MOST_SCALE), MOST_SCALE), 4)


def radii(settings: PhotometrySettings, fwhm: float) -> tuple[float, ...]:
    """Return the aperture radii in pixel for a template of this FWHM, ascending, none twice."""
    wanted = settings.radii or tuple(factor * fwhm for factor in settings.radii_fwhm)
    return tuple(sorted({round(radius, 2) for radius in wanted}))


def _wanted(plan: ObservationPlan, settings: PhotometrySettings, info: Sequence[Row]) -> StarList:
    from accretor.science import annuli

    chosen = dump.read(plan.paths.template_stars, TEMPLATE_STARS)
    reference = next(row for row in info if row["input"] == chosen.meta["input"])
    fwhm = chosen.meta["fwhm"]
    height, width = chosen.meta["shape"]
    found = radii(settings, fwhm)
    inner, outer = (factor * fwhm for factor in settings.annulus_fwhm)
    inner = max(inner, found[-1] + 1)
    # Enough sky pixels that their mean costs nothing beside the star's own noise.
    outer = max(outer, math.sqrt(inner**2 + 400 / math.pi))
    found, (inner, outer) = aijchoice.grid(found, (inner, outer), aijchoice.radii(plan.aij))
    flux = np.array(dump.column(chosen.rows, "flux"), dtype=np.float64)
    reach = annuli.extent(flux, reference["bkg_noise"], fwhm).round(2)
    x, y = (np.array(dump.column(chosen.rows, name), dtype=np.float64) for name in ("x", "y"))
    cap = annuli.caps((height, width), x, y, reach, (round(inner, 2), round(outer, 2)), fwhm).round(2)
    return StarList(
        x=tuple(dump.column(chosen.rows, "x")),
        y=tuple(dump.column(chosen.rows, "y")),
        recentre=tuple(
            settings.recentre
            and row["contrast"] < 0.5
            and row["role"] != "neighbour"
            and row["star"] not in settings.forced
            and _signal(row["flux"], reference["bkg_noise"], fwhm) >= LEAST_SIGNAL
            for row in chosen.rows
        ),
        reference=_pairs(registration.star_list(reference)),
        choice=fingerprint(template.choice_id(chosen.meta, chosen.rows), reference["context"]),
        centre=((width - 1) / 2, (height - 1) / 2),
        fwhm=fwhm,
        radii=found,
        annulus=(round(inner, 2), round(outer, 2)),
        mode=settings.mode,
        sky=settings.sky,
        reach=tuple(reach.tolist()),
        cap=tuple(cap.tolist()),
        weighting=weighting.choose(
            plan.paths.template_image,
            chosen.meta["image"],
            chosen.rows,
            fwhm,
            (round(inner, 2), round(outer, 2)),
        )
        if settings.mode == "optimal"
        else None,
    )


def _signal(flux: float, noise: float, fwhm: float) -> float:
    """Return signal over noise of a star of the template, within 1.2 FWHM."""
    return flux / math.sqrt(max(flux, 0.0) + math.pi * (1.2 * fwhm * noise) ** 2) if flux > 0 else 0.0


def _write_growth(plan: ObservationPlan, wanted: StarList) -> None:
    """Write the curve of growth of the target and of the other stars."""
    from accretor.science import growth

    measured, _ = records.read_columns(plan.paths.photometry, PHOTOMETRY, ("flux", "flag", "status"))
    is_good = measured["status"] == GOOD
    flag = np.nan_to_num(measured["flag"][is_good]).astype(np.int64)
    contrast = np.array(dump.column(dump.read(plan.paths.template_stars, TEMPLATE_STARS).rows, "contrast"))
    found = growth.curve(
        measured["flux"][is_good], is_left_out=(flag & (SATURATED | NEAR_EDGE)) > 0, is_alone=contrast < 0.01
    )
    rows = [
        {
            "radius": radius,
            "target": found.target[i],
            "target_error": found.target_error[i],
            "stars": found.stars[i],
            "stars_error": found.stars_error[i],
            "n_star": found.n_star,
        }
        for i, radius in enumerate(wanted.radii)
    ]
    dump.write(plan.paths.growth, GROWTH, rows, {})


def context(common: str, registered: str, files: FrameFiles) -> str:
    """Return what a row is made with: *common* is `made_with`, *registered* that of its ``stars.fits``."""
    return fingerprint(common, registered, reduced.identity(files))


def made_with(wanted: StarList) -> str:
    """Return what all rows are made with."""
    return fingerprint(
        versions.PHOTOMETRY,
        wanted.choice,
        wanted.radii,
        wanted.annulus,
        wanted.recentre,
        wanted.mode,
        wanted.sky,
        wanted.reach,
        wanted.cap,
        *([repr(wanted.weighting)] if wanted.weighting else []),
    )


def _job(row: Row, files: FrameFiles, wanted: StarList, common: str) -> Job:
    return Job(
        input=row["input"],
        context=context(common, row["context"], files),
        given={name: row[name] for name in GIVEN},
        payload=PhotometryTask(files, row, wanted),
    )


def _pairs(xy: Floats) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in xy)


def columns(
    plan_paths: Any, *names: str, stars: Sequence[int] | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return columns (all, if none is named) of ``photometry.fits``, good rows only, and its twin's meta.

    With *stars*, of these stars alone.
    """
    found, _ = records.read_columns(plan_paths.photometry, PHOTOMETRY, names and (*names, "status"), stars)
    meta = dump.read_meta(plan_paths.photometry_info)
    is_good = found["status"] == GOOD
    if is_good.all():
        return found, meta
    return {name: column[is_good] for name, column in found.items()}, meta
