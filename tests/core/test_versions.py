from __future__ import annotations

import ast

from accretor.core import versions
from tests.harness import ROOT

WITHOUT_NUMBERS = {"HEADERS", "PLOTTING", "PACKAGING", "REPORT"}


def test_the_science_version_counts_every_stage_that_makes_numbers_and_no_other():
    text = (ROOT / "accretor" / "core" / "versions.py").read_text(encoding="utf-8")
    stages = {
        node.targets[0].id: node.value.value
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }

    assert set(stages) > WITHOUT_NUMBERS
    assert sum(v for name, v in stages.items() if name not in WITHOUT_NUMBERS) == versions.SCIENCE
