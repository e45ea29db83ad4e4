"""Write docs/settings.md from the settings classes: ``python -m tests.settings_doc``."""

from __future__ import annotations

import ast
import types
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from accretor.core import settings
from accretor.core.settings import Settings, WorkspaceSettings

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "settings.md"

HEAD = """\
# Settings

Every key of `workspace.toml`. A key that is not there has its default; a wrong one stops with a line that
names it and the key that was meant. `doit init` writes a first file; `doit why` tells what a change would
make run again. This page is made from the classes in `accretor/core/settings/`.
"""

_CLASSES = {
    node.name: node
    for path in sorted(Path(settings.__file__).parent.glob("*.py"))
    for node in ast.parse(path.read_text(encoding="utf-8")).body
    if isinstance(node, ast.ClassDef)
}
_WORDS = {str: "text", float: "number", int: "whole number", bool: "true or false"}


def page() -> str:
    """Return the page."""
    return "\n".join([HEAD, *_section("", WorkspaceSettings, is_list=False)]) + "\n"


def _section(path: str, kind: type[Settings], *, is_list: bool) -> list[str]:
    title = f"[[{path}]]" if is_list else f"[{path}]" if path else "At the top"
    lines = [f"## `{title}`" if path else f"## {title}", "", *([_docstring(kind), ""] if path else [])]
    hints = get_type_hints(kind, include_extras=True)
    texts = _texts(kind)
    rows, inner = [], []
    for field in msgspec.structs.fields(kind):
        hint = hints[field.name]
        below = f"{path}.{field.name}" if path else field.name
        if (section := _as_section(hint)) is not None:
            inner += _section(below, section, is_list=get_origin(hint) is tuple)
        elif get_origin(hint) is dict and (section := _as_section(get_args(hint)[1])) is not None:
            inner += _section(f"{below}.<name>", section, is_list=False)
        else:
            rows.append(f"| `{field.name}` | {_type(hint)} | {_default(field)} | {texts[field.name]} |")
    if rows:
        lines += ["| key | value | default | meaning |", "| --- | --- | --- | --- |", *rows, ""]
    return lines + inner


def _as_section(hint: Any) -> type[Settings] | None:
    """Return the settings class that *hint* is, or is a list or an option of."""
    options = [hint, *get_args(hint)] if get_origin(hint) in (tuple, Union, types.UnionType) else [hint]
    return next((item for item in options if isinstance(item, type) and issubclass(item, Settings)), None)


def _docstring(kind: type[Settings]) -> str:
    return " ".join((kind.__doc__ or "").split()).replace("``", "`")


def _texts(kind: type[Settings]) -> dict[str, str]:
    """Return the docstring of each field, those of base classes too."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        node = _CLASSES.get(base.__name__)
        for item, after in zip(node.body, [*node.body[1:], None], strict=True) if node else ():
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                text = str(after.value.value) if is_text else ""  # type: ignore[union-attr]
                found[item.target.id] = " ".join(text.split()).replace("``", "`").replace("|", "\\|")
    return found


def _type(hint: Any) -> str:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return f"{_type(args[0])}{_limits(args[1])}"
    if origin is Literal:
        return " or ".join(f"`{value!r}`".replace("'", '"') for value in args)
    if origin in (Union, types.UnionType):
        return " or ".join(_type(item) for item in args if item is not type(None))
    if origin is tuple:
        is_open = args[-1] is Ellipsis
        return f"list of {_type(args[0])}" if is_open else f"{len(args)} times {_type(args[0])}"
    if origin is dict:
        of = get_args(args[0])
        return f"table of {', '.join(f'`{key}`' for key in of)}" if of else "table"
    return _WORDS.get(hint, getattr(hint, "__name__", str(hint)))


def _limits(meta: msgspec.Meta) -> str:
    words = {"gt": "> {}", "ge": ">= {}", "lt": "< {}", "le": "<= {}"}
    found = [text.format(value) for name, text in words.items() if (value := getattr(meta, name)) is not None]
    return f" {' and '.join(found)}" if found else ""


def _default(field: Any) -> str:
    if field.required:
        return "needed"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if value is None or value in ("", (), {}):
        return ""
    return f"`{msgspec.json.encode(value).decode()}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
