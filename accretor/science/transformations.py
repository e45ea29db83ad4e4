"""Which magnitudes of a catalogue a filter can be tied to: native bands, and published transformations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from accretor.core.arrays import Floats
from accretor.core.catalog import Catalog
from accretor.core.errors import Unusable

System = Literal["AB", "Vega"]

FAMILIES = {
    "refcat2": "PS1",
    "atlas": "PS1",
    "ps1": "PS1",
    "skymapper": "SkyMapper",
    "apass": "APASS",
    "gaia_synthetic": "GSPC",
    "gaia": "Gaia",
    "tic": "TIC",
    "tycho2": "Tycho",
}
"""Passbands of a catalogue, by the beginning of its name; of others, the bands' names must tell."""

USUAL = (-0.4, 1.5)
"""Colour g-r of ordinary stars: where a paper gives no range, none beyond it is believed."""


@dataclass(frozen=True)
class Tie:
    """How the magnitude in a filter follows from those of a catalogue.

    It is that of the band *base*, plus a polynomial of the colour.
    """

    filters: tuple[str, ...]
    """TFOP names."""
    families: tuple[str, ...]
    """Passbands of catalogues for which it holds."""
    band: str
    """The band whose magnitude comes out."""
    base: str
    color: tuple[str, str] | None
    """Of the transformation, and of the colour term that the camera has besides."""
    coefficients: tuple[float, ...] = ()
    """Constant first; none for a native band."""
    valid: tuple[float, float] = (-1.0, 4.0)
    """Colours for which it holds, magnitude."""
    scatter: float = 0.0
    """Of stars about the transformation, magnitude."""
    system: System = "AB"
    source: str = "native"
    is_standard: bool = True
    """Whether the band is one that the filter is meant to be; else magnitudes are only like it."""

    @property
    def needed(self) -> tuple[str, ...]:
        """Bands of the catalogue that must be there; the colour of a native band need not."""
        return (self.base, *(self.color or ())) if self.coefficients else (self.base,)

    def magnitudes(self, catalog: Catalog) -> tuple[Floats, Floats, Floats]:
        """Return magnitude, error and colour of the stars; NaN outside the valid colours.

        The base is mostly a part of the colour too: each band's error counts once, with all that
        follows from it.
        """
        base = catalog.magnitude[self.base]
        color = np.full(len(base), np.nan)
        if self.color and all(band in catalog.magnitude for band in self.color):
            blue, red = self.color
            color = catalog.magnitude[blue] - catalog.magnitude[red]
            color = np.where((color > self.valid[0]) & (color < self.valid[1]), color, np.nan)
        if not self.coefficients:
            return base, np.hypot(catalog.magnitude_error[self.base], self.scatter), color
        assert self.color is not None
        found = np.polynomial.polynomial.polyval(color, self.coefficients)
        slope = np.polynomial.polynomial.polyval(color, np.polynomial.polynomial.polyder(self.coefficients))
        depends = {band: np.zeros(len(base)) for band in self.needed}
        depends[self.base] += 1
        depends[self.color[0]] += slope
        depends[self.color[1]] -= slope
        variance = sum((part * catalog.magnitude_error[band]) ** 2 for band, part in depends.items())
        return np.asarray(base + found), np.sqrt(variance + self.scatter**2), color


def _native(
    filters: tuple[str, ...],
    band: str,
    families: tuple[str, ...],
    color: tuple[str, str] | None,
    system: System = "AB",
    *,
    is_standard: bool = True,
) -> Tie:
    return Tie(filters, families, band, band, color, system=system, is_standard=is_standard)


_TONRY = "Tonry et al. 2012, ApJ 750, 99, table 6"
_JORDI = "Jordi, Grebel & Ammon 2006, A&A 460, 339"
_LUPTON = "Lupton 2005, sdss.org/dr12/algorithms/sdssubvritransform"
_RIELLO = "Riello et al. 2021, A&A 649, A3, table C.2, and Gaia DR3 documentation 5.5.1, tables 5.8 to 5.10"
_STASSUN = "Stassun et al. 2019, AJ 158, 138, eq. 1"
_TYCHO = "ESA 1997, SP-1200, vol. 1, section 1.3"
_GR, _RI, _IZ, _BV, _GAIA = ("g", "r"), ("r", "i"), ("i", "z"), ("B", "V"), ("BP", "RP")
_R, _I = ("R", "Rc"), ("I", "Ic")
_SDSS = ("APASS", "SDSS")
_SLOAN = {"up": ("u", ("u", "g")), "gp": ("g", _GR), "rp": ("r", _RI), "ip": ("i", _RI), "zs": ("z", _IZ)}
_VEGA: System = "Vega"


