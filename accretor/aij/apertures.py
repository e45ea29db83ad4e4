"""AstroImageJ's ``.apertures`` files: radii and places of the apertures, in its own pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from accretor.aij import javaproperties
from accretor.core.errors import Unusable

_MA = ".multiaperture."
_UNKNOWN_MAGNITUDE = 99.999


FWHM_FACTOR = 1.4
"""Of AstroImageJ, where none is given."""


@dataclass(frozen=True)
class Place:
    """One aperture; its place in the list is its number."""

    x: float
    """X(IJ) in the first image, pixel."""
    y: float
    """Y(IJ), pixel; it grows downward."""
    is_comparison: bool
    """C if true, T if not."""
    ra: float = math.nan
    """Degree; NaN if unknown."""
    dec: float = math.nan
    """Degree."""
    recentre: bool = True
    magnitude: float = math.nan


@dataclass(frozen=True)
class Apertures:
    """The content of a file."""

    radius: float
    """Pixel."""
    sky_inner: float
    """Pixel."""
    sky_outer: float
    """Pixel."""
    places: tuple[Place, ...]
    gain: float = math.nan
    """Electron per ADU; NaN if the file does not tell."""
    read_noise: float = math.nan
    """Electron."""
    dark_current: float = math.nan
    """Electron per pixel and second."""
    has_variable_radius: bool = False
    """The radius follows the FWHM of each image."""
    fwhm_factor: float = FWHM_FACTOR
    """Radius over FWHM, if it does."""


def write(apertures: Apertures) -> bytes:
    """Return the text of the file; no date, unlike AstroImageJ's."""
    places = apertures.places
    known = all(math.isfinite(place.ra) and math.isfinite(place.dec) for place in places)
    keys = {
        ".aperture.radius": _number(apertures.radius),
        ".aperture.rback1": _number(apertures.sky_inner),
        ".aperture.rback2": _number(apertures.sky_outer),
        ".aperture.removebackstars": "true",
        ".aperture.backplane": "false",
        f"{_MA}apradius": "AUTO_VAR_FWHM" if apertures.has_variable_radius else "FIXED",
        f"{_MA}naperturesmax": str(max(1000, len(places))),
        f"{_MA}usevarsizeap": _flag(apertures.has_variable_radius),
        f"{_MA}apfwhmfactor": _number(apertures.fwhm_factor),
        f"{_MA}usewcs": _flag(known),
        f"{_MA}xapertures": _list(f"{place.x:.4f}" for place in places),
        f"{_MA}yapertures": _list(f"{place.y:.4f}" for place in places),
        f"{_MA}raapertures": _list(f"{place.ra:.8f}" for place in places) if known else "",
        f"{_MA}decapertures": _list(f"{place.dec:.8f}" for place in places) if known else "",
        f"{_MA}isrefstar": _list(_flag(place.is_comparison) for place in places),
        f"{_MA}centroidstar": _list(_flag(place.recentre) for place in places),
        f"{_MA}isalignstar": _list(_flag(place.recentre) for place in places),
        f"{_MA}absmagapertures": _list(
            f"{place.magnitude if math.isfinite(place.magnitude) else _UNKNOWN_MAGNITUDE:.3f}"
            for place in places
        ),
    }
    for name, value in (
        ("gain", apertures.gain),
        ("noise", apertures.read_noise),
        ("dark", apertures.dark_current),
    ):
        if math.isfinite(value):
            keys[f".aperture.ccd{name}"] = _number(value)
    return javaproperties.write(keys, "AstroImageJ Saved Apertures")


def read(path: Path) -> Apertures:
    """Read the file at *path*; see `parse`."""
    return parse(path.read_bytes())


def parse(content: bytes) -> Apertures:
    """Read apertures.

    Raises
    ------
    Unusable
        If it has none, or its lists do not go together: AstroImageJ 6 keeps elliptical and
        free-hand apertures in another form, which no SG1 package uses.
    """
    keys = javaproperties.parse(content)
    try:
        x, y = _numbers(keys, "xapertures"), _numbers(keys, "yapertures")
        ra, dec = _numbers(keys, "raapertures"), _numbers(keys, "decapertures")
        magnitude = _numbers(keys, "absmagapertures")
        radii = [float(keys.get(f".aperture.{name}", "nan")) for name in ("radius", "rback1", "rback2")]
        gain, noise, dark = (
            float(keys.get(f".aperture.ccd{name}", "nan")) for name in ("gain", "noise", "dark")
        )
    except ValueError as error:
        raise Unusable(f"is no file of apertures: {error}") from None
    if not x or len(x) != len(y):
        raise Unusable(f"is no file of apertures: {len(x)} columns and {len(y)} rows of places")
    n = len(x)
    comparison = _flags(keys, "isrefstar") or [False, *[True] * (n - 1)]
    centroid = _flags(keys, "centroidstar") or [True] * n
    if len(comparison) != n or len(centroid) != n:
        raise Unusable(f"is no file of apertures: {n} places, {len(comparison)} roles")
    ra, dec, magnitude = (values if len(values) == n else [math.nan] * n for values in (ra, dec, magnitude))
    return Apertures(
        radius=radii[0],
        sky_inner=radii[1],
        sky_outer=radii[2],
        places=tuple(
            Place(x[i], y[i], comparison[i], ra[i], dec[i], centroid[i], _known(magnitude[i]))
            for i in range(n)
        ),
        gain=gain,
        read_noise=noise,
        dark_current=dark,
        has_variable_radius=keys.get(f"{_MA}usevarsizeap") == "true"
        or keys.get(f"{_MA}apradius", "FIXED").startswith("AUTO_VAR"),
    )


def _known(magnitude: float) -> float:
    return math.nan if magnitude > 99 else magnitude


def _numbers(keys: dict[str, str], name: str) -> list[float]:
    return [float(part) for part in keys.get(_MA + name, "").split(",") if part.strip()]


def _flags(keys: dict[str, str], name: str) -> list[bool]:
    return [part.strip() == "true" for part in keys.get(_MA + name, "").split(",") if part.strip()]


def _list(parts: Iterable[str]) -> str:
    return ",".join(parts)


def _flag(value: bool) -> str:
    return str(value).lower()


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")
