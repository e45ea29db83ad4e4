from __future__ import annotations

import ast

import msgspec

from accretor.core.settings import Settings
from tests import settings_doc
from tests.harness import ROOT


def test_the_page_of_settings_is_that_of_the_classes():
    written = settings_doc.PAGE.read_text(encoding="utf-8")

    assert written == settings_doc.page(), "run: python -m tests.settings_doc"


def test_every_key_has_a_meaning_on_the_page():
    rows = [line for line in settings_doc.page().splitlines() if line.startswith("| `")]

    assert len(rows) > 80
    assert [row for row in rows if not row.rstrip(" |").rpartition("| ")[2].strip()] == []
    assert [row for row in rows if row.endswith("|  |")] == []


def kinds(kind=Settings):
    """Yield every class of settings."""
    yield kind
    for below in kind.__subclasses__():
        yield from kinds(below)


def test_every_setting_is_read_by_the_code():
    files = [*(ROOT / "accretor").rglob("*.py"), *(ROOT / "tasks").glob("*.py")]
    read = {
        node.attr
        for path in files
        if path.parent.name != "settings"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }
    unread = {
        f"{kind.__name__}.{field.name}"
        for kind in kinds()
        for field in msgspec.structs.fields(kind)
        if field.name not in read
    }

    # Its type alone refuses another version.
    assert unread == {"WorkspaceSettings.config_version"}
