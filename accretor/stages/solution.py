"""The plate solution of a template: the ways to it, in their order, each with what came of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from accretor.core.arrays import Booleans, Floats
from accretor.core.errors import ServiceError, Unusable
from accretor.core.settings import PlateSolutionSettings
from accretor.io.dump import Row
from accretor.io.nova import StarList
from accretor.science import astrometry
from accretor.science.astrometry import MIN_MATCH, Verdict
from accretor.stages import nova, platesolve
from accretor.stages.platesolve import SEARCH_RADIUS, Solution

if TYPE_CHECKING:
    from accretor.core.catalog import Catalog

GOOD_RESIDUAL = 0.3
"""Pixel; a solution that is worse is said to be so, and that of a header gives way to a better one."""
FEW_COMMON = 10
"""With fewer stars of a catalogue on the frame, nothing is proven by those that do not match."""
SCALES = tuple(0.2 * 1.3**step for step in range(16))
"""Arcsec per pixel that are tried where nothing tells the scale: up to that of a camera lens."""
PREFERRED = ("gaia_dr3", "gaia_synthetic", "refcat2", "tic", "ps1", "apass_dr9", "skymapper_dr4", "tycho2")
"""Catalogues of good positions; others come after them."""
BANDS = ("G", "Tmag", "r", "V", "VT", "g", "i", "B")
"""Bands that tell which stars are bright."""


@dataclass(frozen=True)
class Listed:
    """Stars of a catalogue, brightest first."""

    name: str
    sky: Floats
    """(n, 2) degree, at the time of the frame."""


@dataclass(frozen=True)
class Frame:
    """What is known of a frame whose solution is wanted."""

    path: Path
    hdu: int
    xy: Floats
    """(n, 2) stars, brightest first, pixel."""
    flux: Floats
    shape: tuple[int, int]
    """Height and width, pixel."""
    target: tuple[float, float]
    """Where the target is at its time, degree."""
    pixel_scale: float
    """Arcsec per pixel by header or settings; NaN if unknown."""
    record: Path
    """Of what nova.astrometry.net was sent."""
    origin: tuple[int, int] = (0, 0)
    """Column and row of the raw frame that are the first of the trimmed one."""
    step: int = 1
    """Pixels of the raw frame on a side of a pixel of this one."""
    index_folder: Path | None = None
    """Of index files of solve-field, if not the usual one."""


@dataclass(frozen=True)
class Attempt:
    """What came of one way."""

    way: str
    solution: Solution | None
    reason: str = ""
    catalog: str = ""
    verdict: Verdict | None = None
    is_chosen: bool = False
    may_pass: bool = False
    """It failed for a reason that may be gone at the next run."""

    @property
    def residual(self) -> float:
        """Pixel; NaN where it was not tested."""
        return self.verdict.residual if self.verdict else math.nan

    def row(self) -> Row:
        """Return the row of ``plate_solution.ecsv``."""
        verdict = self.verdict or Verdict(0, math.nan, 0, math.nan, math.nan)
        shape = {"pixel_scale": math.nan, "rotation": math.nan, "is_mirrored": False, "order": 0}
        if self.solution:
            (_, a), (_, d) = matrix = np.asarray(self.solution.wcs().pixel_scale_matrix)
            shape = {
                "pixel_scale": platesolve.pixel_scale(self.solution),
                "rotation": math.degrees(math.atan2(a, d)),
                "is_mirrored": bool(np.linalg.det(matrix) > 0),
                "order": int(self.solution.cards.get("A_ORDER", 1)),
            }
        return {
            "way": self.way,
            "is_chosen": self.is_chosen,
            "reason": self.reason,
            "catalog": self.catalog,
            "n_match": verdict.n_match,
            "n_expected": verdict.n_expected,
            "surprise": verdict.surprise,
            "residual": verdict.residual,
            **shape,
        }


def listed(catalogs: dict[str, Catalog], epoch: float) -> list[Listed]:
    """Return the catalogues, those of good positions first, with the stars where they are at *epoch*."""
    from accretor.stages import catalogs as kept

    rank = {name: i for i, name in enumerate(PREFERRED)}
    found = []
    for name in sorted(catalogs, key=lambda name: (rank.get(name, len(rank)), name)):
        catalog = catalogs[name]
        sky: Floats = np.column_stack(kept.positions(catalog, epoch))
        bands = [band for band in (*BANDS, *catalog.magnitude) if band in catalog.magnitude]
        magnitude = catalog.magnitude[bands[0]] if bands else np.full(len(sky), np.nan)
        # Stars of unknown brightness come last.
        order = np.argsort(np.where(np.isfinite(magnitude), magnitude, 99.0), kind="stable")
        sky = sky[order]
        found.append(Listed(name, sky[np.isfinite(sky.sum(axis=1))]))
    return found


def find(
    frame: Frame, catalogs: list[Listed], settings: PlateSolutionSettings, *, is_offline: bool, trouble: str
) -> list[Attempt]:
    """Try the ways to a plate solution one after the other, until one is good.

    In this order: the solution in the header; our own match with a catalogue; `solve-field`;
    nova.astrometry.net. A solution that a catalogue disproves is never chosen.

    Parameters
    ----------
    catalogs
        Of the field, as `listed` returns them.
    is_offline
        Forbid the network.
    trouble
        Why there is no catalogue, or fewer than there should be.

    Returns
    -------
    list of Attempt
        At most one is chosen.
    """
    attempts: list[Attempt] = []
    for attempt in _ways(frame, catalogs, settings, is_offline=is_offline, trouble=trouble):
        attempts.append(attempt)
        is_poor = attempt.way == "header" and attempt.residual > GOOD_RESIDUAL
        has_one = any(item.solution for item in attempts)
        # A service of others is not asked for what is there already.
        if (attempt.solution and not is_poor) or (has_one and attempt.way == "solve-field"):
            break
    usable = [attempt for attempt in attempts if attempt.solution]
    # Only the header's can have been passed over for a better one.
    best = usable[-1] if usable else None
    return [_told(attempt, is_chosen=attempt is best) for attempt in attempts]


def _ways(
    frame: Frame, catalogs: list[Listed], settings: PlateSolutionSettings, *, is_offline: bool, trouble: str
) -> Iterator[Attempt]:
    try:
        found = platesolve.from_header(
            frame.path, frame.hdu, frame.target, frame.shape, frame.origin, frame.step
        )
        yield tested("header", found, frame, catalogs, trouble)
    except Unusable as verdict:
        yield Attempt("header", None, verdict.reason)
    if not catalogs:
        yield Attempt("catalogue", None, trouble or "there is none of the field")
    for catalog in catalogs:
        yield _by_catalog(frame, catalog, settings)
    yield _by_program(frame, catalogs, settings, trouble)
    yield _by_service(frame, catalogs, settings, is_offline=is_offline, trouble=trouble)


def tested(way: str, found: Solution, frame: Frame, catalogs: list[Listed], trouble: str) -> Attempt:
    """Test a solution of someone else's against the first catalogue that can tell."""
    from astropy.wcs import NoConvergence

    why = trouble or "there is no catalogue"
    for catalog in catalogs:
        near = _near(catalog.sky, frame.target, platesolve.pixel_scale(found) * math.hypot(*frame.shape))
        try:
            expected = found.wcs().all_world2pix(catalog.sky[near], 0)
        except NoConvergence as error:
            # Far outside the frame a distortion runs away; what is inside has converged.
            expected = np.asarray(error.best_solution)
        verdict = astrometry.verify(frame.xy, expected, frame.shape)
        if not verdict.reason:
            return Attempt(way, found, "", catalog.name, verdict)
        if verdict.n_common >= FEW_COMMON:
            return Attempt(way, None, f"disproved: {verdict.reason}", catalog.name, verdict)
        why = f"{verdict.n_common} stars of {catalog.name} are on the frame, {FEW_COMMON} needed"
    return Attempt(way, found, f"not tested: {why}")


