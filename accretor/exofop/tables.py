"""Tables as ExoFOP gives them out: cells with bars between. Nothing else passes for one."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from accretor.core.dumps import Column, Schema
from accretor.core.errors import DumpError, ServiceError
from accretor.io import dump
from accretor.io.answers import excerpt


def parse(content: bytes, what: str, needed: Sequence[str] = ()) -> list[dict[str, str]]:
    """Read a table with bars between its cells.

    Parameters
    ----------
    content : bytes
        As it came.
    what : str
        What was asked for; it is in the errors.
    needed : sequence of str
        Columns that it must have.

    Returns
    -------
    list of dict of column name to cell
        Empty only if there is a header, and no row below it.

    Raises
    ------
    ServiceError
        If this is a page, a sentence, or a table that was cut: no such thing is an empty table.
    """
    header, rows = split(content, what)
    if missing := [name for name in needed if name not in header]:
        raise ServiceError("ExoFOP", f"{what}: has no column {', '.join(missing)}")
    return [dict(zip(header, row, strict=True)) for row in rows]


def split(content: bytes, what: str) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a table; see `parse`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines or "|" not in lines[0] or lines[0].lstrip().startswith(("<", "{", "[")):
        raise ServiceError("ExoFOP", f"{what}: the answer is not a table but {excerpt(content)}")
    rows = [_cells(line) for line in lines]
    header = _named(rows[0])
    found = []
    for number, row in enumerate(rows[1:], start=2):
        # Some of the tables end their rows, but not their header, in a bar.
        cells = row[:-1] if len(row) == len(header) + 1 and not row[-1] else row
        if len(cells) != len(header):
            raise ServiceError(
                "ExoFOP", f"{what}: row {number} has {len(cells)} cells, the header has {len(header)}"
            )
        found.append(cells)
    return header, found


def write(path: Path, name: str, content: bytes, needed: Sequence[str] = ()) -> list[dict[str, str]]:
    """Check an answer of ExoFOP, keep it as ECSV in *path*, and return its rows.

    Raises
    ------
    ServiceError
        If it is not the table; what *path* holds stays.
    """
    rows = parse(content, name, needed)
    header, _ = split(content, name)
    dump.write(path, _schema(name, header), rows, {"columns": header})
    return rows


def read(path: Path, name: str) -> list[dict[str, str]]:
    """Return the rows of a table that is kept in *path*; empty if there is none.

    Raises
    ------
    DumpError
        If the file is damaged.
    """
    header = dump.read_meta(path).get("columns")
    if header is None:
        return []
    if not isinstance(header, list):
        raise DumpError(path, "does not say which columns it has")
    return dump.read(path, _schema(name, header)).rows


def _schema(name: str, header: Sequence[str]) -> Schema:
    return Schema(f"exofop_{name}", 1, tuple(Column(column, "string", "as on ExoFOP") for column in header))


def _cells(line: str) -> list[str]:
    plain = "".join(letter if letter.isprintable() or letter == "\t" else " " for letter in line)
    return [cell.strip() for cell in next(csv.reader([plain], delimiter="|"))]


def _named(header: list[str]) -> list[str]:
    """Return the names of the columns, each once and without what would end a cell."""
    while header and not header[-1]:
        header = header[:-1]
    found: list[str] = []
    for name in header:
        plain = re.sub(r'[,"]', " ", name).strip() or "unnamed"
        number = sum(re.fullmatch(rf"{re.escape(plain)}( \d+)?", other) is not None for other in found)
        found.append(f"{plain} {number + 1}" if number else plain)
    return found
