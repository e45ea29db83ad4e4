"""Binary dumps: one FITS table with a row per frame, vectors in its cells.

A readable twin (ECSV) holds the scalar columns. The FITS file is the truth; the
twin is made from it.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from accretor.core.dumps import Column, Schema
from accretor.core.errors import DumpError
from accretor.io import atomic
from accretor.io.dump import Row

_SEAL = "ACC_DIG"
_OPEN = "0" * 32


def write(
    path: Path, schema: Schema, rows: Sequence[Row], shape: Mapping[str, int], meta: Mapping[str, Any]
) -> bool:
    """Write *rows*, with their arrays, to *path*; return False if the file was that already.

    Parameters
    ----------
    shape
        Length of each named axis of the schema, e.g. ``{"star": 120, "radius": 10}``.
        Shorter arrays are filled with NaN.
    """
    return atomic.write_bytes(path, _encode(schema, rows, shape, meta))


def read(path: Path, schema: Schema) -> tuple[list[Row], dict[str, Any]]:
    """Return the rows of a binary dump and its meta.

    Raises
    ------
    FileNotFoundError
        If there is none.
    DumpError
        If it is cut short, was edited, or is of another version.
    """
    columns, meta = read_columns(path, schema)
    if not columns:
        return [], meta
    values = {name: column if column.ndim > 1 else column.tolist() for name, column in columns.items()}
    n_row = len(next(iter(values.values())))
    return [{name: column[i] for name, column in values.items()} for i in range(n_row)], meta


def read_columns(path: Path, schema: Schema) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the columns of a binary dump as arrays, and its meta; raises as `read` does."""
    from astropy.io import fits

    content = path.read_bytes()
    if not _is_whole(content):
        raise DumpError(path, "was cut short, edited or damaged")
    try:
        with fits.open(io.BytesIO(content)) as hdus:
            header, data = hdus[1].header, hdus[1].data
            name, version, meta = header["ACC_NAME"], header["ACC_VERS"], json.loads(header["ACC_META"])
            if (name, version) != (schema.name, schema.version):
                raise DumpError(path, f"is {name} version {version}, not {schema.name} {schema.version}")
            columns = {column.name: _native(column, data[column.name]) for column in schema.all_columns}
    except KeyError as error:
        raise DumpError(path, f"has other columns than {schema.name} {schema.version}: {error}") from error
    return {
        name: _unescaped(column) if column.dtype.kind == "U" else column for name, column in columns.items()
    }, meta


def _encode(schema: Schema, rows: Sequence[Row], shape: Mapping[str, int], meta: Mapping[str, Any]) -> bytes:
    from astropy.io import fits

    columns = {column.name: _column(column, rows, shape) for column in schema.all_columns}
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column(
                name=column.name,
                array=columns[column.name],
                format=_format(columns[column.name]),
                # The FITS standard knows no electron; data_layout.md tells the unit.
                unit=None if "electron" in column.unit else column.unit or None,
                dim=_dim(columns[column.name]),
            )
            for column in schema.all_columns
        ]
    )
    table.header["ACC_NAME"] = schema.name
    table.header["ACC_VERS"] = schema.version
    table.header[_SEAL] = _OPEN
    table.header["ACC_META"] = json.dumps(dict(meta), ensure_ascii=True)
    buffer = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(buffer)
    return _sealed(buffer.getvalue())


def _column(column: Column, rows: Sequence[Row], shape: Mapping[str, int]) -> Any:
    if not column.shape:
        values = [row[column.name] for row in rows]
        if column.kind == "string":
            escaped = [_escaped(str(value)) for value in values]
            return np.array(escaped, dtype=f"U{max([len(value) for value in escaped] + [1])}")
        return np.array(values, dtype={"int64": "i8", "float64": "f8", "bool": "?"}[column.kind])
    full = np.full((len(rows), *(shape[axis] for axis in column.shape)), np.nan)
    for i, row in enumerate(rows):
        value = row[column.name]
        if value is not None:
            array = np.asarray(value, dtype=np.float64)
            inside: tuple[Any, ...] = (i, *(slice(length) for length in array.shape))
            full[inside] = array
    return full if column.digits is None else np.round(full, column.digits) + 0.0


def _format(array: Any) -> str:
    length = int(np.prod(array.shape[1:])) if array.ndim > 1 else 1
    if array.dtype.kind == "U":
        return f"{array.dtype.itemsize // 4}A"
    return f"{length}{ {'i': 'K', 'f': 'D', 'b': 'L'}[array.dtype.kind] }"


def _dim(array: Any) -> str | None:
    return f"({','.join(str(length) for length in array.shape[:0:-1])})" if array.ndim > 2 else None


def _native(column: Column, array: Any) -> Any:
    """Return *array* in the machine's byte order, with str for bytes, and with all its axes."""
    array = np.asarray(array)
    if column.shape and array.ndim == 1:  # FITS has no axis of length 1
        array = array[:, np.newaxis]
    if array.dtype.kind in "SU":
        return np.array([str(value) for value in array.tolist()])
    return array.astype(array.dtype.newbyteorder("="))


def _escaped(text: str) -> str:
    """Return *text* as FITS tables can hold it: in ASCII, with no blank at its end."""
    escaped = text.encode("unicode_escape").decode("ascii")
    return f"{escaped[:-1]}\\x20" if escaped.endswith(" ") else escaped


def _unescaped(column: Any) -> Any:
    return np.array(
        [value.encode("ascii").decode("unicode_escape") for value in column.tolist()], dtype=np.str_
    )


def _card(digest: str) -> bytes:
    return f"{_SEAL:<8}= '{digest}'".encode("ascii")


def _sealed(content: bytes) -> bytes:
    at = content.find(_card(_OPEN))
    return b"".join((content[:at], _card(_digest(content, at)), content[at + len(_card(_OPEN)) :]))


def _is_whole(content: bytes) -> bool:
    at = content.find(_card("")[:-1])
    return at >= 0 and content.startswith(_card(_digest(content, at)), at)


def _digest(content: bytes, at: int) -> str:
    """Return the digest of a file whose digest, in the card at byte *at*, counts as open."""
    view = memoryview(content)
    total = hashlib.sha256(view[:at])
    total.update(_card(_OPEN))
    total.update(view[at + len(_card(_OPEN)) :])
    return total.hexdigest()[:32]
