"""Forced photometry: the light at given places of the sky in every frame, and the limits of each frame."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.core import versions
from accretor.core.dumps import FORCED, FORCED_POSITIONS
from accretor.core.settings import ForcedSettings, WorkspaceSettings
from accretor.io import dump, records
from accretor.io.dump import Row
from accretor.stages import limits, masters, photometry, positions, reduced, registration, rows, weighting
from accretor.stages.bench import Bench, Done
from accretor.stages.photometry import NEAR_EDGE, SATURATED, StarList
from accretor.stages.reduced import FrameFiles
from accretor.stages.rows import GOOD, Job, fingerprint

if TYPE_CHECKING:
    from accretor.core.arrays import Floats
    from accretor.io.layout import Layout
    from accretor.stages.positions import Positions
    from accretor.stages.workspace import ObservationPlan

BLANK: Row = {
    **dict.fromkeys(("limit", "limit_blank", "limit_delta_mag", "limit_tmag"), math.nan),
    **dict.fromkeys(("n_match", "n_blank"), 0),
    **{column.name: None for column in FORCED.arrays},
}


@dataclass(frozen=True)
class Places:
    """What is measured in every frame, and through what."""

    x: tuple[float, ...]
    """In the template, pixel; the target first."""
    y: tuple[float, ...]
    tmag: float
    """Of the target."""
    radii: tuple[float, ...]
    """Pixel."""
    reference: int
    """Number of the radius whose limit is told in the readable dump."""
    rule: ForcedSettings


@dataclass(frozen=True)
class ForcedTask:
    """What a worker needs to measure one frame."""

    files: FrameFiles
    registered: Row
    """Row of ``stars.fits``: the stars found in the frame."""
    stars: StarList
    """Those of the template: they align the frame, and are kept out of the sky."""
    places: Places


def run(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings, bench: Bench) -> Done:
    """Bring ``forced.fits``, ``forced.ecsv`` and ``forced_positions.ecsv`` up to date."""
    paths = plan.paths
    found = positions.find(plan, layout, settings)
    dump.write(paths.forced_positions, FORCED_POSITIONS, found.rows, found.about)
    jobs, places = _jobs(plan, layout, settings, found)
    outcome = rows.augment(
        FORCED,
        paths.forced_info,
        jobs,
        work=measure,
        blank=BLANK,
        pool=bench.pool,
        progress=bench.progress,
        meta={
            "radii": list(places.radii),
            "limit_radius": places.radii[places.reference] if places.radii else None,
            "significance": settings.forced.significance,
            "remarks": found.remarks,
        },
        binary=paths.forced,
        shape={"position": len(places.x), "radius": len(places.radii)},
        redo=bench.redo,
    )
    written, limit = limits.write(plan)
    said = [f"{outcome}; {len(found.rows) - 1} places", *([limit] if limit else []), *found.remarks]
    return Done(
        (paths.forced, paths.forced_info, paths.forced_positions, *written),
        "; ".join(said),
        outcome.is_final,
    )


def jobs(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings) -> list[Job]:
    """Return the rows that the forced photometry must have: the frames that registration found good."""
    return _jobs(plan, layout, settings, positions.find(plan, layout, settings))[0]


def _jobs(
    plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings, found: Positions
) -> tuple[list[Job], Places]:
    """Return the rows wanted; none if there is no place besides the target, and limits are not asked for."""
    measured = photometry.jobs(plan, layout, settings)
    if not measured:
        return [], Places((found.rows[0]["x"],), (found.rows[0]["y"],), math.nan, (), 0, settings.forced)
    stars: StarList = measured[0].payload.wanted
    radii = _radii(settings.forced, stars)
    places = Places(
        x=tuple(row["x"] for row in found.rows),
        y=tuple(row["y"] for row in found.rows),
        tmag=found.rows[0]["tmag"],
        radii=radii,
        reference=int(np.argmin(np.abs(np.array(radii) - 1.5 * stars.fwhm))),
        rule=settings.forced,
    )
    if len(found.rows) == 1 and not settings.forced.always:
        return [], places
    rule = settings.forced
    made_with = fingerprint(
        versions.FORCED, stars.choice, stars.annulus, radii,
        [(round(x, 4), round(y, 4)) for x, y in zip(places.x, places.y, strict=True)], repr(places.tmag),
        rule.significance, rule.blank, rule.blank_draws, rule.blank_edge, rule.blank_dilate,
        rule.blank_scatter, rule.blank_seed,
        *([] if stars.mode == "fixed" else [stars.mode]),
        *([repr(stars.weighting)] if stars.weighting else []),
    )  # fmt: skip
    return [
        Job(
            input=job.input,
            context=fingerprint(
                made_with, job.payload.registered["context"], reduced.identity(job.payload.files)
            ),
            given=job.given,
            payload=ForcedTask(job.payload.files, job.payload.registered, stars, places),
        )
        for job in measured
    ], places


def _radii(settings: ForcedSettings, stars: StarList) -> tuple[float, ...]:
    """Return the radii nearest to those asked for that comparison stars are measured with too."""
    grid = np.array(stars.radii)
    wanted = [factor * stars.fwhm for factor in settings.radii_fwhm]
    return tuple(sorted({float(grid[np.argmin(np.abs(grid - radius))]) for radius in wanted}))


def measure(task: ForcedTask) -> Row:
    """Return the row of one frame."""
    from accretor.science import forced, optimal

    stars, places, files, seen = task.stars, task.places, task.files, task.registered
    first, second = np.array(stars.reference), registration.star_list(seen)
    transform = registration.aligned(first, second, stars.fwhm, seen["fwhm"])
    raw, image = reduced.read(files)
    place = transform.apply(np.column_stack([places.x, places.y]))
    known = transform.apply(np.column_stack([stars.x, stars.y]))
    dirt = forced.discs(image.shape, known[:, 0], known[:, 1], forced.DISC * stars.fwhm)
    bad = masters.load(files.masters).bad
    if bad is not None:
        dirt |= bad
    width = photometry.registered_fwhm(task.registered, stars)
    scale = photometry.aperture_scale(width, stars)
    chosen, n_place = stars.weighting, len(places.x)
    profile = weighting.profile(image, known, chosen.gauge, width) if chosen else None
    # What is measured is faint, but the target, which is measured as in the light curve.
    turn = np.full(n_place, optimal.TURNS[-1])
    turn[0] = chosen.turn[0] if chosen else 0.0
    radii, annulus = scale * np.array(places.radii), (scale * stars.annulus[0], scale * stars.annulus[1])
    found = forced.measure(
        image,
        raw,
        place[:, 0],
        place[:, 1],
        radii=radii,
        annulus=annulus,
        fwhm=stars.fwhm,
        dirt=dirt,
        profile=profile,
        turn=turn,
        noise=forced.Noise(
            gain=files.gain,
            # Where the sky is not light alone, its noise is measured and not computed.
            read_noise=files.read_noise if files.masters.has_zero_level else math.nan,
            dark_variance=files.dark_current * files.exposure,
        ),
    )
    if chosen and profile:
        gauge = optimal.with_sky(image, known[np.array(chosen.gauge, dtype=np.int64)], annulus, dirt)
        factor = optimal.factor(image, gauge, radii, profile, place[:, 0], place[:, 1], turn)
        found = replace(
            found,
            flux=found.flux / factor,
            flux_error=found.flux_error / factor,
            background_error=found.background_error / factor,
        )
    rule = places.rule
    blank, n_blank = forced.blank_noise(
        image,
        (float(place[0, 0]), float(place[0, 1])),
        radii=radii,
        annulus=annulus,
        fwhm=stars.fwhm,
        dirt=dirt,
        is_saturated=raw >= files.saturation,
        rule=forced.BlankRule(
            n_sample=rule.blank,
            n_draw=rule.blank_draws,
            edge=rule.blank_edge,
            dilate=rule.blank_dilate,
            is_robust=rule.blank_scatter == "mad",
            seed=rule.blank_seed,
        ),
    )
    upper = rule.significance * found.background_error
    is_limit = np.where(np.isfinite(found.flux), found.flux < rule.significance * found.flux_error, np.nan)
    with np.errstate(invalid="ignore"):
        flag = SATURATED * (found.peak >= files.saturation) + NEAR_EDGE * found.is_near_edge
    return {
        "n_match": transform.n_match,
        **_limits(upper[0], rule.significance * blank, found.flux[0], places),
        "n_blank": n_blank,
        "flux": found.flux,
        "flux_error": found.flux_error,
        "upper_limit": upper,
        "is_limit": is_limit,
        "sky": found.sky,
        "sky_noise": found.sky_noise,
        "n_sky": found.n_sky,
        "x": place[:, 0],
        "y": place[:, 1],
        "peak": found.peak,
        "flag": flag,
        "limits": upper[0],
        "limits_blank": rule.significance * blank,
    }


def _limits(analytic: Floats, blank: Floats, target: Floats, places: Places) -> Row:
    """Return the limits of a frame through the reference aperture."""
    from accretor.science import forced

    at = places.reference
    limit = blank[at] if math.isfinite(blank[at]) else analytic[at]
    brightness = 2.5 * math.log10(target[at]) if target[at] > 0 else math.nan
    delta = float(forced.limiting_magnitude(np.array([limit]), brightness)[0])
    return {
        "limit": analytic[at],
        "limit_blank": blank[at],
        "limit_delta_mag": delta,
        "limit_tmag": places.tmag + delta,
    }


def columns(paths: Any, *names: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return columns of ``forced.fits``, good rows only, and its twin's meta."""
    found, _ = records.read_columns(paths.forced, FORCED, (*names, "status"))
    is_good = found["status"] == GOOD
    return {name: column[is_good] for name, column in found.items()}, dump.read_meta(paths.forced_info)
