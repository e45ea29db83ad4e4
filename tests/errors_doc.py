# ruff: noqa: E501  # sentences of a table stay on one line
"""Write docs/errors.md from the code: every message that stops something, and whose move it then is.

uv run python -m tests.errors_doc
"""

from __future__ import annotations

import ast
import inspect
import re
from collections import defaultdict

from accretor.core import errors
from tests.harness import ROOT

PAGE = ROOT / "docs" / "errors.md"

EFFECT = {
    "ConfigError": "Nothing runs. The message names file and key, and the nearest key that there is.",
    "HeaderError": "That frame is left out, with the reason in `work/inventory.ecsv`; the others go on.",
    "DumpError": "The file is set aside as `*.bad` and made again; a line says so.",
    "Unusable": "That frame, star, file or fit is left out, with the reason in the table of the stage; the others go on.",
    "Blocked": "That stage of that observation fails; other observations go on. The exit status is not 0.",
    "ServiceError": "That step fails and says so; what was kept before stays. It is never read as an empty answer.",
    "UploadError": "That package stops; `uploads/` keeps what is proven to be there, and the same command sends the rest.",
    "ComputeError": "The run stops; what is done is kept, and the next run goes on from there.",
    "WorkerDied": "What those frames cost is said in a row with status `error`; the next run tries them again.",
}
"""What happens then."""

DO = {
    "ConfigError": "Edit `workspace.toml` as the message says; [settings.md](settings.md) has every key.",
    "HeaderError": "Tell what the header lacks in `[[instrument]]` ([telescopes.md](telescopes.md)), or let it be.",
    "DumpError": "Nothing. If the same file is damaged again, look at the disk.",
    "Unusable": "Look whether the reason is right. Where a threshold is behind it, `doit help STAGE` names the setting.",
    "Blocked": "What the end of the message says: a setting, a file, or the command that makes what is missing.",
    "ServiceError": "Run again later. [Offline work](howto/offline.md) needs none of them.",
    "UploadError": "Look at ExoFOP, then run again; [upload.md](upload.md) has every case.",
    "ComputeError": "`[compute] executor`, as the message says; [compute.md](compute.md).",
    "WorkerDied": "Look at the named files; with little memory set `[compute] workers = 1`.",
}
"""What the reader is to do."""


def page() -> str:
    """Return the page as the code has it."""
    found = messages()
    lines = [
        "# Errors",
        "",
        "A message is one line: what (file, target), why (value found, value needed), what to do. It has no number: search",
        "this page for its words; `…` stands for what differs. A traceback is a fault of ours: please report it, with",
        "the text of `doit doctor`, which holds nothing private. This page is made from the code.",
        "",
        "The exit status is 0 if all went well, and only then.",
        "",
    ]
    for kind in classes():
        summary = inspect.getdoc(getattr(errors, kind)) or ""
        lines += [f"## {kind}", "", f"{summary.splitlines()[0]} {EFFECT[kind]} **Do:** {DO[kind]}", ""]
        if not found[kind]:
            continue
        lines += ["| where | messages |", "| --- | --- |"]
        for module, texts in sorted(found[kind].items()):
            shown = "<br>".join(f"`{text}`" for text in sorted(texts))
            lines.append(f"| {module} | {shown} |")
        lines.append("")
    return "\n".join(lines)


def classes() -> list[str]:
    """Return the names of the errors that are told to the user, in the order of `accretor.core.errors`."""
    return [
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type)
        and issubclass(kind, errors.AccretorError)
        and kind is not errors.AccretorError
    ]


def messages() -> dict[str, dict[str, set[str]]]:
    """Return for each class and module the messages that are written out there."""
    kinds = set(classes())
    found: dict[str, dict[str, set[str]]] = {kind: defaultdict(set) for kind in kinds}
    for path in sorted((ROOT / "accretor").rglob("*.py")):
        module = path.relative_to(ROOT / "accretor").with_suffix("").as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                text = ": ".join(filter(None, (_text(part) for part in node.args)))
                if re.search(r"[a-z]{3}", text):
                    found[node.func.id][module].add(text)
    return found


def _text(node: ast.expr) -> str:
    """Return what is written out of a message, with `…` for each value."""
    if isinstance(node, ast.Constant):
        return " ".join(str(node.value).split())
    if isinstance(node, ast.JoinedStr):
        parts = [str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values]
        text = " ".join("".join(parts).split())
        return re.sub(r"…(\s*…)+", "…", text).replace("|", "/").replace("`", "'")
    if isinstance(node, ast.BinOp):
        return f"{_text(node.left)}{_text(node.right)}"
    return "…"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
