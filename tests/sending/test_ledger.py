from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accretor.sending.ledger import Item, Ledger, State

ITEM = Item("https://exofop/", "file", "ip", "a.tbl")
OTHER = Item("https://exofop/", "summary", "ip", "Hilltop 2025-03-04")


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "sent" / "ledger.jsonl")


def test_the_last_line_of_each_item_counts(ledger):
    assert ledger.latest() == {}
    ledger.begin("p", [(OTHER, "0" * 64), (ITEM, "1" * 64)], 0.0)
    ledger.add("p", ITEM, "1" * 64, State.INTENT, 1.5, "x")

    assert [entry.state for entry in ledger.latest().values()] == [State.PLANNED, State.INTENT]
    entry = ledger.latest()[ITEM]
    assert (entry.plan, entry.sha256, entry.detail, entry.seconds) == ("p", "1" * 64, "x", 1.5)
    assert entry.time == "1970-01-01T00:00:01.500+00:00"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(cut=st.integers(0, 400))
def test_a_torn_last_line_costs_itself_only(ledger, cut):
    ledger.path.unlink(missing_ok=True)
    ledger.begin("p", [(ITEM, "1"), (OTHER, "2")], 0.0)
    ledger.add("p", ITEM, "1", State.INTENT, 1.0)
    whole = ledger.path.read_bytes()
    lines = whole.splitlines(keepends=True)
    cut = min(cut, len(lines[-1]))
    ledger.path.write_bytes(whole[: len(whole) - cut])

    ledger.add("p", OTHER, "2", State.CONFIRMED, 2.0)

    found = [entry.state for entry in ledger.entries()]
    kept = [State.INTENT] if cut <= 1 else []  # without its line end a line is whole
    assert found == [State.PLANNED, State.PLANNED, *kept, State.CONFIRMED]


def test_lines_that_are_not_ours_are_passed_over(ledger):
    ledger.begin("p", [(ITEM, "1")], 0.0)
    with ledger.path.open("a") as file:
        file.write('[]\n{"state": "x"}\nnull\n\xff\n')
    assert len(ledger.entries()) == 1
