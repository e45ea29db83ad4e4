"""Which settings are not as they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from accretor.core.settings import WorkspaceSettings

PRIVATE = {"observer", "observers", "username"}
"""Keys with names of people."""


def lines(settings: WorkspaceSettings) -> list[str]:
    """Return the settings that are not the defaults; names of people are left out."""
    found = []
    for name in WorkspaceSettings.__struct_fields__:
        value = getattr(settings, name)
        sections = value if isinstance(value, tuple) else (value,)
        for i, section in enumerate(sections):
            label = f"{name}[{i}]" if isinstance(value, tuple) else name
            if isinstance(section, msgspec.Struct):
                found += [
                    f"{label}.{key} = {'<set>' if key in PRIVATE else shown!r}"
                    for key, shown in _non_default(section)
                ]
            elif name == "raw" and section != "raw":
                found.append(f"raw = {section!r}")
    return found


def _non_default(section: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    for item in msgspec.structs.fields(type(section)):
        value = getattr(section, item.name)
        default = item.default
        if item.default_factory is not msgspec.NODEFAULT:
            default = item.default_factory()
        if value != default:
            yield item.name, msgspec.to_builtins(value)