def _by_catalog(frame: Frame, catalog: Listed, settings: PlateSolutionSettings) -> Attempt:
    is_known = frame.pixel_scale > 0
    scales = (frame.pixel_scale,) if is_known else SCALES
    reason = ""
    for scale in scales:
        try:
            found = astrometry.solve(
                frame.xy,
                catalog.sky,
                shape=frame.shape,
                centre=frame.target,
                pixel_scale=scale,
                scale_range=settings.scale_range if is_known else 0.2,
            )
        except Unusable as verdict:
            reason = reason or verdict.reason
            continue
        solution = Solution(found.plate.cards(frame.shape), "catalogue")
        return Attempt("catalogue", solution, "", catalog.name, found.verdict)
    return Attempt("catalogue", None, reason, catalog.name)


def _by_program(
    frame: Frame, catalogs: list[Listed], settings: PlateSolutionSettings, trouble: str
) -> Attempt:
    if not settings.solve_field:
        return Attempt("solve-field", None, "[plate_solution] solve_field = false")
    try:
        found = platesolve.solve_field(
            frame.xy[:, 0],
            frame.xy[:, 1],
            frame.flux,
            shape=frame.shape,
            target=frame.target,
            pixel_scale=frame.pixel_scale,
            index_folder=frame.index_folder,
        )
    except Unusable as verdict:
        return Attempt("solve-field", None, verdict.reason)
    except ServiceError as error:
        return Attempt("solve-field", None, str(error), may_pass=True)
    return tested("solve-field", found, frame, catalogs, trouble)


