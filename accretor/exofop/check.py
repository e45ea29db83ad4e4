"""A package looked at as ExoFOP's upload tools will: what is wrong, and what they will make of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from accretor.aij import table as aij_table
from accretor.core.errors import Unusable
from accretor.exofop import fitsverify, naming, summary, tablecheck, validate
from accretor.exofop.findings import Finding
from accretor.exofop.naming import FileName

SCHEMA = 1
"""Of the JSON form; raised when a key changes its meaning."""


@dataclass(frozen=True)
class FilterReport:
    """What the form of one filter would say, by the rules of the SG1 upload tool; None where unknown."""

    filter: str
    primary_table: str
    """The table that stands for the filter: that of the largest radius."""
    n_observation: int | None
    duration_min: int | None
    aperture_radius_px: float | None
    has_variable_radius: bool
    pixel_scale_arcsec: float | None
    """With two significant digits, as it is sent."""
    n_comparison: int
    files: tuple[str, ...]
    """In the order of upload."""
    missing_optional: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """All that was found."""

    package: str
    """Name of the folder."""
    tic: int | None
    planet: str
    date: str
    observatory: str
    problems: tuple[Finding, ...]
    """The package cannot go to ExoFOP as it is."""
    remarks: tuple[Finding, ...]
    """Worth knowing; no obstacle."""
    filters: tuple[FilterReport, ...]

    @property
    def is_sound(self) -> bool:
        """Whether there are no problems."""
        return not self.problems


def check(folder: Path, *, tic: int | None = None, planet: str | None = None) -> Report:
    """Check a package of anybody, by its files alone.

    Parameters
    ----------
    folder : Path
    tic, planet : int, str, optional
        Whose package it must be; default: that of most of its files.
    """
    problems = validate.findings(folder, tic=tic, planet=planet)
    names = _names(folder)
    if not names:
        return Report(folder.name, tic, planet or "", "", "", tuple(problems), (), ())
    usual_tic, usual_planet = validate.usual(names)
    tokens = sorted({parts.filter for parts in names.values() if parts.tail != "notes.txt"})
    filters = tuple(_filter(folder, token, names) for token in tokens)
    return Report(
        package=folder.name,
        tic=usual_tic if tic is None else tic,
        planet=planet or usual_planet,
        date=_most([parts.date for parts in names.values()]),
        observatory=_most([parts.observatory for parts in names.values()]),
        problems=tuple(problems),
        remarks=(*_unsent(folder), *_remarks(names, filters)),
        filters=filters,
    )


def lines(report: Report) -> list[str]:
    """Return the report for people."""
    # A folder without a file of a package, or none at all, is of no star and night.
    named = f"of TIC {report.tic}-{report.planet}, {report.date}, {report.observatory}"
    found = [f"package {named if report.date else report.package}"]
    found += [f"  {_line(one)}" for one in report.filters]
    found += [f"  problem: {problem}" for problem in report.problems]
    found += [f"  note: {remark}" for remark in report.remarks]
    n = len(report.problems)
    return [*found, "  sound" if not n else f"  {n} problem{'s' if n > 1 else ''}"]


def as_json(report: Report) -> str:
    """Return the report for programs."""
    content = {"schema": SCHEMA, "is_sound": report.is_sound, **asdict(report)}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _names(folder: Path) -> dict[str, FileName]:
    found = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        try:
            if path.is_file():
                found[path.name] = naming.parse(path.name)
        except Unusable:
            continue  # said among the problems
    return found


def _most(values: list[str]) -> str:
    return max(sorted(set(values)), key=values.count)


def _filter(folder: Path, token: str, names: Mapping[str, FileName]) -> FilterReport:
    own = {name: parts for name, parts in names.items() if parts.filter == token}
    tables = {name: _table(folder / name) for name, parts in own.items() if parts.tail == "measurements.tbl"}
    primary = summary.primary_table(tables) if tables else ""
    table = tables.get(primary, {})
    tails = {parts.tail for parts in own.values()}
    return FilterReport(
        filter=token,
        primary_table=primary,
        n_observation=summary.n_observation(table) if table else None,
        duration_min=_or_none(summary.duration, table),
        aperture_radius_px=float(radius) if (radius := summary.aperture_radius(table)) else None,
        has_variable_radius=summary.has_variable_radius(table),
        pixel_scale_arcsec=_scale(folder, own),
        n_comparison=sum(star.startswith("C") for star in tablecheck.stars(table)),
        files=tuple(sorted(own, key=lambda name: (own[name].order, name != primary, name))),
        missing_optional=tuple(
            tail.name for tail in naming.TAILS if not tail.is_required and tail.name not in tails
        ),
    )


def _table(path: Path) -> dict[str, Any]:
    try:
        return aij_table.read(path)
    except Unusable:
        return {}


def _or_none(count: Any, table: Mapping[str, Any]) -> int | None:
    try:
        return int(count(table)) if table else None
    except Unusable:
        return None


def _scale(folder: Path, own: Mapping[str, FileName]) -> float | None:
    for name, parts in own.items():
        if parts.tail == "WCS.fits":
            try:
                return float(summary.two_digits(summary.pixel_scale(folder / name)))
            except Unusable:
                continue
    return None


def _unsent(folder: Path) -> list[Finding]:
    return [
        Finding("name", "is a file manager's, no part of the package, and is not sent", path.name)
        for path in sorted(folder.iterdir())
        if naming.is_of_the_system(path.name)
    ]


def _remarks(names: Mapping[str, FileName], filters: tuple[FilterReport, ...]) -> list[Finding]:
    observatory = _most([parts.observatory for parts in names.values()])
    found = [
        Finding("caution", text)
        for text in dict.fromkeys(
            text for one in filters for text in naming.cautions(observatory, one.filter)
        )
    ]
    for one in filters:
        if one.missing_optional:
            text = f"filter {one.filter}: without {', '.join(one.missing_optional)}, which are optional"
            found.append(Finding("optional", text))
        if one.primary_table and names[one.primary_table].n_pixel is not None:
            plain = [
                name
                for name in one.files
                if names[name].tail == "measurements.tbl" and names[name].n_pixel is None
            ]
            if plain:
                text = (
                    f"the SG1 upload tool takes it for the table of filter {one.filter}, and not {plain[0]}"
                )
                found.append(Finding("radius", text, one.primary_table))
        if one.has_variable_radius:
            found.append(Finding("radius", summary.VARIABLE_RADIUS, one.primary_table))
    if not fitsverify.is_installed() and any(parts.tail == "WCS.fits" for parts in names.values()):
        found.append(
            Finding("tool", f"{fitsverify.PROGRAM} is not installed: WCS.fits was not looked at by it")
        )
    return found


def _line(one: FilterReport) -> str:
    radius = "unknown radius" if one.aperture_radius_px is None else f"r = {one.aperture_radius_px:g} px"
    scale = "no plate scale" if one.pixel_scale_arcsec is None else f'{one.pixel_scale_arcsec:g}"/px'
    duration = "unknown duration" if one.duration_min is None else f"{one.duration_min} min"
    rows = "no table" if one.n_observation is None else f"{one.n_observation} frames in {duration}"
    stars = f"{one.n_comparison} comparison stars"
    return f"{one.filter}: {len(one.files)} files, {rows}, {radius}, {stars}, {scale}"
