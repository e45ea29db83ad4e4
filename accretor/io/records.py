"""Binary dumps: one FITS table with a row per frame, vectors in its cells.

A readable twin (ECSV) holds the scalar columns. The FITS file is the truth; the
twin is made from it. Rows are read when they are asked for, and written a few at a
time, so that the memory does not grow with the frames that are there already.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from accretor.core.dumps import Column, Schema
from accretor.core.errors import DumpError
from accretor.io import atomic
from accretor.io.dump import Row

_SEAL = "ACC_DIG"
_OPEN = "0" * 32
_BLOCK = 2880
_MOST_HEADER = 1000
"""Blocks of header in which the two ends of header must come."""
_AT_ONCE = 1 << 20
"""Bytes of the table that are held at a time."""
_TYPES = {"int64": ">i8", "float64": ">f8", "bool": "S1"}


@dataclass(frozen=True)
class Table:
    """The table in a binary dump that was found whole; small, and may go to a worker."""

    path: Path
    columns: tuple[Column, ...]
    dtype: Any
    """Of a row as it is in the file, a numpy dtype."""
    begin: int
    """Byte at which the first row begins."""
    n_row: int

    def part(self, first: int, last: int) -> Any:
        """Return the rows from *first* up to, and without, *last* as they are in the file."""
        with self.path.open("rb") as file:
            file.seek(self.begin + first * self.dtype.itemsize)
            return np.frombuffer(file.read((last - first) * self.dtype.itemsize), self.dtype)

    def parts(self) -> Iterator[tuple[int, Any]]:
        """Yield all rows, a few at a time, each few with the number of the first."""
        step = max(1, _AT_ONCE // self.dtype.itemsize)
        for first in range(0, self.n_row, step):
            yield first, self.part(first, min(first + step, self.n_row))


class StoredRow(Row):
    """A row of a binary dump: its scalars are here, its arrays are read each time they are asked for."""

    def __init__(self, scalars: Row, table: Table, at: int) -> None:
        super().__init__(scalars)
        self.table = table
        self.at = at
        """Number of the row in the table."""

    def __missing__(self, name: str) -> Any:
        """Return the array *name* from the disk."""
        if all(column.name != name or not column.shape for column in self.table.columns):
            raise KeyError(name)
        return _native(self.table.part(self.at, self.at + 1)[name])[0]

    def whole(self) -> Row:
        """Return the row with its arrays."""
        return {column.name: self[column.name] for column in self.table.columns}


def rows(path: Path, schema: Schema) -> tuple[list[StoredRow], dict[str, Any]]:
    """Return the rows of a binary dump, whose arrays stay on the disk, and its meta.

    Raises
    ------
    FileNotFoundError
        If there is none.
    DumpError
        If it is cut short, was edited, or is of another version.
    """
    table, meta = _opened(path, schema)
    scalars = [column for column in schema.all_columns if not column.shape]
    names = [column.name for column in scalars]
    found = []
    for first, part in table.parts():
        values = zip(*(_plain(column, part[column.name]) for column in scalars), strict=True)
        found += [
            StoredRow(dict(zip(names, row, strict=True)), table, at) for at, row in enumerate(values, first)
        ]
    return found, meta


def read(path: Path, schema: Schema) -> tuple[list[Row], dict[str, Any]]:
    """Return the rows of a binary dump with their arrays, and its meta; raises as `rows` does."""
    found, meta = rows(path, schema)
    return [row.whole() for row in found], meta


def read_columns(
    path: Path, schema: Schema, names: Sequence[str] = (), stars: Sequence[int] | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return columns of a binary dump as arrays, and its meta; raises as `rows` does.

    Parameters
    ----------
    names
        Of the columns that are wanted; none means all.
    stars
        Places of the stars that are wanted of the columns with an axis of stars; default: all.
    """
    table, meta = _opened(path, schema)
    wanted = [column for column in schema.all_columns if not names or column.name in names]
    texts: dict[str, list[str]] = {column.name: [] for column in wanted if column.kind == "string"}
    found: dict[str, Any] = {}
    for column in wanted:
        kind = {"int64": "i8", "bool": "?"}.get(column.kind, "f8")
        if column.name not in texts:
            axes = table.dtype[column.name].shape
            if stars is not None and column.shape[:1] == ("star",):
                axes = (len(stars), *axes[1:])
            found[column.name] = np.empty((table.n_row, *axes), kind)
    for first, part in table.parts():
        for column in wanted:
            if column.name in texts:
                texts[column.name] += _plain(column, part[column.name])
            else:
                values = part[column.name] == b"T" if column.kind == "bool" else part[column.name]
                if stars is not None and column.shape[:1] == ("star",):
                    values = values[:, list(stars)]
                found[column.name][first : first + len(part)] = values
    for name, values in texts.items():
        found[name] = np.array(values, dtype=np.str_)
    return {column.name: found[column.name] for column in wanted}, meta


