"""Tables with the neighbours as T2, T3 and so on, for AstroImageJ's own NEB macro."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.aij import columns as aij_columns
from accretor.aij import radec
from accretor.aij import table as aij_table
from accretor.core.dumps import FORCED_POSITIONS, NEIGHBOURS
from accretor.io import dump
from accretor.io.dump import Row
from accretor.stages import forced, table

if TYPE_CHECKING:
    from accretor.aij.columns import MeasurementInput
    from accretor.core.arrays import Booleans, Floats
    from accretor.stages.table import Measured

_FORCED = ("flux", "sky", "n_sky", "x", "y", "peak")
"""What the forced photometry knows of a star; AstroImageJ's shapes are not measured there."""


@dataclass(frozen=True)
class Neighbours:
    """The stars of SG1's NEB table, in the order of their numbers, and the frames that have them."""

    rows: list[Row]
    """Of `NEIGHBOURS`."""
    columns: dict[str, Any]
    """Columns of the forced photometry, (n_frame, n_neighbour); the flux (n_frame, n_neighbour, n_radius)."""
    radii: tuple[float, ...]
    """Pixel."""
    is_there: Booleans
    """(n_used,) frames of the table that the forced photometry has."""


def files(found: Measured, prefix: str) -> dict[str, bytes]:
    """Return a measurement table for each aperture of the check, and one ``.radec`` file, by their names.

    Numbers are those of ``NEB-table.txt``: T3 there is T3 here. A neighbour that is a
    comparison star too stays one, C3, as it would in AstroImageJ; the further comparison
    stars have the numbers after. The macro takes such a table as it is.

    Returns
    -------
    dict
        Empty where no neighbour was checked.
    """
    near = _read(found)
    if near is None:
        return {}
    made = {}
    stars: _Stars | None = None
    for place, radius in enumerate(near.radii):
        data = _night(found, near, radius)
        stars = _Stars.of(data, near)
        merged = _merged(data, near, stars, place)
        content = aij_table.write(aij_columns.measurement_columns(merged))
        made[f"{prefix}_NEB_{radius:.1f}px_measurements.tbl"] = content
    if stars is not None and table.has_positions(found):
        made[f"{prefix}_NEB_measurements.radec"] = radec.write(_apertures(found, near, stars))
    return made


@dataclass(frozen=True)
class _Stars:
    """Which stars stand where: the target, the neighbours, the further comparison stars."""

    names: tuple[str, ...]
    twin: tuple[int, ...]
    """(n_neighbour,) place among the stars of the package's table of one that is the same star, or -1."""
    rest: tuple[int, ...]
    """Places of the further comparison stars there."""

    @classmethod
    def of(cls, data: MeasurementInput, near: Neighbours) -> _Stars:
        x, y = near.columns["x"], near.columns["y"]
        twin = []
        for star in range(x.shape[1]):
            apart = np.nanmedian(np.hypot(data.x[:, 1:] - x[:, [star]], data.y[:, 1:] - y[:, [star]]), axis=0)
            best = int(np.argmin(apart)) if len(apart) else 0
            # Nearer than any aperture reaches: one star, through all of them.
            is_same = len(apart) > 0 and apart[best] < min(near.radii)
            twin.append(best + 1 if is_same else -1)
        rest = tuple(place for place in range(1, len(data.names)) if place not in twin)
        numbers = range(2, 2 + x.shape[1] + len(rest))
        kinds = ["T" if place < 0 else data.names[place][0] for place in twin]
        kinds += [data.names[place][0] for place in rest]
        names = ("T1", *(f"{kind}{number}" for kind, number in zip(kinds, numbers, strict=True)))
        return cls(names, tuple(twin), rest)

    def joined(self, own: Floats, near: Floats) -> Floats:
        """Return a column of all stars: (..., n_star) from those of the table and of the neighbours."""
        near = np.broadcast_to(near, (*own.shape[:-1], near.shape[-1]))
        known = [near[..., i] if place < 0 else own[..., place] for i, place in enumerate(self.twin)]
        parts = [own[..., 0], *known, *(own[..., place] for place in self.rest)]
        return np.stack(parts, axis=-1)


def _read(found: Measured) -> Neighbours | None:
    paths = found.plan.paths
    rows = [row for row in dump.read(paths.neighbours, NEIGHBOURS).rows if row["neighbour"]]
    measured, meta = forced.columns(paths, "image_name", *_FORCED)
    if not rows or not meta["radii"]:
        return None
    rows.sort(key=lambda row: int(row["neighbour"]))
    places = {
        row["identifier"]: row["position"] for row in dump.read(paths.forced_positions, FORCED_POSITIONS).rows
    }
    frame = {name: i for i, name in enumerate(measured["image_name"])}
    at = np.array([frame.get(row["image_name"], -1) for row in found.used])
    star = [places[row["identifier"]] for row in rows]
    return Neighbours(
        rows=rows,
        columns={name: measured[name][at[at >= 0]][:, star] for name in _FORCED},
        radii=tuple(meta["radii"]),
        is_there=at >= 0,
    )


def _night(found: Measured, near: Neighbours, radius: float) -> MeasurementInput:
    """Return the stars of the package's table through this aperture, in frames that have the others."""
    kept = np.flatnonzero(near.is_there)
    data = table.measurement_input(
        replace(
            found,
            radius=radius,
            used=[found.used[i] for i in kept],
            frames=[found.frames[i] for i in kept],
            columns={name: values[kept] for name, values in found.columns.items()},
            flip=found.flip[kept],
            own_radius=(),
            scale=tuple(found.scale[i] for i in kept) if found.scale else (),
        )
    )
    flip = {name: cells for name, cells in data.extra.items() if name == "Meridian_Flip"}
    return replace(data, transit=None, extra=flip)


def _merged(data: MeasurementInput, near: Neighbours, stars: _Stars, place: int) -> MeasurementInput:
    n_frame, n_near = near.columns["x"].shape
    measured = {
        **near.columns,
        "flux": near.columns["flux"][:, :, place] / data.gain,
        "sky": near.columns["sky"] / data.gain,
    }
    unknown = np.full((n_frame, n_near), np.nan)
    of_stars: dict[str, Any] = {
        field.name: stars.joined(getattr(data, field.name), measured.get(field.name, unknown))
        for field in fields(data)
        if np.shape(getattr(data, field.name)) == (n_frame, len(data.names))
    }
    sky = {
        "star_ra_hour": np.array([row["ra"] / 15 for row in near.rows]),
        "star_dec_degree": np.array([row["dec"] for row in near.rows]),
    }
    if data.magnitude is not None:
        sky["magnitude"] = np.full(n_near, np.nan)
    of_stars |= {name: stars.joined(getattr(data, name), values) for name, values in sky.items()}
    return replace(data, names=stars.names, **of_stars)


def _apertures(found: Measured, near: Neighbours, stars: _Stars) -> list[radec.Aperture]:
    own = [
        radec.Aperture(star["ra"], star["dec"], is_comparison=name.startswith("C"))
        for star, name in zip(found.stars, found.names, strict=True)
    ]
    # A faint star that found its own centre would find that of a brighter one.
    theirs = [radec.Aperture(row["ra"], row["dec"], is_comparison=False, recentre=False) for row in near.rows]
    known = [theirs[i] if place < 0 else own[place] for i, place in enumerate(stars.twin)]
    return [own[0], *known, *(own[place] for place in stars.rest)]
