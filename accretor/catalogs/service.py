"""Asking a service for the stars of a field: one mirror after the other, in parts where it gives no more."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from accretor.catalogs import validate, votable
from accretor.catalogs.source import TEXTS, Raw, Source, Table
from accretor.core.errors import ServiceError, Unusable
from accretor.io.http import Client, NotSent

if TYPE_CHECKING:
    from accretor.catalogs.validate import Field
    from accretor.core.catalog import Catalog

AT_ONCE = 50_000
"""Rows that are asked for in one answer; if there are more, the field is asked for in parts."""
DEEPEST = 8
"""How often a part is halved before the service is taken to be broken."""
ATTEMPTS = 3
"""Of one service; there are others."""
DEADLINE = 300.0
"""Seconds for one answer, all attempts together."""

Part = tuple[float, float]
"""From a declination up to, and without, another; degree."""
WHOLE: Part = (-math.inf, math.inf)


@dataclass(frozen=True)
class Found:
    """The stars of a field, and where they are from."""

    catalog: Catalog
    address: str
    query: str
    """The first that was asked; the further ones ask for parts of the same field."""
    n_query: int
    failures: tuple[str, ...]
    """What was wrong with the services that were asked before."""


def visitor(address: str) -> Client:
    """Return a client that may go to the server of *address*, and nowhere else."""
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = parts.hostname or address
    return Client(host, {f"{host}:{port}"}, deadline=DEADLINE, attempts=ATTEMPTS)


def fetch(
    source: Source,
    field: Field,
    *,
    faintest: float | None = None,
    most: int = 1_000_000,
    servers: Mapping[str, str] | None = None,
    unreachable: set[str] | None = None,
    visit: Callable[[str], Client] = visitor,
    at_once: int = AT_ONCE,
) -> Found:
    """Return the stars of *field* from the first service whose answer is whole and of this field.

    Parameters
    ----------
    faintest : float, optional
        Main magnitude beyond which stars are not asked for.
    most : int
        Stars; a field with more is refused.
    servers : mapping of host to address
        Others to ask instead, such as a mirror of an institute: ``{"gea.esac.esa.int": "https://..."}``.
    unreachable : set of str
        Hosts that are not asked; one that cannot be reached is added, so that nothing else waits for it.
    visit
        Makes a client for an address.
    at_once : int
        Rows of one answer.

    Raises
    ------
    Unusable
        If the field has more than *most* stars.
    ServiceError
        If no service gives them; with what each did.
    """
    failures: list[str] = []
    away = set() if unreachable is None else unreachable
    for table in source.tables:
        address = _elsewhere(table.address, servers or {})
        name = urlsplit(address).hostname or address
        if urlsplit(address).netloc in away:
            failures.append(f"{name}: could not be reached before")
            continue
        try:
            with visit(address) as client:
                asked = _Asked(client, address, name, table, source, field, faintest, most, at_once)
                raw = asked.all()
            catalog = source.catalog(raw)
            validate.check(catalog, source, field, name, faintest)
        except ServiceError as error:
            failures.append(str(error))
            if isinstance(error, NotSent):
                away.add(urlsplit(address).netloc)
            continue
        return Found(catalog, address, asked.queries[0], len(asked.queries), tuple(failures))
    raise ServiceError(source.name, "; ".join(dict.fromkeys(failures)))


def adql(table: Table, field: Field, main: str, *, part: Part = WHOLE, faintest: float | None = None) -> str:
    """Return the query for the stars of a field in the language of TAP."""
    named = {ours: _quoted(theirs) for ours, theirs in table.columns.items()}
    ra, dec = named["ra"], named["dec"]
    conditions = [
        f"1=CONTAINS(POINT('ICRS', {ra}, {dec}), "
        f"CIRCLE('ICRS', {field.ra:.7f}, {field.dec:.7f}, {field.radius:.5f}))"
    ]
    low, high = part
    conditions += [f"{dec} >= {low:.7f}"] if math.isfinite(low) else []
    conditions += [f"{dec} < {high:.7f}"] if math.isfinite(high) else []
    conditions += [f"{named[main]} < {faintest:g}"] if faintest is not None else []
    name = f'"{table.name}"' if "/" in table.name else table.name
    what = "*" if table.is_all else ", ".join(named.values())
    return f"SELECT {what} FROM {name} WHERE {' AND '.join(conditions)}"  # noqa: S608  # of numbers and of names of ours


def asu(
    table: Table, field: Field, main: str, limit: int, *, part: Part = WHOLE, faintest: float | None = None
) -> dict[str, str]:
    """Return the same as the parameters of VizieR's older interface."""
    low, high = part
    bounds = [f">={low:.7f}"] if math.isfinite(low) else []
    bounds += [f"<{high:.7f}"] if math.isfinite(high) else []
    form = {
        "-source": table.name,
        "-c": f"{field.ra:.7f}{field.dec:+.7f}",
        "-c.rd": f"{field.radius:.5f}",
        "-out": "*" if table.is_all else ",".join(table.columns.values()),
        "-out.max": str(limit),
        "-oc.form": "d",
    }
    if bounds:
        form[table.columns["dec"]] = " & ".join(bounds)
    if faintest is not None:
        form[table.columns[main]] = f"<{faintest:g}"
    return form


