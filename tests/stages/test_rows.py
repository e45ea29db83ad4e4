from __future__ import annotations

import functools
import logging
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accretor.core.dumps import Column, Schema
from accretor.core.errors import Unusable, WorkerDied
from accretor.io import dump, journal, records
from accretor.stages import rows
from accretor.stages.rows import Job, augment

SCHEMA = Schema(
    "measures",
    1,
    (
        Column("image_name", "string", "raw file"),
        Column("value", "float64", "measured", "pix", 4),
        Column("values", "float64", "measured", "pix", 4, ("star",)),
    ),
    keyed=True,
)
BLANK = {"value": math.nan, "values": None}


class Here:
    """A mapper that works here, in an order of its own, and counts."""

    def __init__(self, order=None):
        self.order = order or list
        self.items = []

    def map(self, work, items):
        for index in self.order(range(len(items))):
            self.items.append(items[index])
            yield index, work(items[index])


def measure(payload):
    """Return twice the number; or do what the payload says."""
    if isinstance(payload, BaseException):
        raise payload
    return {"value": 2.0 * payload + 0.00001, "values": np.array([payload, payload / 3])}


def job(i, payload=None, **changes):
    values = {
        "input": f"digest{i}",
        "context": "v1",
        "given": {"image_name": f"{i}.fits"},
        "payload": i if payload is None else payload,
    }
    return Job(**{**values, **changes})


@pytest.fixture
def run(tmp_path):
    """Bring a dump up to date, and return the outcome and the payloads that were worked on."""

    def updated(jobs, *, work=measure, order=None, binary=False, meta=None, **options):
        pool = Here(order)
        outcome = augment(
            SCHEMA,
            tmp_path / "d.ecsv",
            jobs,
            work=work,
            blank=BLANK,
            pool=pool,
            progress=lambda done, total: None,
            meta=meta or {},
            binary=tmp_path / "d.fits" if binary else None,
            shape={"star": 2},
            **options,
        )
        return outcome, pool.items

    return updated


def names(outcome):
    return [row["image_name"] for row in outcome.rows]


def table(tmp_path):
    return dump.read(tmp_path / "d.ecsv", SCHEMA).rows


@pytest.fixture(params=[False, True], ids=["readable", "binary"])
def binary(request):
    return request.param


def test_all_rows_are_made_at_first_and_none_the_second_time(run, binary):
    first, made = run([job(1), job(2)], binary=binary)
    second, again = run([job(1), job(2)], binary=binary)

    assert (made, again) == ([1, 2], [])
    assert (first.n_done, first.n_kept, second.n_done, second.n_kept) == (2, 0, 0, 2)
    assert [row["value"] for row in first.rows] == [row["value"] for row in second.rows] == [2.0, 4.0]


def test_adding_a_frame_costs_a_frame_wherever_it_stands(run, binary):
    run([job(1), job(3)], binary=binary)
    outcome, made = run([job(1), job(2), job(3)], binary=binary)

    assert made == [2]
    assert names(outcome) == ["1.fits", "2.fits", "3.fits"]


def test_a_row_of_other_bytes_or_made_with_other_settings_is_made_again(run, binary):
    run([job(1), job(2), job(3)], binary=binary)
    _, made = run([job(1), job(2, input="other"), job(3, context="v2")], binary=binary)

    assert made == [2, 3]


def test_the_rows_of_frames_that_are_gone_are_removed(run, tmp_path, binary):
    run([job(1), job(2), job(3)], binary=binary)
    outcome, made = run([job(2)], binary=binary)

    assert (made, outcome.n_removed, names(outcome)) == ([], 2, ["2.fits"])
    assert [row["image_name"] for row in table(tmp_path)] == ["2.fits"]


def test_without_frames_the_dump_is_empty(run, tmp_path, binary):
    run([job(1)], binary=binary)
    outcome, _ = run([], binary=binary)

    assert (outcome.n_removed, outcome.rows, table(tmp_path)) == (1, [], [])


def test_what_is_given_may_change_without_work(run, tmp_path):
    run([job(1)])
    _, made = run([job(1, given={"image_name": "renamed.fits"})])

    assert made == []
    assert table(tmp_path)[0]["image_name"] == "renamed.fits"


def test_a_poor_frame_gets_its_reason_stays_so_and_does_not_stop_the_others(run, tmp_path, binary):
    outcome, made = run([job(1), job(2, Unusable("12 stars, 20 needed")), job(3)], binary=binary)
    _, again = run([job(1), job(2, Unusable("12 stars, 20 needed")), job(3)], binary=binary)

    assert len(made) == 3
    assert again == []
    assert [row["status"] for row in table(tmp_path)] == ["good", "poor", "good"]
    assert math.isnan(table(tmp_path)[1]["value"])
    assert outcome.reasons == {"2.fits": "12 stars, 20 needed"}
    assert str(outcome) == "3 measured, 0 kept, 1 not good"


