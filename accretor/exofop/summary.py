"""The time-series form of ExoFOP, filled from a package by the rules of the SG1 upload tool."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.core.arrays import Floats
from accretor.core.errors import Unusable
from accretor.exofop import naming
from accretor.io import fits as io_fits

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

COVERAGES = ("Full", "Ingress", "Egress", "Out of Transit")
VARIABLE_RADIUS = "aperture radius was variable in time"
LACKING = "ExoFOP asks for what is not known"
"""Begins the reason where a form lacks values that the settings can give."""
LARGEST_SCALE = 600.0
"""Arcsec per pixel; no camera that measures transits comes near."""

_SECONDS_PER_DAY = 86_400


@dataclass(frozen=True)
class Form:
    """What the files of a package cannot say, for all its filters."""

    tic: int
    planet: str
    """Two digits."""
    name: str
    """Any spelling of the TOI; a name that is no TOI leaves ExoFOP's planet field empty."""
    telescope_diameter: float
    """m."""
    camera: str
    username: str
    """ExoFOP user; part of the tag."""
    group: str = "tfopwg"
    public_note: str = ""
    """Public at once on ExoFOP: no results in it."""
    series: str = ""
    """Ends the tag, where another telescope of the user may have observed the same night."""


@dataclass(frozen=True)
class FilterForm:
    """What the files of one filter cannot say."""

    psf: float
    """FWHM, arcsec."""
    coverage: str
    """One of `COVERAGES`."""
    delta_mag: float | None = None
    """Faintest neighbour cleared, magnitudes; None leaves it blank."""
    pixel_scale: float | None = None
    """Arcsec per pixel; None: that of the plate-solved image."""
    aperture_radius: float | None = None
    """Pixel; None: the median of the table."""
    duration: int | None = None
    """Minute; None: that of the table."""
    n_observation: int | None = None
    """None: the rows of the table."""


def summary(
    form: Form,
    filter_form: FilterForm,
    *,
    date: str,
    observatory: str,
    filter_name: str,
    pixel_scale: float,
    table: Mapping[str, Any],
) -> dict[str, str]:
    """Return the 18 fields of the form, in order.

    Parameters
    ----------
    form, filter_form : Form, FilterForm
        What only the observer or other stages know.
    date : str
        UT date of the first exposure, YYYYMMDD, as in the file names.
    observatory, filter_name : str
        Tokens of the file names.
    pixel_scale : float, arcsec per pixel
        Sent with two significant digits, as the SG1 upload tool does.
    table : mapping of column name to array
        The primary measurement table, in ascending time; see `primary_table`.

    Raises
    ------
    Unusable
        If a value is missing or not a number, or the TOI has another planet.
    """
    toi = naming.planet_name(form.name)
    if toi and not toi.endswith(f".{form.planet}"):
        raise Unusable(f"{form.name} is not planet {form.planet}")
    scale = pixel_scale if filter_form.pixel_scale is None else filter_form.pixel_scale
    if lacking := _lacking(form, filter_form, filter_name, scale):
        raise Unusable(f"{LACKING}: {'; '.join(lacking)}")
    remarks = [form.public_note.strip(), VARIABLE_RADIUS if has_variable_radius(table) else ""]
    return {
        "planet": toi,
        "tel": observatory,
        "telsize": f"{form.telescope_diameter:g}",
        "camera": form.camera,
        "filter": filter_name,
        "pixscale": two_digits(scale),
        "psf": f"{filter_form.psf:.2f}",
        "photaprad": aperture_radius(table)
        if filter_form.aperture_radius is None
        else str(round(filter_form.aperture_radius, 1)),
        "obsdate": f"{date[:4]}-{date[4:6]}-{date[6:]}",
        "obsdur": str(duration(table) if filter_form.duration is None else filter_form.duration),
        "obsnum": str(
            n_observation(table) if filter_form.n_observation is None else filter_form.n_observation
        ),
        "obstype": "Continuous",
        "transcov": filter_form.coverage,
        "deltamag": f"{filter_form.delta_mag:g}" if filter_form.delta_mag else "",
        "tag": tag(date, form.username, form.tic, form.planet, form.series),
        "groupname": form.group,
        "notes": "; ".join(remark for remark in remarks if remark),
        "id": str(form.tic),
    }


def _lacking(form: Form, filter_form: FilterForm, filter_name: str, scale: float) -> list[str]:
    """Return all that the form of a filter lacks, with the keys of ``workspace.toml`` that tell it."""
    lacking = [
        f"{what} ({key} = ...)"
        for what, key, value in (
            ("telescope diameter, m", "[[instrument]] telescope_diameter", form.telescope_diameter),
            ("FWHM, arcsec", f"[upload.filter.{filter_name}] psf", filter_form.psf),
            ("pixel scale, arcsec per pixel", f"[upload.filter.{filter_name}] pixel_scale", scale),
        )
        if not (np.isfinite(value) and value > 0)
    ]
    if filter_form.coverage not in COVERAGES:
        known = ", ".join(f'"{one}"' for one in COVERAGES)
        now = f", not {filter_form.coverage!r}" if filter_form.coverage else ""
        lacking.append(f"coverage ([upload] coverage = one of {known}{now})")
    return lacking


