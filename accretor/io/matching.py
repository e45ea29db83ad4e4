"""Which target a frame shows, and in which night it was taken."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from accretor.core.frame import Exposure
from accretor.core.settings import Target
from accretor.science import angles

MAX_SEPARATION = 0.1
"""Degree between the pointing and a target up to which the target is believed to be meant."""

_TOI = re.compile(r"\bTOI[-_ ]?(\d+)(?:[.\-_ ](\d{2}))?(?!\d)", re.IGNORECASE)
_TIC = re.compile(r"\bTIC[-_ ]?(\d{5,})", re.IGNORECASE)


@dataclass(frozen=True)
class Match:
    """The target of a frame."""

    target: Target | None
    reason: str = ""
    """Why there is none."""
    remark: str = ""
    """What had to be assumed."""


def find_target(
    exposure: Exposure, targets: Sequence[Target], named: dict[str, Target | None] | None = None
) -> Match:
    """Return the target that a light frame shows: by its name, else by where the telescope pointed.

    Case, blanks, hyphens and underscores of a name do not count, nor does the letter of a
    planet behind it. ``TOI`` and ``TIC`` numbers are found inside a longer OBJECT. A header
    with neither a name nor coordinates is taken for the only target, if there is only one.

    Parameters
    ----------
    exposure : Exposure
    targets : sequence of Target
    named : dict, optional
        What earlier calls with the same *targets* found for a name; is added to, so that the thousands of
        frames of a night cost one search.
    """
    named = {} if named is None else named
    if exposure.object not in named:
        named[exposure.object] = _by_name(exposure.object, targets)
    by_name = named[exposure.object]
    if by_name is not None:
        return Match(by_name)
    near = _by_pointing(exposure, targets)
    if near is not None:
        remark = f"OBJECT {exposure.object!r} is unknown; target by coordinates" if exposure.object else ""
        return Match(near, remark=remark)
    if (of_date := _by_pointing(_of_date(exposure), targets)) is not None:
        return Match(of_date, remark="target by coordinates, which are of date and not of 2000")
    if not exposure.object and math.isnan(exposure.ra):
        if len(targets) == 1:
            return Match(targets[0], remark="no OBJECT and no coordinates: taken for the only target")
        return Match(None, "the header has no OBJECT and no coordinates")
    names = ", ".join(_described(target) for target in targets)
    where = "" if math.isnan(exposure.ra) else f", and it points at {_position(exposure.ra, exposure.dec)}"
    return Match(None, f"another target: OBJECT {exposure.object[:60]!r} is not one of {names}{where}")


def night(exposure: Exposure) -> str:
    """Return the date, YYYYMMDD, of the evening of an exposure: from local noon to local noon.

    Local time is the mean solar time of the site's longitude.

    Raises
    ------
    ValueError
        If the exposure has no time or no longitude.
    """
    moment = datetime.fromisoformat(exposure.mid).replace(tzinfo=UTC)
    if math.isnan(exposure.longitude):
        raise ValueError("no longitude")
    return (moment + timedelta(hours=exposure.longitude / 15 - 12)).strftime("%Y%m%d")


def _by_name(name: str, targets: Sequence[Target]) -> Target | None:
    wanted = {_plain(name), _plain(re.sub(r"(?<=\d)[\s_-]*[b-h]$", "", name.strip()))} - {""}
    for target in targets:
        if wanted & {_plain(known) for known in (target.name, *target.aliases)}:
            return target
    for target in targets:
        if wanted & {_plain(re.sub(r"\.\d\d$", "", known)) for known in (target.name, *target.aliases)}:
            return target
    if found := _TOI.search(name):
        same = [target for target in targets if _toi(target) == int(found[1])]
        exact = [target for target in same if found[2] is None or target.planet == found[2]]
        if same:
            return (exact or same)[0]
    if found := _TIC.search(name):
        return next((target for target in targets if target.tic == int(found[1])), None)
    return None


def _toi(target: Target) -> int | None:
    found = next((match for known in (target.name, *target.aliases) if (match := _TOI.search(known))), None)
    return int(found[1]) if found else None


def _by_pointing(exposure: Exposure, targets: Sequence[Target]) -> Target | None:
    if math.isnan(exposure.ra) or math.isnan(exposure.dec):
        return None
    distance = [
        angles.separation(
            exposure.ra, exposure.dec, angles.right_ascension(target.ra), angles.declination(target.dec)
        )
        for target in targets
    ]
    if not distance or min(distance) > MAX_SEPARATION:
        return None
    return targets[distance.index(min(distance))]


def _of_date(exposure: Exposure) -> Exposure:
    """Return *exposure* as it points if its coordinates are of the equinox of date, against their card."""
    if not exposure.mid or math.isnan(exposure.ra) or math.isnan(exposure.dec):
        return replace(exposure, ra=math.nan)
    moment = datetime.fromisoformat(exposure.mid)
    ra, dec = angles.precess(exposure.ra, exposure.dec, moment.year + moment.timetuple().tm_yday / 365.25)
    return replace(exposure, ra=ra, dec=dec)


def _described(target: Target) -> str:
    return f"{target.name} (aliases {', '.join(target.aliases)})" if target.aliases else target.name


def _position(ra: float, dec: float) -> str:
    return f"{angles.format_right_ascension(ra, 0)} {angles.format_declination(dec, 0)}"


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()
