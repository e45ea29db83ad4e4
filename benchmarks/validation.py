"""Simulated nights of known truth through the real pipeline: what comes back, and how true its errors are.

uv run python -m benchmarks.validation                   20 seeds of every scenario, then docs/validation.md
uv run python -m benchmarks.validation 5 clouds defocus  5 seeds of two scenarios; their table is printed
uv run python -m benchmarks.validation --no-nights       docs/validation.md of the nights measured so far

Nights that were measured are kept in ``validation.jsonl`` (``--rows FILE``) and not made again; so the
work can be stopped, and shared by several processes (``--part 1/2``). Delete the file after a change of
the method.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from accretor.synthetic.scenarios import SCENARIOS
from benchmarks import validation_page
from benchmarks.validation_night import Row, night

N_SEED = 20
PAGE = Path(__file__).resolve().parents[1] / "docs" / "validation.md"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is missing, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("seeds", nargs="?", type=int, default=N_SEED)
    parser.add_argument("scenarios", nargs="*", help=f"of {', '.join(SCENARIOS)}")
    parser.add_argument("--rows", type=Path, default=Path("validation.jsonl"))
    parser.add_argument(
        "--no-nights", action="store_true", help="only write the page of the nights there are"
    )
    parser.add_argument("--part", default="1/1", help="which of how many processes this is")
    options = parser.parse_args(arguments)
    wanted = options.scenarios or list(SCENARIOS)
    part, n_part = (int(number) for number in options.part.split("/"))
    todo = [(name, seed) for seed in range(1, options.seeds + 1) for name in wanted]
    done = {(row["scenario"], row["seed"]) for row in _rows(options.rows)}
    missing = [] if options.no_nights else [pair for pair in todo if pair not in done]
    for name, seed in missing[part - 1 :: n_part]:
        for row in _measured(name, seed):
            with options.rows.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        print(name, seed, flush=True)
    chosen: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(_rows(options.rows), key=lambda row: (row["seed"], row["filter"])):
        if (row["scenario"], row["seed"]) in set(todo):
            chosen[row["scenario"]].append(row)
    text = validation_page.page({name: chosen[name] for name in SCENARIOS if name in chosen})
    if options.scenarios or n_part > 1:
        print(text)
    else:
        PAGE.write_text(text, encoding="utf-8")


def _measured(name: str, seed: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        yield from night(name, seed, Path(folder))


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main()
