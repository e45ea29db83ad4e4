"""What a check of a package finds: one sentence each, with the file and the rule that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Rule = Literal[
    "forbidden",
    "name",
    "tail",
    "planet",
    "date",
    "observatory",
    "notes",
    "missing",
    "optional",
    "content",
    "times",
    "exposure",
    "radius",
    "counts",
    "position",
    "plate",
    "stars",
    "text",
    "plot",
    "caution",
    "tool",
]
"""What a sentence is about; programs may rely on these words."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a package, or worth knowing of it."""

    rule: Rule
    text: str
    file: str = ""
    """Empty if it is about the package as a whole."""

    def __str__(self) -> str:
        return f"{self.file}: {self.text}" if self.file else self.text


def about(file: str, found: Iterable[tuple[Rule, str]]) -> Iterator[Finding]:
    """Yield what was found in one file."""
    for rule, text in found:
        yield Finding(rule, text, file)