def test_work_may_say_itself_that_a_frame_is_poor_and_keep_its_measures(run, tmp_path):
    run([job(1)], work=lambda i: {"value": 7.0, "values": None, "status": rows.POOR, "reason": "few stars"})

    (row,) = table(tmp_path)
    assert (row["status"], row["reason"], row["value"]) == ("poor", "few stars", 7.0)


@pytest.mark.parametrize(
    "error", [PermissionError(13, "denied"), MemoryError("too large")], ids=lambda error: type(error).__name__
)
def test_a_frame_that_could_not_be_had_is_tried_again(run, tmp_path, binary, error):
    run([job(1), job(2, error)], binary=binary)
    assert [row["status"] for row in table(tmp_path)] == ["good", "error"]
    assert "tried again" in table(tmp_path)[1]["reason"]

    outcome, made = run([job(1), job(2)], binary=binary)
    assert made == [2]
    assert [row["status"] for row in table(tmp_path)] == ["good", "good"]
    assert outcome.reasons == {}


def test_a_frame_whose_bytes_could_not_be_read_is_not_counted_as_removed_later(run):
    def look(payload):
        return {**measure(payload), "input": "digest1"}

    run([job(1, OSError(5, "input/output error"), input=None)], work=look)
    outcome, _ = run([job(1, input=None)], work=look)

    assert (outcome.n_done, outcome.n_removed) == (1, 0)


def test_work_that_finds_the_digest_makes_a_row_that_stands(run, tmp_path):
    def look(payload):
        return {**measure(payload), "input": f"digest{payload}"}

    run([job(1, input=None)], work=look)
    _, made = run([job(1)], work=look)

    assert table(tmp_path)[0]["input"] == "digest1"
    assert made == []


def test_items_that_end_their_process_become_errors_and_the_others_stand(run, tmp_path):
    class Dying(Here):
        def map(self, work, items):
            yield 0, work(items[0])
            raise WorkerDied((1,))

    augment(
        SCHEMA,
        tmp_path / "d.ecsv",
        [job(1), job(2)],
        work=measure,
        blank=BLANK,
        pool=Dying(),
        progress=lambda done, total: None,
        meta={},
    )

    assert [row["status"] for row in table(tmp_path)] == ["good", "error"]
    assert "process that worked on it died" in table(tmp_path)[1]["reason"]
    _, made = run([job(1), job(2)])
    assert made == [2]


@settings(deadline=None, max_examples=12)
@given(n=st.integers(0, 6), seed=st.integers())
def test_rows_are_in_the_order_of_the_jobs_whatever_is_finished_first(tmp_path_factory, n, seed):
    shuffled = functools.partial(random.Random(seed).sample, k=n)
    found = []
    for order in (list, lambda items: shuffled(list(items))):
        folder = tmp_path_factory.mktemp("rows")
        augment(
            SCHEMA,
            folder / "d.ecsv",
            [job(i) for i in range(n)],
            work=measure,
            blank=BLANK,
            pool=Here(order),
            progress=lambda done, total: None,
            meta={},
            binary=folder / "d.fits",
            shape={"star": 2},
        )
        found.append([(folder / name).read_bytes() for name in ("d.ecsv", "d.fits")])

    assert found[0] == found[1]


def test_frames_one_by_one_give_the_bytes_of_all_at_once(run, tmp_path, binary):
    jobs = [job(i) for i in range(5)]
    run(jobs, binary=binary)
    at_once = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for path in tmp_path.iterdir():
        path.unlink()

    for known in ([3], [3, 0], [0, 1, 3], [0, 1, 2, 3, 4]):
        run([jobs[i] for i in known], binary=binary)

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == at_once


@pytest.mark.parametrize("n_done", [0, 1, 4])
@pytest.mark.parametrize("stop", [KeyboardInterrupt, ValueError])
def test_what_was_done_before_a_kill_or_a_bug_is_not_done_again(run, tmp_path, binary, n_done, stop):
    fatal = [job(i, stop() if i == n_done else None) for i in range(5)]
    with pytest.raises(stop):
        run(fatal, binary=binary)
    assert not (tmp_path / "d.ecsv").exists()

    outcome, made = run([job(i) for i in range(5)], binary=binary)

    assert made == list(range(n_done, 5))
    assert [row["value"] for row in outcome.rows] == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert not journal.path_of(tmp_path / "d.ecsv").exists()
    assert not journal.path_of(tmp_path / "d.fits").exists()


def test_a_resumed_run_gives_the_bytes_of_an_uninterrupted_one(run, tmp_path, binary):
    with pytest.raises(KeyboardInterrupt):
        run([job(0), job(1, KeyboardInterrupt())], binary=binary)
    run([job(0), job(1)], binary=binary)
    resumed = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    run([job(0), job(1)], binary=binary, redo=True)

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == resumed


