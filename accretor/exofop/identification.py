"""What ExoFOP knows of a target and its host, beside what the user has written.

The user's values rule. Where ExoFOP's differ from them by more than the errors of both, that is said.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accretor.core.errors import ServiceError, Unusable
from accretor.exofop import identifiers
from accretor.exofop.identifiers import Toi, number
from accretor.io.answers import excerpt
from accretor.io.dump import Row
from accretor.science import angles

if TYPE_CHECKING:
    from accretor.core.settings import Target

UNITS: Mapping[str, str] = {
    "ra": "deg",
    "dec": "deg",
    "pm_ra": "mas / yr",
    "pm_dec": "mas / yr",
    "tmag": "mag",
    "t0": "d",
    "period": "d",
    "duration": "h",
    "depth": "ppt",
    "teff": "K",
    "logg": "",
    "radius": "Rsun",
}
"""The quantities in their order."""

EPHEMERIS = ("t0", "period", "duration", "depth")
TABLE, PAGE = "TOI table", "target page"

FETCHED = "ExoFOP, as doit fetch found it on"
"""Beginning of the source of an ephemeris that is not the user's."""

SIGMA = 3.0
"""Times the errors of both by which values must differ for it to be said."""
POSITION = 2.0
"""Arcsec that positions may differ by besides their motion: ExoFOP's are of epoch 2000 or 2015.5."""
LONGEST = 15.5
"""Years between these."""
UNSURE = 0.2
"""Part of a value that may be its error where ExoFOP gives none."""
MINUTES = 1440.0


@dataclass(frozen=True)
class Quantity:
    """A number of ExoFOP."""

    value: float
    error: float
    source: str


Found = dict[str, Quantity]


def from_row(row: Row) -> Found:
    """Return what a row of the TOI table tells; nothing for its empty cells."""
    return {
        name: Quantity(row[name], row.get(f"{name}_error", math.nan), TABLE)
        for name in UNITS
        if not math.isnan(row[name])
    }


def from_kept(rows: Sequence[Row]) -> Found:
    """Return what the rows of `rows` tell."""
    return {
        row["quantity"]: Quantity(row["value"], row["error"], row["source"])
        for row in rows
        if not math.isnan(row["value"])
    }


def from_page(content: bytes, tic: int, name: Toi | None) -> tuple[Found, list[Toi]]:
    """Return what the page of one star tells (``target.php?id=...&json``), and the TOIs that are on it.

    Parameters
    ----------
    tic : int
        Number of the star.
    name : Toi, optional
        The candidate whose ephemeris is wanted; default: the first that is on the page.

    Raises
    ------
    ServiceError
        If it is not that page: an unknown star is answered with a sentence.
    """
    page = _page(content, tic)
    named = [(_toi(record.get("toi")), record) for record in _records(page, "planet_parameters")]
    tois = sorted({toi for toi, _ in named if toi is not None and toi.planet})
    wanted = name or next(iter(tois), None)
    planet = [record for toi, record in named if toi is not None and toi == wanted]
    return _star(page) | _planet(planet), tois


def _page(content: bytes, tic: int) -> Mapping[str, Any]:
    try:
        # Numbers stay text: 1130.10 would lose its zero.
        page = json.loads(content.decode("utf-8"), parse_float=str)
    except ValueError:
        raise ServiceError("ExoFOP", f"the page of TIC {tic} is not JSON but {excerpt(content)}") from None
    about = page.get("basic_info") if isinstance(page, dict) else None
    if not isinstance(about, dict) or str(about.get("tic_id")) != str(tic):
        raise ServiceError("ExoFOP", f"the answer is not the page of TIC {tic}")
    return dict(page)


def _star(page: Mapping[str, Any]) -> Found:
    place = page.get("coordinates")
    found: Found = {}
    for name in ("ra", "dec", "pm_ra", "pm_dec"):
        _add(found, name, place if isinstance(place, dict) else {}, name)
    for record in _records(page, "magnitudes"):
        if str(record.get("band", "")).upper() in ("TESS", "TMAG"):
            _add(found, "tmag", record, "value")
    # Values of several papers; the first of each is the one that the page shows.
    for record in reversed(_records(page, "stellar_parameters")):
        for ours, theirs in (("teff", "teff"), ("logg", "logg"), ("radius", "srad")):
            _add(found, ours, record, theirs)
    return found


def _planet(records: Sequence[Mapping[str, Any]]) -> Found:
    """Return the ephemeris of the first record that is a whole one."""
    for record in records:
        found: Found = {}
        for ours, theirs in (("t0", "epoch"), ("period", "per"), ("duration", "dur")):
            _add(found, ours, record, theirs)
        _add(found, "depth", record, "dep_p", 1e-3)
        if "period" in found and "t0" in found and identifiers.is_time(found["t0"].value):
            return found
    return {}