def tag(date: str, username: str, tic: int, planet: str, series: str = "") -> str:
    """Return the tag that ties the files and forms of one package together."""
    if not username:
        raise Unusable('the ExoFOP user is not known: [upload] username = "..."; it is part of the tag')
    return f"{date}_{username}_tic{tic}_{planet}" + (f"_{series}" if series else "")


def primary_table(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the name of the table that stands for its filter.

    The largest median Source_Radius wins; then a constant radius before a variable
    one, then the larger radius in the name, then the last name.

    Parameters
    ----------
    tables : mapping of file name to table
        All measurement tables of one filter; at least one.
    """

    def rank(name: str) -> tuple[float, bool, int, str]:
        median = median_radius(tables[name])
        return (
            -1e9 if median is None else median,
            not has_variable_radius(tables[name]),
            naming.parse(name).n_pixel or -1,
            name,
        )

    return max(tables, key=rank)


def pixel_scale(path: Path) -> float:
    """Return the mean pixel scale of a plate-solved image, arcsec per pixel.

    Raises
    ------
    Unusable
        If the first HDU has no celestial coordinate system. Cards that are texts
        where numbers belong give none: astropy would take them for an identity.
    """
    from astropy.wcs.utils import proj_plane_pixel_scales

    wcs, _ = _plate(path)
    scale = float(np.mean(proj_plane_pixel_scales(wcs.celestial) * 3600 if wcs.has_celestial else np.nan))
    if not (np.isfinite(scale) and scale > 0):
        raise Unusable("has no celestial coordinate system")
    if scale > LARGEST_SCALE:  # cards without a matrix mean one degree per pixel
        raise Unusable(f"has no valid plate solution: {scale:.0f} arcsec per pixel")
    return scale


def pixel_of(path: Path, where: tuple[float, float]) -> tuple[float, float, int, int]:
    """Return x and y (0-based) of a position (degree) in a plate-solved image, its width and its height.

    Raises
    ------
    Unusable
        If the image has no plate solution, or the position is not in its half of the sky.
    """
    wcs, header = _plate(path)
    x, y = (float(value) for value in wcs.celestial.all_world2pix(*where, 0, quiet=True))
    if not (np.isfinite(x) and np.isfinite(y)):
        raise Unusable("the position is not in this part of the sky")
    return x, y, int(header.get("NAXIS1", 0)), int(header.get("NAXIS2", 0))


def _plate(path: Path) -> tuple[WCS, Header]:
    """Return the coordinate system of a plate-solved image, and its header."""
    # astropy.wcs takes half a second to import.
    from astropy.wcs import WCS, FITSFixedWarning

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whatever is odd with the file is said by us
            header = io_fits.read_header(path, hdu=0)
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise Unusable(f"is no FITS image: {error}") from error
    for keyword in ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2"):
        if not isinstance(header.get(keyword), (int, float)):
            raise Unusable(f"has no plate solution: {keyword} is {header.get(keyword, 'missing')!r}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FITSFixedWarning)
            wcs = WCS(header)
            wcs.wcs.set()
    except (ValueError, MemoryError) as error:  # wcslib reports a singular matrix so
        raise Unusable(f"has no valid plate solution: {str(error).strip().splitlines()[0]}") from error
    return wcs, header


def two_digits(scale: float) -> str:
    """Return *scale* with two significant digits, e.g. ``0.39`` or ``5.2``."""
    return str(float(f"{scale:.2g}"))


def aperture_radius(table: Mapping[str, Any]) -> str:
    """Return the median Source_Radius with one decimal, pixel; "" if there is none."""
    median = median_radius(table)
    return "" if median is None else str(round(median, 1))


def median_radius(table: Mapping[str, Any]) -> float | None:
    """Return the median Source_Radius, pixel; None if there is none."""
    radius = _radius(table)
    return float(np.nanmedian(radius)) if np.isfinite(radius).any() else None


def duration(table: Mapping[str, Any]) -> int:
    """Return the minutes from the start of the first exposure to the end of the last.

    Raises
    ------
    Unusable
        If the times or exposures of the first and last row are not numbers.
    """
    time = table.get("JD_UTC")
    if not isinstance(time, np.ndarray) or time.size == 0:
        raise Unusable("the table has no times (JD_UTC)")
    exposure = _exposure(table, len(time))
    days = (time[-1] + exposure[-1] / 2 / _SECONDS_PER_DAY) - (time[0] - exposure[0] / 2 / _SECONDS_PER_DAY)
    if not np.isfinite(days):
        raise Unusable("the first or last row of the table has no time or exposure")
    return round(float(days) * 24 * 60)


def n_observation(table: Mapping[str, Any]) -> int:
    """Return the number of rows."""
    return len(next(iter(table.values()), ()))


def _exposure(table: Mapping[str, Any], n_row: int) -> Floats:
    for name in ("EXPTIME", "EXPOSURE"):
        if isinstance(table.get(name), np.ndarray):
            return np.asarray(table[name], dtype=np.float64)
    return np.zeros(n_row)


def _radius(table: Mapping[str, Any]) -> Floats:
    radius = table.get("Source_Radius")
    return radius if isinstance(radius, np.ndarray) else np.array([np.nan])


def has_variable_radius(table: Mapping[str, Any]) -> bool:
    """Return whether the aperture changed in the course of the night."""
    radius = _radius(table)
    return bool(np.isfinite(radius).any() and np.nanmax(radius) > np.nanmin(radius))
