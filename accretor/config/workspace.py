"""Reading ``workspace.toml``: typed, checked, and exact about the key that is wrong."""

from __future__ import annotations

import contextlib
import math
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from accretor.config import instrument as instruments
from accretor.config import intervals
from accretor.config.explained import explained, place_of, unknown
from accretor.core import exclusions
from accretor.core.errors import ConfigError
from accretor.core.scrub import controls
from accretor.core.settings import (
    CalibrationSettings,
    ForcedPosition,
    InstrumentSettings,
    ObservationSettings,
    PhotometrySettings,
    Settings,
    Target,
    WorkspaceSettings,
)
from accretor.core.slug import slug
from accretor.science import angles

_LISTS: dict[str, type[Settings]] = {
    "target": Target,
    "instrument": InstrumentSettings,
    "observation": ObservationSettings,
}


def load(path: Path) -> WorkspaceSettings:
    """Read and check the settings of a workspace.

    Raises
    ------
    ConfigError
        With the file, the keys that are wrong or missing, all at once, and the keys that were meant.
    """
    try:
        # Notepad puts a byte order mark first.
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(path, "", f"is not TOML: {error}") from error
    fields = {field.name: field for field in msgspec.structs.fields(WorkspaceSettings)}
    values: dict[str, Any] = {}
    wrong: list[ConfigError] = []
    for key, value in document.items():
        if key not in fields:
            wrong.append(ConfigError(path, key, unknown(key, list(fields))))
        elif key in _LISTS:
            values[key] = _each(path, key, value, _LISTS[key], wrong)
        else:
            with _noting(wrong):
                values[key] = _convert(path, key, value, fields[key].type)
    wrong += [
        ConfigError(path, name, "is missing")
        for name, field in fields.items()
        if field.required and name not in document
    ]
    _refuse(path, wrong)
    settings = WorkspaceSettings(**values)
    with _noting(wrong):
        settings = _with_intervals(path, settings)
    _refuse(path, [*wrong, *_check(path, settings)])
    return settings


@contextlib.contextmanager
def _noting(wrong: list[ConfigError]) -> Iterator[None]:
    """Add to *wrong* what is wrong in this block: who mends a file wants to know all of it at once."""
    try:
        yield
    except ConfigError as error:
        wrong.append(error)


def _refuse(path: Path, wrong: list[ConfigError]) -> None:
    """Raise what is *wrong*, in one line."""
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        raise ConfigError(path, "", "; ".join(f"{error.key}: {error.reason}" for error in wrong))


def _with_intervals(path: Path, settings: WorkspaceSettings) -> WorkspaceSettings:
    """Put the intervals of a table in the place of its name."""
    found = _intervals(path, "calibration", settings.calibration.intervals)
    special = tuple(
        msgspec.structs.replace(
            one,
            calibration={
                **one.calibration,
                "intervals": _intervals(path, f"observation[{i}].calibration", one.calibration["intervals"]),
            },
        )
        if "intervals" in one.calibration
        else one
        for i, one in enumerate(settings.observation)
    )
    calibration = msgspec.structs.replace(settings.calibration, intervals=found)
    return msgspec.structs.replace(settings, calibration=calibration, observation=special)


def _intervals(path: Path, key: str, given: Any) -> intervals.Intervals:
    """Return the intervals that are given as pairs, or in the table of that name."""
    try:
        found: intervals.Intervals
        if isinstance(given, str):
            found = intervals.read(path.parent / given)
        else:
            found = _convert(path, f"{key}.intervals", given, intervals.Intervals)
            intervals.check(found)
    except OSError as error:
        raise ConfigError(path, f"{key}.intervals", f"{given}: {error.strerror}") from None
    except ValueError as error:
        words = f"{given}: {error}" if isinstance(given, str) else str(error)
        raise ConfigError(path, f"{key}.intervals", words) from None
    return found


def _each(
    path: Path, key: str, value: Any, kind: type[Settings], wrong: list[ConfigError]
) -> tuple[Any, ...]:
    """Return the tables of a list as types; what is wrong with any of them is added to *wrong*."""
    found = []
    with _noting(wrong):
        if isinstance(value, dict):
            return (_convert(path, key, value, kind),)
        if not isinstance(value, list):
            raise ConfigError(path, key, f"must be a table [{key}] or several [[{key}]]")
        for i, item in enumerate(value):
            with _noting(wrong):
                found.append(_convert(path, f"{key}[{i}]", item, kind))
    return tuple(found)


