"""Names of stars and candidates: TIC numbers, TOI numbers, and which belongs to which."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accretor.core.dumps import TOIS
from accretor.core.errors import DumpError, ServiceError, Unusable
from accretor.exofop import tables
from accretor.io import dump
from accretor.io.answers import excerpt
from accretor.science import angles

if TYPE_CHECKING:
    from accretor.io.http import Client

_TIC = re.compile(r"(?i)(?:TIC[\s_-]*)?0*([1-9][0-9]{0,18})")
_TOI = re.compile(r"(?i)(?:TOI[\s_-]*)?0*([1-9][0-9]*)(?:[.-]([0-9]+))?")
_COLUMNS = {
    "toi": ("toi", "TOI"),
    "tic": ("ticid", "TIC ID"),
    "ra": ("ra", "RA"),
    "dec": ("dec", "Dec"),
    "pm_ra": ("pm_ra", "PM RA (mas/yr)"),
    "pm_dec": ("pm_dec", "PM Dec (mas/yr)"),
    "tmag": ("tess_mag", "TESS Mag"),
    "tmag_error": ("tess_mag_error", "TESS Mag err"),
    "t0": ("epoch", "Transit Epoch (BJD)", "Epoch (BJD)"),
    "t0_error": ("epoch_e", "Transit Epoch (BJD) err", "Epoch (BJD) err"),
    "period": ("period", "Period (days)"),
    "period_error": ("period_e", "Period (days) err"),
    "duration": ("duration", "Duration (hours)"),
    "duration_error": ("duration_e", "Duration (hours) err"),
    "depth": ("depth_ppm", "Depth (ppm)"),
    "depth_error": ("depth2_e", "Depth (ppm) err"),
    "teff": ("stellar_teff", "Stellar Eff Temp (K)"),
    "teff_error": ("teff_e", "Stellar Eff Temp (K) err"),
    "logg": ("stellar_logg", "Stellar log(g) (cm/s^2)"),
    "logg_error": ("logg_e", "Stellar log(g) (cm/s^2) err"),
    "radius": ("stellar_radius", "Stellar Radius (R_Sun)"),
    "radius_error": ("srad_e", "Stellar Radius (R_Sun) err"),
}
"""Our columns, and the names that they have in the two forms of ExoFOP's table."""

_MOST_UNREADABLE = 0.05
"""Part of the rows that may be without a number; a table with more is not the one that is meant."""


@dataclass(frozen=True, order=True)
class Toi:
    """A TESS Object of Interest: a system, or one planet of it."""

    system: int
    planet: str = ""
    """Two digits; empty for the system."""

    def __str__(self) -> str:
        return f"TOI-{self.system}" + (f".{self.planet}" if self.planet else "")

    @property
    def target(self) -> str:
        """The system, as ExoFOP's addresses have it: ``TOI1234``."""
        return f"TOI{self.system}"


def tic(text: str | int) -> int:
    """Return the number in the TESS Input Catalog: ``123``, ``"TIC 123"``, ``"tic-123"``, any length.

    Raises
    ------
    Unusable
        If *text* is not one.
    """
    found = _TIC.fullmatch(str(text).strip())
    if not found or isinstance(text, bool):
        raise Unusable(f"{text!r} is not a TIC number, such as 123456789 or TIC 123456789")
    return int(found[1])


def toi(text: str | int) -> Toi:
    """Return the TOI of any spelling: ``"TOI-1234.01"``, ``"toi 1130.10"``, ``1234``.

    A planet has two digits, so a text is needed for it: the number 1130.10 would lose
    its zero.

    Raises
    ------
    Unusable
        If *text* is not one.
    """
    if isinstance(text, float | bool):
        raise Unusable(f"{text!r}: write a TOI as a text, 'TOI-1130.10'; a number loses the last zero")
    found = _TOI.fullmatch(str(text).strip())
    if not found:
        raise Unusable(f"{text!r} is not a TOI, such as TOI-1234 or TOI-1234.01")
    planet = found[2] or ""
    if planet and len(planet) != 2:
        raise Unusable(f"{text!r}: the planet of a TOI has two digits, such as TOI-{found[1]}.01")
    return Toi(int(found[1]), planet)


def listed(value: Any) -> Toi:
    """Return the TOI of a cell of ExoFOP, from which a program may have taken the last zero.

    Planets have two digits, so .1 can only have been .10. Raises as `toi` does.
    """
    text = str(value).strip()
    return toi(f"{text}0" if re.search(r"[0-9]\.[0-9]$", text) else text)


def is_time(value: float) -> bool:
    """Return whether a number can be the Julian date of a transit; nan cannot."""
    return 2.4e6 < value < 2.6e6


def is_toi(text: str) -> bool:
    """Return whether *text* says of itself that it is a TOI."""
    return bool(re.match(r"(?i)\s*TOI[\s_-]*[0-9]", text))