def _gaia(filters: tuple[str, ...], band: str, system: System, *given: float, valid: tuple[float, float],
          scatter: float) -> Tie:  # fmt: skip
    """Return a tie from the published polynomial of G minus the band in BP - RP."""
    return Tie(
        filters,
        ("Gaia",),
        band,
        "G",
        _GAIA,
        tuple(-value for value in given),
        valid,
        scatter,
        system,
        _RIELLO,
    )


TIES: tuple[Tie, ...] = (
    # Sloan's filters, as they are sold now, are nearest to the bands of Pan-STARRS1.
    *(_native((name,), band, ("PS1",), color) for name, (band, color) in _SLOAN.items() if band != "u"),
    *(_native((name,), band, ("GSPC",), color) for name, (band, color) in _SLOAN.items()),
    *(_native((name,), band, _SDSS, color) for name, (band, color) in _SLOAN.items()),
    *(_native((name,), band, ("SkyMapper",), color) for name, (band, color) in _SLOAN.items()),
    # Johnson's and Cousins's.
    _native(("U",), "U", ("GSPC", "JC"), ("U", "B"), _VEGA),
    _native(("B",), "B", ("GSPC",), _BV, _VEGA),
    _native(("V",), "V", ("GSPC",), _BV, _VEGA),
    _native(_R, "Rc", ("GSPC",), ("V", "Rc"), _VEGA),
    _native(_I, "Ic", ("GSPC",), ("V", "Ic"), _VEGA),
    _native(("B",), "B", ("APASS", "JC"), _BV, _VEGA),
    _native(("V",), "V", ("APASS", "JC"), _BV, _VEGA),
    *(_native(_R, band, ("JC",), ("V", band), _VEGA) for band in ("Rc", "R")),
    *(_native(_I, band, ("JC",), ("V", band), _VEGA) for band in ("Ic", "I")),
    Tie(("B",), ("PS1",), "B", "g", _GR, (0.212, 0.556, 0.034), USUAL, 0.032, _VEGA, _TONRY),
    Tie(("V",), ("PS1",), "V", "r", _GR, (0.005, 0.462, 0.013), USUAL, 0.012, _VEGA, _TONRY),
    Tie(_R, ("PS1",), "Rc", "r", _GR, (-0.137, -0.108, -0.029), USUAL, 0.015, _VEGA, _TONRY),
    Tie(_I, ("PS1",), "Ic", "i", _GR, (-0.366, -0.136, -0.018), USUAL, 0.017, _VEGA, _TONRY),
    Tie(("U",), ("SDSS",), "U", "B", ("u", "g"), (-0.93, 0.79), (0.5, 2.5), 0.05, _VEGA, _JORDI),
    Tie(("B",), _SDSS, "B", "g", _GR, (0.219, 0.313), USUAL, 0.02, _VEGA, _JORDI),
    Tie(("V",), _SDSS, "V", "g", _GR, (-0.016, -0.565), USUAL, 0.02, _VEGA, _JORDI),
    Tie(_R, _SDSS, "Rc", "r", _RI, (-0.117, -0.153), (-0.3, 1.5), 0.02, _VEGA, _JORDI),
    Tie(_I, _SDSS, "Ic", "i", _IZ, (-0.397, -0.386), (-0.3, 1.0), 0.02, _VEGA, _JORDI),
    # Without z, which APASS has not.
    Tie(_I, _SDSS, "Ic", "r", _RI, (-0.3820, -1.2444), (-0.3, 1.5), 0.0078, _VEGA, _LUPTON),
    # The ranges are those of all stars: redder ones than that are on the curves if they are giants, and up
    # to 0.7 mag off them if they are dwarfs (table 5.10 of the documentation; for g, which it does not
    # tell, that of B).
    _gaia(("B",), "B", _VEGA, 0.01448, -0.6874, -0.3604, 0.06718, -0.006061, valid=(-0.5, 1.75),
          scatter=0.0633),
    _gaia(("V",), "V", _VEGA, -0.02704, 0.01424, -0.2156, 0.01426, valid=(-0.5, 5.0), scatter=0.03017),
    _gaia(_R, "Rc", _VEGA, -0.02275, 0.3961, -0.1243, -0.01396, 0.003775, valid=(0.0, 2.0), scatter=0.03167),
    _gaia(_I, "Ic", _VEGA, 0.01753, 0.76, -0.0991, valid=(-0.5, 4.5), scatter=0.03765),
    _gaia(("gp",), "g", "AB", 0.2199, -0.6365, -0.1548, 0.0064, valid=(0.3, 1.75), scatter=0.0745),
    _gaia(("rp",), "r", "AB", -0.09837, 0.08592, 0.1907, -0.1701, 0.02263, valid=(0.0, 2.0), scatter=0.03776),
    _gaia(("ip",), "i", "AB", -0.293, 0.6404, -0.09609, -0.002104, valid=(0.5, 2.0), scatter=0.04092),
    Tie(("V",), ("Tycho",), "V", "VT", ("BT", "VT"), (0.0, -0.090), (-0.2, 1.8), 0.015, _VEGA, _TYCHO),
    Tie(("B",), ("Tycho",), "B", "VT", ("BT", "VT"), (0.0, 0.760), (-0.2, 1.8), 0.05, _VEGA, _TYCHO),
    # TESS's band.
    _native(("TESS",), "Tmag", ("TIC",), None, _VEGA),
    Tie(("TESS",), ("Gaia",), "Tmag", "G", _GAIA, (0.0324473, -0.633923, 0.0891337, -0.00522555),
        (-0.2, 3.5), 0.006, _VEGA, _STASSUN),
    # What has no standard: magnitudes are then like those of the nearest band.
    _native(("clear",), "G", ("Gaia", "GSPC", "PS1"), _GAIA, _VEGA, is_standard=False),
    _native(("CBB", "I+z", "zYJ"), "RP", ("Gaia",), _GAIA, _VEGA, is_standard=False),
    *(_native(("clear", "CBB"), "r", (name,), _GR, is_standard=False)
      for name in ("PS1", *_SDSS, "SkyMapper")),
    *(_native(("I+z", "zYJ"), "z", (name,), _IZ, is_standard=False) for name in ("PS1", "GSPC", "SkyMapper")),
    _native(("clear", "CBB", "V"), "V", ("TIC", "JC"), _BV, _VEGA, is_standard=False),
    _native(("clear", "CBB"), "Tmag", ("TIC",), None, _VEGA, is_standard=False),
    _native(("clear", "CBB", "V"), "VT", ("Tycho", "JC"), None, _VEGA, is_standard=False),
)  # fmt: skip
"""In the order in which they are preferred."""

