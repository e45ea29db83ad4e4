"""Whether an answer is what was asked for: all of this field, with the target in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accretor.core.errors import ServiceError
from accretor.science import motion

if TYPE_CHECKING:
    from accretor.catalogs.source import Source
    from accretor.core.arrays import Floats
    from accretor.core.catalog import Catalog

MATCH = 3.0
"""Arcsec between the target and its star."""
MARGIN = 2.0
"""Arcsec by which a star may be outside: the rounding of the query, and light deflection of definitions."""
SIGMA = 5.0
"""By which a field may have fewer stars than the emptiest one of its size."""
MOST = 5_000_000.0
"""Stars per square degree; no catalogue of a telescope on its own has more."""
DUSTY = 20.0
"""Galactic latitude, degree, below which clouds of dust may hide most of the stars."""
RICHEST = 30.0
"""Galactic latitude down to which the disc of the Galaxy is believed to make fields richer."""
QUARTER = 20.0
"""Stars due in a quarter of the field, above which one without any is missing (chance: 2e-9)."""
FEW = 30
"""Stars above which the farthest must be near the edge."""
FAR = 0.75
"""Part of the radius that the farthest of 30 stars reaches in all but one of 3e7 whole fields (0.75^60)."""


@dataclass(frozen=True)
class Field:
    """A circle on the sky around a target."""

    ra: float
    """Right ascension of the target, ICRS, epoch 2000, degree."""
    dec: float
    """Declination, degree."""
    radius: float
    """Degree."""
    pm_ra: float = 0.0
    """Proper motion of the target times cos(dec), milliarcsec per year."""
    pm_dec: float = 0.0
    """Proper motion, milliarcsec per year."""
    tic: int = 0
    """Number in the TESS Input Catalog; 0 if unknown."""
    tmag: float = math.nan
    """TESS magnitude; nan if unknown."""


def check(catalog: Catalog, source: Source, field: Field, service: str, faintest: float | None) -> None:
    """Make sure that *catalog* is all of *field*.

    Raises
    ------
    ServiceError
        If it is not; with what is wrong with it.
    """
    import numpy as np

    n_star = len(catalog)
    if not n_star:
        raise ServiceError(service, f"gives no star within {field.radius:g} degrees, which cannot be")
    if not (np.isfinite(catalog.ra).all() and np.isfinite(catalog.dec).all()):
        raise ServiceError(service, "gives stars without a position")
    apart = separation(field.ra, field.dec, catalog.ra, catalog.dec)
    n_far = int((apart > field.radius + MARGIN / 3600).sum())
    if n_far:
        raise ServiceError(service, f"{n_far} of {n_star} stars are not in the field that was asked for")
    _check_number(n_star, source, field, service, faintest)
    _check_quarters(catalog, field, service)
    if n_star >= FEW and apart.max() < FAR * field.radius:
        raise ServiceError(
            service, f"its {n_star} stars end {apart.max():.3f} degrees from the centre, not {field.radius:g}"
        )
    _check_target(catalog, source, field, service, faintest)


def separation(ra: float, dec: float, others_ra: Floats, others_dec: Floats) -> Floats:
    """Return the angles between a direction and others, degree."""
    import numpy as np

    a, d, b, e = (np.radians(angle) for angle in (ra, dec, others_ra, others_dec))
    half = np.sin((e - d) / 2) ** 2 + np.cos(d) * np.cos(e) * np.sin((b - a) / 2) ** 2
    return np.asarray(np.degrees(2 * np.arcsin(np.sqrt(np.minimum(half, 1.0)))))


def _check_number(n_star: int, source: Source, field: Field, service: str, faintest: float | None) -> None:
    area = math.pi * field.radius**2
    latitude = galactic_latitude(field.ra, field.dec)
    least = fewest(source, latitude, faintest) * area
    if n_star < least - SIGMA * math.sqrt(least):
        raise ServiceError(
            service,
            f"gives {n_star} stars where even a poor field at {abs(latitude):.0f} degrees of galactic "
            f"latitude has {least:.0f}: not all of them",
        )
    if n_star > MOST * area + 100:
        raise ServiceError(service, f"gives {n_star} stars on {area:.2g} square degrees, which cannot be")


def fewest(source: Source, latitude: float, faintest: float | None) -> float:
    """Return how many stars per square degree a catalogue has at least.

    Parameters
    ----------
    latitude : float, degree
        Galactic. The disc of the Galaxy makes fields richer with the cosecant of it; near the plane, where
        dust may hide the stars, no more than at the poles is asked for.
    faintest : float, optional
        Magnitude to which it was asked for.
    """
    # Counts of the emptiest sky fall by a factor of about 1.6 for each magnitude.
    brighter = max(0.0, source.faint - faintest) if faintest is not None else 0.0
    richer = 1.0
    if abs(latitude) >= DUSTY:
        richer = 1 / math.sin(math.radians(max(abs(latitude), RICHEST)))
    return float(source.density * richer * 0.6**brighter)


def galactic_latitude(ra: float, dec: float) -> float:
    """Return the galactic latitude of a direction (ICRS), degree."""
    pole_ra, pole_dec = math.radians(192.85948), math.radians(27.12825)
    a, d = math.radians(ra), math.radians(dec)
    sine = math.sin(d) * math.sin(pole_dec) + math.cos(d) * math.cos(pole_dec) * math.cos(a - pole_ra)
    return math.degrees(math.asin(max(-1.0, min(1.0, sine))))


def _check_quarters(catalog: Catalog, field: Field, service: str) -> None:
    """Look for a quarter of the field without a star, where others have many: an answer that was cut off."""
    import numpy as np

    from accretor.science.plate import project

    if len(catalog) < 4 * QUARTER:
        return
    east, north = project(np.column_stack((catalog.ra, catalog.dec)), (field.ra, field.dec)).T
    for name, above, right in (("NE", 1, 1), ("NW", 1, -1), ("SE", -1, 1), ("SW", -1, -1)):
        if not ((north * above > 0) & (east * right > 0)).any():
            raise ServiceError(
                service, f"none of its {len(catalog)} stars is in the {name} quarter of the field: cut off"
            )


def _check_target(
    catalog: Catalog, source: Source, field: Field, service: str, faintest: float | None
) -> None:
    """Look for the target, unless it is too bright or too faint to be in the catalogue."""
    import numpy as np

    if source.name == "tic" and field.tic > 0:
        if (catalog.identifier == str(field.tic)).any():
            return
        raise ServiceError(service, f"TIC {field.tic} is not among the {len(catalog)} stars of its field")
    end = min(source.faint, math.inf if faintest is None else faintest) - 1
    if not math.isnan(field.tmag) and not source.bright + 1 < field.tmag < end:
        return
    there = motion.moved(
        np.array([field.ra]),
        np.array([field.dec]),
        np.array([field.pm_ra]),
        np.array([field.pm_dec]),
        catalog.epoch - 2000,
    )
    ra, dec = (float(angle[0]) for angle in there)
    nearest = 3600 * separation(ra, dec, catalog.ra, catalog.dec).min()
    # The stars of some surveys are where they were when they were seen, within some years.
    drift = 3e-3 * math.hypot(field.pm_ra, field.pm_dec)
    if nearest > MATCH + drift:
        raise ServiceError(
            service,
            f"the target is not among its {len(catalog)} stars; the nearest is {nearest:.1f} arcsec off",
        )