def parse(content: bytes, kind: str) -> list[dump.Row]:
    """Read ExoFOP's table of TOIs.

    Parameters
    ----------
    content : bytes
        As it came.
    kind : str
        ``json`` (tois.json) or ``pipe`` (download_toi.php).

    Returns
    -------
    list of rows of `TOIS`
        In the order of the TOI; rows without a TIC or TOI number are left out.

    Raises
    ------
    ServiceError
        If this is another page, or a table that was cut or changed.
    """
    records = _json(content) if kind == "json" else tables.parse(content, "TOI table")
    found = []
    for record in records:
        try:
            found.append(_row(record))
        except Unusable:
            continue
    if not found or len(found) < (1 - _MOST_UNREADABLE) * len(records):
        raise ServiceError("ExoFOP", f"only {len(found)} of {len(records)} rows of the TOI table can be read")
    return sorted(found, key=lambda row: (toi(row["toi"]), row["tic"]))


def refresh(path: Path, client: Client, url: str) -> list[dump.Row]:
    """Fetch the table of TOIs, keep it in *path*, and return it.

    The fast form is asked for first, the slow one if that fails. A table with less than
    half the rows of the one that is kept does not replace it.

    Raises
    ------
    ServiceError
        If neither form can be had; what is kept stays.
    """
    try:
        rows = parse(client.get(f"{url}/json/tois.json").body, "json")
    except ServiceError:
        rows = parse(client.get(f"{url}/download_toi.php", params={"output": "pipe"}).body, "pipe")
    if 2 * len(rows) < len(kept := cached(path)):
        raise ServiceError(
            "ExoFOP",
            f"the TOI table that came has {len(rows)} rows, the one kept here {len(kept)}; it was not taken",
        )
    dump.write(path, TOIS, rows, {})
    return rows


def cached(path: Path) -> list[dump.Row]:
    """Return the table that is kept in *path*; empty if there is none.

    Raises
    ------
    DumpError
        If the file is damaged.
    """
    try:
        return dump.read(path, TOIS).rows
    except FileNotFoundError:
        return []


def usable(path: Path) -> list[dump.Row]:
    """Return the table that is kept in *path*; one that is damaged, or of an older form, is set aside."""
    try:
        return cached(path)
    except DumpError:
        dump.set_aside(path)
        return []


def system(name: Toi, client: Client, url: str) -> list[dump.Row]:
    """Fetch the rows of all candidates of one system; quick, where the whole table is slow.

    Raises
    ------
    ServiceError
        If they cannot be had, or ExoFOP has none.
    """
    answer = client.get(f"{url}/download_toi.php", params={"toi": str(name.system), "output": "pipe"})
    return [row for row in parse(answer.body, "pipe") if _is_in(row, name)]


def tic_of(name: Toi, table: Iterable[dump.Row]) -> int:
    """Return the TIC number of a TOI.

    Raises
    ------
    Unusable
        If the table does not have it, or has it for several stars.
    """
    found = {
        row["tic"] for row in table if str(name) == row["toi"] or (not name.planet and _is_in(row, name))
    }
    if len(found) != 1:
        stars = ", ".join(f"TIC {number}" for number in sorted(found))
        where = "in the kept table of TOIs"
        raise Unusable(f"{name} is of several stars {where}: {stars}" if found else f"{name} is not {where}")
    return int(found.pop())


def tois_of(number: int, table: Iterable[dump.Row]) -> list[Toi]:
    """Return the TOIs of the star with this TIC number, in their order; none if it has none."""
    return sorted(toi(row["toi"]) for row in table if row["tic"] == number)


def disagreement(name: str, number: int, table: Sequence[dump.Row]) -> str:
    """Return how the table contradicts that the TOI *name* is of TIC *number*; "" if it does not."""
    if not is_toi(name):
        return ""
    try:
        found = tic_of(toi(name), table)
    except Unusable as error:
        return error.reason
    return "" if found == number else f"{name} is of TIC {found} on ExoFOP, of TIC {number} here"


def _is_in(row: dump.Row, system: Toi) -> bool:
    return toi(row["toi"]).system == system.system


def _json(content: bytes) -> list[dict[str, Any]]:
    try:
        # Numbers stay text: 1130.10 would lose its zero.
        found = json.loads(content.decode("utf-8"), parse_float=str)
    except ValueError:
        raise ServiceError("ExoFOP", f"tois.json is not JSON but {excerpt(content)}") from None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise ServiceError("ExoFOP", "tois.json is not a list of TOIs")
    return found


def _row(record: dict[str, Any]) -> dump.Row:
    values = {ours: _first(record, names) for ours, names in _COLUMNS.items()}
    angle = {"ra": angles.right_ascension, "dec": angles.declination}
    numbers = {
        name: _angle(angle[name], value) if name in angle else number(value)
        for name, value in values.items()
        if name not in ("toi", "tic")
    }
    if not is_time(numbers["t0"]):
        numbers["t0"] = math.nan
    numbers["depth"] /= 1000
    numbers["depth_error"] /= 1000
    return {"toi": str(listed(values["toi"])), "tic": tic(str(values["tic"])), **numbers}


def _first(record: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((record[name] for name in names if name in record), "")


def number(value: Any) -> float:
    """Return a number of ExoFOP; nan where it has none, or no finite one."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return math.nan
    return found if math.isfinite(found) else math.nan


def _angle(parse: Callable[[str], float], value: Any) -> float:
    try:
        return parse(str(value))
    except ValueError:
        return math.nan