def _by_service(
    frame: Frame,
    catalogs: list[Listed],
    settings: PlateSolutionSettings,
    *,
    is_offline: bool,
    trouble: str,
) -> Attempt:
    if not settings.nova:
        return Attempt("nova", None, "[plate_solution] nova = false")
    if is_offline:
        return Attempt("nova", None, "[catalogs] offline = true forbids the network")
    low, high = SCALES[0], SCALES[-1]
    if frame.pixel_scale > 0:
        low = frame.pixel_scale * (1 - settings.scale_range)
        high = frame.pixel_scale * (1 + settings.scale_range)
    stars = StarList(
        x=[float(x) for x in frame.xy[:, 0]],
        y=[float(y) for y in frame.xy[:, 1]],
        shape=frame.shape,
        centre=frame.target,
        radius=SEARCH_RADIUS,
        scale=(low, high),
    )
    try:
        cards = nova.solve(stars, frame.record, settings)
        found = platesolve.from_cards(cards, "nova", frame.target, frame.shape)
    except Unusable as verdict:
        return Attempt("nova", None, verdict.reason)
    except ServiceError as error:
        return Attempt("nova", None, str(error), may_pass=True)
    return tested("nova", found, frame, catalogs, trouble)


def _told(attempt: Attempt, *, is_chosen: bool) -> Attempt:
    """Say what must be said of a solution."""
    said = [attempt.reason] if attempt.reason else []
    if attempt.residual > GOOD_RESIDUAL:
        said.append(f"stars are {attempt.residual:.2f} pixels from the catalogue, more than {GOOD_RESIDUAL}")
    if attempt.verdict and attempt.solution and attempt.verdict.n_match < 2 * MIN_MATCH:
        said.append(f"it rests on {attempt.verdict.n_match} stars")
    return replace(attempt, is_chosen=is_chosen, reason="; ".join(said))


def _near(sky: Floats, centre: tuple[float, float], radius: float) -> Booleans:
    """Return which directions are within *radius*, arcsec, of *centre*."""
    ra, dec = np.radians(sky).T
    ra0, dec0 = (math.radians(angle) for angle in centre)
    chord = np.sin((dec - dec0) / 2) ** 2 + np.cos(dec) * np.cos(dec0) * np.sin((ra - ra0) / 2) ** 2
    distance = 2 * np.degrees(np.arcsin(np.sqrt(np.minimum(chord, 1)))) * 3600
    return np.asarray(distance < radius, dtype=np.bool_)
