"""What a file of AstroImageJ says of stars, roles and radii, brought to our star list.

An aperture is the star of the list that lies where the file has it, on the sky where it
says so and else in the pixels of the template. What the list does not have is said.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accretor.core.errors import Blocked, Unusable

if TYPE_CHECKING:
    from accretor.core.settings import CalibrationSettings
    from accretor.io.aijfiles import AijFiles
    from accretor.io.dump import Row
    from accretor.stages.workspace import ObservationPlan

NEAR = 3.0
"""Arcsec, or pixel, within which an aperture and a star are one, if 1.5 FWHM are not more."""


@dataclass(frozen=True)
class Radii:
    """Radii that a file asks for, pixel; None where it does not."""

    aperture: float | None = None
    annulus: tuple[float, float] | None = None


@dataclass(frozen=True)
class Aperture:
    """One aperture of a file."""

    name: str
    """T1, C2 ..."""
    ra: float
    """Degree; NaN if the file does not tell."""
    dec: float
    x: float
    """0-based pixel of the template; NaN if the file does not tell."""
    y: float

    @property
    def is_comparison(self) -> bool:
        """C, and not T."""
        return self.name.startswith("C")


@dataclass(frozen=True)
class Choice:
    """The stars that a file chooses, by their numbers in our list."""

    labels: dict[int, str]
    """T1, C2 ... in the order of the file; numbers without gaps."""
    remarks: tuple[str, ...]

    @property
    def comparison(self) -> tuple[int, ...]:
        """Numbers of the comparison stars."""
        return tuple(star for star, label in self.labels.items() if label.startswith("C"))


def identity(files: AijFiles) -> list[list[str]]:
    """Return names and digests of the files, for the question whether anything changed."""
    return [[path.as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()] for path in files.used]


def radii(files: AijFiles) -> Radii:
    """Return the radii that the files ask for; none from one that cannot be read, which is said later."""
    from accretor.aij import apertures

    try:
        if files.apertures:
            found = apertures.read(files.apertures)
            return _radii(found.radius, found.sky_inner, found.sky_outer)
        if files.table:
            return _radii_of_table(files.table)
    except (Unusable, OSError):
        pass
    return Radii()


def grid(own: tuple[float, ...], annulus: tuple[float, float], wanted: Radii) -> tuple[Any, Any]:
    """Return the radii and the annulus to measure with, where a file asks for some.

    Radii of our own that reach into the annulus of the file are left out.
    """
    annulus = wanted.annulus or annulus
    if wanted.aperture is None:
        return tuple(radius for radius in own if not wanted.annulus or radius < annulus[0]), annulus
    found = {*own, round(wanted.aperture, 2)}
    return tuple(sorted(radius for radius in found if not wanted.annulus or radius < annulus[0])), annulus


def stars(plan: ObservationPlan, listed: list[Row], meta: Row) -> Choice | None:
    """Return the stars that the files of an observation choose; None if there are no files.

    Parameters
    ----------
    plan : ObservationPlan
    listed : rows of the star list
    meta : header of the star list

    Raises
    ------
    Blocked
        If a file cannot be read, its T1 is not our target, or none of its comparison
        stars is in the list.
    """
    plan.aij.check()
    path = plan.aij.choice
    if path is None:
        return None
    try:
        asked = _read(path, plan.aij, meta)
    except (Unusable, OSError) as error:
        raise Blocked(f"{path.as_posix()}: {error}") from None
    scale = meta["pixel_scale"] or math.nan
    near = max(NEAR, 1.5 * meta["fwhm"] * (scale if math.isfinite(scale) else 1.0))
    found: dict[int, str] = {}
    missing: list[str] = []
    for aperture in asked:
        star, apart = _nearest(aperture, listed)
        if apart > near or star in found:
            missing.append(f"{aperture.name} ({_where(aperture)})")
        elif aperture.name == "T1" and star != 0:
            break
        else:
            found[star] = aperture.name
    if found.get(0) != "T1":
        raise Blocked(
            f"{path.as_posix()}: its T1 ({_where(asked[0])}) is not the target; is it of another field?"
        )
    if not any(name.startswith("C") for name in found.values()):
        raise Blocked(f"{path.as_posix()}: none of its comparison stars is in the star list")
    return Choice(_numbered(found), tuple(_remarks(path, asked, found, missing)))


def applied(choice: Choice | None, wanted: Radii, settings: CalibrationSettings) -> CalibrationSettings:
    """Return the settings with the comparison stars and the radius that the files choose."""
    return settings.chosen(None if choice is None else choice.comparison, wanted.aperture)


def labels(choice: Choice, is_whole: Any) -> tuple[dict[int, str], tuple[str, ...]]:
    """Return the labels of the stars of the package's table, and all that is to be said of the choice.

    Its sums need every comparison star in every frame that is used.
    """
    kept = {
        star: label for star, label in choice.labels.items() if star == 0 or label[0] == "T" or is_whole[star]
    }
    lost = [label for star, label in choice.labels.items() if star not in kept]
    said = f"not in every frame, so not in the AstroImageJ table: {', '.join(lost)}"
    return _numbered(kept), (*choice.remarks, said) if lost else choice.remarks


def _read(path: Path, files: AijFiles, meta: Row) -> list[Aperture]:
    from accretor.aij import apertures, radec

    if path == files.radec:
        lines = radec.read(path)
        names = radec.names(lines)
        asked = [
            Aperture(name, line.ra, line.dec, math.nan, math.nan)
            for name, line in zip(names, lines, strict=True)
        ]
    elif path == files.apertures:
        height = meta["shape"][0]
        asked = [
            Aperture(
                f"{'C' if place.is_comparison else 'T'}{number}",
                place.ra,
                place.dec,
                place.x - 0.5,
                height - place.y - 0.5,
            )
            for number, place in enumerate(apertures.read(path).places, start=1)
        ]
    else:
        asked = _of_table(path, meta)
    if not asked:
        raise Unusable("has no aperture")
    return asked


def _of_table(path: Path, meta: Row) -> list[Aperture]:
    from accretor.aij import table as aij_table

    table = aij_table.read(path)
    labels = list(table.get("Label", ()))
    stem = Path(str(meta["frame"])).stem
    at = next((i for i, label in enumerate(labels) if Path(label).stem.removesuffix("_out") == stem), 0)
    found = []
    for column in table:
        if not column.startswith("Source-Sky_"):
            continue
        name = column.removeprefix("Source-Sky_")
        place = aij_table.sky_position(table, name)
        found.append(
            Aperture(
                name,
                *(place or (math.nan, math.nan)),
                *(
                    float(table[f"{axis}(FITS)_{name}"][at]) - 1
                    if f"{axis}(FITS)_{name}" in table
                    else math.nan
                    for axis in "XY"
                ),
            )
        )
    return found


def _radii_of_table(path: Path) -> Radii:
    """Return the radii of the first row of a table: the rest is not read at every start."""
    from accretor.aij import table as aij_table

    with path.open("rb") as file:
        begin = b"".join(line for _, line in zip(range(40), file, strict=False))
    table = aij_table.parse(begin, path.suffix)
    first = [
        float(table[name][0]) if name in table and len(table[name]) else math.nan
        for name in ("Source_Radius", "Sky_Rad(min)", "Sky_Rad(max)")
    ]
    return _radii(*first)


def _radii(aperture: float, inner: float, outer: float) -> Radii:
    return Radii(
        aperture if math.isfinite(aperture) and aperture > 0 else None,
        (inner, outer) if math.isfinite(inner) and inner < outer else None,
    )


def _nearest(aperture: Aperture, listed: list[Row]) -> tuple[int, float]:
    """Return the index of the nearest star of the list, and its distance: arcsec, or else pixel."""
    import numpy as np

    if math.isfinite(aperture.ra) and math.isfinite(listed[0]["ra"]):
        ra, dec = (np.array([row[name] for row in listed]) for name in ("ra", "dec"))
        east = ((ra - aperture.ra + 180) % 360 - 180) * math.cos(math.radians(aperture.dec))
        apart = 3600 * np.hypot(east, dec - aperture.dec)
    elif math.isfinite(aperture.x) and math.isfinite(aperture.y):
        x, y = (np.array([row[name] for row in listed]) for name in ("x", "y"))
        apart = np.hypot(x - aperture.x, y - aperture.y)
    else:
        return 0, math.inf
    star = int(np.argmin(apart))
    return star, float(apart[star])


def _numbered(found: dict[int, str]) -> dict[int, str]:
    """Return the labels with numbers without gaps, as AstroImageJ gives them."""
    return {star: f"{name[0]}{number}" for number, (star, name) in enumerate(found.items(), start=1)}


def _where(aperture: Aperture) -> str:
    if math.isfinite(aperture.ra):
        return f"{aperture.ra:.5f} {aperture.dec:+.5f}"
    return f"x {aperture.x:.1f}, y {aperture.y:.1f}"


def _remarks(path: Path, asked: list[Aperture], found: dict[int, str], missing: list[str]) -> list[str]:
    n_comparison = sum(aperture.is_comparison for aperture in asked)
    n_found = sum(name.startswith("C") for name in found.values())
    said = [f"comparison stars by {path.as_posix()}: {n_found} of {n_comparison}"]
    if missing:
        said.append(f"not in the star list: {', '.join(missing)} of {path.name}")
        if list(_numbered(found).values()) != list(found.values()):
            said.append("so the apertures have other numbers in the package than in the file")
    return said
