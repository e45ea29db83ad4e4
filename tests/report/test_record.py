from __future__ import annotations

import json

from accretor.core.dumps import RESULTS
from accretor.report import record

RESULT = {key.name: None for key in RESULTS} | {"n_frame_good": 139, "rp_rs": 0.1489, "detrend": ["x"]}


def after(*reductions):
    kept = {}
    for result in reductions:
        kept = json.loads(record.text(record.renewed(kept, record.numbers(result))))
    return kept


def differing(kept):
    return {one.name: (one.before, one.now, one.difference) for one in record.changes(kept) if one.is_changed}


def test_every_number_that_is_compared_is_one_of_the_results():
    assert {key for key, _, _ in record.COMPARED} <= {key.name for key in RESULTS}


def test_the_first_reduction_has_nothing_to_be_compared_with():
    assert record.changes(after(RESULT)) == []


def test_numbers_that_changed_stand_beside_those_before():
    kept = after(RESULT, {**RESULT, "rp_rs": 0.1501, "detrend": []})

    assert differing(kept) == {
        "Rp/R*": ("0.14890", "0.15010", "+0.00120"),
        "terms of the trend": ("x", "none", ""),
    }


def test_reductions_with_the_same_numbers_do_not_push_the_last_different_one_away():
    other = {**RESULT, "n_frame_good": 140}

    assert after(RESULT, other, other, other) == after(RESULT, other)
    assert differing(after(RESULT, other, other)) == {"frames used": ("139", "140", "+1")}


def test_a_record_that_is_damaged_is_no_record(tmp_path):
    for content in ("", "{", "[1]", "null"):
        (tmp_path / "history.json").write_text(content, encoding="utf-8")
        assert record.read(tmp_path / "history.json") == {}
    assert record.read(tmp_path / "none.json") == {}
