from __future__ import annotations

from tests import settings_doc


def test_the_page_of_settings_is_that_of_the_classes():
    written = settings_doc.PAGE.read_text(encoding="utf-8")

    assert written == settings_doc.page(), "run: python -m tests.settings_doc"


def test_every_key_has_a_meaning_on_the_page():
    rows = [line for line in settings_doc.page().splitlines() if line.startswith("| `")]

    assert len(rows) > 80
    assert [row for row in rows if not row.rstrip(" |").rpartition("| ")[2].strip()] == []
    assert [row for row in rows if row.endswith("|  |")] == []
