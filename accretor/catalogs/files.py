"""A catalogue in a file of the user's: CSV, ECSV, VOTable or FITS."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accretor.catalogs import bands, store
from accretor.core.catalog import Catalog
from accretor.core.errors import AccretorError, Unusable
from accretor.io import dump
from accretor.science import angles

if TYPE_CHECKING:
    from accretor.core.arrays import Floats, Strings

_HEAD = 4096
_UNITS = {"ra": "deg", "dec": "deg", "pm_ra": "mas / yr", "pm_dec": "mas / yr"}


def local(
    path: Path,
    name: str,
    columns: Mapping[str, str],
    *,
    epoch: float = 2000.0,
    system: Mapping[str, bands.System] | None = None,
) -> Catalog:
    """Return the catalogue in a file of the user's.

    Parameters
    ----------
    path : Path
        CSV (comma, semicolon, tab or bar between), ECSV, VOTable or FITS table; its content tells which.
        A file that accretor has kept needs no *columns*.
    name : str
        What it shall be called, e.g. ``apass_dr10``.
    columns : mapping of str to str
        The file's column for each of ours: ``ra`` and ``dec`` (needed), ``identifier``, ``pm_ra``,
        ``pm_dec``, ``flag``, each band, and ``<band>_error``. Angles are degrees or, as text, ``hh:mm:ss``
        and ``dd:mm:ss``; proper motions milliarcsec per year, that of ra times cos(dec). A unit in the
        file is obeyed.
    epoch : float
        Julian year of the positions.
    system : mapping of band to AB or Vega
        Of bands with no usual system.

    Raises
    ------
    Unusable
        If it cannot be read, or lacks a column; with the columns that there are.
    """
    import numpy as np

    if not columns:
        return _kept(path, name)
    if missing := [key for key in ("ra", "dec") if key not in columns]:
        raise Unusable(f"{path}: columns: {' and '.join(missing)} must be named, as ra = 'RAJ2000'")
    found = bands.of_columns(columns)
    strays = [
        key for key in columns if key.endswith(bands.ERROR) and key.removesuffix(bands.ERROR) not in found
    ]
    if strays:
        raise Unusable(f"{path}: columns: {strays[0]} is the error of a band that is not named")
    systems = {band: bands.system(band, system or {}) for band in found}
    table = _table(path)
    if missing := [theirs for theirs in columns.values() if theirs not in table.colnames]:
        raise Unusable(f"{path}: has no column {missing[0]!r}; it has {', '.join(table.colnames)}")
    n_star = len(table)
    unknown = np.full(n_star, np.nan)

    def numbers(key: str) -> Floats:
        return _numbers(path, key, table[columns[key]]) if key in columns else unknown

    def texts(key: str) -> Strings:
        return _texts(table[columns[key]]) if key in columns else np.full(n_star, "", dtype="<U1")

    is_star = np.isfinite(numbers("ra")) & np.isfinite(numbers("dec"))
    if not is_star.any():
        raise Unusable(f"{path}: none of its {n_star} rows has a position")
    return Catalog(
        name=name,
        epoch=float(epoch),
        identifier=texts("identifier")[is_star],
        **{key: numbers(key)[is_star] for key in ("ra", "dec", "pm_ra", "pm_dec")},
        magnitude={band: numbers(band)[is_star] for band in found},
        magnitude_error={band: numbers(band + bands.ERROR)[is_star] for band in found},
        system=systems,
        flag=texts("flag")[is_star],
    )


def _kept(path: Path, name: str) -> Catalog:
    """Return a catalogue that accretor has kept, under the *name* that the user gives it."""
    import dataclasses

    try:
        is_ours = "systems" in dump.read_meta(path)
    except (AccretorError, OSError):
        is_ours = False
    if not is_ours:
        raise Unusable(f"{path}: its columns must be named, as columns = {{ra = 'RAJ2000', dec = 'DEJ2000'}}")
    return dataclasses.replace(store.read(path), name=name)


def _table(path: Path) -> Any:
    """Return the table in *path*, an `astropy.table.Table`, which is not to be changed."""
    try:
        state = path.stat()
    except OSError as error:
        raise Unusable(f"{path}: cannot be read: {error.strerror}") from None
    return _parsed(path.resolve(), path, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=2)  # several stages of a run need the same
def _parsed(_: Path, path: Path, *_state: int) -> Any:
    from xml.parsers.expat import ExpatError

    from astropy.io.fits import VerifyError
    from astropy.table import Table
    from astropy.utils.exceptions import AstropyWarning

    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise Unusable(f"{path}: cannot be read: {error.strerror}") from None
    options: dict[str, Any]
    if head.startswith(b"SIMPLE  ="):
        kind, options = "FITS", {"format": "fits", "unit_parse_strict": "silent"}
    elif b"<VOTABLE" in head:
        kind, options = "VOTable", {"format": "votable", "verify": "ignore"}
    elif head.startswith(b"# %ECSV"):
        kind, options = "ECSV", {"format": "ascii.ecsv", "encoding": "utf-8"}
    else:
        lines = (line for line in head.decode("utf-8", "replace").splitlines() if not line.startswith("#"))
        first = next((line for line in lines if line.strip()), "")
        between = max(",;\t|", key=first.count)
        kind, options = (
            "CSV",
            {"format": "ascii.csv", "delimiter": between, "comment": "#", "encoding": "utf-8"},
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)  # what is odd but readable
            table = Table.read(path, **options)
    # What astropy's four readers raise on a file that is none: their own errors, and Python's.
    except (
        *(AstropyWarning, VerifyError, ExpatError, OSError),
        *(ValueError, TypeError, LookupError, SyntaxError),
    ) as error:
        said = " ".join(str(error).split())[:120]
        raise Unusable(f"{path}: cannot be read as {kind}: {said}") from error
    if not len(table):
        raise Unusable(f"{path}: has no rows")
    return table


def _numbers(path: Path, key: str, column: Any) -> Floats:
    """Return a column in our unit, nan where it is empty."""
    import numpy as np

    has_unit = column.unit is not None and key in _UNITS
    found = np.full(len(column), np.nan)
    mask = _mask(column)
    if np.asarray(column).dtype.kind in "fiu":
        found[~mask] = np.asarray(column)[~mask]
    else:
        parse = {} if has_unit else {"ra": angles.right_ascension, "dec": angles.declination}
        for i in np.flatnonzero(~mask).tolist():
            text = str(column[i]).strip()
            try:
                found[i] = parse.get(key, float)(text) if text else np.nan
            except ValueError:
                raise Unusable(f"{path}: row {i + 1}: {text!r} is no {key}") from None
    if has_unit:
        from astropy import units

        try:
            found = (found * units.Unit(column.unit)).to_value(_UNITS[key])
        except (units.UnitConversionError, ValueError):
            raise Unusable(f"{path}: {column.name} is in {column.unit}, not {_UNITS[key]}") from None
    if key == "dec" and (wrong := np.flatnonzero(np.abs(found) > 90)).size:
        raise Unusable(f"{path}: row {wrong[0] + 1}: {found[wrong[0]]} is no dec: -90 to 90 degrees needed")
    return np.asarray(found % 360 if key == "ra" else found, dtype=np.float64)


def _texts(column: Any) -> Strings:
    import numpy as np

    mask = _mask(column)
    return np.array(
        ["" if gone else str(value).strip() for value, gone in zip(column, mask, strict=True)], dtype=np.str_
    )


def _mask(column: Any) -> Any:
    """Return which cells of a column are empty."""
    import numpy as np

    return np.array(np.broadcast_to(getattr(column, "mask", False), len(column)))
