"""What a report says that a light curve was made with: program, detector, masters, settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from accretor import __version__
from accretor.core import versions
from accretor.core.dumps import MASTERS
from accretor.core.settings import Settings
from accretor.io import dump
from accretor.io.dump import Row
from accretor.stages import results as results_of

if TYPE_CHECKING:
    from accretor.stages.workspace import ObservationPlan
from accretor.stages import pages
from accretor.stages.pages import Content

UNSEEN: Final = ("compute", "export")
"""Sections of the settings from which nothing on a page follows."""


def of(plans: Sequence[ObservationPlan]) -> Content:
    """Return the section of the page that tells what the light curves of a visit were made with."""
    rows: list[list[str]] = [["program", f"accretor {__version__}, science version {versions.SCIENCE}"]]
    masters: list[list[Any]] = []
    settings: dict[str, str] = {}
    for plan in plans:
        name, results = plan.observation.filter, results_of.read(plan.paths.results)
        detector = plan.detector
        latitude, longitude, height = plan.site
        rows += [
            [f"template ({name})", f"{results['template']}, plate solution: {results['plate_solution']}"],
            [
                f"detector ({name})",
                f"gain {detector.gain:g} e/ADU, read noise {detector.read_noise:g} e, "
                f"saturation {detector.saturation:g} ADU",
            ],
            [f"site ({name})", f"latitude {latitude:.5f}°, longitude {longitude:.5f}° east, {height:.0f} m"],
        ]
        masters += [
            [name, *master(row), pages.number(row["exposure"], 2), row["frames"]]
            for row in dump.read(plan.paths.masters, MASTERS).rows
        ]
        settings.update(_set(plan))
    ephemeris = plans[0].target.ephemeris
    if ephemeris is not None:
        rows.append(
            [
                "ephemeris",
                f"T0 {ephemeris.t0} ± {ephemeris.t0_error:g}, "
                f"P {ephemeris.period} ± {ephemeris.period_error:g} d, "
                f"{ephemeris.duration:g} h, {ephemeris.depth:g} ppt"
                + (f"; {ephemeris.source}" if ephemeris.source else ""),
            ]
        )
    return {
        "columns": pages.columns("what", "value+"),
        "rows": rows,
        "masters": masters,
        "master_columns": pages.columns("filter", "kind", "frames*", "exposure (s)*", "names+"),
        "settings": [[key, value] for key, value in settings.items()],
    }


def master(row: Row) -> list[Any]:
    """Return kind and number of frames of a master; of the map of bad pixels its number of pixels."""
    if row["kind"] == "bad":
        n = row["n_frame"]
        return [f"{n} bad pixel{'' if n == 1 else 's'}", ""]
    if row["remark"]:
        return [f"{row['kind']}, given", row["n_frame"] or "not told"]
    return [row["kind"], row["n_frame"]]


def _set(plan: ObservationPlan) -> dict[str, str]:
    """Return the settings of an observation that are not the defaults, as ``section.key``."""
    sections: list[tuple[str, Settings]] = [("target", plan.target), ("instrument", plan.instrument)]
    for name in plan.settings.__struct_fields__:
        value = getattr(plan.settings, name)
        if isinstance(value, Settings) and name not in UNSEEN:
            sections.append((name, value))
    found = {"observer": plan.settings.observer}
    for name, section in sections:
        found.update(differing(name, section))
    return found


def differing(name: str, section: Settings) -> dict[str, str]:
    """Return the settings of a section that are not the defaults, as ``section.key``."""
    fields, defaults = section.__struct_fields__, section.__struct_defaults__
    by_name = dict(zip(fields[len(fields) - len(defaults) :], defaults, strict=True))
    found = {}
    for key in fields:
        value = getattr(section, key)
        if isinstance(value, Settings):
            found.update(differing(f"{name}.{key}", value))
        elif value not in ({}, ()) and (key not in by_name or value != by_name[key]):
            found[f"{name}.{key}"] = _written(value)
    return found


def _written(value: Any) -> str:
    """Return the value of a setting as ``workspace.toml`` has it, for people."""
    if isinstance(value, tuple | list):
        return ", ".join(_written(item) for item in value)
    if isinstance(value, Settings):
        parts = ((key, getattr(value, key)) for key in value.__struct_fields__)
        return " ".join(f"{key} = {_written(part)}" for key, part in parts if part is not None)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return ", ".join(f"{key} = {_written(part)}" for key, part in value.items())
    return str(value)