def updated(row: Row, values: Mapping[str, Any]) -> Row:
    """Return *row* with other values; arrays that are on the disk stay there."""
    if isinstance(row, StoredRow):
        return StoredRow({**row, **values}, row.table, row.at)
    return {**row, **values}


def write(
    path: Path, schema: Schema, rows: Sequence[Row], shape: Mapping[str, int], meta: Mapping[str, Any]
) -> bool:
    """Write *rows*, with their arrays, to *path*; return False if the file was that already.

    Parameters
    ----------
    rows
        Those of `rows` may be among them, of *path* itself too.
    shape
        Length of each named axis of the schema, e.g. ``{"star": 120, "radius": 10}``.
        Shorter arrays are filled with NaN.
    """
    dtype = np.dtype([_field(column, rows, shape) for column in schema.all_columns])
    head = _head(schema, dtype, len(rows), meta)

    def fill(file: BinaryIO) -> None:
        digest = hashlib.sha256()
        for part in _parts(schema, rows, dtype, head):
            digest.update(part)
            file.write(part)
        file.seek(head.index(_card(_OPEN)))
        file.write(_card(digest.hexdigest()[:32]))

    return atomic.write(path, fill)


def _parts(schema: Schema, rows: Sequence[Row], dtype: Any, head: bytes) -> Iterator[bytes]:
    """Yield the file bit by bit."""
    yield head
    step = max(1, _AT_ONCE // dtype.itemsize)
    for first in range(0, len(rows), step):
        yield _encoded(schema, rows[first : first + step], dtype)
    yield bytes(-len(rows) * dtype.itemsize % _BLOCK)


def _field(column: Column, rows: Sequence[Row], shape: Mapping[str, int]) -> tuple[Any, ...]:
    """Return name, type and shape of *column* in the file."""
    if column.kind == "string":
        return column.name, f"S{max([len(_escaped(row[column.name])) for row in rows] + [1])}"
    return column.name, _TYPES[column.kind], tuple(shape[axis] for axis in column.shape)


def _head(schema: Schema, dtype: Any, n_row: int, meta: Mapping[str, Any]) -> bytes:
    """Return everything before the first row, with the digest open."""
    from astropy.io.fits import Header

    primary = Header()
    primary["SIMPLE"] = (True, "conforms to FITS standard")
    primary["BITPIX"] = (8, "array data type")
    primary["NAXIS"] = (0, "number of array dimensions")
    primary["EXTEND"] = True
    table = Header()
    table["XTENSION"] = ("BINTABLE", "binary table extension")
    table["BITPIX"] = (8, "array data type")
    table["NAXIS"] = (2, "number of array dimensions")
    table["NAXIS1"] = (dtype.itemsize, "length of dimension 1")
    table["NAXIS2"] = (n_row, "length of dimension 2")
    table["PCOUNT"] = (0, "number of group parameters")
    table["GCOUNT"] = (1, "number of groups")
    table["TFIELDS"] = (len(schema.all_columns), "number of table fields")
    for i, column in enumerate(schema.all_columns, start=1):
        table[f"TTYPE{i}"] = column.name
        table[f"TFORM{i}"] = _format(column, dtype[column.name])
        # The FITS standard knows no electron; data_layout.md tells the unit.
        if column.unit and "electron" not in column.unit:
            table[f"TUNIT{i}"] = column.unit
        if dim := _dim(dtype[column.name]):
            table[f"TDIM{i}"] = dim
    table["ACC_NAME"] = schema.name
    table["ACC_VERS"] = schema.version
    table[_SEAL] = _OPEN
    table["ACC_META"] = json.dumps(dict(meta), ensure_ascii=True)
    return b"".join(header.tostring().encode("ascii") for header in (primary, table))


def _encoded(schema: Schema, rows: Sequence[Row], dtype: Any) -> bytes:
    block = np.zeros(len(rows), dtype)
    for column in schema.all_columns:
        if column.shape:
            block[column.name] = np.nan
        elif column.kind == "string":
            block[column.name] = [_escaped(row[column.name]).encode("ascii") for row in rows]
        elif column.kind == "bool":
            block[column.name] = [b"T" if row[column.name] else b"F" for row in rows]
        else:
            block[column.name] = [row[column.name] for row in rows]
    for first, last, table in _runs(rows):
        if table is None:
            _fill(schema, block[first], rows[first])
        else:
            at = rows[first].at  # type: ignore[attr-defined]  # a row of a table
            _copy(schema, block[first:last], table.part(at, at + last - first))
    return block.tobytes()


def _runs(rows: Sequence[Row]) -> Iterator[tuple[int, int, Table | None]]:
    """Yield first, last and table of rows that follow one another in a table; new rows one by one."""
    first = 0
    for i in range(1, len(rows) + 1):
        before, row = rows[i - 1], rows[i] if i < len(rows) else None
        if (
            isinstance(before, StoredRow)
            and isinstance(row, StoredRow)
            and (row.table, row.at) == (before.table, before.at + 1)
        ):
            continue
        yield first, i, before.table if isinstance(before, StoredRow) else None
        first = i


def _copy(schema: Schema, block: Any, part: Any) -> None:
    """Copy the arrays of stored rows, which are rounded already."""
    for column in schema.arrays:
        inside = tuple(slice(length) for length in part[column.name].shape)
        block[column.name][inside] = part[column.name]


def _fill(schema: Schema, record: Any, row: Row) -> None:
    for column in schema.arrays:
        value = row[column.name]
        if value is not None:
            array = rounded(column, value)
            inside = tuple(slice(length) for length in array.shape)
            record[column.name][inside] = array


def rounded(column: Column, value: Any) -> Any:
    """Return an array as a dump keeps it: float64, with the decimals of its column."""
    array = np.asarray(value, dtype=np.float64)
    return array if column.digits is None else np.round(array, column.digits) + 0.0


def _opened(path: Path, schema: Schema) -> tuple[Table, dict[str, Any]]:
    """Return the table of a dump, and its meta, if its digest is right."""
    from astropy.io.fits import Header

    with path.open("rb") as file:
        blocks: list[bytes] = []
        begins: list[int] = []
        while len(begins) < 2 and len(blocks) < _MOST_HEADER and (block := file.read(_BLOCK)):
            blocks.append(block)
            if any(block.startswith(b"END     ", at) for at in range(0, _BLOCK, 80)):
                begins.append(_BLOCK * len(blocks))
        head = b"".join(blocks)
        if not _is_whole(head, file):
            raise DumpError(path, "was cut short, edited or damaged")
    header = Header.fromstring(head[begins[0] : begins[1]].decode("ascii"))
    name, version = header["ACC_NAME"], header["ACC_VERS"]
    if (name, version) != (schema.name, schema.version):
        raise DumpError(path, f"is {name} version {version}, not {schema.name} {schema.version}")
    names = [header[f"TTYPE{i}"] for i in range(1, header["TFIELDS"] + 1)]
    if names != [column.name for column in schema.all_columns]:
        raise DumpError(path, f"has other columns than {schema.name} {schema.version}: {', '.join(names)}")
    dtype = np.dtype(
        [
            (column.name, *_stored_type(column, header[f"TFORM{i}"], header.get(f"TDIM{i}")))
            for i, column in enumerate(schema.all_columns, start=1)
        ]
    )
    table = Table(path, schema.all_columns, dtype, begins[1], header["NAXIS2"])
    return table, json.loads(header["ACC_META"])


def _stored_type(column: Column, form: str, dim: str | None) -> tuple[Any, ...]:
    length = int(form[:-1] or 1)
    if column.kind == "string":
        return (f"S{length}",)
    if dim:
        return _TYPES[column.kind], tuple(int(part) for part in dim.strip("()").split(","))[::-1]
    return _TYPES[column.kind], (length,) if column.shape else ()


def _plain(column: Column, values: Any) -> list[Any]:
    """Return the scalars of some rows as Python's own."""
    if column.kind == "string":
        return [value.decode("unicode_escape") for value in values.tolist()]
    if column.kind == "bool":
        return [value == b"T" for value in values.tolist()]
    return list(values.tolist())


def _native(array: Any) -> Any:
    return array.astype(array.dtype.newbyteorder("="))


def _format(column: Column, dtype: Any) -> str:
    if column.kind == "string":
        return f"{dtype.itemsize}A"
    return f"{int(np.prod(dtype.shape))}{ {'int64': 'K', 'float64': 'D', 'bool': 'L'}[column.kind] }"


def _dim(dtype: Any) -> str | None:
    return f"({','.join(str(length) for length in dtype.shape[::-1])})" if dtype.ndim > 1 else None


def _escaped(text: Any) -> str:
    """Return *text* as FITS tables can hold it: in ASCII, with no blank at its end."""
    escaped = str(text).encode("unicode_escape").decode("ascii")
    return f"{escaped[:-1]}\\x20" if escaped.endswith(" ") else escaped


def _card(digest: str) -> bytes:
    return f"{_SEAL:<8}= '{digest}'".encode("ascii")


def _is_whole(head: bytes, file: BinaryIO) -> bool:
    """Return whether the digest in *head* is that of the dump, of which *file* has the rest."""
    at = head.find(_card("")[:-1])
    if at < 0:
        return False
    end = at + len(_card(_OPEN))
    digest = hashlib.sha256(head[:at] + _card(_OPEN) + head[end:])
    while part := file.read(atomic.CHUNK):
        digest.update(part)
    return head[at:end] == _card(digest.hexdigest()[:32])
