"""Exports: what was measured, as tables for other programs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from accretor.core import exclusions
from accretor.core.dumps import (
    FRAMES,
    LIGHT_CURVE,
    LIMITS,
    MAGNITUDES,
    PHOTOMETRY,
    TEMPLATE_STARS,
    ZERO_POINTS,
    Column,
    Schema,
)
from accretor.core.errors import Blocked, Unusable
from accretor.io import atomic, dump, exports, records
from accretor.io.dump import Row
from accretor.io.exports import Magnitude, Region
from accretor.stages import limits
from accretor.stages import photometry as photometry_stage
from accretor.stages.photometry import SATURATED

if TYPE_CHECKING:
    from accretor.stages.workspace import ObservationPlan


def _taken(schema: Schema, *names: str) -> tuple[Column, ...]:
    found = {column.name: column for column in schema.all_columns}
    return tuple(Column(name, found[name].kind, found[name].meaning, found[name].unit, found[name].digits)
                 for name in names)  # fmt: skip


_FRAME = _taken(FRAMES, "image_name", "jd_utc", "bjd_tdb", "exptime", "airmass")
_MAGNITUDE = _taken(ZERO_POINTS, "magnitude", "magnitude_error", "zero_point", "zero_point_error")
ALL_STARS = (
    *_FRAME,
    *_taken(MAGNITUDES, "star", "role", "ra", "dec"),
    *_taken(PHOTOMETRY, "x", "y", "flux", "flux_error", "sky", "peak"),
    *_MAGNITUDE,
    Column("is_saturated", "bool", "the star is saturated in this frame"),
)
"""One row per frame and star."""
TARGET = (
    *_FRAME,
    *_taken(
        LIGHT_CURVE,
        *("is_used", "reason", "relative_flux", "relative_flux_error", "trend", "detrended_flux", "model"),
        *("fwhm", "sky", "x", "y"),
    ),
    *_MAGNITUDE,
    *_taken(LIMITS, "limiting_magnitude"),
)
"""One row per frame."""


@dataclass(frozen=True)
class Exported:
    """What was written, and what could not be."""

    files: tuple[Path, ...]
    failures: tuple[str, ...]


def export(plan: ObservationPlan) -> Exported:
    """Write the tables of an observation in all formats that its settings name.

    Raises
    ------
    Blocked
        If it is not reduced yet.
    """
    settings = plan.settings.export
    folder = plan.paths.tables
    tables = Tables.of(plan)
    written: list[Path] = []
    failures: list[str] = []
    for kind in dict.fromkeys(settings.formats):
        try:
            files = FORMATS[kind](tables)
        except Unusable as verdict:
            failures.append(f"{plan.observation.slug}: {kind}: {verdict.reason}")
            continue
        for name, content in files.items():
            atomic.write_bytes(folder / name, content)
            written.append(folder / name)
    return Exported(tuple(written), tuple(failures))


@dataclass(frozen=True)
class Tables:
    """What the exports of an observation are made from."""

    plan: ObservationPlan
    meta: Row
    """Header of the tables."""
    frames: dict[str, Row]
    curve: list[Row]
    stars: list[Row]
    measured: dict[str, Any]
    """Columns of the photometry, (n_frame, n_star), through the aperture of the magnitudes."""
    zero_points: dict[str, Row]
    """By frame, with the magnitudes."""
    limits: dict[str, float]
    """Limiting magnitude of each frame, where it is known."""
    radii: tuple[float, float, float]
    pixel_scale: float

    @classmethod
    def of(cls, plan: ObservationPlan) -> Tables:
        """Read the dumps."""
        paths = plan.paths
        try:
            frames = {row["image_name"]: row for row in dump.read(paths.frames, FRAMES).rows}
            chosen = dump.read(paths.template_stars, TEMPLATE_STARS)
            curve = dump.read(paths.light_curve, LIGHT_CURVE).rows
            names = ("image_name", "flux", "flux_error", "sky", "peak", "x", "y", "flag")
            measured, meta = photometry_stage.columns(paths, *names)
            rows, _ = records.rows(paths.magnitude_frames, ZERO_POINTS)
            head = dump.read_meta(paths.zero_points)
        except FileNotFoundError as error:
            missing = Path(str(error.filename)).name
            raise Blocked(
                f"{plan.observation.slug}: is not reduced yet, there is no {missing}; run doit first"
            ) from None
        radii = np.array(meta["radii"])
        radius = head.get("radius") or float(radii[len(radii) // 2])
        k = int(np.argmin(np.abs(radii - radius)))
        measured |= {name: measured[name][:, :, k] for name in ("flux", "flux_error")}
        about: Row = {
            name: head[name] for name in ("catalog", "band", "system", "source", "reason") if name in head
        }
        return cls(
            plan=plan,
            meta={
                "target": plan.target.name,
                "night": plan.observation.night,
                "telescope": plan.observation.telescope,
                "filter": plan.observation.filter,
                "radius": float(radii[k]),
                **about,
                "color_term": head.get("color_term", 0.0),
            },
            frames=frames,
            curve=curve,
            stars=chosen.rows,
            measured=measured,
            zero_points={row["image_name"]: row for row in rows},
            limits=limits.of_frames(plan, float(radii[k])),
            radii=(float(radii[k]), *meta["annulus"]),
            pixel_scale=chosen.meta["pixel_scale"] or math.nan,
        )

    def all_stars(self) -> list[Row]:
        """Return one row per frame and star."""
        found = []
        for i, name in enumerate(self.measured["image_name"].tolist()):
            zero = self.zero_points[name]
            magnitude, error = zero["magnitude"], zero["magnitude_error"]
            head = {column.name: self.frames[name][column.name] for column in _FRAME}
            head |= {"zero_point": zero["zero_point"], "zero_point_error": zero["zero_point_error"]}
            columns = {key: self.measured[key][i] for key in ("x", "y", "flux", "flux_error", "sky", "peak")}
            full = (np.nan_to_num(self.measured["flag"][i]).astype(np.int64) & SATURATED) > 0
            for star, listed in enumerate(self.stars):
                found.append(
                    head
                    | {key: listed[key] for key in ("star", "role", "ra", "dec")}
                    | {key: values[star] for key, values in columns.items()}
                    | {
                        "magnitude": magnitude[star],
                        "magnitude_error": error[star],
                        "is_saturated": full[star],
                    }
                )
        return found

    def target(self) -> list[Row]:
        """Return one row per frame of the light curve."""
        found = []
        for row in self.curve:
            zero = self.zero_points[row["image_name"]]
            found.append(
                {
                    **row,
                    "magnitude": zero["magnitude"][0],
                    "magnitude_error": zero["magnitude_error"][0],
                    "zero_point": zero["zero_point"],
                    "zero_point_error": zero["zero_point_error"],
                    "limiting_magnitude": self.limits.get(row["image_name"], math.nan),
                }
            )
        return found

    @property
    def excluded(self) -> set[str]:
        """Frames that the user leaves out: they are in no report, and in target.csv with the reason."""
        return {row["image_name"] for row in self.curve if row["reason"].startswith(exclusions.REASON)}

    def points(self) -> list[Magnitude]:
        """Return the magnitudes of the target, with errors against the standard system.

        Where its flux is below the significance that a detection needs, the limit of the frame: that of
        the forced photometry, or where there is none, so many times the error of the flux itself.
        """
        found = []
        least = self.plan.settings.forced.significance
        for i, name in enumerate(self.measured["image_name"].tolist()):
            if name in self.excluded:
                continue
            zero, frame = self.zero_points[name], self.frames[name]
            magnitude, limit = float(zero["magnitude"][0]), self.limits.get(name, math.nan)
            is_saturated = int(np.nan_to_num(self.measured["flag"][i][0])) & SATURATED
            flux, flux_error = self.measured["flux"][i][0], self.measured["flux_error"][i][0]
            if flux < least * flux_error and not math.isfinite(limit):
                limit = zero["zero_point"] - 2.5 * math.log10(least * flux_error / frame["exptime"])
            about = (frame["exptime"], frame["airmass"], limit)
            if flux < least * flux_error and math.isfinite(limit) and not is_saturated:
                found.append(Magnitude(frame["jd_utc"], math.nan, math.nan, *about))
                continue
            if not math.isfinite(magnitude):
                continue
            # That of the measurement is against the other frames; the level of the night comes in here.
            level = math.sqrt(max(zero["zero_point_error"] ** 2 - zero["relative_error"] ** 2, 0.0))
            error = math.hypot(float(zero["magnitude_error"][0]), level)
            found.append(Magnitude(frame["jd_utc"], magnitude, error, *about))
        if not found:
            raise Unusable(f"no magnitude of the target: {self.meta.get('reason') or 'it has no zero point'}")
        return found

    def aavso(self) -> bytes:
        """Return a report in the AAVSO's Extended format.

        Raises
        ------
        Unusable
            If the observer code is not set, or there is no magnitude.
        """
        settings, target = self.plan.settings.export, self.plan.target
        code = self.plan.settings.packaging.aavso_code
        if not code:
            raise Unusable('[packaging] aavso_code = "...", your AAVSO observer code, is not set')
        points = self.points()
        meta = self.meta
        return exports.to_aavso(
            settings.aavso_name or f"TIC {target.tic}",
            code,
            exports.aavso_filter(meta["filter"], meta["band"]),
            points,
            is_transformed=bool(meta["color_term"]),
            sequence=meta["catalog"],
            notes=f"tied to {meta['band']} ({meta['system']}) of {meta['catalog']}",
        )

    def gcn(self) -> bytes:
        """Return a text for a circular of GCN."""
        meta = self.meta
        points = self.points()
        notes = (
            f"Tied to {meta['band']} ({meta['system']}) of {meta['catalog']}; "
            f"not corrected for extinction by dust.{self._limits_said(points)}"
        )
        return exports.to_gcn(
            self.plan.target.name,
            meta["telescope"],
            meta["filter"],
            meta["system"],
            points,
            notes,
        )

    def _limits_said(self, points: list[Magnitude]) -> str:
        said = ""
        if self.limits or any(not math.isfinite(point.magnitude) for point in points):
            said = f"\nLimits are of {self.plan.settings.forced.significance:g} sigma."
        if n_without := len(self.curve) - len(self.excluded) - len(points):
            said += (
                f"\n{n_without} of {len(self.curve)} frames have neither a magnitude nor a limit; target.csv "
                "tells of each."
            )
        return said

    def regions(self) -> bytes:
        """Return the apertures of the template as regions of DS9."""
        colors = {"target": "green", "comparison": "red", "neighbour": "cyan"}
        regions = [
            Region(
                "T1" if row["star"] == 0 else f"{row['star']}",
                *(row["x"], row["y"], row["ra"], row["dec"]),
                colors[row["role"]],
            )
            for row in self.stars
        ]
        return exports.to_ds9(regions, self.radii, self.pixel_scale)


Writer: TypeAlias = Callable[[Tables], dict[str, bytes]]
"""Makes the files of one format, by their names; `Unusable` tells why there are none."""


def _both(kind: str, write: Callable[[str, Sequence[Column], Sequence[Row], Row], bytes]) -> Writer:
    """Return a writer of the table of all stars and that of the target, with *kind* behind their names."""

    def files(tables: Tables) -> dict[str, bytes]:
        both = (("all-stars", ALL_STARS, tables.all_stars()), ("target", TARGET, tables.target()))
        return {f"{name}.{kind}": write(name, columns, rows, tables.meta) for name, columns, rows in both}

    return files


FORMATS: Mapping[str, Writer] = {
    "csv": _both("csv", lambda _name, columns, rows, _meta: exports.to_csv(columns, rows)),
    "ecsv": _both("ecsv", exports.to_ecsv),
    "json": _both("json", lambda _name, columns, rows, meta: exports.to_json(columns, rows, meta)),
    "parquet": _both("parquet", lambda _name, columns, rows, meta: exports.to_parquet(columns, rows, meta)),
    "aavso": lambda tables: {"aavso.txt": tables.aavso()},
    "gcn": lambda tables: {"gcn.txt": tables.gcn()},
    "ds9": lambda tables: {"apertures.reg": tables.regions()},
}
"""By the words of ``[export] formats``."""
