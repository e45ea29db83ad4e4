"""Dumps as ECSV: readable by people, by astropy and TOPCAT, and by us without astropy.

The header of an ECSV file is YAML, of which JSON is a part; so each line of it is
written, and read back, as JSON. `doit list` reads headers only.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accretor.core.dumps import Column, Schema
from accretor.core.errors import DumpError
from accretor.io import atomic

Row = dict[str, Any]
"""One row: a value under each column name."""


@dataclass(frozen=True)
class Dump:
    """A dump in memory."""

    rows: list[Row]
    meta: dict[str, Any] = field(default_factory=dict)


def write(path: Path, schema: Schema, rows: Iterable[Mapping[str, Any]], meta: Mapping[str, Any]) -> bool:
    """Write *rows* to *path*; return False if the file was that already."""
    return atomic.write_text(path, text(schema, rows, meta))


def text(schema: Schema, rows: Iterable[Mapping[str, Any]], meta: Mapping[str, Any]) -> str:
    """Return the ECSV file that holds the scalar columns of *rows*."""
    body = _body(schema.scalars, rows)
    head = {"schema": schema.name, "version": schema.version, "digest": _digest(body), **meta}
    lines = ["# %ECSV 1.0", "# ---", "# delimiter: ','", "# datatype:"]
    lines += [f"# - {json.dumps(_describe(column), ensure_ascii=False)}" for column in schema.scalars]
    lines += ["# meta: !!omap"]
    lines += [f"# - {json.dumps({key: value}, ensure_ascii=False)}" for key, value in head.items()]
    lines += ["# schema: astropy-2.0"]
    return "\n".join(lines) + "\n" + body


def read(path: Path, schema: Schema) -> Dump:
    """Read a dump.

    Raises
    ------
    FileNotFoundError
        If there is none.
    DumpError
        If it is cut short, edited by hand, or of another version.
    """
    content = path.read_text(encoding="utf-8")
    head, body = _split(content)
    meta = _meta(path, head)
    if (meta.get("schema"), meta.get("version")) != (schema.name, schema.version):
        raise DumpError(
            path, f"is {meta.get('schema')} version {meta.get('version')}, not {schema.name} {schema.version}"
        )
    if meta.get("digest") != _digest(body):
        raise DumpError(path, "was cut short or edited by hand")
    names = [column.name for column in schema.scalars]
    if body.partition("\n")[0] != ",".join(names):
        raise DumpError(path, f"has other columns than {schema.name} {schema.version}")
    own = {"schema", "version", "digest"}
    return Dump(_rows(schema.scalars, body), {key: value for key, value in meta.items() if key not in own})


def read_meta(path: Path) -> dict[str, Any]:
    """Return what the header of a dump says of it, without reading its rows; {} if there is no dump."""
    head: list[str] = []
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                if not line.startswith("#"):
                    break
                head.append(line.rstrip("\n"))
    except FileNotFoundError:
        return {}
    return _meta(path, head)


def column(rows: Sequence[Row], name: str) -> list[Any]:
    """Return one column of *rows*."""
    return [row[name] for row in rows]


def rounded(schema: Schema, row: Mapping[str, Any]) -> Row:
    """Return the scalar columns of *row*, each of its kind and with its decimals."""
    return {column.name: _typed(column, row[column.name]) for column in schema.scalars}


def set_aside(path: Path) -> Path:
    """Rename a dump that cannot be trusted to ``.bad`` and return its new name."""
    aside = path.with_name(path.name + ".bad")
    path.replace(aside)
    return aside


def _describe(column: Column) -> dict[str, str]:
    found = {"name": column.name, "datatype": column.kind}
    if column.unit:
        found["unit"] = column.unit
    found["description"] = column.meaning
    return found


def _typed(column: Column, value: Any) -> Any:
    if column.kind == "float64":
        number = float(value)
        if column.digits is None or not math.isfinite(number):
            return number
        return round(number, column.digits) + 0.0  # + 0.0 turns -0.0 into 0.0
    if column.kind == "int64":
        return int(value)
    if column.kind == "bool":
        return bool(value)
    return str(value)


def _cell(column: Column, value: Any) -> str:
    typed = _typed(column, value)
    if column.kind == "float64":
        return "nan" if math.isnan(typed) else repr(typed)
    # A line break would end the row for simple readers.
    return " ".join(typed.splitlines()) if isinstance(typed, str) else str(typed)


def _body(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    for row in rows:
        writer.writerow([_cell(column, row[column.name]) for column in columns])
    return buffer.getvalue()


_PARSERS: dict[str, Callable[[str], Any]] = {
    "string": str,
    "int64": int,
    "float64": float,
    "bool": lambda cell: cell == "True",
}


def _rows(columns: Sequence[Column], body: str) -> list[Row]:
    reader = csv.reader(io.StringIO(body))
    next(reader)
    parsers = [(column.name, _PARSERS[column.kind]) for column in columns]
    return [
        {name: parse(cell) for (name, parse), cell in zip(parsers, cells, strict=True)} for cells in reader
    ]


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode("utf-8")).hexdigest()[:32]


def _split(content: str) -> tuple[list[str], str]:
    lines = content.split("\n")
    n_head = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return lines[:n_head], "\n".join(lines[n_head:])


def _meta(path: Path, head: Sequence[str]) -> dict[str, Any]:
    try:
        start = head.index("# meta: !!omap") + 1
        stop = head.index("# schema: astropy-2.0")
        found: dict[str, Any] = {}
        for line in head[start:stop]:
            found |= json.loads(line.removeprefix("# - "))
    except ValueError:
        raise DumpError(path, "has no complete header") from None
    return found
