"""The files of the check for eclipsing binaries nearby, as SG1 asks for them."""

from __future__ import annotations

import hashlib
import io
import math
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from accretor.aij import neb_table
from accretor.exofop import naming
from accretor.io import atomic
from accretor.io.dump import Row
from accretor.science.neb import Session
from accretor.stages.nebnames import FILES, PLOTS, SCATTER, TABLE

if TYPE_CHECKING:
    from accretor.core.arrays import Floats
    from accretor.io.layout import ObservationPaths
    from accretor.science.neb import Verdict
    from accretor.stages.bench import Bench
    from accretor.stages.workspace import ObservationPlan

MAKER = "accretor by the rules of AIJ macro Revision 3.17"
LONGEST_AGO = (1980, 1, 1, 0, 0, 0)
"""Time of all files in the archive: the earliest that it can hold."""


@dataclass(frozen=True)
class Check:
    """What the files tell."""

    rows: list[Row]
    """Of `NEIGHBOURS`, those of SG1's table."""
    verdicts: list[Verdict | None]
    """Of the macro, one for each row; None for a star that was not measured."""
    time: Floats
    """(n,) of the frames of the light curve, BJD_TDB day."""
    radii: tuple[float, ...]
    """Apertures that were tried, pixel."""
    target_place: Floats
    """(n, 2) pixel."""
    ingress: float
    """BJD_TDB day."""
    egress: float
    """BJD_TDB day."""
    depth: float
    """Ppt."""
    scale: float
    """Arcsec per pixel."""
    cadence: float
    """Second."""
    search_radius: float
    """Arcmin."""

    @property
    def session(self) -> Session:
        """The frames as the macro sees them."""
        radius = float(np.mean(self.radii))
        return Session(
            self.time, self.time, radius, self.ingress, self.egress, self.depth, cadence=self.cadence
        )


@dataclass(frozen=True)
class Drawing:
    """One figure of the archive, as a worker gets it."""

    row: Row
    verdict: Verdict | None
    nearest: float
    """Distance of the nearest other aperture, arcsec."""
    ingress: float
    egress: float
    scale: float
    title: str


def write(plan: ObservationPlan, results: Row, check: Check, bench: Bench) -> dict[str, str]:
    """Write table, archive of figures and scatter plot; return their names and digests."""
    from accretor.plots import neighbours, style

    prefix = _prefix(plan, results)
    title = f"{prefix}_measurements"
    files = {
        TABLE: neb_table.write(_head(f"{title}.tbl", results, check), [_star(row) for row in check.rows]),
        PLOTS: _archive(_figures(prefix, title, check, bench)),
        SCATTER: style.save(
            neighbours.scatter(
                check.rows,
                depth=check.depth,
                search_radius=check.search_radius,
                nearest=_nearest(check),
                scale=check.scale,
                title=title,
            )
        ),
    }
    for name, content in files.items():
        atomic.write_bytes(plan.paths.plots / name, content)
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def remove(paths: ObservationPaths) -> None:
    """Remove the files of an earlier check: they tell of what is no more."""
    for name in FILES:
        if (paths.plots / name).is_file():
            (paths.plots / name).unlink()


def _prefix(plan: ObservationPlan, results: Row) -> str:
    from accretor.stages import figures

    observation, target = plan.observation, plan.target
    name = naming.file_name(
        target.tic,
        target.planet,
        figures.utc_date(results),
        observation.telescope,
        observation.filter,
        "measurements.tbl",
    )
    return name.removesuffix("_measurements.tbl")


def _head(table: str, results: Row, check: Check) -> neb_table.Head:
    from astropy.time import Time

    session, place = check.session, check.target_place
    sd, least, most = np.std(place, axis=0, ddof=1), place.min(axis=0), place.max(axis=0)
    return neb_table.Head(
        table=table,
        maker=MAKER,
        date=str(Time(results["start_jd_utc"], format="jd", scale="utc").strftime("%Y-%m-%d")),
        pixel_scale=check.scale,
        day=math.floor(check.time[0]),
        ingress=check.ingress,
        egress=check.egress,
        depth=check.depth,
        search_radius=check.search_radius,
        duration=session.duration,
        n_frame=len(check.time),
        spacing=session.spacing,
        cadence=check.cadence,
        binning=session.binning,
        radius=check.radii[0] if len(check.radii) == 1 else None,
        shift_sd=(float(sd[0]), float(sd[1])),
        shift_range=(float(most[0] - least[0]), float(most[1] - least[1])),
    )


def _star(row: Row) -> neb_table.Star:
    is_measured = math.isfinite(row["delta_mag"])
    return neb_table.Star(
        name=f"T{row['neighbour']}",
        separation=row["separation"],
        position_angle=row["position_angle"],
        # A star that was not measured is told by the catalogue.
        delta_mag=row["delta_mag"] if is_measured else row["delta_tmag"],
        rms=row["rms"],
        depth_needed=row["depth_needed"],
        ratio=row["ratio"],
        disposition=row["disposition"],
        radius=row["radius"],
    )


def _nearest(check: Check) -> list[float]:
    """Return how far the nearest other aperture, the target's among them, is from each, arcsec."""
    angle = np.radians([row["position_angle"] for row in check.rows])
    separation = np.array([row["separation"] for row in check.rows])
    place = np.column_stack([separation * np.sin(angle), separation * np.cos(angle)])
    distance = np.hypot(*(place[:, np.newaxis] - place).transpose(2, 0, 1))
    np.fill_diagonal(distance, np.inf)
    return [float(min(row)) for row in np.column_stack([distance, separation])]


def _figures(prefix: str, title: str, check: Check, bench: Bench) -> dict[str, bytes]:
    drawings = [
        Drawing(row, verdict, nearest, check.ingress, check.egress, check.scale, title)
        for row, verdict, nearest in zip(check.rows, check.verdicts, _nearest(check), strict=True)
    ]
    names = [f"{prefix}_T{row['neighbour']}{_pixels(row)}_NEBdepth-plot.png" for row in check.rows]
    drawn = dict(bench.pool.share(draw, drawings))
    return {name: drawn[i] for i, name in enumerate(names)}


def _pixels(row: Row) -> str:
    return f"_{row['radius']:.1f}px" if math.isfinite(row["radius"]) else ""


def draw(drawing: Drawing) -> bytes:
    """Return the figure of one neighbour as PNG."""
    from accretor.plots import neighbours

    verdict = drawing.verdict
    return neighbours.save(
        neighbours.depth_curve(
            verdict.bin_time if verdict else np.empty(0),
            verdict.bin_flux if verdict else np.empty(0),
            drawing.row,
            nearest=drawing.nearest,
            ingress=drawing.ingress,
            egress=drawing.egress,
            scale=drawing.scale,
            title=drawing.title,
        )
    )


def _archive(files: dict[str, bytes]) -> bytes:
    """Return a zip archive that is the same for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in sorted(files.items()):
            # PNG is compressed already; a compressor's bytes would depend on the version of zlib.
            info = zipfile.ZipInfo(name, LONGEST_AGO)
            info.create_system, info.external_attr = 3, 0o644 << 16  # on every system as on this one
            archive.writestr(info, content, zipfile.ZIP_STORED)
    return buffer.getvalue()