PLAIN = {"u": "up", "g": "gp", "r": "rp", "i": "ip", "z": "zs"}
"""Other names of Sloan's filters."""

AB_MINUS_VEGA: Mapping[str, float] = {
    "U": 0.79,
    "B": -0.09,
    "V": 0.02,
    "Rc": 0.21,
    "R": 0.21,
    "Ic": 0.45,
    "I": 0.45,
    "u": 0.91,
    "g": -0.08,
    "r": 0.16,
    "i": 0.37,
    "z": 0.54,
    "G": 0.1136,
    "BP": 0.0155,
    "RP": 0.3561,
}
"""Magnitude: Blanton & Roweis (2007, AJ 133, 734), table 1, of Bessell's and SDSS's bands; of Gaia's, the
difference of the zero points of DR3 (Riello et al. 2021): G 25.8010 - 25.6874, BP 25.3540 - 25.3385,
RP 25.1040 - 24.7479."""


def families(catalog: Catalog) -> frozenset[str]:
    """Return whose passbands the magnitudes of *catalog* are."""
    for start in sorted(FAMILIES, key=len, reverse=True):
        if catalog.name.startswith(start):
            return frozenset({FAMILIES[start]})
    return frozenset({"SDSS", "JC", "Gaia"})


def ties(filter_name: str, catalogs: Mapping[str, Catalog]) -> list[tuple[str, Tie]]:
    """Return what a filter can be tied to: names of catalogues with the tie, the best first."""
    name = PLAIN.get(filter_name, filter_name)
    return [
        (key, tie)
        for tie in TIES
        if name in tie.filters
        for key, catalog in catalogs.items()
        if families(catalog) & set(tie.families) and _has_what_is_needed(catalog, tie)
    ]


def _has_what_is_needed(catalog: Catalog, tie: Tie) -> bool:
    """Return whether all bands are there; a transformation is of AB magnitudes of Sloan's, Vega of others."""
    if not all(band in catalog.magnitude for band in tie.needed):
        return False
    return not tie.coefficients or all(
        catalog.system.get(band) == ("AB" if band in PLAIN else "Vega") for band in tie.needed
    )


def is_known(filter_name: str) -> bool:
    """Return whether a filter can be tied to any band at all."""
    name = PLAIN.get(filter_name, filter_name)
    return any(name in tie.filters for tie in TIES)


def offset(band: str, here: System, there: System) -> float:
    """Return what is added to a magnitude in *band* to bring it from one system to another.

    Raises
    ------
    Unusable
        If the difference is not known for this band.
    """
    if here == there:
        return 0.0
    if band not in AB_MINUS_VEGA:
        raise Unusable(f"the difference of AB and Vega is not known for {band}")
    return AB_MINUS_VEGA[band] * (1 if there == "AB" else -1)