@dataclass
class _Asked:
    """One field at one service."""

    client: Client
    address: str
    service: str
    table: Table
    source: Source
    field: Field
    faintest: float | None
    most: int
    at_once: int

    def __post_init__(self) -> None:
        self.queries: list[str] = []
        self.n_star = 0

    def all(self) -> Raw:
        """Return all stars, in as many parts as it takes."""
        import numpy as np

        parts = self._part(WHOLE, DEEPEST)
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _part(self, part: Part, depth: int) -> list[Raw]:
        rows = self._ask(part)
        if not rows.is_cut:
            self.n_star += rows.n_row
            self._count()
            return [self._named(rows)]
        if depth == 0:
            raise ServiceError(self.service, "cuts off its answers, however small the part of the field")
        low = max(part[0], self.field.dec - self.field.radius)
        high = min(part[1], self.field.dec + self.field.radius)
        middle = round((low + high) / 2, 7)
        return [*self._part((part[0], middle), depth - 1), *self._part((middle, part[1]), depth - 1)]

    def _count(self) -> None:
        if self.n_star > self.most:
            raise Unusable(
                f"{self.source.name}: more than {self.most} stars within {self.field.radius:g} degrees; "
                "set faintest or a smaller radius in [catalogs]"
            )

    def _ask(self, part: Part) -> votable.Rows:
        main = self.source.main
        if self.table.protocol == "TAP":
            query = adql(self.table, self.field, main, part=part, faintest=self.faintest)
            form = {
                "REQUEST": "doQuery",
                "LANG": "ADQL",
                "FORMAT": "votable",
                "MAXREC": str(self.at_once),
                "QUERY": query,
            }
        else:
            form = asu(self.table, self.field, main, self.at_once, part=part, faintest=self.faintest)
            query = "&".join(f"{key}={value}" for key, value in form.items())
        self.queries.append(query)
        # A wrong query is answered with 400, and the reason in a VOTable.
        answer = self.client.get(self.address, params=form, accepts=(200, 400), limit=votable.LIMIT)
        if answer.status != 200:
            votable.parse(answer.body, self.service, needs_status=True)
            raise ServiceError(self.service, f"answered with HTTP status {answer.status}")
        rows = votable.parse(answer.body, self.service, needs_status=self.table.protocol == "TAP")
        # Not all services say that they gave no more than they were asked for.
        return votable.Rows(rows.columns, rows.is_cut or rows.n_row >= self.at_once)

    def _named(self, rows: votable.Rows) -> Raw:
        """Return the columns under our names."""
        found: Raw = {}
        for ours, theirs in self.table.columns.items():
            column = _column(rows.columns, theirs)
            if column is None:
                if ours in ("ra", "dec", "identifier", self.source.main) or not self.table.is_all:
                    raise ServiceError(self.service, f"the answer has no column {theirs}")
                continue
            found[ours] = _plain(column, is_text=ours in TEXTS)
        return found


def _column(columns: Mapping[str, Any], name: str) -> Any:
    """Return a column by its name in a query; services differ in case and in what stands before a point."""
    plain = name.rpartition(".")[2]
    spellings: Sequence[str] = (plain, plain.replace("'", "_"))
    for spelling in spellings:
        if spelling in columns:
            return columns[spelling]
    # Only where one has this name in any case: Gmag is not gmag.
    near = [column for column in columns if column.lower() in {spelling.lower() for spelling in spellings}]
    return columns[near[0]] if len(near) == 1 else None


def _plain(column: Any, *, is_text: bool) -> Any:
    """Return float64 with nan, or str, of a masked array."""
    import numpy as np

    data, mask = np.ma.getdata(column), np.ma.getmaskarray(column)
    if data.dtype.kind in "fiub" and not is_text:
        values = data.astype(np.float64)
        values[mask] = np.nan
        return values
    texts = ["" if gone else _text(value) for value, gone in zip(data.tolist(), mask.tolist(), strict=True)]
    return np.array(texts, dtype=np.str_)


def _text(value: Any) -> str:
    return (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)).strip()


def _quoted(name: str) -> str:
    """Return a column as ADQL has it: those of VizieR are case-sensitive, and may hold anything."""
    return name if "." in name or (name.islower() and name.isidentifier()) else f'"{name}"'


def _elsewhere(address: str, servers: Mapping[str, str]) -> str:
    parts = urlsplit(address)
    other = servers.get(parts.hostname or "")
    return f"{other.rstrip('/')}{parts.path}" if other else address