def _convert(path: Path, key: str, value: Any, kind: Any) -> Any:
    if place := place_of(value, key, lambda item: isinstance(item, float) and not math.isfinite(item)):
        raise ConfigError(path, place, "must be a finite number")
    if place := place_of(value, key, lambda item: isinstance(item, str) and bool(controls(item))):
        raise ConfigError(path, place, "has a control character, such as an escape: take it out")
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise explained(path, key, str(error), value, kind) from None


def _check(path: Path, settings: WorkspaceSettings) -> Iterator[ConfigError]:
    """Yield what is wrong that types alone cannot tell."""
    if not settings.target:
        yield ConfigError(path, "target", "at least one [[target]] is needed")
    folders: dict[str, str] = {}
    for i, target in enumerate(settings.target):
        folder = slug(target.name).casefold()  # some disks do not tell TOI from toi
        if folder in folders:
            yield ConfigError(
                path, f"target[{i}].name", f"{target.name!r} and {folders[folder]!r} would share a folder"
            )
        folders[folder] = target.name
        if (target.ra == "") != (target.dec == ""):
            yield ConfigError(path, f"target[{i}].{'ra' if target.ra == '' else 'dec'}", "is missing")
        elif target.ra != "":
            yield from _check_place(path, f"target[{i}]", target)
    for i, place in enumerate(settings.forced.position):
        yield from _check_place(path, f"forced.position[{i}]", place)
    for i, instrument in enumerate(settings.instrument):
        wrong: list[ConfigError] = []
        with _noting(wrong):
            instruments.check(path, f"instrument[{i}]", instrument, is_alone=len(settings.instrument) == 1)
        yield from wrong
        if instrument.name in {other.name for other in settings.instrument[:i]}:
            yield ConfigError(
                path, f"instrument[{i}].name", f"{instrument.name!r} is the name of two instruments"
            )
    yield from _check_annulus(path, "photometry", settings.photometry)
    yield from _check_times(path, "calibration", settings.calibration)
    yield from _check_catalogs(path, [item.name for item in settings.catalogs.file])
    for i, special in enumerate(settings.observation):
        yield from _check_observation(path, f"observation[{i}]", special, settings, [*folders.values()])


def _check_place(path: Path, key: str, place: Target | ForcedPosition) -> Iterator[ConfigError]:
    for name, parse in (("ra", angles.right_ascension), ("dec", angles.declination)):
        try:
            parse(getattr(place, name))
        except ValueError as error:
            yield ConfigError(path, f"{key}.{name}", str(error))


def _check_annulus(path: Path, key: str, settings: PhotometrySettings) -> Iterator[ConfigError]:
    inner, outer = settings.annulus_fwhm
    if inner >= outer:
        yield ConfigError(path, f"{key}.annulus_fwhm", f"inner radius {inner} is not below the outer {outer}")


def _check_times(path: Path, key: str, settings: CalibrationSettings) -> Iterator[ConfigError]:
    try:
        exclusions.check(settings.exclude_times)
    except ValueError as error:
        yield ConfigError(path, f"{key}.exclude_times", str(error))


def _check_observation(
    path: Path, key: str, special: ObservationSettings, settings: WorkspaceSettings, targets: list[str]
) -> Iterator[ConfigError]:
    target = special.name.partition("/")[0]
    if target not in map(slug, targets):
        yield ConfigError(
            path, f"{key}.name", f"{target!r} is no target; it begins with one of {', '.join(targets)}"
        )
    for name, keys in special.sections().items():
        base = getattr(settings, name)
        try:
            merged = _convert(path, f"{key}.{name}", {**msgspec.to_builtins(base), **keys}, type(base))
        except ConfigError as error:
            yield error
            continue
        if name == "photometry":
            yield from _check_annulus(path, f"{key}.{name}", merged)
        if name == "calibration":
            yield from _check_times(path, f"{key}.{name}", merged)


def _check_catalogs(path: Path, names: list[str]) -> Iterator[ConfigError]:
    for i, name in enumerate(names):
        if name in names[:i]:
            yield ConfigError(path, f"catalogs.file[{i}].name", f"{name!r} is the name of two files")