def test_a_kill_keeps_the_dump_that_was_there(run, tmp_path):
    run([job(1)])
    before = (tmp_path / "d.ecsv").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        run([job(1), job(2), job(3, KeyboardInterrupt())])

    assert (tmp_path / "d.ecsv").read_bytes() == before
    assert run([job(1), job(2), job(3)])[1] == [3]


def test_rows_of_a_journal_that_were_errors_or_made_otherwise_are_made_again(run):
    with pytest.raises(KeyboardInterrupt):
        run([job(1, OSError("gone")), job(2, context="old"), job(3), job(4, KeyboardInterrupt())])

    assert run([job(1), job(2), job(3), job(4)])[1] == [1, 2, 4]


def test_a_dump_that_cannot_be_trusted_is_set_aside_said_and_made_again(
    run, tmp_path, binary, caplog, monkeypatch
):
    monkeypatch.setattr(logging.getLogger("accretor"), "propagate", True)
    name = "d.fits" if binary else "d.ecsv"
    run([job(1), job(2)], binary=binary)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[:-3])

    with caplog.at_level(logging.WARNING, logger="accretor"):
        _, made = run([job(1), job(2)], binary=binary)

    assert made == [1, 2]
    assert (tmp_path / name).read_bytes() == whole
    assert (tmp_path / f"{name}.bad").read_bytes() == whole[:-3]
    assert f"it is kept as {name}.bad and made again" in caplog.text


def test_a_readable_twin_that_is_gone_or_was_edited_is_written_again_without_work(run, tmp_path):
    run([job(1), job(2)], binary=True)
    twin = (tmp_path / "d.ecsv").read_bytes()
    for damage in (twin[:-5], twin.replace(b"2.0", b"3.0"), None):
        (tmp_path / "d.ecsv").unlink()
        if damage is not None:
            (tmp_path / "d.ecsv").write_bytes(damage)
        _, made = run([job(1), job(2)], binary=True)
        assert made == []
        assert (tmp_path / "d.ecsv").read_bytes() == twin


def test_redo_makes_every_row_again(run, binary):
    run([job(1), job(2)], binary=binary)

    assert run([job(1), job(2)], binary=binary, redo=True)[1] == [1, 2]


def test_what_is_to_be_remembered_is_told_as_soon_as_a_row_is_made(run):
    told = []
    with pytest.raises(KeyboardInterrupt):
        run([job(1), job(2, KeyboardInterrupt())], remember=lambda i, row: told.append((i, row["input"])))

    assert told == [(0, "digest1")]


def test_the_header_counts_the_rows_by_status_and_has_what_it_is_given(run, tmp_path):
    run([job(1), job(2, Unusable("bad"))], meta={"radii": [1.5]})

    assert dump.read_meta(tmp_path / "d.ecsv")["summary"] == {"frames": 2, "good": 1, "poor": 1}
    assert dump.read_meta(tmp_path / "d.ecsv")["radii"] == [1.5]


def test_an_unchanged_dump_is_not_written_again(run, tmp_path, binary):
    run([job(1)], binary=binary)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    run([job(1)], binary=binary)

    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_arrays_are_in_the_binary_dump_with_their_decimals(run, tmp_path):
    run([job(1), job(2, Unusable("bad"))], binary=True)
    found, _ = records.read(tmp_path / "d.fits", SCHEMA)

    np.testing.assert_array_equal(found[0]["values"], [1.0, 0.3333])
    assert np.isnan(found[1]["values"]).all()


def test_progress_tells_how_many_of_those_to_be_made_are_done(tmp_path, run):
    run([job(1)])
    told = []
    augment(
        SCHEMA,
        tmp_path / "d.ecsv",
        [job(1), job(2), job(3)],
        work=measure,
        blank=BLANK,
        pool=Here(),
        progress=lambda done, total: told.append((done, total)),
        meta={},
    )

    assert told == [(1, 2), (2, 2)]


def test_pending_rows_are_those_that_would_be_made(run, tmp_path):
    jobs = [job(1), job(2, OSError("gone")), job(3, Unusable("bad"))]
    assert rows.n_pending(SCHEMA, tmp_path / "d.ecsv", jobs) == 3
    run(jobs)

    assert rows.n_pending(SCHEMA, tmp_path / "d.ecsv", [*jobs, job(4)]) == 2
    (tmp_path / "d.ecsv").write_text("torn", encoding="utf-8")
    assert rows.n_pending(SCHEMA, tmp_path / "d.ecsv", jobs) == 3


def test_a_fingerprint_is_short_stable_and_of_every_part():
    assert rows.fingerprint(1, "a", [0.1]) == rows.fingerprint(1, "a", (0.1,)) == "c7ca1e15fb9f73f7"
    assert (
        len({rows.fingerprint(*parts) for parts in ([1], ["1"], [1, 1], [[1], 1], [{"a": 1}], [None])}) == 6
    )
    assert rows.fingerprint({"a": 1, "b": 2}) == rows.fingerprint({"b": 2, "a": 1})
