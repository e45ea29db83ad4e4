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
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accretor.core.dumps import Column, Schema
from accretor.core.errors import DumpError
from accretor.io import atomic

if TYPE_CHECKING:
    from accretor.core.arrays import Floats

_META = "# meta: !!omap"
_UNFIT = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")

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
    lines = ["# %ECSV 1.0", "# ---", "# delimiter: ','", "# datatype:"]
    lines += [f"# - {_json(_describe(column))}" for column in schema.scalars]
    lines += [_META]
    head = {"schema": schema.name, "version": schema.version, **meta}
    lines += [f"# - {_json({key: value})}" for key, value in head.items()]
    lines += ["# schema: astropy-2.0"]
    content = "\n".join(lines) + "\n" + _body(schema.scalars, rows)
    return content.replace(f"{_META}\n", f"{_META}\n{_seal(_digest(content))}", 1)


def read(path: Path, schema: Schema) -> Dump:
    """Read a dump.

    Raises
    ------
    FileNotFoundError
        If there is none.
    DumpError
        If it is cut short, edited by hand, or of another version.
    """
    body, meta = _checked(path, schema)
    own = {"schema", "version", "digest"}
    return Dump(_rows(schema.scalars, body), {key: value for key, value in meta.items() if key not in own})


def read_columns(path: Path, schema: Schema, names: Sequence[str]) -> list[list[Any]]:
    """Return the columns *names* of a dump, in this order; raises as `read` does, and costs much less."""
    body, _ = _checked(path, schema)
    columns = {column.name: (i, column) for i, column in enumerate(schema.scalars)}
    _, *lines = csv.reader(io.StringIO(body))
    return [_values(columns[name][1], [line[columns[name][0]] for line in lines]) for name in names]


def _checked(path: Path, schema: Schema) -> tuple[str, dict[str, Any]]:
    """Return the table in a dump as text, and all that its header says."""
    try:
        content = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise DumpError(path, "is damaged: it is not text") from None
    head, body = _split(content)
    meta = _meta(path, head)
    if (meta.get("schema"), meta.get("version")) != (schema.name, schema.version):
        raise DumpError(
            path, f"is {meta.get('schema')} version {meta.get('version')}, not {schema.name} {schema.version}"
        )
    digest = str(meta.get("digest"))
    if digest != _digest(content.replace(_seal(digest), "", 1)):
        raise DumpError(path, "was cut short or edited by hand")
    names = [column.name for column in schema.scalars]
    if body.partition("\n")[0] != ",".join(names):
        raise DumpError(path, f"has other columns than {schema.name} {schema.version}")
    return body, meta


def read_meta(path: Path) -> dict[str, Any]:
    """Return what the header of a dump says of it, without reading its rows; {} if there is no dump."""
    head: list[str] = []
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                if not line.startswith("#"):
                    break
                head.append(line.rstrip("\n"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except UnicodeDecodeError:
        raise DumpError(path, "is damaged: it is not text") from None
    return _meta(path, head)


def column(rows: Sequence[Row], name: str) -> list[Any]:
    """Return one column of *rows*."""
    return [row[name] for row in rows]


def numbers(rows: Sequence[Row], name: str) -> Floats:
    """Return one column of *rows* as an array of float64."""
    import numpy as np

    return np.array(column(rows, name), dtype=np.float64)


def or_nan(value: float | None) -> float:
    """Return a number; NaN for none."""
    return math.nan if value is None else value


def rounded(schema: Schema, row: Mapping[str, Any]) -> Row:
    """Return the scalar columns of *row*, each of its kind and with its decimals."""
    return {column.name: _typed(column, row[column.name]) for column in schema.scalars}


def rounded_part(schema: Schema, row: Mapping[str, Any]) -> Row:
    """Return *row*, of which not all is known, with its scalar columns as `rounded` gives them."""
    known = {column.name: column for column in schema.scalars}
    return {name: _typed(known[name], value) if name in known else value for name, value in row.items()}


def set_aside(path: Path) -> Path:
    """Rename a dump that cannot be trusted to ``.bad`` and return its new name."""
    aside = aside_of(path)
    path.replace(aside)
    return aside


def aside_of(path: Path) -> Path:
    """Return where a dump goes that cannot be trusted."""
    return path.with_name(path.name + ".bad")


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


def _cells(column: Column, values: Iterable[Any]) -> list[str]:
    typed = [_typed(column, value) for value in values]
    if column.kind == "string":
        # A line break would end the row for simple readers.
        return [_quoted(" ".join(text.splitlines())) for text in typed]
    return [repr(value) for value in typed]  # which is nan for NaN


def _quoted(text: str) -> str:
    """Return *text* as a cell; unlike `csv`, keep a name that begins with # from being a comment."""
    if text.startswith("#") or any(mark in text for mark in ',"'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _body(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> str:
    rows = list(rows)
    lines = [",".join(column.name for column in columns)]
    cells = [_cells(column, [row[column.name] for row in rows]) for column in columns]
    lines += map(",".join, zip(*cells, strict=True))
    return "\n".join(lines) + "\n"


_PARSERS: dict[str, Callable[[str], Any]] = {
    "int64": int,
    "float64": float,
    "bool": lambda cell: cell == "True",
}


def _rows(columns: Sequence[Column], body: str) -> list[Row]:
    _, *lines = csv.reader(io.StringIO(body))
    if not lines:
        return []
    # By columns, for a large dump is read at every start.
    values = [_values(column, cells) for column, cells in zip(columns, zip(*lines, strict=True), strict=True)]
    names = [column.name for column in columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


def _values(column: Column, cells: Iterable[str]) -> list[Any]:
    return list(cells if column.kind == "string" else map(_PARSERS[column.kind], cells))


def _json(value: Any) -> str:
    """Return *value* as JSON that is also YAML: what YAML takes for a line end, or refuses, is escaped."""
    return _UNFIT.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode("utf-8")).hexdigest()[:32]


def _seal(digest: str) -> str:
    """Return the line of the header that holds the digest of all other lines."""
    return f"# - {_json({'digest': digest})}\n"


def _split(content: str) -> tuple[list[str], str]:
    lines = content.split("\n")
    n_head = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return lines[:n_head], "\n".join(lines[n_head:])


def _meta(path: Path, head: Sequence[str]) -> dict[str, Any]:
    try:
        start = head.index(_META) + 1
        stop = head.index("# schema: astropy-2.0")
        found: dict[str, Any] = {}
        for line in head[start:stop]:
            found |= json.loads(line.removeprefix("# - "))
    except (ValueError, TypeError):
        raise DumpError(path, "has no complete header") from None
    return found
