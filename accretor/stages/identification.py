"""Identification: what ExoFOP knows of a target, kept beside the user's own values."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from accretor.core.dumps import TARGET
from accretor.core.errors import DumpError, ServiceError, Unusable
from accretor.core.slug import slug
from accretor.io import dump

if TYPE_CHECKING:
    from accretor.core.settings import Target, WorkspaceSettings
    from accretor.exofop.identification import Found
    from accretor.exofop.identifiers import Toi
    from accretor.exofop.server import Server
    from accretor.io.http import Client
    from accretor.io.layout import Layout

Say = Callable[[str], None]


def is_kept(path: Path) -> bool:
    """Return whether all that is needed is in *path*; a damaged file is set aside."""
    try:
        return bool(dump.read(path, TARGET).meta.get("is_complete"))
    except FileNotFoundError:
        return False
    except DumpError:
        dump.set_aside(path)
        return False


def known(path: Path) -> dict[str, float]:
    """Return the values of ExoFOP that are kept in *path*, by quantity; {} if there are none."""
    try:
        return {row["quantity"]: row["value"] for row in dump.read(path, TARGET).rows}
    except (FileNotFoundError, DumpError):
        return {}


def completed(target: Target, layout: Layout) -> Target:
    """Return *target* with what is kept of ExoFOP here, in the place of what the user does not give.

    That is its number and place, with the proper motion, and the host's temperature and gravity; of a
    target whose number is known, the ephemeris, if there is a whole one: its source says so, in the notes
    too. What the user gives is never touched.
    """
    if not target.is_identified:
        target = _identified(target, layout)
    if target.ephemeris is not None:
        return target
    try:
        kept = dump.read(layout.archive(slug(target.name)).target, TARGET)
    except (FileNotFoundError, DumpError):
        return target
    rows = {row["quantity"]: row for row in kept.rows}
    values = {name: rows[name]["value"] for name in ("t0", "period", "duration", "depth")}
    if kept.meta.get("tic") != target.tic or not all(value > 0 for value in values.values()):
        return target
    from accretor.core.settings import Ephemeris
    from accretor.exofop.identification import FETCHED

    errors = {f"{name}_error": rows[name]["error"] for name in ("t0", "period")}
    known_errors = {name: error for name, error in errors.items() if error > 0}
    ephemeris = Ephemeris(**values, **known_errors, source=f"{FETCHED} {kept.meta.get('date')}")
    return target.with_values(ephemeris=ephemeris)


def _identified(target: Target, layout: Layout) -> Target:
    """Return *target* with number, place and host as they are kept here, as far as they are."""
    number, values = _kept(target, layout)
    given: dict[str, float] = {"tic": target.tic or number}
    if target.ra == "" and {"ra", "dec"} <= values.keys():
        given |= {name: values[name] for name in ("ra", "dec", "pm_ra", "pm_dec") if name in values}
    given |= {
        name: values[name] for name in ("teff", "logg") if getattr(target, name) is None and name in values
    }
    return target.with_values(**given)


def _kept(target: Target, layout: Layout) -> tuple[int, dict[str, float]]:
    """Return the number (0 if it is not known) and the values that are kept here of a target.

    They are those of its own file, else of the whole table of TOIs that `doit download` keeps.
    """
    from accretor.exofop.identifiers import Toi, cached, is_toi, tic_of, toi

    number = target.tic or _number_in(target.name)
    path = layout.archive(slug(target.name)).target
    try:
        kept = dump.read(path, TARGET)
        if number in (0, kept.meta.get("tic")):
            found = {row["quantity"]: row["value"] for row in kept.rows if math.isfinite(row["value"])}
            return int(kept.meta["tic"]), found
    except (FileNotFoundError, DumpError):
        pass
    try:
        table = cached(layout.tois)
        name = Toi(toi(target.name).system, target.planet) if is_toi(target.name) else None
        number = number or (tic_of(name, table) if name else 0)
    except (DumpError, Unusable):
        return number, {}
    rows = [row for row in table if row["tic"] == number and (name is None or row["toi"] == str(name))]
    if not rows:
        return number, {}
    return number, {
        key: value for key, value in rows[0].items() if isinstance(value, float) and math.isfinite(value)
    }


def _number_in(name: str) -> int:
    """Return the TIC number that a name tells; 0 if it tells none."""
    found = re.match(r"(?i)\s*TIC[\s_-]*0*([1-9][0-9]*)", name)
    return int(found[1]) if found else 0


def differences(path: Path, target: Target) -> list[str]:
    """Return where ExoFOP differs from the user's values as they are now, each in a sentence."""
    from accretor.exofop import identification

    try:
        rows = dump.read(path, TARGET).rows
    except (FileNotFoundError, DumpError):
        return []
    found = identification.from_kept(rows)
    own = identification.configured(target)
    return [
        f"{name}: {said}; ExoFOP has {found[name].value:.10g}, workspace.toml {own[name]:.10g}, which is used"
        for name, said in identification.differences(target, found).items()
    ]


