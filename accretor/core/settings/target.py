"""``[[target]]``: who is observed, and when its transits are due."""

from __future__ import annotations

import re
from typing import Annotated, Any

from msgspec import Meta
from msgspec.structs import replace

from accretor.core.settings.base import NonNegative, Positive, Settings


class Ephemeris(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the transits of a candidate are due."""

    t0: float
    """Mid-transit time, BJD_TDB day."""
    period: NonNegative
    """Orbital period, day; 0 for a candidate of which one transit only was seen."""
    duration: Positive
    """Time from first to fourth contact, hour."""
    depth: Positive
    """Predicted depth, ppt."""
    t0_error: NonNegative = 0.0
    """Standard error of t0, day."""
    period_error: NonNegative = 0.0
    """Standard error of the period, day."""
    source: str = ""
    """Where the values are from; it is quoted in the notes."""


class PixelPosition(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the target is in one raw frame, for fields that nothing can solve."""

    frame: str
    """Name of the raw frame."""
    x: float
    """Column of the target's centre, pixel; the first pixel's centre is 0."""
    y: float
    """Row of the target's centre, pixel; the first pixel's centre is 0."""


class Target(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A planet candidate and its host star."""

    name: str
    """As in the products, with the planet's two digits: ``TOI-1234.01``."""
    tic: Annotated[int, Meta(ge=0)] = 0
    """Number of the host in the TESS Input Catalog; 0: that of the name (``TIC 123``), or of ExoFOP, as
    ``doit fetch`` has kept it."""
    ra: str | float = ""
    """Right ascension, ICRS, epoch 2000: ``"hh:mm:ss.s"`` in hours, or decimal degrees; default: that of
    ExoFOP, with its proper motion, as ``doit fetch`` has kept it."""
    dec: str | float = ""
    """Declination, ICRS, epoch 2000: ``"dd:mm:ss.s"``, or decimal degrees; default: as for ``ra``."""
    aliases: tuple[str, ...] = ()
    """Other names that the OBJECT keyword may carry."""
    pm_ra: float = 0.0
    """Proper motion in right ascension times cos(dec), milliarcsec per year."""
    pm_dec: float = 0.0
    """Proper motion in declination, milliarcsec per year."""
    ephemeris: Ephemeris | None = None
    """Needed for the transit fit; default: that of ExoFOP, if ``doit fetch`` has kept one, and its source
    says so; with neither the light curve is made, the fit is not."""
    teff: Positive | None = None
    """Effective temperature of the host, K; it sets the limb darkening."""
    logg: float | None = None
    """Surface gravity of the host, log10(cm s-2)."""
    impact: Annotated[float, Meta(ge=0, le=1.5)] | None = None
    """Impact parameter, where it is known; else it is free."""
    a_rs: Positive | None = None
    """Semi-major axis in stellar radii, where it is known; else from the duration."""
    pixel: PixelPosition | None = None
    """Position of the target in one frame, where no plate solution can be had."""

    @property
    def planet(self) -> str:
        """Two digits of the planet: those of the name, else ``01``."""
        found = re.search(r"\.(\d\d)$", self.name)
        return found.group(1) if found else "01"

    @property
    def is_identified(self) -> bool:
        """Whether its number and its place on the sky are known."""
        return bool(self.tic) and self.ra != "" and self.dec != ""

    def with_values(self, **values: Any) -> Target:
        """Return the same target with other *values* of its settings."""
        return replace(self, **values)

    @property
    def designation(self) -> str:
        """As titles have it: ``TIC 123.01 (TOI-1234.01)``, the name left out where it is the same."""
        known = f"TIC {self.tic}.{self.planet}"
        plain = self.name.replace(" ", "").replace("-", "").upper()
        return known if plain in (f"TIC{self.tic}", known.replace(" ", "")) else f"{known} ({self.name})"
