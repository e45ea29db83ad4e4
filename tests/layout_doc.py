"""The parts of data_layout.md that follow from the code; ``python -m tests.layout_doc`` writes them anew."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from accretor.core.dumps import RESULTS, ROW_STATE, SCHEMAS, Column
from tests.pipeline import causes

PAGE = Path(__file__).resolve().parents[1] / "data_layout.md"


def table(columns: Iterable[Column]) -> str:
    """Return the columns as a Markdown table."""
    lines = ["| column | type | unit | meaning |", "| --- | --- | --- | --- |"]
    for column in columns:
        kind = f"{column.kind} [{', '.join(column.shape)}]" if column.shape else column.kind
        lines.append(f"| `{column.name}` | {kind} | {column.unit} | {column.meaning} |")
    return "\n".join(lines)


def parts() -> dict[str, str]:
    """Return each generated part by its name."""
    found = {schema.name: table(schema.columns) for schema in SCHEMAS}
    return found | {"row_state": table(ROW_STATE), "results": table(RESULTS)}


def filled(page: str) -> str:
    """Return *page* with every generated part as the code has it."""
    for name, content in parts().items():
        page = re.sub(
            rf"(<!-- columns: {name} -->\n).*?(<!-- end -->)",
            lambda match, c=content: f"{match[1]}{c}\n{match[2]}",
            page,
            flags=re.DOTALL,
        )
    causes_end = r"(<!-- causes -->\n).*?(<!-- /causes -->)"
    return re.sub(
        causes_end, lambda match: f"{match[1]}{causes.markdown()}\n{match[2]}", page, flags=re.DOTALL
    )


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
