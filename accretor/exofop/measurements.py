"""Measurement tables of any observer, read into columns of one kind."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from accretor.aij import numbers
from accretor.aij import table as aij_table
from accretor.core.arrays import Floats
from accretor.core.errors import Unusable
from accretor.exofop import timestamps
from accretor.exofop.timestamps import Times

FLUXES = (
    ("rel_flux_T1_n", ("rel_flux_err_T1_n",)),
    ("rel_flux_T1_fn", ("rel_flux_err_T1_fn",)),
    ("rel_flux_T1", ("rel_flux_err_T1",)),
    ("rel_flux", ("rel_flux_err", "ERRFLUX")),
    ("flux", ("flux_err", "flux_error", "fluxerr", "err", "error", "e_flux")),
    ("FLUX", ("ERRFLUX", "FLUX_ERR", "ERR")),
    ("Flux", ("Flux_err", "Err", "Error")),
    ("flux_star_0", ("flux_err_star_0", "flux_err")),
    ("relative_flux", ("relative_flux_error", "relative_flux_err")),
    ("normalized_flux", ("normalized_flux_error", "normalized_flux_err")),
    ("norm_flux", ("norm_flux_err",)),
)
"""Columns of flux, the best first, each with the columns of its error."""

ANY_ERROR = ("rel_flux_err_T1_n", "rel_flux_err_T1", "flux_err", "ERRFLUX", "flux_error", "error", "err")
"""Columns of error of which no flux is known; a better one is not to be had."""

COVARIATES = {
    "airmass": ("AIRMASS", "airmass", "Airmass"),
    "fwhm": ("FWHM_T1", "fwhm", "FWHM", "FWHM_Mean"),
    "sky": ("Sky/Pixel_T1", "sky", "SKY", "sky_T1"),
    "x": ("X(IJ)_T1", "X(FITS)_T1", "x_coord", "x", "X"),
    "y": ("Y(IJ)_T1", "Y(FITS)_T1", "y_coord", "y", "Y"),
    "exptime": ("EXPTIME", "EXPOSURE", "exptime", "exposure"),
}
"""Our columns, and those that they are taken from, the best first."""

NOT_MISSED = frozenset({"exptime"})
"""What no detrending needs."""

SUFFIXES = (".tbl", ".csv", ".txt", ".xls", ".dat")
_OTHER = ("notes", "comment", "neb-table", "neb_table", "neighbourhood", "readme")
_MEASUREMENTS = re.compile(r"(?i).*measurements\.(xls|txt|csv|tbl)")
_LARGEST = 200_000_000
_NAME = re.compile(
    r"(?i)(?:TIC|TOI)?[-_ ]?[0-9]+[-_.](?P<planet>[0-9]{2})_(?P<date>[0-9]{8})_(?P<observatory>[^_]+)"
    r"_(?P<filter>[^_.]+)[_.].*"
)


@dataclass(frozen=True)
class Named:
    """What the name of a file says."""

    date: str = ""
    """YYYYMMDD."""
    observatory: str = ""
    filter: str = ""


@dataclass(frozen=True)
class Measurements:
    """One table of one observer, in order of time."""

    times: Times
    columns: Mapping[str, Floats]
    """``relative_flux`` with a median of 1, ``relative_flux_error``, and the covariates of `COVARIATES`;
    each (n_point,), NaN where the table has nothing."""
    level: float
    """By which the flux was divided."""
    sources: Mapping[str, str]
    """The column of the table behind each of ours."""
    n_dropped: int
    """Rows without a time or a flux."""
    remarks: tuple[str, ...] = field(default=())

    @property
    def missing(self) -> tuple[str, ...]:
        """Covariates that the table does not have."""
        return tuple(name for name in COVARIATES if name not in self.sources and name not in NOT_MISSED)


def candidates(folder: Path) -> list[Path]:
    """Return the files at and below a folder that may be measurements, in the order of their names.

    If any is named ``...measurements``, only these are taken.
    """
    found = [
        path
        for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix())
        if path.is_file()
        and path.suffix.lower() in SUFFIXES
        and not path.name.startswith(".")
        and not any(word in path.name.lower() for word in _OTHER)
    ]
    return [path for path in found if _MEASUREMENTS.fullmatch(path.name)] or found


def named(name: str) -> Named:
    """Return what a file name says, in the grammar of SG1; nothing of one with another."""
    found = _NAME.fullmatch(name)
    if not found:
        return Named()
    try:
        timestamps.julian_date(found["date"])
    except Unusable:
        return Named()
    return Named(found["date"], found["observatory"], found["filter"])


def read(path: Path, date: str = "") -> Measurements:
    """Read a measurement table of any observer.

    Parameters
    ----------
    path : Path
        Cells may be separated by TAB, comma, semicolon, bars or blanks; a table without a
        header must have three columns: time, flux and error.
    date : str
        Date of the observation, YYYYMMDD, for times that are not full; default: of the name.

    Raises
    ------
    Unusable
        If it is no such table; the sentence says why.
    """
    if path.stat().st_size > _LARGEST:
        raise Unusable(f"the file has {path.stat().st_size / 1e6:.0f} MB: too large for a measurement table")
    return standard(parse(path.read_bytes()), date or named(path.name).date)


def parse(content: bytes) -> dict[str, Any]:
    """Return the columns of a table; see `read`.

    Returns
    -------
    dict of column name to (n_row,) float64 or list of str
    """
    if b"\0" in content[:4096]:
        raise Unusable("the file is binary")
    text = content.decode("utf-8-sig", "replace")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise Unusable("the file is empty")
    if re.match(r"\s*<(!doctype|html|\?xml)", lines[0], re.IGNORECASE):
        raise Unusable("the file is a web page")
    data = [line for line in lines if not line.lstrip().startswith("#")]
    if data and _are_numbers(_cells(data[0], sniff(data))) and not _has_header(lines, data):
        return _headless(data)
    separator = sniff(data or lines)
    try:
        if separator in ("\t", " "):
            return aij_table.parse(content)
        # What is left is cut at its own separator and given on with commas.
        return aij_table.parse(content if separator == "," else _with_commas(lines, separator), ".csv")
    except csv.Error as error:
        raise Unusable(f"the table cannot be cut into cells: {error}") from None


def sniff(lines: Sequence[str]) -> str:
    """Return what separates the cells of *lines*: the separator that cuts most of them into equally many."""
    best, score = " ", 0
    for separator in ("\t", ",", ";", "|"):
        counts = Counter(line.count(separator) for line in lines[:200])
        number, often = counts.most_common(1)[0]
        if number and often > score:
            best, score = separator, often
    return best


def standard(table: Mapping[str, Any], date: str = "") -> Measurements:
    """Return the table in our columns.

    Parameters
    ----------
    table : mapping of column name to (n_row,) float64 or list of str
    date : str
        Date of the observation, YYYYMMDD; "" if it is not known.

    Raises
    ------
    Unusable
        If it has no times, no flux, or fewer than three points.
    """
    times = timestamps.find(table, date)
    flux_name, error_name, remarks = _flux(table)
    flux, found = np.asarray(table[flux_name], dtype=np.float64), {"relative_flux": flux_name}
    is_kept = np.isfinite(times.value) & np.isfinite(flux)
    if is_kept.sum() < 3:
        raise Unusable(f"{int(is_kept.sum())} rows have a time and a flux; 3 are needed")
    order = np.flatnonzero(is_kept)[np.argsort(times.value[is_kept], kind="stable")]
    level = float(np.median(flux[order]))
    if not level > 0:
        raise Unusable(f"the median of {flux_name} is {level:g}: not a flux")
    columns = {"relative_flux": flux[order] / level, "relative_flux_error": np.full(order.size, math.nan)}
    if error_name:
        columns["relative_flux_error"] = np.asarray(table[error_name], dtype=np.float64)[order] / level
        found["relative_flux_error"] = error_name
    for ours, theirs in COVARIATES.items():
        source = next((name for name in theirs if _is_measured(table.get(name))), "")
        columns[ours] = (
            np.asarray(table[source], dtype=np.float64)[order] if source else np.full(order.size, math.nan)
        )
        if source:
            found[ours] = source
    ordered = Times(times.value[order], times.system, times.column, times.offset, times.remarks)
    return Measurements(ordered, columns, level, found, int((~is_kept).sum()), (*times.remarks, *remarks))


def cadence(time: Floats) -> float:
    """Return the median time between points (Julian date, day), in seconds."""
    return float(np.median(np.diff(time)) * 86400) if time.size > 1 else math.nan


def _flux(table: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    """Return the names of the columns of flux and error ("" if there is none), and what must be said."""
    for flux, errors in FLUXES:
        if not _is_measured(table.get(flux)):
            continue
        own = next((name for name in errors if _is_measured(table.get(name))), "")
        if own:
            return flux, own, []
        other = next((name for name in ANY_ERROR if _is_measured(table.get(name))), "")
        said = f"{other} is taken for the error of {flux}" if other else f"{flux} has no error"
        return flux, other, [said]
    raise Unusable(f"no column is a flux; there are {', '.join(list(table)[:8])}")


def _is_measured(cells: Any) -> bool:
    return isinstance(cells, np.ndarray) and bool(np.isfinite(cells).any())


def _cells(line: str, separator: str) -> list[str]:
    if separator == " ":
        return line.split()
    return [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]


def _are_numbers(cells: Sequence[str]) -> bool:
    return bool(cells) and all(_is_number(cell) for cell in cells)


def _is_number(cell: str) -> bool:
    try:
        numbers.read(cell)
    except ValueError:
        return False
    return True


def _has_header(lines: Sequence[str], data: Sequence[str]) -> bool:
    """Return whether the last comment before the data has as many names as the data have cells."""
    before = [line for line in lines[: lines.index(data[0])] if line.lstrip().startswith("#")]
    if not before:
        return False
    separator = sniff(data)
    names = _cells(before[-1].lstrip().lstrip("#").strip(), separator)
    return len(names) == len(_cells(data[0], separator)) and not _are_numbers(names)


def _headless(data: Sequence[str]) -> dict[str, Any]:
    """Return time, flux and error of a table without a header."""
    separator = sniff(data)
    rows = [_cells(line, separator) for line in data]
    if {len(row) for row in rows} != {3}:
        raise Unusable("the table has no header, and not three columns")
    try:
        time, flux, error = np.array([[numbers.read(cell) for cell in row] for row in rows]).T
    except ValueError as trouble:
        raise Unusable(f"the table has no header, and {trouble}") from None
    if not np.nanmedian(flux) > np.nanmedian(error):
        raise Unusable("the table has no header, and its second column is not a flux with its error after it")
    return {"time": time, "flux": flux, "flux_err": error}


def _with_commas(lines: Sequence[str], separator: str) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows(_cells(line, separator) for line in lines)
    return out.getvalue().encode("utf-8")