def _add(found: Found, ours: str, record: Mapping[str, Any], theirs: str, scale: float = 1.0) -> None:
    value = number(record.get(theirs)) * scale
    if not math.isnan(value):
        found[ours] = Quantity(value, number(record.get(f"{theirs}_e")) * scale, PAGE)


def rows(target: Target, found: Mapping[str, Quantity]) -> list[Row]:
    """Return the table of a target: what ExoFOP has, what the user has, and where they differ."""
    own = configured(target)
    said = differences(target, found)
    missing = Quantity(math.nan, math.nan, "")
    return [
        {
            "quantity": name,
            "value": (quantity := found.get(name, missing)).value,
            "error": quantity.error,
            "unit": unit,
            "source": quantity.source,
            "configured": own.get(name, math.nan),
            "difference": said.get(name, ""),
        }
        for name, unit in UNITS.items()
    ]


def configured(target: Target) -> dict[str, float]:
    """Return the user's values by the names of `UNITS`."""
    own: dict[str, float | None] = {"teff": target.teff, "logg": target.logg}
    if target.ra != "":
        own |= {"ra": angles.right_ascension(target.ra), "dec": angles.declination(target.dec)}
        own |= {"pm_ra": target.pm_ra, "pm_dec": target.pm_dec}
    if target.ephemeris is not None and not target.ephemeris.source.startswith(FETCHED):
        own |= {name: getattr(target.ephemeris, name) for name in EPHEMERIS}
    return {name: float(value) for name, value in own.items() if value is not None}


def differences(target: Target, found: Mapping[str, Quantity]) -> dict[str, str]:
    """Return, by quantity, how ExoFOP's values differ from the user's by more than both errors."""
    said = {}
    if {"ra", "dec"} <= set(found) and "ra" in configured(target):
        said["ra"] = _position(target, found)
    if "t0" in configured(target) and {"t0", "period"} <= set(found):
        said["t0"], said["period"] = _times(target, found)
    own = configured(target)
    for name in ("duration", "depth", "teff", "logg"):
        if name in found and name in own:
            said[name] = _value(own[name], found[name], UNITS[name])
    return {name: text for name, text in said.items() if text}


def _position(target: Target, found: Mapping[str, Quantity]) -> str:
    own = configured(target)
    apart = 3600 * angles.separation(own["ra"], own["dec"], found["ra"].value, found["dec"].value)
    motion = math.hypot(*(found[name].value if name in found else own[name] for name in ("pm_ra", "pm_dec")))
    if apart <= POSITION + LONGEST * motion / 1000:
        return ""
    return f"{apart:.1f} arcsec from the configured position"


def _times(target: Target, found: Mapping[str, Quantity]) -> tuple[str, str]:
    """Compare the transit times near the user's t0, and the periods."""
    own = target.ephemeris
    assert own is not None
    t0, period = found["t0"], found["period"]
    ratio = own.period / period.value
    nearest = next((n for n in (2, 3, 4) if min(abs(ratio / n - 1), abs(ratio * n - 1)) < 1e-3), 0)
    if nearest:
        times = f"{nearest} times" if ratio > 1 else f"1/{nearest} of"
        return "", f"the configured period is {times} that of ExoFOP"
    n_period = round((own.t0 - t0.value) / period.value)
    apart = own.t0 - t0.value - n_period * period.value
    sigma = math.hypot(own.t0_error, _known(t0.error), n_period * _known(period.error))
    transit = ""
    if abs(apart) > SIGMA * sigma:
        transit = (
            f"the configured transit is {apart * MINUTES:+.1f} min from ExoFOP's"
            f" ({_sigmas(apart, sigma)}, {n_period} periods on)"
        )
    apart = own.period - period.value
    sigma = math.hypot(own.period_error, _known(period.error))
    differs = abs(apart) > SIGMA * sigma
    return transit, f"differs by {apart:+.2g} d ({_sigmas(apart, sigma)})" if differs else ""


def _value(own: float, found: Quantity, unit: str) -> str:
    """Compare two numbers; a missing error is taken to be a fifth of the value."""
    error = found.error if found.error > 0 else UNSURE * abs(found.value)
    apart = own - found.value
    if abs(apart) <= SIGMA * error:
        return ""
    return f"differs by {f'{apart:+.3g} {unit}'.rstrip()} ({_sigmas(apart, error)})"


def _sigmas(apart: float, sigma: float) -> str:
    return f"{abs(apart) / sigma:.1f} sigma" if sigma > 0 else "no errors are given"


def _known(error: float) -> float:
    return 0.0 if math.isnan(error) else error


def _records(page: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    found = page.get(name)
    return [record for record in found if isinstance(record, dict)] if isinstance(found, list) else []


def _toi(value: Any) -> Toi | None:
    try:
        return identifiers.listed(value)
    except Unusable:
        return None
