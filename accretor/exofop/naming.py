"""File names of a package: one grammar, one table of what a package holds."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from accretor.core.errors import Unusable


@dataclass(frozen=True)
class Tail:
    """The last part of a file name, which says what the file is."""

    name: str
    label: str
    """Description that ExoFOP shows."""
    is_required: bool
    is_global: bool = False
    """One for the whole package, not one for each filter."""


TAILS: tuple[Tail, ...] = (
    Tail("measurements.tbl", "AstroImageJ Photometry Measurement Table", is_required=True),
    Tail("measurements.plotcfg", "AstroImageJ Plot Configuration File", is_required=True),
    Tail("measurements.radec", "AstroImageJ Photometry Aperture File", is_required=True),
    Tail("lightcurve.png", "Light Curve Plot", is_required=False),
    Tail("compstar-lightcurves.png", "Compstar Light Curve Plots", is_required=True),
    Tail("field.png", "Field Image with Apertures", is_required=True),
    Tail("field-zoom.png", "Zoomed-in FOV", is_required=True),
    Tail("seeing-profile.png", "Seeing Profile", is_required=True),
    Tail("notes.txt", "Notes and Results Text", is_required=True, is_global=True),
    Tail("WCS.fits", "Plate-Solved Image", is_required=True),
    Tail("measurements_NEB-table.txt", "NEB Table", is_required=False),
    Tail("measurements_NEBcheck.zip", "NEB Depth Plots", is_required=False),
    Tail("measurements_dmagRMS-plot.png", "Dmag vs. RMS Plot", is_required=False),
    Tail("subset.csv", "Photometry Table Subset for Joint Fitting", is_required=False),
)
"""What a package may hold, in the order of upload."""

_ORDER = {tail.name: number for number, tail in enumerate(TAILS)}
_TOKENS = {
    "planet": (re.compile(r"[0-9]{2}"), "two digits, such as 01"),
    "date": (re.compile(r"[0-9]{8}"), "a UT date written YYYYMMDD"),
    "observatory": (re.compile(r"[A-Za-z0-9-]+"), "letters, digits and hyphens only"),
    "filter": (re.compile(r"[A-Za-z0-9+-]+"), "letters, digits, + and - only"),
}
_GRAMMAR = re.compile(
    r"TIC(?P<tic>[1-9][0-9]*)-(?P<planet>[0-9]{2})_(?P<date>[0-9]{8})_(?P<observatory>[A-Za-z0-9-]+)"
    r"_(?P<filter>[A-Za-z0-9+-]+)(?:_(?P<n_pixel>[0-9]+)px)?_(?P<tail>.+)"
)
_SHAPE = "TIC<number>-<planet>_<YYYYMMDD>_<observatory>_<filter>[_<radius>px]_<what>"


@dataclass(frozen=True)
class FileName:
    """A file name of a package, in its parts."""

    tic: int
    planet: str
    date: str
    observatory: str
    filter: str
    tail: str
    n_pixel: int | None = None
    """Aperture radius in the name, pixel; None if the name has none."""

    @property
    def label(self) -> str:
        """Description that ExoFOP shows."""
        return TAILS[_ORDER[self.tail]].label

    @property
    def order(self) -> int:
        """Place of this kind of file in the upload; the table is 0."""
        return _ORDER[self.tail]

    def __str__(self) -> str:
        px = "" if self.n_pixel is None else f"_{self.n_pixel}px"
        return f"TIC{self.tic}-{self.planet}_{self.date}_{self.observatory}_{self.filter}{px}_{self.tail}"


def file_name(
    tic: int,
    planet: str,
    date: str,
    observatory: str,
    filter_name: str,
    tail: str,
    n_pixel: int | None = None,
) -> str:
    """Return the name under which a file goes into a package.

    Parameters
    ----------
    tic : int
        Number in the TESS Input Catalog.
    planet : str
        Two digits.
    date : str
        UT date of the first exposure, YYYYMMDD.
    observatory, filter_name : str
        Tokens that ExoFOP knows the telescope and the filter by.
    tail : str
        One of `TAILS`.
    n_pixel : int, optional
        Aperture radius, pixel, to tell apart several files of one kind.

    Raises
    ------
    Unusable
        If a part has characters that the readers of such names do not take.
    """
    if tic <= 0:
        raise Unusable(f"{tic} is not a TIC number")
    for part, token in (
        ("planet", planet),
        ("date", date),
        ("observatory", observatory),
        ("filter", filter_name),
    ):
        pattern, rule = _TOKENS[part]
        if not pattern.fullmatch(token):
            raise Unusable(f"{part} {token!r} cannot stand in a file name: {rule}")
    _check_date(date)
    if tail not in _ORDER:
        raise Unusable(f"{tail!r} is not a file of a package; known are {', '.join(_ORDER)}")
    if n_pixel is not None and n_pixel < 0:
        raise Unusable(f"an aperture radius of {n_pixel} pixel cannot be")
    return str(FileName(tic, planet, date, observatory, filter_name, tail, n_pixel))


def parse(name: str) -> FileName:
    """Take a file name apart.

    Raises
    ------
    Unusable
        If it is not the name of a file of a package; the sentence says why.
    """
    if is_forbidden(name):
        raise Unusable("files of this name stop the upload")
    found = _GRAMMAR.fullmatch(name)
    if not found:
        raise Unusable(f"the name is not {_SHAPE}")
    if found["tail"] not in _ORDER:
        raise Unusable(f"{found['tail']!r} is not a file of a package{_nearest(found['tail'])}")
    _check_date(found["date"])
    n_pixel = None if found["n_pixel"] is None else int(found["n_pixel"])
    return FileName(
        int(found["tic"]),
        found["planet"],
        found["date"],
        found["observatory"],
        found["filter"],
        found["tail"],
        n_pixel,
    )


def is_of_the_system(name: str) -> bool:
    """Return whether a file manager puts files of this name into folders: they are no part of a package."""
    return name.startswith(".") or name.casefold() in {"thumbs.db", "desktop.ini"}


def is_forbidden(name: str) -> bool:
    """Return whether a file of this name stops the SG1 upload tool."""
    return name.endswith("seeing-profile.gif") or "bjd-flux-err" in name


def has_shape(name: str) -> bool:
    """Return whether *name* is one of a package in all but, perhaps, its last part and its date."""
    return _GRAMMAR.fullmatch(name) is not None


def cautions(observatory: str, filter_name: str) -> list[str]:
    """Return what readers of packages are known to stumble over in these tokens."""
    found = []
    if "pest" in observatory.lower():
        found.append(
            f"observatory {observatory}: the exofop package takes names with 'pest' for files of PEST"
        )
    if not re.fullmatch(r"[A-Za-z]{1,3}", filter_name):
        found.append(
            f"filter {filter_name}: the exofop package knows filters of one to three letters; "
            "it will read another observatory or no filter"
        )
    return found


def planet_name(name: str) -> str:
    """Return ``TOI1234.01`` for any spelling of a TOI in *name*, else "" (no TOI)."""
    found = re.fullmatch(r"(?i)\s*TOI[\s_-]*([0-9]+)[.-]([0-9]{2})\s*", name)
    return f"TOI{found[1]}.{found[2]}" if found else ""


def _check_date(date: str) -> None:
    try:
        datetime.date(int(date[:4]), int(date[4:6]), int(date[6:]))
    except ValueError:
        raise Unusable(f"{date} is not a date") from None


def _nearest(tail: str) -> str:
    for known in _ORDER:
        if known.lower() == tail.lower().replace("_neb_", "_neb-"):
            return f"; {known} is meant?"
    return ""
