"""VOTables as TAP and VizieR give them out; nothing else passes for one, and a cut one does not."""

from __future__ import annotations

import gzip
import io
import warnings
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from accretor.core.errors import ServiceError
from accretor.io.answers import excerpt

LIMIT = 200_000_000
"""Bytes of an unpacked answer."""

_END = b"</VOTABLE>"
_TAIL = 1000


@dataclass(frozen=True)
class Rows:
    """The table of an answer."""

    columns: Mapping[str, Any]
    """Masked arrays of numpy, by the service's names."""
    is_cut: bool
    """The service had more rows than it gave (OVERFLOW)."""

    @property
    def n_row(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values()), ()))


def parse(content: bytes, service: str, *, needs_status: bool) -> Rows:
    """Read a VOTable.

    Parameters
    ----------
    content : bytes
        As it came; packed with gzip or not.
    service : str
        In the errors.
    needs_status : bool
        Whether the answer must say of itself that it is complete (``QUERY_STATUS``), as that of TAP must.

    Raises
    ------
    ServiceError
        If it is a page, an error in the form of a VOTable, or was cut: no such thing is an empty table.
    """
    plain = _unpacked(content, service)
    if b"<VOTABLE" not in plain[:_TAIL]:
        raise ServiceError(service, f"the answer is not a VOTable but {excerpt(plain)}")
    if _END not in plain[-_TAIL:]:
        raise ServiceError(service, f"the answer was cut off after {len(plain)} bytes")
    if b"<!ENTITY" in plain:
        raise ServiceError(service, "the answer defines entities, which no VOTable needs")
    table, infos = _read(plain, service)
    said = {name.upper(): (value.upper(), text) for name, value, text in infos}
    status, text = said.get("QUERY_STATUS", ("", ""))
    if status == "ERROR" or (not status and "ERROR" in said):
        words = " ".join((text or said.get("ERROR", ("", ""))[0]).split())[:200]
        raise ServiceError(service, f"refused the query: {words or 'it does not say why'}")
    if status not in ("OK", "OVERFLOW") and needs_status:
        raise ServiceError(service, "the answer does not say that it is complete (no QUERY_STATUS)")
    if table is None:
        raise ServiceError(service, "the answer has no table")
    return Rows(table, status == "OVERFLOW")


def _unpacked(content: bytes, service: str) -> bytes:
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        with gzip.open(io.BytesIO(content)) as file:
            plain = file.read(LIMIT + 1)
    except (OSError, EOFError, zlib.error):
        raise ServiceError(service, "the answer is damaged: it cannot be unpacked") from None
    if len(plain) > LIMIT:
        raise ServiceError(service, f"the answer is larger than {LIMIT / 1e6:.0f} MB")
    return plain


def _read(plain: bytes, service: str) -> tuple[dict[str, Any] | None, list[tuple[str, str, str]]]:
    """Return the columns of the first table, and name, value and text of every INFO."""
    from xml.parsers.expat import ExpatError

    from astropy.io import votable
    from astropy.utils.exceptions import AstropyWarning

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)  # services are careless with the standard
            document = votable.parse(io.BytesIO(plain), verify="ignore")
            table = next(document.iter_tables(), None)
            columns = None if table is None else _columns(table)
    # What astropy raises on broken tables: its own, which are warnings by class, and Python's.
    except (
        *(AstropyWarning, ExpatError, SyntaxError, TypeError, ValueError),
        *(LookupError, EOFError, AttributeError),
    ) as error:
        said = " ".join(str(error).split())[:100]
        raise ServiceError(service, f"the answer is a damaged VOTable: {said}") from error
    infos = [(str(i.name), str(i.value), str(i.content or "")) for i in _infos(document)]
    return columns, infos


def _columns(table: Any) -> dict[str, Any]:
    # One row per star: cells that are arrays are of no use, and can have the wrong length.
    return {field.name: table.array[field.ID] for field in table.fields}


def _infos(node: Any) -> Iterator[Any]:
    yield from node.infos
    for resource in node.resources:
        yield from _infos(resource)
    for table in getattr(node, "tables", ()):
        yield from table.infos
