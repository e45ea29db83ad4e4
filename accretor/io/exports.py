"""Tables in the forms of other programs; the same table gives the same bytes."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accretor import __version__
from accretor.core.dumps import Column, Schema
from accretor.core.errors import Unusable
from accretor.io import dump
from accretor.io.dump import Row

AAVSO_HEAD = "#NAME,DATE,MAG,MERR,FILT,TRANS,MTYPE,CNAME,CMAG,KNAME,KMAG,AMASS,GROUP,CHART,NOTES"
_AAVSO_SLOAN = {"u": "SU", "g": "SG", "r": "SR", "i": "SI", "z": "SZ"}
_AAVSO_SAME = {"U": "U", "B": "B", "V": "V", "Rc": "R", "R": "R", "Ic": "I", "I": "I"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""With which a formula of a spreadsheet begins (OWASP, CSV injection)."""
OTHER_FILTER = "O"
"""What the AAVSO calls a filter that it has no name for."""


def to_csv(columns: Sequence[Column], rows: Sequence[Row]) -> bytes:
    """Return a table with commas; a number that is not known is an empty cell.

    A text that a spreadsheet would take for a formula, and run, has an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    cells = [[_harmless(column, _cell(column, row[column.name])) for row in rows] for column in columns]
    writer.writerows(zip(*cells, strict=True) if rows else ())
    return text.getvalue().encode("utf-8")


def to_ecsv(name: str, columns: Sequence[Column], rows: Sequence[Row], meta: Mapping[str, Any]) -> bytes:
    """Return a table with units and meanings."""
    return dump.text(Schema(name, 1, tuple(columns)), rows, meta).encode("utf-8")


def to_json(columns: Sequence[Column], rows: Sequence[Row], meta: Mapping[str, Any]) -> bytes:
    """Return ``{"meta": ..., "units": ..., "rows": [...]}``; a number that is not known is null."""
    content = {
        "meta": dict(meta),
        "units": {column.name: column.unit for column in columns if column.unit},
        "rows": [{column.name: _value(column, row[column.name]) for column in columns} for row in rows],
    }
    return (json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode("utf-8")


def to_parquet(columns: Sequence[Column], rows: Sequence[Row], meta: Mapping[str, Any]) -> bytes:
    """Return a Parquet file with units in the fields' metadata.

    Raises
    ------
    Unusable
        If pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise Unusable("Parquet needs pyarrow: pip install 'accretor[parquet]'") from None
    kinds = {
        "string": pyarrow.string(),
        "int64": pyarrow.int64(),
        "float64": pyarrow.float64(),
        "bool": pyarrow.bool_(),
    }
    schema = pyarrow.schema(
        [
            pyarrow.field(
                column.name, kinds[column.kind], metadata={"unit": column.unit, "meaning": column.meaning}
            )
            for column in columns
        ],
        metadata={"accretor": json.dumps(dict(meta), sort_keys=True)},
    )
    arrays = [
        pyarrow.array([_value(column, row[column.name]) for row in rows], kinds[column.kind])
        for column in columns
    ]
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=schema), sink)
    return bytes(sink.getvalue().to_pybytes())


def _harmless(column: Column, cell: str) -> str:
    return f"'{cell}" if column.kind == "string" and cell.startswith(_FORMULA) else cell


@dataclass(frozen=True)
class Magnitude:
    """One standard magnitude of the target."""

    jd_utc: float
    magnitude: float
    error: float
    exposure: float
    """Second."""
    airmass: float
    limit: float = math.nan
    """Of the frame; the star is fainter than that where it has no magnitude. NaN where it is not known."""


def aavso_filter(filter_name: str, band: str) -> str:
    """Return the AAVSO's code of a filter whose magnitudes are tied to *band*."""
    if filter_name == "clear":
        return {"V": "CV", "Rc": "CR"}.get(band, OTHER_FILTER)
    if filter_name in ("CBB", "TESS", "I+z", "zYJ"):
        return OTHER_FILTER
    return _AAVSO_SAME.get(band) or _AAVSO_SLOAN.get(band) or OTHER_FILTER


