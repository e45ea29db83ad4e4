"""AstroImageJ measurement tables: ours written, anybody's read."""

from __future__ import annotations

import csv
import functools
import io
import math
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from accretor.aij import numbers
from accretor.core.errors import Unusable

Cells: TypeAlias = Sequence[str] | Sequence[float] | Sequence[int] | NDArray[Any]
"""One column: texts or numbers, one for each frame."""

Split: TypeAlias = Callable[[str], list[str]]
"""Splits a line into its cells."""

_WORD = re.compile(r'"([^"]*)"|(\S+)')


def write(columns: Mapping[str, Cells]) -> bytes:
    """Return *columns* as the text of a measurement table; see `lines`."""
    return b"".join(lines(columns))


def lines(columns: Mapping[str, Cells]) -> Iterator[bytes]:
    """Yield the lines of a measurement table with these *columns*: a night's table need not be held as text.

    A leading column of row numbers, whose name is a blank, is added as older
    AstroImageJ versions do: the readers in use (AstroImageJ, the SG1 upload tool,
    exofop, profe) all take it, and with it none takes another column for an index.

    Parameters
    ----------
    columns : mapping of column name to its cells
        In the order of writing; all of one length. Blanks in a text become
        underscores, and an empty text becomes NaN, because some readers split at
        any blank and skip empty cells.

    Yields
    ------
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
    yield _line([" ", *columns])
    cells = list(columns.values())
    for row in range(lengths.pop() if lengths else 0):
        yield _line([str(row + 1), *(_cell(column[row]) for column in cells)])


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
    return dict((_kept if len(content) <= _SMALL else _parsed)(content, suffix))


def _parsed(content: bytes, suffix: str) -> dict[str, Any]:
    header, first, split = _begin(content, suffix)
    columns, texts = _numbers(content, header, first, split)
    wanted = {place for place, name in enumerate(header) if name == "Label"} | texts
    words: dict[int, list[str]] = {place: [] for place in wanted}
    for _, line in _data(content, first) if wanted else ():
        cells = split(line)
        for place in wanted:
            words[place].append(cells[place] if place < len(cells) else "")
    table: dict[str, Any] = {}
    for place, name in enumerate(header):
        if name and name not in table:
            table[name] = words[place] if place in wanted else np.frombuffer(bytes(columns[place]))
    return table


_SMALL = 1 << 22
"""Byte of a table that is kept once it has been read: a package is checked, and planned, by its tables."""
_kept = functools.lru_cache(maxsize=2)(_parsed)


def head(content: bytes, suffix: str = ".tbl") -> list[str]:
    """Return the names of the columns of a table; blank ones too.

    Raises
    ------
    Unusable
        If there is no table.
    """
    return _begin(content, suffix)[0]


def _begin(content: bytes, suffix: str) -> tuple[list[str], int, Split]:
    """Return the names of the columns, the number of the first line of data, and how lines are split."""
    comment, data = "", []
    for number, line in _lines(content):
        if line.lstrip().startswith("#"):
            comment = line.strip().lstrip("#")
        else:
            data.append((number, line))
            if len(data) == 2:
                break
    if not data and not comment:
        raise Unusable("the table is empty")
    split = _splitter(data[0][1] if data else comment, suffix)
    if comment and (not data or all(_is_number(cell) for cell in split(data[0][1]))):
        return split(comment), data[0][0] if data else 0, split
    return split(data[0][1]), data[1][0] if len(data) > 1 else 0, split


def _numbers(
    content: bytes, header: list[str], first: int, split: Split
) -> tuple[list[array[float]], set[int]]:
    """Return the columns as numbers, and the places of those that hold texts."""
    columns: list[array[float]] = [array("d") for _ in header]
    texts: set[int] = set()
    for number, line in _data(content, first):
        cells = split(line)
        if len(cells) > len(header):
            raise Unusable(f"line {number} has {len(cells)} cells, the header has {len(header)}")
        for place, column in enumerate(columns):
            try:
                column.append(numbers.read(cells[place] if place < len(cells) else ""))
            except ValueError:
                column.append(math.nan)
                texts.add(place)
    return columns, texts


def _data(content: bytes, first: int) -> Iterator[tuple[int, str]]:
    """Yield the lines of data from line *first* on; none if that is 0."""
    for number, line in _lines(content):
        if first and number >= first and not line.lstrip().startswith("#"):
            yield number, line


def _lines(content: bytes) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not empty with their numbers, one at a time: tables may be large."""
    if b"\n" not in content:  # of an old Macintosh
        content = content.replace(b"\r", b"\n")
    for number, raw in enumerate(io.BytesIO(content.removeprefix(b"\xef\xbb\xbf")), start=1):
        line = _decode(raw).rstrip("\r\n")
        if line.strip():
            yield number, line


def _line(cells: Iterable[str]) -> bytes:
    return ("\t".join(cells) + "\n").encode("utf-8", "replace")


def _cell(cell: Any) -> str:
    return _text(cell) if isinstance(cell, str) else numbers.write(cell)


def _text(cell: str) -> str:
    return re.sub(r"\s+", "_", cell.strip()) or "NaN"


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _splitter(sample: str, suffix: str) -> Split:
    if suffix.lower() == ".csv":
        return lambda line: [cell.strip() for cell in next(csv.reader([line]))]
    # A .tbl that came through a spreadsheet or pandas may have lost its TABs.
    if "\t" in sample:
        return lambda line: [cell.strip().strip('"') for cell in line.split("\t")]
    return lambda line: [quoted or word for quoted, word in _WORD.findall(line)]


def _is_number(cell: str) -> bool:
    try:
        return not math.isnan(numbers.read(cell)) or cell.lower() in {"nan", "-", ""}
    except ValueError:
        return False


def sky_position(table: Mapping[str, Any], star: str) -> tuple[float, float] | None:
    """Return where a table has a star, degree: the median of the rows that know it; None if none does."""
    hours, degrees = table.get(f"RA_{star}"), table.get(f"DEC_{star}")
    if not (isinstance(hours, np.ndarray) and isinstance(degrees, np.ndarray)):
        return None
    known = np.isfinite(hours) & np.isfinite(degrees) & ((hours != 0) | (degrees != 0))
    if not known.any():
        return None
    return float(np.median(hours[known])) * 15, float(np.median(degrees[known]))
