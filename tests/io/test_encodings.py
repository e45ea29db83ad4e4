"""Our tables are UTF-8 wherever they are read, whatever the locale says."""

from __future__ import annotations

import ast

from tests.harness import ROOT


def test_no_table_of_text_is_read_in_the_encoding_of_the_locale():
    # astropy's readers take that of the locale (ASCII, or a code page of Windows) unless they are told.
    told = {
        f"{path.relative_to(ROOT)}:{node.lineno}": "encoding" in ast.unparse(node)
        for path in sorted((ROOT / "accretor").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call | ast.Dict) and "'ascii." in ast.unparse(node)
    }

    assert told
    assert [place for place, is_told in told.items() if not is_told] == []