def to_aavso(
    name: str,
    code: str,
    filter_code: str,
    points: Sequence[Magnitude],
    *,
    is_transformed: bool,
    sequence: str,
    notes: str,
) -> bytes:
    """Return a report in the AAVSO's Extended format (its description of 2020).

    Parameters
    ----------
    name, code
        Of the star, and of the observer.
    is_transformed
        Whether a colour term was taken off.
    points
        With a magnitude, or a limit; times are of mid-exposure, Julian date, UTC.
    sequence
        Where the magnitudes of the comparison stars are from; at most 20 characters of it.
    notes
        At most 100 characters, of which commas are taken away.
    """
    lines = [
        "#TYPE=EXTENDED",
        f"#OBSCODE={code}",
        f"#SOFTWARE=accretor {__version__}",
        "#DELIM=,",
        "#DATE=JD",
        "#OBSTYPE=CCD",
        AAVSO_HEAD,
    ]
    said = notes.replace(",", ";")[:100] or "na"
    chart = sequence.replace(",", " ")[:20] or "na"
    lines += [
        f"{name.replace(',', ' ')[:30]},{point.jd_utc:.6f},{_aavso_magnitude(point)},{filter_code},"
        f"{'YES' if is_transformed else 'NO'},STD,ENSEMBLE,na,na,na,"
        f"{f'{point.airmass:.4f}' if math.isfinite(point.airmass) else 'na'},na,{chart},{said}"
        for point in points
    ]
    return ("\n".join(lines) + "\n").encode("ascii", "replace")


def _aavso_magnitude(point: Magnitude) -> str:
    """Return magnitude and error; a star that was not seen is fainter than the limit."""
    if math.isfinite(point.magnitude):
        return f"{point.magnitude:.4f},{point.error:.4f}"
    return f"<{point.limit:.3f},na"


def to_gcn(
    name: str, telescope: str, filter_name: str, system: str, points: Sequence[Magnitude], notes: str
) -> bytes:
    """Return the magnitudes as the text of a GCN circular has them; what was not seen is below the limit."""
    lines = [
        f"Photometry of {name} with {telescope}.",
        "",
        f"{'MJD (UTC, mid)':<16}{'exposure/s':>11}  {'filter':<8}{'magnitude':>10}{'error':>8}{'limit':>8}"
        "  system",
    ]
    lines += [
        f"{point.jd_utc - 2400000.5:<16.5f}{point.exposure:>11.1f}  {filter_name:<8}{_gcn_magnitude(point)}"
        f"{_gcn_number(point.limit):>8}  {system}"
        for point in points
    ]
    return ("\n".join([*lines, "", notes]) + "\n").encode("ascii", "replace")


def _gcn_magnitude(point: Magnitude) -> str:
    if math.isfinite(point.magnitude):
        return f"{point.magnitude:>10.3f}{point.error:>8.3f}"
    return f"{f'> {point.limit:.2f}':>10}{'':>8}"


def _gcn_number(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "-"


@dataclass(frozen=True)
class Region:
    """The aperture of one star."""

    label: str
    x: float
    y: float
    """Pixel; the first pixel's centre is (0, 0)."""
    ra: float
    dec: float
    """Degree; NaN without a plate solution."""
    color: str


def to_ds9(regions: Sequence[Region], radii: tuple[float, float, float], pixel_scale: float) -> bytes:
    """Return apertures and sky annuli as regions of DS9 4.1: on the sky, or in pixels without a solution.

    Parameters
    ----------
    radii
        Aperture, inner and outer sky, pixel.
    pixel_scale
        Arcsec per pixel; NaN if unknown.
    """
    is_sky = pixel_scale > 0 and all(math.isfinite(region.ra) for region in regions)
    lines = [
        "# Region file format: DS9 version 4.1",
        'global color=green width=1 font="helvetica 10 normal roman" select=1 edit=1 move=1 delete=1',
        "icrs" if is_sky else "image",
    ]
    for region in regions:
        if is_sky:
            place = f"{region.ra:.7f},{region.dec:.7f}"
            aperture, inner, outer = (f'{radius * pixel_scale:.3f}"' for radius in radii)
        else:
            place = f"{region.x + 1:.3f},{region.y + 1:.3f}"
            aperture, inner, outer = (f"{radius:.3f}" for radius in radii)
        lines.append(f"circle({place},{aperture}) # color={region.color} text={{{region.label}}}")
        lines.append(f"annulus({place},{inner},{outer}) # color={region.color} dash=1")
    return ("\n".join(lines) + "\n").encode("ascii")


def _value(column: Column, value: Any) -> Any:
    """Return *value* as Python's own, rounded as the column says; None for a number that is not known."""
    if column.kind == "float64":
        number = float(value)
        if not math.isfinite(number):
            return None
        return number if column.digits is None else round(number, column.digits) + 0.0
    return {"int64": int, "bool": bool, "string": str}[column.kind](value)


def _cell(column: Column, value: Any) -> str:
    found = _value(column, value)
    return "" if found is None else repr(found) if column.kind == "float64" else str(found)
