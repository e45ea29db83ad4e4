"""AstroImageJ measurement tables: ours written, anybody's read."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from accretor.aij import numbers
from accretor.core.errors import Unusable

Cells: TypeAlias = Sequence[str] | Sequence[float] | Sequence[int] | NDArray[Any]
"""One column: texts or numbers, one for each frame."""

_WORD = re.compile(r'"([^"]*)"|(\S+)')


def write(columns: Mapping[str, Cells]) -> bytes:
    """Return *columns* as the text of a measurement table.

    A leading column of row numbers, whose name is a blank, is added as older
    AstroImageJ versions do: the readers in use (AstroImageJ, the SG1 upload tool,
    exofop, profe) all take it, and with it none takes another column for an index.

    Parameters
    ----------
    columns : mapping of column name to its cells
        In the order of writing; all of one length. Blanks in a text become
        underscores, and an empty text becomes NaN, because some readers split at
        any blank and skip empty cells.

    Returns
    -------
    bytes
        ASCII or UTF-8; cells are separated by TAB, lines end in LF.

    Raises
    ------
    ValueError
        If columns differ in length, or a name is empty, has a blank or begins with #.
    """
    for name in columns:
        if not re.fullmatch(r"[^\s#]\S*", name):
            raise ValueError(f"{name!r} cannot be the name of a column")
    lengths = {len(cells) for cells in columns.values()}
    if len(lengths) > 1:
        raise ValueError(f"the columns have {sorted(lengths)} rows")
    n_row = lengths.pop() if lengths else 0
    texts = [[str(row) for row in range(1, n_row + 1)], *(_texts(cells) for cells in columns.values())]
    lines = ["\t".join([" ", *columns]), *("\t".join(row) for row in zip(*texts, strict=True))]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def read(path: Path) -> dict[str, Any]:
    """Read a measurement table of any AstroImageJ version, or one like it.

    Parameters
    ----------
    path : Path
        ``.csv`` is split at commas, ``.txt``, ``.prn`` and ``.spc`` at white space
        where they have no TAB, and anything else at TAB.

    Returns
    -------
    dict of column name to (n_row,) float64 or list of str
        Numbers wherever every cell of the column is one; empty cells and ``-`` are
        NaN. Row numbers under a blank name are left out.

    Raises
    ------
    Unusable
        If there is no table in the file; the sentence names the line.
    """
    return parse(path.read_bytes(), path.suffix)


def parse(content: bytes, suffix: str = ".tbl") -> dict[str, Any]:
    """Read a table from the content of a file; see `read`."""
    lines = [line for line in enumerate(_decode(content).splitlines(), start=1) if line[1].strip()]
    if not lines:
        raise Unusable("the table is empty")
    data = [line for line in lines if not line[1].lstrip().startswith("#")]
    comments = [line[1].strip().lstrip("#") for line in lines if line[1].lstrip().startswith("#")]
    sample = data[0][1] if data else comments[-1]
    split = _splitter(sample, suffix)
    if comments and (not data or all(_is_number(cell) for cell in split(data[0][1]))):
        header = split(comments[-1])
    else:
        header, data = split(data[0][1]), data[1:]
    rows = [(number, split(line)) for number, line in data]
    for number, row in rows:
        if len(row) > len(header):
            raise Unusable(f"line {number} has {len(row)} cells, the header has {len(header)}")
    table: dict[str, Any] = {}
    for place, name in enumerate(header):
        if name and name not in table:
            cells = [row[place] if place < len(row) else "" for _, row in rows]
            table[name] = cells if name == "Label" else _column(cells)
    return table


def _texts(cells: Cells) -> list[str]:
    return [_text(cell) if isinstance(cell, str) else numbers.write(cell) for cell in cells]


def _text(cell: str) -> str:
    return re.sub(r"\s+", "_", cell.strip()) or "NaN"


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _splitter(sample: str, suffix: str) -> Any:
    if suffix.lower() == ".csv":
        return lambda line: [cell.strip() for cell in next(csv.reader([line]))]
    # A .tbl that came through a spreadsheet or pandas may have lost its TABs.
    if "\t" in sample:
        return lambda line: [cell.strip().strip('"') for cell in line.split("\t")]
    return lambda line: [quoted or word for quoted, word in _WORD.findall(line)]


def _column(cells: list[str]) -> NDArray[np.float64] | list[str]:
    try:
        return np.array([numbers.read(cell) for cell in cells], dtype=np.float64)
    except ValueError:
        return cells


def _is_number(cell: str) -> bool:
    try:
        return not math.isnan(numbers.read(cell)) or cell.lower() in {"nan", "-", ""}
    except ValueError:
        return False
