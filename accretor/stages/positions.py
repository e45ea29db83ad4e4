"""Where forced photometry looks: the target, its neighbours of the catalogue, and places of the settings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.core.dumps import FRAMES, TEMPLATE_STARS
from accretor.core.slug import slug
from accretor.io import dump
from accretor.io.dump import Row
from accretor.science import angles, neighbours, times
from accretor.stages import catalogs, preprocess

if TYPE_CHECKING:
    from collections.abc import Mapping

    from astropy.wcs import WCS

    from accretor.core.arrays import Floats, Strings
    from accretor.core.catalog import Catalog
    from accretor.core.settings import ForcedSettings, WorkspaceSettings
    from accretor.io.layout import Layout
    from accretor.stages.workspace import ObservationPlan

TARGET, NEIGHBOUR, GIVEN = "target", "neighbour", "given"

PREFERRED = ("gaia_dr3", "tic")
"""Catalogues that go before others: the deepest first."""
N_NEAR = 30
"""Stars nearest to the target that tell how far the plate solution is off there."""
FEWEST_NEAR = 3
"""Stars without which they tell nothing."""


@dataclass(frozen=True)
class Positions:
    """The places, the target first, and what is known of their list."""

    rows: list[Row]
    """Of `FORCED_POSITIONS`."""
    about: dict[str, Any]
    """For the header of the dump: the catalogue, how far it is complete, and remarks."""

    @property
    def remarks(self) -> list[str]:
        """What could not be had, in words."""
        return list(self.about["remarks"])


@dataclass(frozen=True)
class Field:
    """All stars that catalogues have around a target, at the time of the night."""

    identifier: Strings
    ra: Floats
    dec: Floats
    tmag: Floats
    names: tuple[str, ...]
    """Of the catalogues."""


def find(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings) -> Positions:
    """Return the places of an observation.

    Raises
    ------
    DumpError, Unusable
        If a catalogue is there and cannot be read: that is never taken for an empty sky.
    """
    chosen = dump.read(plan.paths.template_stars, TEMPLATE_STARS)
    frames = dump.read(plan.paths.frames, FRAMES).rows
    jd = next(row["jd_utc"] for row in frames if row["input"] == chosen.meta["input"])
    where = times.at_epoch(times.Direction(*preprocess.direction(plan.target)), jd)
    radius = settings.forced.radius
    remarks = []
    field = _field(catalogs.stored(layout, settings, plan.target), 2000 + (jd - 2451545.0) / 365.25)
    if field is None:
        command = f"doit fetch:{slug(plan.target.name)}"
        remarks.append(f"no catalogue of the stars around the target: {command} gets one")
    wcs = _wcs(chosen.meta["wcs"])
    if wcs is None:
        remarks.append("no plate solution: places on the sky cannot be found in the frames")
    target = _target(where)
    rows: list[Row] = []
    about: dict[str, Any] = {"catalogue": list(field.names) if field else [], "radius": radius}
    if wcs is not None:
        shift = np.zeros(2)
        if field is not None:
            shift, said = _shift(wcs, chosen, field)
            about |= said
            target, rows, known = _neighbours(field, where, radius)
            about |= known
            remarks += _gaps(known, radius, target)
        rows = [*rows, *_given(settings.forced, where)]
        place = _to_pixel(wcs, [row["ra"] for row in rows], [row["dec"] for row in rows]) + shift
        for row, (x, y) in zip(rows, place, strict=True):
            row |= {"x": float(x), "y": float(y)}
    # The target is where its light is, whatever the plate solution says.
    target |= {"x": chosen.rows[0]["x"], "y": chosen.rows[0]["y"]}
    numbered = [{"position": i, **row} for i, row in enumerate([target, *rows])]
    return Positions(numbered, {**about, "remarks": remarks})


def _target(where: tuple[float, float]) -> Row:
    return {**_row(TARGET, "", *where), "separation": 0.0, "position_angle": 0.0, "delta_tmag": 0.0}


def _row(kind: str, identifier: str, ra: float, dec: float) -> Row:
    unknown = dict.fromkeys(
        ("separation", "position_angle", "tmag", "delta_tmag", "nearest", "x", "y"), math.nan
    )
    return {"kind": kind, "identifier": identifier, "ra": ra, "dec": dec, **unknown}


def _field(stored: Mapping[str, Catalog], epoch: float) -> Field | None:
    """Put the catalogues together: the deepest, and of the TIC the stars that it lacks."""
    names = [name for name in PREFERRED if name in stored] or list(stored)[:1]
    if not names:
        return None
    parts: list[Field] = []
    for name in names:
        catalog = stored[name]
        ra, dec = catalogs.positions(catalog, epoch)
        identifier = np.array([f"{name} {star}".rstrip() for star in catalog.identifier], dtype=np.str_)
        part = Field(identifier, ra, dec, neighbours.tess_magnitude(catalog.magnitude), (name,))
        if parts:
            is_new = neighbours.unmatched(ra, dec, parts[0].ra, parts[0].dec)
            part = Field(identifier[is_new], ra[is_new], dec[is_new], part.tmag[is_new], (name,))
        parts.append(part)
    return Field(
        **{
            column: np.concatenate([getattr(part, column) for part in parts])
            for column in ("identifier", "ra", "dec", "tmag")
        },
        names=tuple(names),
    )


def _neighbours(
    field: Field, where: tuple[float, float], radius: float
) -> tuple[Row, list[Row], dict[str, Any]]:
    """Return the rows of the target and of the stars around it, and how far the catalogue goes."""
    separation, _ = neighbours.offsets(field.ra, field.dec, where)
    target = neighbours.find_target(separation, field.tmag)
    row = _target(where)
    if target >= 0:
        row |= {
            "identifier": str(field.identifier[target]),
            "ra": float(field.ra[target]),
            "dec": float(field.dec[target]),
            "tmag": float(field.tmag[target]),
        }
    separation, angle = neighbours.offsets(field.ra, field.dec, (row["ra"], row["dec"]))
    apart = neighbours.nearest(field.ra, field.dec)
    row["nearest"] = float(apart[target]) if target >= 0 else float(separation.min(initial=math.inf))
    order = np.lexsort((field.identifier, separation))
    rows = [
        {
            **_row(NEIGHBOUR, str(field.identifier[i]), float(field.ra[i]), float(field.dec[i])),
            "separation": float(separation[i]),
            "position_angle": float(angle[i]),
            "tmag": float(field.tmag[i]),
            "delta_tmag": float(field.tmag[i] - row["tmag"]),
            "nearest": float(apart[i]),
        }
        for i in order
        if i != target and separation[i] <= radius
    ]
    known = field.tmag[np.isfinite(field.tmag)]
    return (
        row,
        rows,
        {
            "n_neighbour": len(rows),
            "covered": round(float(separation.max(initial=0.0)), 1),
            "faintest_tmag": round(float(known.max()), 3) if known.size else None,
            "is_target_found": target >= 0,
        },
    )


def _gaps(known: Mapping[str, Any], radius: float, target: Row) -> list[str]:
    """Return what the catalogue does not tell, in words."""
    gaps = []
    if not known["is_target_found"]:
        gaps.append(
            "the target is not in the catalogue: magnitude differences of the catalogue are not known"
        )
    elif not math.isfinite(target["tmag"]):
        gaps.append("the catalogue tells no magnitude of the target in the band of TESS")
    if known["covered"] < radius:
        gaps.append(
            f"the farthest star of the catalogue is {known['covered']:.0f} arcsec from the target, "
            f"the radius {radius:.0f}: there may be stars that it does not have"
        )
    return gaps


def _given(settings: ForcedSettings, where: tuple[float, float]) -> list[Row]:
    """Return the rows of the places of the settings."""
    rows = []
    for place in settings.position:
        ra, dec = angles.right_ascension(place.ra), angles.declination(place.dec)
        separation, angle = neighbours.offsets(np.array([ra]), np.array([dec]), where)
        rows.append(
            {
                **_row(GIVEN, place.name, ra, dec),
                "separation": float(separation[0]),
                "position_angle": float(angle[0]),
            }
        )
    return rows


def _wcs(cards: Row) -> WCS | None:
    if not cards:
        return None
    from accretor.stages.platesolve import Solution

    return Solution(cards, "").wcs()


def _to_pixel(wcs: WCS, ra: Any, dec: Any) -> Floats:
    """Return (n, 2) pixels; NaN for a direction that is not on the plane."""
    from astropy.wcs import NoConvergence

    ra, dec = np.asarray(ra, dtype=np.float64), np.asarray(dec, dtype=np.float64)
    if not ra.size:
        return np.empty((0, 2))
    try:
        return np.column_stack(wcs.all_world2pix(ra, dec, 0))
    except NoConvergence as error:
        # The distortion is not meant for places far off the frame.
        return np.asarray(error.best_solution)


def _shift(wcs: WCS, chosen: dump.Dump, field: Field) -> tuple[Floats, dict[str, Any]]:
    """Return by how much the plate solution is off around the target, pixel, and what was found of it."""
    height, width = chosen.meta["shape"]
    place = _to_pixel(wcs, field.ra, field.dec)
    with np.errstate(invalid="ignore"):
        is_here = np.all((place > -10) & (place < np.array([width, height]) + 10), axis=1)
    place = place[is_here]
    stars = np.column_stack([dump.column(chosen.rows, "x"), dump.column(chosen.rows, "y")])
    one, other = neighbours.match(stars, place, max(3.0, chosen.meta["fwhm"]))
    near = np.argsort(np.hypot(*(stars[one] - stars[0]).T), kind="stable")[:N_NEAR]
    if len(near) < FEWEST_NEAR:
        return np.zeros(2), {"n_match": len(near), "shift": [0.0, 0.0], "scatter": None}
    difference = stars[one[near]] - place[other[near]]
    shift = np.median(difference, axis=0)
    spread = float(np.median(np.hypot(*(difference - shift).T)))
    return shift, {
        "n_match": len(near),
        "shift": [round(float(value), 4) for value in shift],
        "scatter": round(spread, 4),
    }
