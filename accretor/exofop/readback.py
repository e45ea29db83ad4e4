"""What ExoFOP shows that it holds: the only proof that something was uploaded.

A web page, a sentence or an empty answer is never an empty list: a list of nothing
still has its line of column names.
"""

from __future__ import annotations

import csv
import hashlib
import html
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass

from accretor.core.errors import ServiceError
from accretor.exofop.server import SERVICE
from accretor.exofop.session import Session, described
from accretor.io.http import LIMIT, Answer, Refused

SERIES_COLUMNS = {
    "tel": "Telescope",
    "camera": "Camera",
    "filter": "Filter",
    "pixscale": "Pixel Scale",
    "psf": "PSF",
    "photaprad": "Phot Aperture Rad",
    "obsdate": "Obs Date",
    "obsdur": "Obs Duration",
    "obsnum": "Num Obs",
    "obstype": "Obs Type",
    "transcov": "Transit Coverage",
    "deltamag": "Delta Mag",
}
"""Fields of the form, and the columns in which ExoFOP shows them."""

_IDENTITY = ("tel", "filter", "obsdate")
_LONGEST_SENTENCE = 500


@dataclass(frozen=True)
class HeldFile:
    """A file that ExoFOP lists."""

    name: str
    file_id: str
    date: str
    user: str


@dataclass(frozen=True)
class HeldSeries:
    """A time-series form that ExoFOP lists: its fields by their names in the form."""

    fields: Mapping[str, str]
    user: str


def files(session: Session, tic: int) -> list[HeldFile]:
    """Return all files of a star that this user may see.

    Raises
    ------
    ServiceError
        If the answer is not a list of files.
    """
    answer = session.get("download_filelist.php", {"id": str(tic), "output": "csv"})
    rows = table(answer, ("File Name", "File ID"))
    return [
        HeldFile(
            row[_key("File Name")], row[_key("File ID")], row.get(_key("Date"), ""), row.get(_key("User"), "")
        )
        for row in rows
    ]


def series(session: Session, tag: str, tic: int) -> list[HeldSeries]:
    """Return the time-series forms of a tag.

    Where ExoFOP has only a sentence to say of the tag, which it may do of one that it
    has not met, all forms of the star by this user are looked at instead.

    Raises
    ------
    ServiceError
        If neither answer is a table.
    """
    needed = tuple(SERIES_COLUMNS[field] for field in _IDENTITY)
    answer = session.get("download_tag_tseries.php", {"tag": tag, "output": "pipe"})
    if _is_sentence(answer):
        answer = session.get("download_tseries.php", {"target": str(tic), "output": "pipe"})
        rows = table(answer, (*needed, "User"))
        rows = [row for row in rows if row[_key("User")].lower() == session.username.lower()]
    else:
        rows = table(answer, needed)
    return [_series(row) for row in rows]


def digest(session: Session, file: HeldFile, size: int) -> str | None:
    """Return the SHA-256 of what ExoFOP holds as *file*; None if it does not give it out.

    Parameters
    ----------
    size : int, byte
        That it should have.

    Raises
    ------
    ServiceError
        If the server cannot be asked now.
    """
    if not file.file_id:
        return None
    try:
        answer = session.get("get_file.php", {"id": file.file_id}, limit=max(LIMIT, 2 * size))
    except Refused as error:
        if error.status in {401, 403, 404}:
            return None
        raise
    # None of the files of a package begins like a web page.
    return None if answer.is_page else hashlib.sha256(answer.body).hexdigest()


def is_of(held: HeldSeries, fields: Mapping[str, str]) -> bool:
    """Return whether a form that ExoFOP lists is of the same telescope, filter and date as *fields*."""
    return all(_is_same(held.fields.get(name, ""), fields[name], name) for name in _IDENTITY)


def differences(held: HeldSeries, fields: Mapping[str, str]) -> list[str]:
    """Return where a form that ExoFOP lists says other than *fields*, with both values."""
    return [
        f"{name} is {held.fields[name] or '(blank)'} there, {fields[name]} here"
        for name in SERIES_COLUMNS
        if name in held.fields and fields[name] and not _is_same(held.fields[name], fields[name], name)
    ]


def table(answer: Answer, needed: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the rows of a table with ``|`` or ``,`` between columns, by `_key` of the column.

    Raises
    ------
    ServiceError
        If it is a web page, a sentence or nothing, lacks a column, or has a row that
        is cut short.
    """
    place = answer.url.rpartition("/")[2]
    if answer.is_page:
        raise ServiceError(SERVICE, f"{place} gave a web page, not a table: {described(answer)}")
    text = answer.text.lstrip("\ufeff")
    first = text.partition("\n")[0]
    delimiter = "|" if "|" in first else ","
    source = io.StringIO(text, newline="")
    reader = (
        csv.reader(source, delimiter="|", quoting=csv.QUOTE_NONE) if delimiter == "|" else csv.reader(source)
    )
    try:
        lines = [line for line in reader if any(cell.strip() for cell in line)]
    except csv.Error as error:
        raise ServiceError(SERVICE, f"{place} gave no table: {error}") from None
    names = [_key(cell) for cell in lines[0]] if lines else []
    keys = {_key(name): next((key for key in names if key.startswith(_key(name))), None) for name in needed}
    if None in keys.values():
        start = " ".join(first.split())[:60]
        raise ServiceError(SERVICE, f"{place} gave no table with {', '.join(needed)}, but {start!r}")
    rows = []
    for line in lines[1:]:
        if len(line) < len(names):
            raise ServiceError(SERVICE, f"{place} gave a table with a row that is cut short")
        # Only the last column, a text for people, may hold the separator.
        cells = [*line[: len(names) - 1], delimiter.join(line[len(names) - 1 :])]
        row = {name: html.unescape(cell.strip()) for name, cell in zip(names, cells, strict=True)}
        rows.append(row | {wanted: row[key] for wanted, key in keys.items() if key})
    return rows


def _series(row: Mapping[str, str]) -> HeldSeries:
    fields = {}
    for field, column in SERIES_COLUMNS.items():
        key = next((key for key in row if key.startswith(_key(column))), None)
        if key is not None:
            fields[field] = row[key]
    return HeldSeries(fields, row.get(_key("User"), ""))


def _is_sentence(answer: Answer) -> bool:
    text = answer.text.strip()
    return not answer.is_page and "|" not in text and len(text) < _LONGEST_SENTENCE


def _is_same(there: str, here: str, field: str) -> bool:
    if field == "obsdate":
        return there.startswith(here)
    try:
        return abs(float(there) - float(here)) <= 1e-6 * abs(float(here))
    except ValueError:
        return " ".join(there.lower().split()) == " ".join(here.lower().split())


def _key(name: str) -> str:
    """Return a column's name without what may differ: case, blanks, brackets of units."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
