"""What is wrong with a value of ``workspace.toml``, in words, and with the key as it stands in the file."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from accretor.core.errors import ConfigError
from accretor.core.settings import WorkspaceSettings

_IN_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}
"""Kinds of values, for people who do not write programs."""
_KINDS = re.compile(rf"`({'|'.join(_IN_WORDS)})(?: \| null)?`")
_PLACE = re.compile(r"(?s)(?P<reason>.*?)(?: - at `(?P<key>key` in `)?\$(?P<place>[^`]*)`)?")


def explained(path: Path, key: str, message: str, value: Any, kind: Any) -> ConfigError:
    """Turn msgspec's *message* on *value* into one that names the key as it stands in the file.

    Parameters
    ----------
    key : str
        Of *value*, which was to be of *kind*.
    """
    parts = _PLACE.fullmatch(message)
    assert parts is not None
    reason, place = parts["reason"], parts["place"] or ""
    where = key + place.replace("[...]", "[]")
    if parts["key"]:  # of a table whose keys are words
        words = _options(get_args(_kind_at(kind, place))[0], "")
        wrong = next(name for name in _at(value, place) if name not in words)
        return ConfigError(path, f"{where}.{wrong}", _unknown_at(wrong, words, key, kind, place))
    if found := re.fullmatch(r"Object contains unknown field `(.*)`", reason):
        reason = _unknown_at(found[1], _keys(kind, place), key, kind, place)
        return ConfigError(path, f"{where}.{found[1]}", reason)
    if missing := re.fullmatch(r"Object missing required field `(.*)`", reason):
        return _lacking(path, where, missing[1], _at(value, place), _kind_at(kind, place))
    if enumerated := re.fullmatch(r"Invalid enum value (.*)", reason):
        return ConfigError(path, where, f"{enumerated[1]} is not one of {', '.join(_options(kind, place))}")
    item = _at(value, place)
    if place.endswith("[...]") and isinstance(item, dict):  # msgspec does not say which of them
        name = next((name for name, one in item.items() if not isinstance(one, str)), "")
        where, item = f"{where.removesuffix('[]')}.{name}", item.get(name, {})
        if isinstance(item, dict):
            return ConfigError(path, where, "expected a text, got a table: a key with a dot needs quotes")
    if reason.startswith("Expected `str` matching regex"):
        reason = f"Expected {_described(kind, place)}"
    shown = "" if isinstance(item, dict | list) else f" (found {item!r})"
    words_of = _KINDS.sub(lambda kind: _IN_WORDS[kind[1]], reason)
    return ConfigError(path, where, words_of[0].lower() + words_of[1:] + shown)


def _lacking(path: Path, where: str, first: str, table: Any, kind: Any) -> ConfigError:
    """Name all keys that a table lacks; msgspec names the *first*, and in lists not of which item."""
    names = [
        field.name
        for field in msgspec.structs.fields(kind)
        if field.required and not (isinstance(table, dict) and field.name in table)
    ]
    if where.endswith("[]") or len(names) < 2:
        return ConfigError(path, f"{where}.{first}", "is missing")
    return ConfigError(path, where, f"{', '.join(names)} are missing")


def unknown(key: str, valid: list[str]) -> str:
    """Return what to say of a key that is none of *valid*."""
    near = difflib.get_close_matches(key, valid, n=1, cutoff=0.5)
    return f"unknown key; did you mean {near[0]}?" if near else f"unknown key; valid are {', '.join(valid)}"


def _unknown_at(wrong: str, valid: list[str], key: str, kind: Any, place: str) -> str:
    """Return what to say of a key that is unknown at *place*, but may be one of the table around it."""
    outer, _, inner = place.rpartition(".")
    if place and inner and not inner.endswith("]") and wrong in _keys(kind, outer):
        return f"is a key of {key}{outer}, and must stand above the table {inner}"
    if not place and wrong in _keys(WorkspaceSettings, ""):
        return "is a key of its own, and must stand above all tables"
    return unknown(wrong, valid)


def place_of(value: Any, place: str, is_wrong: Callable[[Any], bool]) -> str | None:
    """Return where, at or below *place*, a value is wrong; None if all are well."""
    if is_wrong(value):
        return place
    inner = (
        [(f"{place}.{key}", item) for key, item in value.items()]
        if isinstance(value, dict)
        else [(f"{place}[{i}]", item) for i, item in enumerate(value)]
        if isinstance(value, list)
        else []
    )
    return next((found for where, item in inner if (found := place_of(item, where, is_wrong))), None)


def _keys(kind: Any, place: str) -> list[str]:
    """Return the keys that are valid in the table at *place* below *kind*."""
    return [field.name for field in msgspec.structs.fields(_kind_at(kind, place))]


def _kind_at(kind: Any, place: str) -> Any:
    for name in re.findall(r"\.(\w+)", place):
        kind = next(field.type for field in msgspec.structs.fields(kind) if field.name == name)
        kind = next((option for option in get_args(kind) if hasattr(option, "__struct_fields__")), kind)
    return kind


def _options(kind: Any, place: str) -> list[str]:
    """Return the words and numbers of which the value at *place* below *kind* must be one."""
    waiting, found = [_kind_at(kind, place)], []
    while waiting:
        inner = waiting.pop(0)
        found += [str(value) for value in get_args(inner) if get_origin(inner) is Literal]
        waiting += [part for part in get_args(inner) if get_origin(inner) is not Literal]
    return found


def _described(kind: Any, place: str) -> str:
    """Return what a text of a certain form is to be, as its type says."""
    text = _kind_at(kind, place)
    assert get_origin(text) is Annotated, f"the text at {place} has no form"
    return next(str(meta.description) for meta in get_args(text)[1:] if isinstance(meta, msgspec.Meta))


def _at(value: Any, place: str) -> Any:
    for name in re.findall(r"\.(\w+)", place):
        if not isinstance(value, dict) or name not in value:
            return {}
        value = value[name]
    return value