def fetch(target: Target, layout: Layout, settings: WorkspaceSettings, say: Say) -> list[str]:
    """Ask ExoFOP for the target, and keep what it tells.

    Returns
    -------
    list of str
        What it does not tell, or tells otherwise, each in a sentence. Of the table and the page one is
        enough: what is wrong with the other is only said.
    """
    from accretor.exofop import identification
    from accretor.exofop.identifiers import Toi, is_toi, toi
    from accretor.exofop.server import server

    name = Toi(toi(target.name).system, target.planet) if is_toi(target.name) else None
    where = server(settings.upload.url)
    tois: Sequence[Toi] = ()
    found: Found = {}
    failures: list[str] = []
    troubles: list[str] = []
    if not target.tic:
        target = target.with_values(tic=_number_in(target.name))
    with where.client() as client:
        if name is not None:
            number, found, tois = _from_table(target, name, client, where, layout, (failures, troubles))
            target = target.with_values(tic=target.tic or number)
        try:
            answer = client.get(where.url("target.php"), params={"id": str(target.tic), "json": ""})
            page, listed = identification.from_page(answer.body, target.tic, name)
            found, tois = page | found, tois or listed
        except ServiceError as error:
            troubles.append(error.reason)
    needed = ("ra", "dec", "t0", "period") if name is not None else ("ra", "dec")
    if missing := [quantity for quantity in needed if quantity not in found]:
        failures += [*troubles, f"ExoFOP did not tell {', '.join(missing)} of {target.name}"]
    else:
        for line in troubles:
            say(f"identification: {line}; the rest tells enough")
    path = layout.archive(slug(target.name)).target
    # On a renewal, less than what is here does not replace it.
    if found and (not failures or not is_kept(path)):
        dump.write(
            path,
            TARGET,
            identification.rows(target, found),
            {
                "name": target.name,
                "tic": target.tic,
                "tois": [str(toi) for toi in tois],
                "server": where.base,
                "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
                "is_complete": not failures,
            },
        )
    return [f"identification: {line}" for line in dict.fromkeys(failures)]


def _from_table(
    target: Target,
    name: Toi,
    client: Client,
    where: Server,
    layout: Layout,
    said: tuple[list[str], list[str]],
) -> tuple[int, Found, Sequence[Toi]]:
    """Return the star of a candidate, what the TOI table tells of it, and all candidates of its star."""
    from accretor.exofop import identification, identifiers

    failures, troubles = said
    try:
        table = identifiers.system(name, client, where.base.rstrip("/"))
    except ServiceError as error:
        troubles.append(error.reason)
        table = identifiers.usable(layout.tois)  # the whole of it, if `doit download` has kept it
    if not table:
        return target.tic, {}, ()
    try:
        number = target.tic or identifiers.tic_of(name, table)
    except Unusable as verdict:
        failures.append(verdict.reason)
        return 0, {}, ()
    if trouble := identifiers.disagreement(str(name), number, table):
        failures.append(trouble)
    row = next((row for row in table if (row["toi"], row["tic"]) == (str(name), number)), None)
    found = {} if row is None else identification.from_row(row)
    return number, found, identifiers.tois_of(number, table)
